//! `Lock`: L1, and the cancel and sibling rules of the gate.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::Lock;
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, model, poll_once};

#[test]
fn one_at_a_time() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let value = Exclusive::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (lock, value) = (Arc::clone(&lock), value.clone());
                thread::spawn(move || {
                    block_on(async {
                        let _guard = lock.acquire().await;
                        value.add_one();
                    });
                })
            })
            .collect();
        block_on(async {
            let _guard = lock.acquire().await;
            value.add_one();
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(value.get(), 3);
        assert!(!lock.is_locked());
    });
}

#[test]
fn try_against_hand_off() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let value = Exclusive::new();
        let guard = lock.try_acquire_owned().unwrap();
        let waiter = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                block_on(async {
                    let _guard = lock.acquire().await;
                    value.add_one();
                });
            })
        };
        value.add_one();
        drop(guard);
        if let Some(_guard) = lock.try_acquire() {
            value.add_one();
        }
        waiter.join().unwrap();
        assert!(!lock.is_locked());
    });
}

#[test]
fn release_against_cancel() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let guard = lock.try_acquire_owned().unwrap();
        let canceller = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let mut future = pin!(lock.acquire());
                // Queued, or it has the lock: either way it goes away.
                let _ = poll_once(future.as_mut());
            })
        };
        drop(guard);
        canceller.join().unwrap();
        assert!(lock.try_acquire().is_some());
    });
}

#[test]
fn cancel_hands_the_grant_to_the_next() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let guard = lock.try_acquire_owned().unwrap();
        let mut first = Box::pin(lock.acquire_owned());
        assert!(poll_once(first.as_mut()).is_pending());
        let next = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || block_on(async { lock.acquire().await.release() }))
        };
        let releaser = thread::spawn(move || drop(guard));
        drop(first);
        next.join().unwrap();
        releaser.join().unwrap();
        assert!(!lock.is_locked());
    });
}

#[test]
fn new_waker_against_grant() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let guard = lock.try_acquire_owned().unwrap();
        let mut future = Box::pin(lock.acquire_owned());
        assert!(poll_once(future.as_mut()).is_pending());
        let releaser = thread::spawn(move || drop(guard));
        // Polled again by another task, whose waker must be the one to be woken.
        block_on(async { future.await.release() });
        releaser.join().unwrap();
        assert!(!lock.is_locked());
    });
}

/// A sibling takes the task's grant while the future that was granted it is
/// polled, or dropped, on another thread.
#[test]
fn sibling_against_owner() {
    for owner_is_dropped in [false, true] {
        model(move || {
            let lock = Arc::new(Lock::new());
            let value = Exclusive::new();
            let guard = lock.try_acquire_owned().unwrap();
            let mut owner = Box::pin(lock.acquire_owned());
            let mut sibling = Box::pin(lock.acquire_owned());
            assert!(poll_once(owner.as_mut()).is_pending());
            assert!(poll_once(sibling.as_mut()).is_pending());
            drop(guard);
            let thread = {
                let value = value.clone();
                thread::spawn(move || {
                    if owner_is_dropped {
                        drop(owner);
                        return None;
                    }
                    match poll_once(owner.as_mut()) {
                        std::task::Poll::Ready(_guard) => {
                            value.add_one();
                            None
                        }
                        std::task::Poll::Pending => Some(owner),
                    }
                })
            };
            for _ in 0..2 {
                if let std::task::Poll::Ready(_guard) = poll_once(sibling.as_mut()) {
                    value.add_one();
                    break;
                }
            }
            drop(sibling);
            let owner = thread.join().unwrap();
            drop(owner);
            assert!(lock.try_acquire().is_some());
        });
    }
}

#[test]
fn blocking_form() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let value = Exclusive::new();
        let thread = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                let _guard = lock.acquire_blocking();
                value.add_one();
            })
        };
        {
            let _guard = lock.acquire_owned_blocking();
            value.add_one();
        }
        thread.join().unwrap();
        assert_eq!(value.get(), 2);
    });
}
