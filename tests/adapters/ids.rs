//! The ids of locks of other crates.

use std::sync::Arc;

use async_monitor::{AsyncLock, AsyncRwLock, LockId};
use futures::executor::block_on;

/// The lock is told from what it guards, which may be a lock itself.
#[test]
fn what_a_lock_guards_has_another_address() {
    macro_rules! check {
        ($($mutex:ident::$($path:ident)::+),*) => {$({
            let mut lock = $mutex::$($path)::+::new(0_u128);
            let id = AsyncLock::id(&lock);
            assert_eq!(id, LockId::of(&lock));
            assert_ne!(id, LockId::of(lock.get_mut()));

            // The largest alignment, and no size.
            #[repr(align(128))]
            struct Nothing;
            let mut lock = $mutex::$($path)::+::new(Nothing);
            let id = AsyncLock::id(&lock);
            assert_ne!(id, LockId::of(lock.get_mut()));
        })*};
    }
    check!(
        tokio::sync::Mutex,
        tokio::sync::RwLock,
        async_lock::Mutex,
        async_lock::RwLock,
        futures::lock::Mutex
    );
}

#[test]
fn a_pointer_has_the_id_of_its_lock() {
    let lock = Arc::new(tokio::sync::RwLock::new(()));
    assert_eq!(AsyncLock::id(&lock), LockId::of(&*lock));
    assert_eq!(AsyncLock::id(&&*lock), LockId::of(&*lock));
    assert_ne!(
        AsyncLock::id(&lock),
        AsyncLock::id(&tokio::sync::RwLock::new(()))
    );
}

#[test]
fn locks_are_acquired_without_waiting_where_that_is_possible() {
    macro_rules! check {
        ($($new:expr),* $(,)?) => {$({
            let lock = $new;
            let guard = AsyncLock::try_acquire(&lock);
            assert!(guard.is_some());
            assert!(AsyncLock::try_acquire(&lock).is_none());
            drop(guard);
            let guard = block_on(AsyncLock::acquire(&lock));
            assert!(guard.is_ok());
            assert!(AsyncLock::try_acquire(&lock).is_none());
        })*};
    }
    check!(
        tokio::sync::Mutex::new(()),
        tokio::sync::RwLock::new(()),
        tokio::sync::Semaphore::new(1),
        async_lock::Mutex::new(()),
        async_lock::RwLock::new(()),
        async_lock::Semaphore::new(1),
        futures::lock::Mutex::new(()),
    );
    macro_rules! check_shared {
        ($($new:expr),* $(,)?) => {$({
            let lock = $new;
            let first = block_on(AsyncRwLock::read(&lock));
            let second = AsyncRwLock::try_read(&lock);
            assert!(first.is_ok() && second.is_some());
            assert!(AsyncLock::try_acquire(&lock).is_none());
            drop((first, second));
            let _guard = AsyncLock::try_acquire(&lock);
            assert!(AsyncRwLock::try_read(&lock).is_none());
        })*};
    }
    check_shared!(
        tokio::sync::RwLock::new(()),
        tokio::sync::RwLock::with_max_readers((), 2),
        async_lock::RwLock::new(()),
    );
}
