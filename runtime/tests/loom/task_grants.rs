//! Grants that are given up: to a sibling beside an upgrade, and to a parked thread.

use std::sync::Arc;
use std::task::Context;

use async_monitor::{Lock, OwnedRwLockUpgradableReadGuard, RwLock};
use loom::thread;

use crate::{Boxed, Task, model, model_within};

/// A task gives up the grant of a read for a write, while another task upgrades: the
/// upgrade comes first, and then the write.
#[test]
fn an_upgrade_beside_a_sibling() {
    model(|| {
        let lock = Arc::new(RwLock::new(0));
        let task = Task::new();
        let writer = lock.try_write().unwrap();
        let mut upgradable: Boxed<_> = Box::pin(lock.upgradable_read_owned());
        let other = Task::new();
        assert!(other.poll(upgradable.as_mut()).is_pending());
        let mut unused: Boxed<_> = Box::pin(lock.read_owned());
        assert!(task.poll(unused.as_mut()).is_pending());
        drop(writer);
        let upgradable = {
            let std::task::Poll::Ready(guard) = other.poll(upgradable.as_mut()) else {
                panic!("it was granted");
            };
            guard
        };
        let upgrade = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let upgrade = OwnedRwLockUpgradableReadGuard::upgrade(upgradable);
                *loom::future::block_on(upgrade) += 1;
                drop(lock);
            })
        };
        let mut sibling: Boxed<_> = Box::pin(lock.write_owned());
        let mut ready = false;
        for _ in 0..3 {
            if task.poll(sibling.as_mut()).is_ready() {
                ready = true;
                break;
            }
        }
        upgrade.join().unwrap();
        if !ready {
            assert!(task.poll(sibling.as_mut()).is_ready());
        }
        drop((sibling, unused));
        assert_eq!(*lock.try_read().unwrap(), 1);
    });
}

/// A thread that has run out of patience takes a grant over while its owner picks it up, or
/// is dropped; afterwards all enter.
fn take_over(owner_is_dropped: bool) {
    model(move || {
        let lock = Arc::new(Lock::new());
        let task = Task::new();
        let holder = lock.try_acquire().unwrap();
        let mut owner: Boxed<_> = Box::pin(lock.acquire_owned());
        assert!(task.poll(owner.as_mut()).is_pending());
        let parked = Task::new();
        let mut thread_of_it: Boxed<_> = Box::pin(lock.acquire_owned());
        assert!(parked.poll(thread_of_it.as_mut()).is_pending());
        drop(holder);
        let thief = thread::spawn(move || {
            let waker = parked.waker();
            let mut cx = Context::from_waker(&waker);
            // Notes the grant, and takes it over.
            for _ in 0..2 {
                let polled = async_monitor::__poll_out_of_patience(thread_of_it.as_mut(), &mut cx);
                if polled.is_ready() {
                    return true;
                }
            }
            // The owner was faster: the lock was handed over, or will be.
            while parked.poll(thread_of_it.as_mut()).is_pending() {
                thread::yield_now();
            }
            false
        });
        if owner_is_dropped {
            drop(owner);
        } else {
            // It may have to wait again; there is no wake-up but the first.
            while task.poll(owner.as_mut()).is_pending() {
                thread::yield_now();
            }
        }
        thief.join().unwrap();
        assert!(lock.try_acquire().is_some());
    });
}

#[test]
fn take_over_against_the_owner() {
    take_over(false);
}

#[test]
fn take_over_against_a_cancel() {
    take_over(true);
}

/// A thread revokes two unused grants of a task, and one of their futures is dropped:
/// the task, which waits in a third future, is woken for the other grant.
fn two_are_taken_over(dropped: usize) {
    model(move || {
        let lock = Arc::new(RwLock::new(0));
        let (task, parked) = (Task::new(), Task::new());
        let holder = lock.try_write().unwrap();
        let mut unused: Vec<Boxed<_>> = Vec::new();
        for _ in 0..2 {
            let mut reader: Boxed<_> = Box::pin(lock.read_owned());
            assert!(task.poll(reader.as_mut()).is_pending());
            unused.push(reader);
        }
        let mut thread_of_it: Boxed<_> = Box::pin(lock.write_owned());
        assert!(parked.poll(thread_of_it.as_mut()).is_pending());
        drop(holder);
        let waker = parked.waker();
        let mut cx = Context::from_waker(&waker);
        let noted = async_monitor::__poll_out_of_patience(thread_of_it.as_mut(), &mut cx);
        assert!(noted.is_pending());
        let taken_over = async_monitor::__poll_out_of_patience(thread_of_it.as_mut(), &mut cx);
        let mut sibling: Boxed<_> = Box::pin(lock.write_owned());
        assert!(task.poll(sibling.as_mut()).is_pending());
        drop(unused.remove(dropped));
        let woken = task.wakes();
        assert!(taken_over.is_ready());
        drop(taken_over);
        assert!(task.wakes() > woken, "the other one is granted");
        assert!(
            task.poll(sibling.as_mut()).is_pending(),
            "it marks the grant"
        );
        assert!(task.poll(sibling.as_mut()).is_ready());
    });
}

#[test]
fn two_are_taken_over_and_the_first_is_dropped() {
    two_are_taken_over(0);
}

#[test]
fn two_are_taken_over_and_the_second_is_dropped() {
    two_are_taken_over(1);
}

/// The grant of a reader blocks an upgrade, which blocks a parked
/// thread: the thread revokes the grant for the upgrade, while the reader is polled
/// or dropped.
fn take_over_for_an_upgrade(reader_is_dropped: bool) {
    model_within(2, move || {
        let lock = Arc::new(RwLock::new(0));
        let (reading, upgrading, parked) = (Task::new(), Task::new(), Task::new());
        let holder = lock.try_write().unwrap();
        let mut reader: Boxed<_> = Box::pin(lock.read_owned());
        assert!(reading.poll(reader.as_mut()).is_pending());
        drop(holder);
        let Some(upgradable) = lock.try_upgradable_read_owned() else {
            unreachable!("a reader does not keep it out")
        };
        let mut upgrade: Boxed<_> = Box::pin(OwnedRwLockUpgradableReadGuard::upgrade(upgradable));
        assert!(upgrading.poll(upgrade.as_mut()).is_pending());
        let mut thread_of_it: Boxed<_> = Box::pin(lock.read_owned());
        assert!(parked.poll(thread_of_it.as_mut()).is_pending());
        let thread = thread::spawn(move || {
            let waker = parked.waker();
            let mut cx = Context::from_waker(&waker);
            for _ in 0..2 {
                let polled = async_monitor::__poll_out_of_patience(thread_of_it.as_mut(), &mut cx);
                if polled.is_ready() {
                    return;
                }
            }
            drop(loom::future::block_on(thread_of_it));
        });
        let upgrader = thread::spawn(move || drop(loom::future::block_on(upgrade)));
        if reader_is_dropped {
            drop(reader);
        } else {
            // If its grant was revoked, another wake-up has to come.
            drop(loom::future::block_on(reader));
        }
        thread.join().unwrap();
        upgrader.join().unwrap();
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn take_over_for_an_upgrade_against_the_reader() {
    take_over_for_an_upgrade(false);
}

#[test]
fn take_over_for_an_upgrade_against_a_dropped_reader() {
    take_over_for_an_upgrade(true);
}

/// Only the thread acts: the upgrade gets the reader's unused grant.
#[test]
fn an_upgrade_gets_what_is_taken_over() {
    model(|| {
        let lock = Arc::new(RwLock::new(0));
        let (reading, upgrading, parked) = (Task::new(), Task::new(), Task::new());
        let holder = lock.try_write().unwrap();
        let mut reader: Boxed<_> = Box::pin(lock.read_owned());
        assert!(reading.poll(reader.as_mut()).is_pending());
        drop(holder);
        let upgradable = lock.try_upgradable_read_owned().unwrap();
        let mut upgrade: Boxed<_> = Box::pin(OwnedRwLockUpgradableReadGuard::upgrade(upgradable));
        assert!(upgrading.poll(upgrade.as_mut()).is_pending());
        let mut thread_of_it: Boxed<_> = Box::pin(lock.read_owned());
        assert!(parked.poll(thread_of_it.as_mut()).is_pending());
        let waker = parked.waker();
        let mut cx = Context::from_waker(&waker);
        for _ in 0..2 {
            assert_eq!(upgrading.wakes(), 0, "the first look notes the grant");
            let polled = async_monitor::__poll_out_of_patience(thread_of_it.as_mut(), &mut cx);
            assert!(polled.is_pending(), "it does not overtake the upgrade");
        }
        assert_eq!(upgrading.wakes(), 1);
        assert!(upgrading.poll(upgrade.as_mut()).is_ready());
        drop(upgrade);
        // The reader was queued before the thread; both read now.
        assert!(parked.poll(thread_of_it.as_mut()).is_ready());
        assert!(reading.poll(reader.as_mut()).is_ready());
        drop((thread_of_it, reader));
        assert!(lock.try_write().is_some());
    });
}
