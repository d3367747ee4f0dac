//! Generated guards and views with a `Condition`.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_monitor::{Condition, Guarded, HoldsLock, Lock, Mutex, RwLock, synchronized, with_lock};
use futures::executor::block_on;

struct Private(u8);

/// A queue whose locks are of all kinds, one of them of a private type.
#[derive(Guarded)]
pub struct Queue<T> {
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    open: Guarded<bool>,
    #[lock]
    state: Mutex<Private>,
    changed: Condition,
}

impl<T> Queue<T> {
    fn new() -> Self {
        Queue {
            lock: Lock::new(),
            items: Guarded::default(),
            cfg: RwLock::new(()),
            open: Guarded::new(false),
            state: Mutex::new(Private(0)),
            changed: Condition::new(),
        }
    }

    async fn pop(&self) -> Option<T> {
        let guard = self.acquire_lock().await;
        let mut guard = self
            .changed
            .wait_for(guard, |lock| !lock.items.is_empty())
            .await;
        guard.fields().items.pop()
    }

    /// The view is a proof, too.
    #[synchronized(lock)]
    async fn push(&self, item: T) {
        lock.items.push(item);
        self.changed.notify_one(lock);
    }
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_view_notifies() {
    let queue = Queue::new();
    let mut pop = pin!(queue.pop());
    assert!(poll(pop.as_mut()).is_pending());
    assert!(queue.try_acquire_lock().is_some(), "a waiter holds no lock");
    block_on(queue.push(7));
    assert_eq!(poll(pop.as_mut()), Poll::Ready(Some(7)));
}

#[test]
fn a_guard_notifies_and_waits() {
    let queue = Queue::<u8>::new();
    let mut waiter = pin!(async {
        let guard = queue.acquire_lock().await;
        let mut guard = queue.changed.wait(guard).await;
        guard.fields().items.len()
    });
    assert!(poll(waiter.as_mut()).is_pending());
    let mut guard = queue.acquire_lock_blocking();
    guard.fields().items.push(1);
    queue.changed.notify_all(&guard);
    assert!(poll(waiter.as_mut()).is_pending(), "until the lock is free");
    drop(guard);
    assert_eq!(poll(waiter.as_mut()), Poll::Ready(1));
    assert!(queue.try_acquire_lock().is_some());
}

#[test]
fn guards_of_data_and_of_writers_wait_as_well() {
    let queue = Queue::<u8>::new();
    block_on(async {
        let guard = queue.acquire_state().await;
        let mut guard = Condition::new()
            .wait_for(guard, |state| state.value.0 == 0)
            .await;
        guard.fields().value.0 = 1;

        let guard = queue.write_cfg().await;
        let guard = Condition::new().wait_for(guard, |cfg| !*cfg.open).await;
        drop(guard);
    });
}

#[test]
fn readers_prove_that_the_lock_is_held() {
    let queue = Queue::<u8>::new();
    let condition = Condition::new();
    block_on(async {
        with_lock!(read(queue.cfg), {
            condition.notify_one(cfg);
        });
        with_lock!(queue.cfg, queue.lock, {
            assert_ne!(cfg.lock_id(), lock.lock_id());
        });
    });
    let guard = queue.read_cfg_blocking();
    assert_eq!(guard.lock_id(), guard.fields().lock_id());
}

#[test]
fn a_wait_that_is_dropped_leaves_no_trace() {
    let queue = Queue::<u8>::new();
    {
        let mut pop = pin!(queue.pop());
        assert!(poll(pop.as_mut()).is_pending());
    }
    block_on(queue.push(1));
    assert_eq!(block_on(queue.pop()), Some(1));
}
