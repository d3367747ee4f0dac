//! `RwLock`: R1 to R3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::{
    OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockUpgradableReadGuard,
};
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, model, poll_once};

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
        // Returns although the first reader stays inside.
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
