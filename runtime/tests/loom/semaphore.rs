//! `Semaphore`: S1.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::{BoundedSemaphore, Semaphore};
use loom::future::block_on;
use loom::thread;

use crate::{Task, model, poll_once, queued};

#[test]
fn two_releases_wake_two() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let semaphore = Arc::clone(&semaphore);
                thread::spawn(move || block_on(async { semaphore.acquire().await.forget() }))
            })
            .collect();
        semaphore.add_permits(1);
        semaphore.add_permits(1);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn release_against_cancel() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let canceller = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                let mut future = pin!(semaphore.acquire());
                let _ = poll_once(future.as_mut());
            })
        };
        semaphore.add_permits(1);
        canceller.join().unwrap();
        assert_eq!(semaphore.available_permits(), 1);
        assert!(!semaphore.is_locked());
    });
}

#[test]
fn cancelled_large_request_lets_small_ones_in() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let mut large = Box::pin(semaphore.acquire_many_owned(3));
        assert!(poll_once(large.as_mut()).is_pending());
        let small = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || block_on(async { semaphore.acquire().await.forget() }))
        };
        drop(large);
        small.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

#[test]
fn many_at_once_against_one_by_one() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let large = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || block_on(async { drop(semaphore.acquire_many(2).await) }))
        };
        let adder = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.add_permits(1))
        };
        semaphore.add_permits(1);
        large.join().unwrap();
        adder.join().unwrap();
        assert_eq!(semaphore.available_permits(), 2);
    });
}

#[test]
fn bounded_stays_bounded() {
    model(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        semaphore.try_acquire().unwrap().forget();
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.release(1).is_ok())
        };
        let ours = semaphore.release(1).is_ok();
        assert!(ours ^ other.join().unwrap());
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// Permits come one by one, and a waiter for two is dropped meanwhile.
#[test]
fn add_permits_against_cancel_of_many() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let (one, two) = (Task::new(), Task::new());
        let large = queued(&one, semaphore.acquire_many_owned(2));
        let mut small = queued(&two, semaphore.acquire_owned());
        let adder = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                semaphore.add_permits(1);
                semaphore.add_permits(1);
            })
        };
        drop(large);
        adder.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(small.as_mut()).is_ready());
        drop(small);
        assert_eq!(semaphore.available_permits(), 2);
        assert!(one.is_forgotten() && two.is_forgotten());
    });
}

/// Two tasks release one permit each, for a waiter for both.
#[test]
fn two_permits_come_back() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let task = Task::new();
        let one = semaphore.try_acquire_owned().unwrap();
        let two = semaphore.try_acquire_owned().unwrap();
        let mut large = queued(&task, semaphore.acquire_many_owned(2));
        let leaver = thread::spawn(move || drop(one));
        drop(two);
        leaver.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(large.as_mut()).is_ready());
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// An attempt takes only permits that nobody waits for.
#[test]
fn try_against_release_and_cancel() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(1));
        let task = Task::new();
        let permit = semaphore.try_acquire_owned().unwrap();
        let waiter = queued(&task, semaphore.acquire_owned());
        let thief = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.try_acquire().map(|permit| permit.forget()))
        };
        let canceller = thread::spawn(move || drop(waiter));
        drop(permit);
        canceller.join().unwrap();
        let taken = usize::from(thief.join().unwrap().is_some());
        assert_eq!(semaphore.available_permits(), 1 - taken);
    });
}

/// After the first of two is woken, the second is dropped: nobody waits any more, and
/// all permits are available again, also for a task that was about to go on.
#[test]
fn second_of_a_batch_leaves_against_try() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let both = semaphore.try_acquire_many_owned(2).unwrap();
        let [first, second] =
            [(); 2].map(|()| queued(&Task::new(), Arc::clone(&semaphore).acquire_owned()));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                drop(second);
                drop(semaphore.try_acquire());
            })
        };
        drop(both);
        other.join().unwrap();
        drop(first);
        assert_eq!(semaphore.available_permits(), 2);
    });
}

/// A permit that is split is released in two parts, from two threads.
#[test]
fn parts_of_a_permit_come_back() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(2));
        let mut permit = semaphore.try_acquire_many_owned(2).unwrap();
        let part = permit.split(1).unwrap();
        let waiter = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.acquire_many_blocking(2).forget())
        };
        let leaver = thread::spawn(move || drop(part));
        drop(permit);
        leaver.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(semaphore.available_permits(), 0);
    });
}

/// A permit is forgotten, and released by number, for a waiter.
#[test]
fn bounded_release_against_cancel() {
    model(|| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        let (one, two) = (Task::new(), Task::new());
        let permit = semaphore.try_acquire_owned().unwrap();
        let first = queued(&one, semaphore.acquire_owned());
        let mut second = queued(&two, semaphore.acquire_owned());
        let releaser = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                permit.forget();
                semaphore.release(1).unwrap();
            })
        };
        drop(first);
        releaser.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        assert!(semaphore.release(1).is_err());
        assert_eq!(semaphore.available_permits(), 1);
    });
}

/// One permit does not suffice for a sibling that requests two: it is given back,
/// while its owner is polled or dropped.
#[test]
fn sibling_that_asks_for_more() {
    for owner_is_dropped in [false, true] {
        model(move || {
            let semaphore = Arc::new(Semaphore::new(0));
            let task = Task::new();
            let mut owner = queued(&task, semaphore.acquire_owned());
            let mut sibling = queued(&task, semaphore.acquire_many_owned(2));
            semaphore.add_permits(1);
            let thread = {
                let task = task.clone();
                thread::spawn(move || {
                    if owner_is_dropped {
                        drop(owner);
                    } else if let Poll::Ready(permit) = task.poll(owner.as_mut()) {
                        permit.release();
                    }
                })
            };
            for _ in 0..2 {
                assert!(task.poll(sibling.as_mut()).is_pending());
            }
            thread.join().unwrap();
            semaphore.add_permits(1);
            assert!(task.poll(sibling.as_mut()).is_ready());
            drop(sibling);
            assert!(task.is_forgotten());
            assert_eq!(semaphore.available_permits(), 2);
        });
    }
}

#[test]
fn last_waker_is_woken() {
    model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let (first, last) = (Task::new(), Task::new());
        let mut future = queued(&first, semaphore.acquire_many_owned(2));
        let adder = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.add_permits(2))
        };
        let ready = last.poll(future.as_mut()).is_ready();
        adder.join().unwrap();
        let wakes = (first.wakes(), last.wakes());
        assert_eq!(wakes, if ready { (1, 0) } else { (0, 1) });
        assert!(ready || last.poll(future.as_mut()).is_ready());
        assert_eq!(semaphore.available_permits(), 2);
    });
}
