//! A bounded queue from threads to tasks.

use std::collections::VecDeque;

use async_monitor::{Guarded, Lock, synchronized};

/// A queue of bounded length.
#[derive(Guarded)]
pub struct Queue<T> {
    capacity: usize,
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<VecDeque<T>>,
    #[guarded_by(lock)]
    closed: Guarded<bool>,
}

impl<T> Queue<T> {
    pub fn new(capacity: usize) -> Self {
        Queue {
            capacity,
            lock: Lock::new(),
            items: VecDeque::with_capacity(capacity).into(),
            closed: false.into(),
        }
    }

    /// Adds an item from a thread. Where the queue is full, it waits for a free place.
    #[synchronized(lock, blocking, when = lock.items.len() < self.capacity)]
    pub fn push_blocking(&self, item: T) {
        lock.items.push_back(item);
    }

    /// Says that no more items follow.
    pub fn close(&self) {
        *self.acquire_lock_blocking().fields().closed = true;
    }

    /// Takes the next item, or `None` when the queue is closed and empty.
    #[synchronized(lock, when = !lock.items.is_empty() || *lock.closed)]
    pub async fn pop(&self) -> Option<T> {
        lock.items.pop_front()
    }
}

/// `cargo test --features check --example index`
#[cfg(all(test, feature = "check"))]
#[path = "../../tests/checked/queue.rs"]
mod checked;
