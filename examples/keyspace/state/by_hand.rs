//! The state by hand: std's mutex, since no section suspends, and tokio's
//! `Notify` to wake the background task.
//!
//! What the compiler does not see, and a reader has to: whoever makes an entry
//! expire sooner than any other calls `wake.notify_one()`, and so does whoever
//! sets `is_shut_down`.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;
use tokio::task;
use tokio::time::{self, Instant};

use super::{AddError, Bytes, Entry, If, Next, REMOVED_AT_ONCE, Set, State, TimeToLive, sum};
use crate::subscriber::{Message, Subscriber};

#[derive(Default)]
pub struct ByHand {
    inner: Mutex<Inner>,
    /// Wakes the background task.
    wake: Notify,
}

/// What the mutex guards.
#[derive(Default)]
struct Inner {
    entries: HashMap<Bytes, Entry>,
    /// The entries that expire, in the order in which they do.
    expirations: BTreeSet<(Instant, Bytes)>,
    channels: HashMap<Bytes, HashMap<u64, Arc<Subscriber>>>,
    is_shut_down: bool,
}

impl ByHand {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no section panics")
    }

    /// Removes what has expired, and says what to do next.
    fn remove_some_expired(&self) -> Next {
        let mut inner = self.lock();
        if inner.is_shut_down {
            return Next::Return;
        }
        let now = Instant::now();
        for _ in 0..REMOVED_AT_ONCE {
            match inner.expirations.first() {
                Some(&(at, _)) if at <= now => {
                    let (_, key) = inner.expirations.pop_first().expect("there is a first");
                    inner.entries.remove(&key);
                }
                next => {
                    let until = next.map(|&(at, _)| at);
                    return Next::Sleep { until };
                }
            }
        }
        Next::RemoveMore
    }
}

impl State for ByHand {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        self.lock().get(key)
    }

    fn get_all(&self, keys: &[&[u8]]) -> Vec<Option<Bytes>> {
        let inner = self.lock();
        keys.iter().map(|key| inner.get(key)).collect()
    }

    fn set(&self, key: Bytes, value: Bytes, expires_at: Option<Instant>, condition: If) -> Set {
        let mut inner = self.lock();
        let previous = inner.get(&key);
        let is_stored = condition.holds(previous.is_some());
        let is_next = is_stored && inner.store(key, value, expires_at);
        drop(inner);
        if is_next {
            self.wake.notify_one();
        }
        // The last reference to the old value: it is freed outside the section.
        Set {
            is_stored,
            previous,
        }
    }

    fn set_all(&self, entries: Vec<(Bytes, Bytes)>) {
        let mut inner = self.lock();
        for (key, value) in entries {
            inner.store(key, value, None);
        }
    }

    fn add(&self, key: &[u8], summand: i64) -> Result<i64, AddError> {
        let mut inner = self.lock();
        if let Some(entry) = inner.get_mut(key) {
            let sum = sum(&entry.value, summand)?;
            entry.value = sum.to_string().into_bytes().into();
            Ok(sum)
        } else {
            inner.store(key.into(), summand.to_string().into_bytes().into(), None);
            Ok(summand)
        }
    }

    fn remove(&self, keys: &[&[u8]]) -> usize {
        let mut inner = self.lock();
        let removed: Vec<_> = keys.iter().filter_map(|key| inner.remove(key)).collect();
        drop(inner); // before the values are freed
        removed.iter().filter(|entry| entry.is_alive()).count()
    }

    fn count(&self, keys: &[&[u8]]) -> usize {
        let inner = self.lock();
        keys.iter().filter(|key| inner.get(key).is_some()).count()
    }

    fn len(&self) -> usize {
        self.lock().entries.len()
    }

    fn clear(&self) {
        let mut inner = self.lock();
        let entries = mem::take(&mut inner.entries);
        let expirations = mem::take(&mut inner.expirations);
        drop(inner); // before the entries are freed
        drop((entries, expirations));
    }

    fn expire(&self, key: &[u8], at: Instant) -> bool {
        let mut inner = self.lock();
        let Some((key, old)) = inner.replace_expiration(key, Some(at)) else {
            return false;
        };
        let is_next = inner.schedule(&key, old, Some(at));
        drop(inner);
        if is_next {
            self.wake.notify_one();
        }
        true
    }

    fn persist(&self, key: &[u8]) -> bool {
        let mut inner = self.lock();
        let Some((key, old)) = inner.replace_expiration(key, None) else {
            return false;
        };
        inner.schedule(&key, old, None);
        old.is_some()
    }

    fn time_to_live(&self, key: &[u8]) -> TimeToLive {
        match self.lock().entries.get(key).map(|entry| entry.expires_at) {
            None => TimeToLive::Missing,
            Some(None) => TimeToLive::Unlimited,
            Some(Some(at)) => match at.duration_since(Instant::now()) {
                left if left.is_zero() => TimeToLive::Missing,
                left => TimeToLive::Left(left),
            },
        }
    }

    fn subscribe(&self, channel: &Bytes, subscriber: &Arc<Subscriber>) {
        let mut inner = self.lock();
        let subscribers = inner.channels.entry(Arc::clone(channel)).or_default();
        subscribers.insert(subscriber.id(), Arc::clone(subscriber));
    }

    fn unsubscribe(&self, channel: &[u8], subscriber: &Subscriber) {
        let mut inner = self.lock();
        if let Some(subscribers) = inner.channels.get_mut(channel) {
            subscribers.remove(&subscriber.id());
            if subscribers.is_empty() {
                inner.channels.remove(channel);
            }
        }
    }

    fn publish(&self, message: &Message) -> usize {
        let inner = self.lock();
        let subscribers = inner.channels.get(&message.channel).into_iter().flatten();
        subscribers.filter(|(_, it)| it.deliver(message)).count()
    }

    async fn remove_expired(&self) {
        loop {
            match self.remove_some_expired() {
                Next::RemoveMore => task::yield_now().await,
                Next::Sleep { until: None } => self.wake.notified().await,
                Next::Sleep { until: Some(at) } => {
                    // Both ends mean the same: look again.
                    let _ = time::timeout_at(at, self.wake.notified()).await;
                }
                Next::Return => return,
            }
        }
    }

    fn shut_down(&self) {
        self.lock().is_shut_down = true;
        self.wake.notify_one();
    }
}

impl Inner {
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        let entry = self.entries.get(key).filter(|entry| entry.is_alive())?;
        Some(Arc::clone(&entry.value))
    }

    fn get_mut(&mut self, key: &[u8]) -> Option<&mut Entry> {
        self.entries.get_mut(key).filter(|entry| entry.is_alive())
    }

    /// Stores an entry. Returns whether it is the next one to expire.
    fn store(&mut self, key: Bytes, value: Bytes, expires_at: Option<Instant>) -> bool {
        let entry = Entry { value, expires_at };
        let old = self.entries.insert(Arc::clone(&key), entry);
        self.schedule(&key, old.and_then(|old| old.expires_at), expires_at)
    }

    fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.schedule(&key, entry.expires_at, None);
        Some(entry)
    }

    /// Sets when an entry expires, if there is one. Returns its key and when it
    /// would have expired.
    fn replace_expiration(
        &mut self,
        key: &[u8],
        at: Option<Instant>,
    ) -> Option<(Bytes, Option<Instant>)> {
        let key = Arc::clone(self.entries.get_key_value(key)?.0);
        let entry = self.get_mut(&key)?;
        let old = mem::replace(&mut entry.expires_at, at);
        Some((key, old))
    }

    /// Notes in `expirations` that an entry expires at another time than before.
    /// Returns whether it is now the next one.
    fn schedule(&mut self, key: &Bytes, old: Option<Instant>, new: Option<Instant>) -> bool {
        if let Some(old) = old {
            self.expirations.remove(&(old, Arc::clone(key)));
        }
        let Some(new) = new else { return false };
        let next = self.expirations.first();
        let is_next = next.is_none_or(|(next, _)| new < *next);
        self.expirations.insert((new, Arc::clone(key)));
        is_next
    }
}
