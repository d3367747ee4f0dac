//! `RwLock`: R1 to R3.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::{
    OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockUpgradableReadGuard,
};
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, Task, model, model_within, poll_once, queued};

#[test]
fn writers_and_a_reader() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let writer = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                block_on(async {
                    let _guard = lock.write().await;
                    value.add_one();
                });
            })
        };
        let reader = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                block_on(async {
                    let _guard = lock.read().await;
                    value.get()
                })
            })
        };
        block_on(async {
            let _guard = lock.write().await;
            value.add_one();
        });
        writer.join().unwrap();
        assert!(reader.join().unwrap() <= 2);
        assert_eq!(value.get(), 2);
        assert!(!lock.is_locked());
    });
}

#[test]
fn cancelled_writer_lets_readers_in() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let inside = lock.try_read_owned().unwrap();
        let mut writer = Box::pin(lock.write_owned());
        assert!(poll_once(writer.as_mut()).is_pending());
        let reader = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || block_on(async { drop(lock.read().await) }))
        };
        drop(writer);
        // Returns although the first reader still holds the lock.
        reader.join().unwrap();
        drop(inside);
        assert!(!lock.is_locked());
    });
}

#[test]
fn release_against_cancel() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let guard = lock.try_write_owned().unwrap();
        let canceller = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || {
                let mut reader = pin!(lock.read());
                let _ = poll_once(reader.as_mut());
                let mut writer = pin!(lock.write());
                let _ = poll_once(writer.as_mut());
            })
        };
        drop(guard);
        canceller.join().unwrap();
        assert!(lock.try_write().is_some());
    });
}

#[test]
fn downgrade_admits_no_writer() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let guard = lock.try_write_owned().unwrap();
        let writer = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                block_on(async {
                    let _guard = lock.write().await;
                    value.add_one();
                });
            })
        };
        value.add_one();
        let guard = OwnedRwLockWriteGuard::downgrade(guard);
        assert_eq!(value.get(), 1);
        drop(guard);
        writer.join().unwrap();
        assert_eq!(value.get(), 2);
    });
}

#[test]
fn upgrade_admits_no_writer() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let writer = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                block_on(async {
                    let _guard = lock.write().await;
                    value.add_one();
                });
            })
        };
        block_on(async {
            let guard = lock.upgradable_read().await;
            let seen = value.get();
            let _guard = RwLockUpgradableReadGuard::upgrade(guard).await;
            assert_eq!(value.get(), seen);
            value.add_one();
        });
        writer.join().unwrap();
        assert_eq!(value.get(), 2);
    });
}

#[test]
fn cancelled_upgrade_releases() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let reader = lock.try_read_owned().unwrap();
        let guard = lock.try_upgradable_read_owned().unwrap();
        let mut upgrade = Box::pin(OwnedRwLockUpgradableReadGuard::upgrade(guard));
        assert!(poll_once(upgrade.as_mut()).is_pending());
        let leaver = thread::spawn(move || drop(reader));
        drop(upgrade);
        leaver.join().unwrap();
        assert!(lock.try_write().is_some());
    });
}

/// A downgrade admits the readers that are first, and no writer.
#[test]
fn downgrade_against_both_kinds() {
    model_within(2, || {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let guard = lock.try_write_owned().unwrap();
        let writer = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                let _guard = lock.write_blocking();
                value.add_one();
            })
        };
        let reader = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                let _guard = lock.read_blocking();
                value.get()
            })
        };
        value.add_one();
        let guard = OwnedRwLockWriteGuard::downgrade(guard);
        assert_eq!(value.get(), 1);
        drop(guard);
        writer.join().unwrap();
        assert!(reader.join().unwrap() >= 1);
        assert!(!lock.is_locked());
    });
}

/// The upgradable guard gives way to another that is upgradable.
#[test]
fn downgrade_of_an_upgradable_guard_against_cancel() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let (one, two) = (Task::new(), Task::new());
        let guard = lock.try_upgradable_read_owned().unwrap();
        let first = queued(&one, lock.upgradable_read_owned());
        let mut second = queued(&two, lock.upgradable_read_owned());
        let canceller = thread::spawn(move || drop(first));
        let guard = OwnedRwLockUpgradableReadGuard::downgrade(guard);
        canceller.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        drop(guard);
        assert!(!lock.is_locked());
    });
}

/// While an upgrade waits for readers to leave, neither kind enters before it.
#[test]
fn upgrade_against_both_kinds() {
    model_within(2, || {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let reader = lock.try_read_owned().unwrap();
        let guard = lock.try_upgradable_read_owned().unwrap();
        let writer = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                let _guard = lock.write_blocking();
                value.add_one();
            })
        };
        let leaver = {
            let value = value.clone();
            thread::spawn(move || {
                assert_eq!(value.get(), 0);
                drop(reader);
            })
        };
        let guard = block_on(OwnedRwLockUpgradableReadGuard::upgrade(guard));
        value.add_one();
        drop(guard);
        writer.join().unwrap();
        leaver.join().unwrap();
        assert_eq!(value.get(), 2);
        assert!(!lock.is_locked());
    });
}

/// An upgrade that is dropped admits the waiters behind it, granted or not.
#[test]
fn cancelled_upgrade_lets_the_next_in() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let task = Task::new();
        let reader = lock.try_read_owned().unwrap();
        let guard = lock.try_upgradable_read_owned().unwrap();
        let upgrade = queued(&Task::new(), OwnedRwLockUpgradableReadGuard::upgrade(guard));
        let mut writer = queued(&task, lock.write_owned());
        let leaver = thread::spawn(move || drop(reader));
        drop(upgrade);
        leaver.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(writer.as_mut()).is_ready());
        assert!(!lock.is_locked());
    });
}

#[test]
fn try_upgrade_against_readers() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let value = Exclusive::new();
        let guard = lock.try_upgradable_read_owned().unwrap();
        let reader = {
            let (lock, value) = (Arc::clone(&lock), value.clone());
            thread::spawn(move || {
                if let Some(_guard) = lock.try_read() {
                    value.get();
                }
            })
        };
        match OwnedRwLockUpgradableReadGuard::try_upgrade(guard) {
            Ok(_guard) => value.add_one(),
            Err(_guard) => assert_eq!(value.get(), 0),
        }
        reader.join().unwrap();
        assert!(!lock.is_locked());
    });
}

/// The last of two readers admits the writer, once.
#[test]
fn two_readers_leave() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let task = Task::new();
        let (one, two) = (
            lock.try_read_owned().unwrap(),
            lock.try_read_owned().unwrap(),
        );
        let mut writer = queued(&task, lock.write_owned());
        let leaver = thread::spawn(move || drop(one));
        drop(two);
        leaver.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(writer.as_mut()).is_ready());
        assert!(!lock.is_locked());
    });
}

/// Readers that were granted together are dropped before they are polled.
#[test]
fn granted_readers_are_dropped() {
    model(|| {
        let lock = Arc::new(RwLock::new(()));
        let tasks = [Task::new(), Task::new(), Task::new()];
        let guard = lock.try_write_owned().unwrap();
        let one = queued(&tasks[0], lock.read_owned());
        let two = queued(&tasks[1], lock.read_owned());
        let mut writer = queued(&tasks[2], lock.write_owned());
        let threads = [
            thread::spawn(move || drop(one)),
            thread::spawn(move || drop(two)),
        ];
        drop(guard);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(tasks[2].wakes(), 1);
        assert!(tasks[2].poll(writer.as_mut()).is_ready());
        assert!(!lock.is_locked());
    });
}

/// A read grant does not suffice for a sibling that writes: it is given back,
/// while its owner is polled or dropped.
#[test]
fn sibling_that_writes_against_the_reader() {
    for owner_is_dropped in [false, true] {
        model(move || {
            let lock = Arc::new(RwLock::new(()));
            let (task, other) = (Task::new(), Task::new());
            let guard = lock.try_write_owned().unwrap();
            let mut reader = queued(&task, lock.read_owned());
            let mut second = queued(&other, lock.read_owned());
            let mut writer = queued(&task, lock.write_owned());
            drop(guard);
            let Poll::Ready(inside) = other.poll(second.as_mut()) else {
                panic!("both readers were granted")
            };
            let thread = {
                let task = task.clone();
                thread::spawn(move || {
                    if !owner_is_dropped {
                        return task.poll(reader.as_mut()).is_ready();
                    }
                    drop(reader);
                    false
                })
            };
            for _ in 0..2 {
                assert!(task.poll(writer.as_mut()).is_pending());
            }
            drop(inside);
            thread.join().unwrap();
            assert!(task.poll(writer.as_mut()).is_ready());
            drop(writer);
            assert!(!lock.is_locked());
            assert!(task.is_forgotten());
        });
    }
}
