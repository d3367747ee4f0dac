//! The state as a monitor: the fields that the lock guards cannot be reached
//! without it, and each method says of itself that it is a section.
//!
//! Nobody notifies anybody: the background task waits for a condition, and that is
//! looked at whenever the state may have changed.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::sync::Arc;

use async_monitor::{Guarded, holding, monitor, sync, synchronized, with_lock};
use tokio::task;
use tokio::time::{self, Instant};

use super::{AddError, Bytes, Entry, If, Next, REMOVED_AT_ONCE, Set, State, TimeToLive, sum};
use crate::subscriber::{Message, Subscriber};

#[derive(Default, Guarded)]
pub struct Monitor {
    state: sync::Lock,
    #[guarded_by(state)]
    entries: Guarded<HashMap<Bytes, Entry>>,
    /// The entries that expire, in the order in which they do.
    #[guarded_by(state)]
    expirations: Guarded<BTreeSet<(Instant, Bytes)>>,
    /// Until when the background task sleeps, if nothing comes in between.
    #[guarded_by(state)]
    planned: Guarded<Option<Instant>>,
    #[guarded_by(state)]
    channels: Guarded<HashMap<Bytes, HashMap<u64, Arc<Subscriber>>>>,
    #[guarded_by(state)]
    is_shut_down: Guarded<bool>,
}

impl State for Monitor {
    #[synchronized(read(state))]
    fn get(&self, key: &[u8]) -> Option<Bytes> {
        state.value(key)
    }

    #[synchronized(read(state))]
    fn get_all(&self, keys: &[&[u8]]) -> Vec<Option<Bytes>> {
        keys.iter().map(|key| state.value(key)).collect()
    }

    #[synchronized(state)]
    fn set(&self, key: Bytes, value: Bytes, expires_at: Option<Instant>, condition: If) -> Set {
        let previous = state.value(&key);
        let is_stored = condition.holds(previous.is_some());
        if is_stored {
            state.store(key, value, expires_at);
        }
        // The last reference to the old value: it is freed outside the section.
        Set {
            is_stored,
            previous,
        }
    }

    #[synchronized(state)]
    fn set_all(&self, entries: Vec<(Bytes, Bytes)>) {
        for (key, value) in entries {
            state.store(key, value, None);
        }
    }

    #[synchronized(state)]
    fn add(&self, key: &[u8], summand: i64) -> Result<i64, AddError> {
        let entry = state.entries.get_mut(key);
        if let Some(entry) = entry.filter(|entry| entry.is_alive()) {
            let sum = sum(&entry.value, summand)?;
            entry.value = sum.to_string().into_bytes().into();
            Ok(sum)
        } else {
            state.store(key.into(), summand.to_string().into_bytes().into(), None);
            Ok(summand)
        }
    }

    fn remove(&self, keys: &[&[u8]]) -> usize {
        let removed: Vec<_> = with_lock!(self.state, blocking, {
            keys.iter().filter_map(|key| state.take(key)).collect()
        });
        removed.iter().filter(|entry| entry.is_alive()).count()
    }

    #[synchronized(read(state))]
    fn count(&self, keys: &[&[u8]]) -> usize {
        keys.iter().filter(|key| state.value(key).is_some()).count()
    }

    #[synchronized(read(state))]
    fn len(&self) -> usize {
        state.entries.len()
    }

    fn clear(&self) {
        // Out of the section, before the entries are freed.
        drop(with_lock!(self.state, blocking, {
            (mem::take(state.entries), mem::take(state.expirations))
        }));
    }

    #[synchronized(state)]
    fn expire(&self, key: &[u8], at: Instant) -> bool {
        state.replace_expiration(key, Some(at)).is_some()
    }

    #[synchronized(state)]
    fn persist(&self, key: &[u8]) -> bool {
        state.replace_expiration(key, None).flatten().is_some()
    }

    #[synchronized(read(state))]
    fn time_to_live(&self, key: &[u8]) -> TimeToLive {
        match state.entries.get(key).map(|entry| entry.expires_at) {
            None => TimeToLive::Missing,
            Some(None) => TimeToLive::Unlimited,
            Some(Some(at)) => match at.duration_since(Instant::now()) {
                left if left.is_zero() => TimeToLive::Missing,
                left => TimeToLive::Left(left),
            },
        }
    }

    #[synchronized(state)]
    fn subscribe(&self, channel: &Bytes, subscriber: &Arc<Subscriber>) {
        let subscribers = state.channels.entry(Arc::clone(channel)).or_default();
        subscribers.insert(subscriber.id(), Arc::clone(subscriber));
    }

    #[synchronized(state)]
    fn unsubscribe(&self, channel: &[u8], subscriber: &Subscriber) {
        if let Some(subscribers) = state.channels.get_mut(channel) {
            subscribers.remove(&subscriber.id());
            if subscribers.is_empty() {
                state.channels.remove(channel);
            }
        }
    }

    #[synchronized(read(state))]
    fn publish(&self, message: &Message) -> usize {
        let subscribers = state.channels.get(&message.channel).into_iter().flatten();
        subscribers.filter(|(_, it)| it.deliver(message)).count()
    }

    async fn remove_expired(&self) {
        loop {
            match self.remove_some_expired() {
                Next::RemoveMore => task::yield_now().await,
                Next::Sleep { until: None } => self.change_of_plan().await,
                Next::Sleep { until: Some(at) } => {
                    // Both ends mean the same: look again.
                    let _ = time::timeout_at(at, self.change_of_plan()).await;
                }
                Next::Return => return,
            }
        }
    }

    #[synchronized(state)]
    fn shut_down(&self) {
        *state.is_shut_down = true;
    }
}

#[monitor]
impl Monitor {
    /// Removes what has expired, and says what to do next.
    #[synchronized(state)]
    fn remove_some_expired(&self) -> Next {
        if *state.is_shut_down {
            return Next::Return;
        }
        let now = Instant::now();
        for _ in 0..REMOVED_AT_ONCE {
            match state.expirations.first() {
                Some(&(at, _)) if at <= now => {
                    let (_, key) = state.expirations.pop_first().expect("there is a first");
                    state.entries.remove(&key);
                }
                next => {
                    let until = next.map(|&(at, _)| at);
                    *state.planned = until;
                    return Next::Sleep { until };
                }
            }
        }
        Next::RemoveMore
    }

    /// Waits until an entry expires sooner than planned, or the state is shut down.
    #[synchronized(
        read(state),
        when = *state.is_shut_down
            || state
                .expirations
                .first()
                .is_some_and(|(next, _)| state.planned.is_none_or(|planned| *next < planned))
    )]
    async fn change_of_plan(&self) {}

    #[holding(read(state))]
    fn value(&self, key: &[u8]) -> Option<Bytes> {
        let entry = state.entries.get(key).filter(|entry| entry.is_alive())?;
        Some(Arc::clone(&entry.value))
    }

    #[holding(state)]
    fn store(&self, key: Bytes, value: Bytes, expires_at: Option<Instant>) {
        let entry = Entry { value, expires_at };
        let old = state.entries.insert(Arc::clone(&key), entry);
        state.schedule(&key, old.and_then(|old| old.expires_at), expires_at);
    }

    #[holding(state)]
    fn take(&self, key: &[u8]) -> Option<Entry> {
        let (key, entry) = state.entries.remove_entry(key)?;
        state.schedule(&key, entry.expires_at, None);
        Some(entry)
    }

    /// Sets when an entry expires, if there is one. Returns when it would have.
    #[holding(state)]
    fn replace_expiration(&self, key: &[u8], at: Option<Instant>) -> Option<Option<Instant>> {
        let key = Arc::clone(state.entries.get_key_value(key)?.0);
        let entry = state.entries.get_mut(&key)?;
        if !entry.is_alive() {
            return None;
        }
        let old = mem::replace(&mut entry.expires_at, at);
        state.schedule(&key, old, at);
        Some(old)
    }

    /// Notes in `expirations` that an entry expires at another time than before.
    #[holding(state)]
    fn schedule(&self, key: &Bytes, old: Option<Instant>, new: Option<Instant>) {
        if let Some(old) = old {
            state.expirations.remove(&(old, Arc::clone(key)));
        }
        if let Some(new) = new {
            state.expirations.insert((new, Arc::clone(key)));
        }
    }
}
