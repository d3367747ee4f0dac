//! A bounded queue from threads to tasks, made of two semaphores and a mutex.

use std::collections::VecDeque;

use async_monitor::{Mutex, Semaphore};

/// A queue of bounded length.
///
/// A permit of `free` stands for a place that is free, a permit of `filled` for
/// an item that is there, and one for the end.
pub struct Queue<T> {
    items: Mutex<VecDeque<T>>,
    free: Semaphore,
    filled: Semaphore,
}

impl<T> Queue<T> {
    pub fn new(capacity: usize) -> Self {
        Queue {
            items: Mutex::new(VecDeque::with_capacity(capacity)),
            free: Semaphore::new(capacity),
            filled: Semaphore::new(0),
        }
    }

    /// Adds an item. Where the queue is full, the thread waits for a free place.
    pub fn push_blocking(&self, item: T) {
        // The permit comes back when the item is taken.
        self.free.acquire_blocking().forget();
        self.items.lock_blocking().push_back(item);
        self.filled.add_permits(1);
    }

    /// Says that no more items follow.
    pub fn close(&self) {
        self.filled.add_permits(1);
    }

    /// Takes the next item, or `None` when the queue is closed and empty.
    pub async fn pop(&self) -> Option<T> {
        let filled = self.filled.acquire().await;
        // As there is one permit more than items were pushed, who finds nothing
        // knows that nothing will come. The return drops the permit, which
        // thereby tells the next task, and so on to the last one.
        let item = self.items.lock().await.pop_front()?;
        filled.forget();
        self.free.add_permits(1);
        Some(item)
    }
}
