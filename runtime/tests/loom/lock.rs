//! `Lock`: L1, and the cancel and sibling rules of the gate.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::{Lock, Mutex};
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, Task, model, poll_once, queued};

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
                        Poll::Ready(_guard) => {
                            value.add_one();
                            None
                        }
                        Poll::Pending => Some(owner),
                    }
                })
            };
            for _ in 0..2 {
                if let Poll::Ready(_guard) = poll_once(sibling.as_mut()) {
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

/// The waker of a waiter is woken, or dropped, by one of the two, and nobody
/// keeps a clone.
#[test]
fn wake_against_drop_of_the_waker() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let task = Task::new();
        let guard = lock.try_acquire_owned().unwrap();
        let future = queued(&task, lock.acquire_owned());
        let releaser = thread::spawn(move || drop(guard));
        drop(future);
        releaser.join().unwrap();
        assert!(task.is_forgotten());
        assert!(task.wakes() <= 1);
        assert!(lock.try_acquire().is_some());
    });
}

/// The waker of the last poll is woken, or that poll finds the grant.
#[test]
fn last_waker_is_woken() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let (first, last) = (Task::new(), Task::new());
        let guard = lock.try_acquire_owned().unwrap();
        let mut future = queued(&first, lock.acquire_owned());
        let releaser = thread::spawn(move || drop(guard));
        let polled = last.poll(future.as_mut());
        releaser.join().unwrap();
        match polled {
            Poll::Ready(guard) => {
                assert_eq!((first.wakes(), last.wakes()), (1, 0));
                drop(guard);
            }
            Poll::Pending => {
                assert_eq!((first.wakes(), last.wakes()), (0, 1));
                assert!(last.poll(future.as_mut()).is_ready());
            }
        }
        assert!(first.is_forgotten() && last.is_forgotten());
        assert!(!lock.is_locked());
    });
}

/// One of the queued waiters is dropped, from any place.
#[test]
fn cancel_in_line_against_release() {
    for place in 0..3 {
        model(move || {
            let lock = Arc::new(Lock::new());
            let tasks = [Task::new(), Task::new(), Task::new()];
            let guard = lock.try_acquire_owned().unwrap();
            let mut line: Vec<_> = tasks
                .iter()
                .map(|task| queued(task, lock.acquire_owned()))
                .collect();
            let leaver = line.remove(place);
            let releaser = thread::spawn(move || drop(guard));
            drop(leaver);
            releaser.join().unwrap();
            let tasks = tasks.iter().enumerate().filter(|&(at, _)| at != place);
            for ((_, task), mut future) in tasks.zip(line) {
                assert_eq!(task.wakes(), 1, "in the order of arrival");
                let Poll::Ready(guard) = task.poll(future.as_mut()) else {
                    panic!("it was not granted")
                };
                drop(guard);
            }
            assert!(!lock.is_locked());
        });
    }
}

/// The owner of a grant is dropped while the next waiter is dropped, too.
#[test]
fn two_cancels_against_release() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let (one, two, three) = (Task::new(), Task::new(), Task::new());
        let guard = lock.try_acquire_owned().unwrap();
        let first = queued(&one, lock.acquire_owned());
        let second = queued(&two, lock.acquire_owned());
        let mut third = queued(&three, lock.acquire_owned());
        let threads = [
            thread::spawn(move || drop(first)),
            thread::spawn(move || drop(second)),
        ];
        drop(guard);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(three.wakes(), 1);
        assert!(three.poll(third.as_mut()).is_ready());
        assert!(!lock.is_locked());
    });
}

/// A sibling takes the task's grant, or its owner does, or the owner is dropped;
/// the waiter behind gets it next.
#[test]
fn sibling_against_owner_with_another_behind() {
    for owner_is_dropped in [false, true] {
        model(move || {
            let lock = Arc::new(Lock::new());
            let (task, other) = (Task::new(), Task::new());
            let guard = lock.try_acquire_owned().unwrap();
            let mut owner = queued(&task, lock.acquire_owned());
            let mut sibling = queued(&task, lock.acquire_owned());
            let mut behind = queued(&other, lock.acquire_owned());
            drop(guard);
            let thread = {
                let task = task.clone();
                thread::spawn(move || {
                    if owner_is_dropped {
                        drop(owner);
                        return false;
                    }
                    task.poll(owner.as_mut()).is_ready()
                })
            };
            let taken = (0..2).any(|_| task.poll(sibling.as_mut()).is_ready());
            let owned = thread.join().unwrap();
            drop(sibling);
            // Whatever they did, the lock was released, or given up.
            assert!(owner_is_dropped || owned || taken);
            assert_eq!(other.wakes(), 1);
            assert!(other.poll(behind.as_mut()).is_ready());
            drop(behind);
            assert!(task.is_forgotten() && other.is_forgotten());
            assert!(lock.try_acquire().is_some());
        });
    }
}

/// A sibling looks for the grant while it is being made.
#[test]
fn sibling_against_release() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let task = Task::new();
        let guard = lock.try_acquire_owned().unwrap();
        let owner = queued(&task, lock.acquire_owned());
        let mut sibling = queued(&task, lock.acquire_owned());
        let releaser = thread::spawn(move || drop(guard));
        let mut taken = task.poll(sibling.as_mut()).is_ready();
        releaser.join().unwrap();
        // It is woken for each poll after which another one is useful.
        let wakes = task.wakes();
        assert!(wakes >= 1);
        for _ in 0..2 {
            taken = taken || task.poll(sibling.as_mut()).is_ready();
        }
        assert!(taken);
        drop((owner, sibling));
        assert!(task.is_forgotten());
        assert!(lock.try_acquire().is_some());
    });
}

/// An attempt succeeds only if nobody is queued.
#[test]
fn try_passes_nobody() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let task = Task::new();
        let guard = lock.try_acquire_owned().unwrap();
        let mut future = queued(&task, lock.acquire_owned());
        let thief = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.try_acquire().is_some())
        };
        drop(guard);
        assert!(!thief.join().unwrap());
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(future.as_mut()).is_ready());
    });
}

/// The last guard and the last handle are dropped at the same time.
#[test]
fn owned_guard_against_last_handle() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let guard = lock.try_acquire_owned().unwrap();
        let future = queued(&Task::new(), lock.acquire_owned());
        let releaser = thread::spawn(move || drop(guard));
        drop(lock);
        block_on(future).release();
        releaser.join().unwrap();
    });
}

/// The blocking form joins the same queue, and is not overtaken.
#[test]
fn blocking_form_against_cancel() {
    model(|| {
        let lock = Arc::new(Lock::new());
        let task = Task::new();
        let guard = lock.try_acquire_owned().unwrap();
        let first = queued(&task, lock.acquire_owned());
        let thread = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || lock.acquire_owned_blocking().release())
        };
        drop(first);
        drop(guard);
        thread.join().unwrap();
        assert!(!lock.is_locked());
    });
}

/// Writes of previous holders of the mutex are visible to the next.
#[test]
fn mutex_hands_its_value_over() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let value = Exclusive::new();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (mutex, value) = (Arc::clone(&mutex), value.clone());
                thread::spawn(move || {
                    let mut guard = mutex.lock_blocking();
                    *guard += 1;
                    value.add_one();
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!((*mutex.try_lock().unwrap(), value.get()), (2, 2));
    });
}
