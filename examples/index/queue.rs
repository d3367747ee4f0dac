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

/// `cargo test --features check --example index`: every schedule of a thread that pushes and of
/// two tasks that pop, each of which may be cancelled.
#[cfg(all(test, feature = "check"))]
mod schedules {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::sync::Arc;

    use async_monitor::check;
    use futures::FutureExt;

    use super::Queue;

    #[test]
    fn what_is_pushed_is_popped_once() {
        check::every_schedule(|run| {
            let queue = Arc::new(Queue::new(1));
            let pushing = Arc::clone(&queue);
            run.thread("reader", move || {
                pushing.push_blocking(1);
                pushing.push_blocking(2);
                pushing.close();
            });
            let popped: Rc<RefCell<Vec<u32>>> = Rc::default();
            for name in ["task 1", "task 2"] {
                let (queue, popped) = (Arc::clone(&queue), Rc::clone(&popped));
                run.spawn(name, async move {
                    while let Some(item) = queue.pop().await {
                        popped.borrow_mut().push(item);
                    }
                });
            }
            run.finally(move || {
                let mut items = popped.borrow().clone();
                while let Some(Some(item)) = queue.pop().now_or_never() {
                    items.push(item);
                }
                items.sort_unstable();
                assert_eq!(items, [1, 2], "an item was lost or doubled");
            });
        });
    }
}
