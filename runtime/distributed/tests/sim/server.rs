//! What a store promises, in the plainest way.

use std::collections::BTreeMap;
use std::time::Duration;

use async_monitor_distributed::store::{Answer, Renewal};

type Owner = (String, u64);

#[derive(Debug)]
pub struct Server {
    lease: Duration,
    /// The process, and when the lease ends.
    sessions: BTreeMap<String, (usize, Duration)>,
    fences: BTreeMap<String, u64>,
    holds: BTreeMap<String, (Owner, u64)>,
    queues: BTreeMap<String, Vec<Owner>>,
    /// Who is to be told that it is its turn.
    told: Vec<(usize, String, u64)>,
}

impl Server {
    pub fn new(lease: Duration) -> Self {
        Server {
            lease,
            sessions: BTreeMap::new(),
            fences: BTreeMap::new(),
            holds: BTreeMap::new(),
            queues: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    pub fn told(&mut self) -> Vec<(usize, String, u64)> {
        std::mem::take(&mut self.told)
    }

    fn is_alive(&self, session: &str, now: Duration) -> bool {
        let found = self.sessions.get(session);
        found.is_some_and(|(_, expires)| *expires > now)
    }

    /// `session/ticket`.
    pub fn holder(&self, key: &str, now: Duration) -> Option<String> {
        let ((session, ticket), _) = self.holds.get(key)?;
        let is_alive = self.is_alive(session, now);
        is_alive.then(|| format!("{session}/{ticket}"))
    }

    fn head(&mut self, key: &str, now: Duration) -> Option<Owner> {
        let mut queue = self.queues.remove(key).unwrap_or_default();
        queue.retain(|(session, _)| self.is_alive(session, now));
        let head = queue.first().cloned();
        self.queues.insert(key.to_owned(), queue);
        head
    }

    #[allow(clippy::too_many_arguments)] // those of a message
    pub fn request(
        &mut self,
        now: Duration,
        process: usize,
        session: &str,
        opens: bool,
        key: &str,
        ticket: u64,
        queues: bool,
    ) -> Answer {
        if opens && (!self.sessions.contains_key(session) || self.is_alive(session, now)) {
            let expires = now + self.lease;
            self.sessions.insert(session.to_owned(), (process, expires));
        }
        if !self.is_alive(session, now) {
            return Answer::Ended;
        }
        let owner = (session.to_owned(), ticket);
        if let Some((held_by, fence)) = self.holds.get(key) {
            if *held_by == owner {
                return Answer::Granted { fence: *fence };
            }
        }
        if self.holder(key, now).is_none() {
            let head = self.head(key, now);
            if head.is_none() || head.as_ref() == Some(&owner) {
                let fence = self.fences.entry(key.to_owned()).or_default();
                *fence += 1;
                self.holds.insert(key.to_owned(), (owner.clone(), *fence));
                let queue = self.queues.entry(key.to_owned()).or_default();
                queue.retain(|waiter| *waiter != owner);
                return Answer::Granted { fence: *fence };
            }
        }
        if !queues {
            return Answer::Busy;
        }
        let queue = self.queues.entry(key.to_owned()).or_default();
        if !queue.contains(&owner) {
            queue.push(owner);
        }
        Answer::Queued {
            ask_again: self.lease * 2 / 3,
            holder: None,
        }
    }

    pub fn renew(&mut self, now: Duration, session: &str, tickets: &[u64]) -> Renewal {
        if !self.is_alive(session, now) {
            return Renewal::Ended;
        }
        let expires = now + self.lease;
        if let Some(found) = self.sessions.get_mut(session) {
            found.1 = expires;
        }
        let held = self.holds.iter().map(|(key, (owner, _))| (key, owner));
        let queued = self.queues.iter();
        let queued = queued.flat_map(|(key, queue)| queue.iter().map(move |owner| (key, owner)));
        let ours = held.chain(queued).filter(|(_, owner)| owner.0 == session);
        let orphans = ours.filter(|(_, owner)| !tickets.contains(&owner.1));
        Renewal::Alive {
            orphans: orphans.map(|(key, owner)| (key.clone(), owner.1)).collect(),
        }
    }

    pub fn withdraw(&mut self, now: Duration, session: &str, key: &str, ticket: u64) {
        let owner = (session.to_owned(), ticket);
        if let Some(queue) = self.queues.get_mut(key) {
            queue.retain(|waiter| *waiter != owner);
        }
        if self
            .holds
            .get(key)
            .is_some_and(|(held_by, _)| *held_by == owner)
        {
            self.holds.remove(key);
        }
        if !self.holds.contains_key(key) {
            if let Some((session, ticket)) = self.head(key, now) {
                let process = self.sessions[&session].0;
                self.told.push((process, session, ticket));
            }
        }
    }

    pub fn close(&mut self, session: &str) {
        self.sessions.remove(session);
    }
}
