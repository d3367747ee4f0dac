//! How large locks, futures and guards are, of both flavours.
#![cfg(all(
    target_pointer_width = "64",
    not(any(async_monitor_loom, async_monitor_shuttle))
))]

macro_rules! sizes {
    ($(#[$attribute:meta])* $flavour:ident: $($path:tt)*) => {
        $(#[$attribute])*
        #[cfg_attr(debug_assertions, ignore = "what is watched is larger")]
        #[test]
        fn $flavour() {
            use $($path)*::future::{LockAcquire, LockAcquireOwned, RwLockRead};
            use $($path)*::{
                Lock, LockGuard, MutexGuard, OwnedLockGuard, OwnedMutexGuard,
                OwnedRwLockWriteGuard, RwLockReadGuard, RwLockUpgradableReadGuard,
                RwLockWriteGuard,
            };

            assert_eq!(size_of::<Lock>(), 16);
            assert!(size_of::<LockAcquire<'_>>() <= 48);
            assert!(size_of::<LockAcquireOwned>() <= 48);
            assert_eq!(size_of::<LockGuard<'_>>(), 8);
            assert_eq!(size_of::<OwnedLockGuard>(), 8);
            assert_eq!(size_of::<MutexGuard<'_, [u8; 9]>>(), 8);
            assert_eq!(size_of::<OwnedMutexGuard<[u8; 9]>>(), 8);
            assert_eq!(size_of::<RwLockReadGuard<'_, [u8; 9]>>(), 8);
            // Two words more than the others: the links of the index of grants.
            assert_eq!(size_of::<RwLockRead<'_, [u8; 9]>>(), 64);
            assert_eq!(size_of::<RwLockWriteGuard<'_, [u8; 9]>>(), 8);
            assert_eq!(size_of::<OwnedRwLockWriteGuard<[u8; 9]>>(), 8);
            assert_eq!(size_of::<RwLockUpgradableReadGuard<'_, [u8; 9]>>(), 8);
            // No byte is added for the future that may be empty.
            assert_eq!(size_of::<Option<LockGuard<'_>>>(), 8);
        }
    };
}

sizes!(of_many_threads: async_monitor);
sizes!(
    #[cfg(feature = "local")]
    of_one_thread: async_monitor::local
);

/// A guard of a sync lock is that of the platform lock, the lock, and the value.
#[cfg(all(feature = "std", not(feature = "parking_lot")))]
#[test]
fn of_guards_that_never_suspend() {
    use async_monitor::sync::{LockGuard, MutexGuard, RwLockReadGuard, RwLockWriteGuard};
    use std::sync;

    let mutex = size_of::<sync::MutexGuard<'_, ()>>();
    let reader = size_of::<sync::RwLockReadGuard<'_, ()>>();
    let writer = size_of::<sync::RwLockWriteGuard<'_, ()>>();
    assert_eq!(size_of::<LockGuard<'_>>(), mutex + 8);
    assert_eq!(size_of::<MutexGuard<'_, [u8; 9]>>(), mutex + 16);
    assert_eq!(size_of::<RwLockReadGuard<'_, [u8; 9]>>(), reader + 16);
    assert_eq!(size_of::<RwLockWriteGuard<'_, [u8; 9]>>(), writer + 16);
    assert_eq!(size_of::<Option<LockGuard<'_>>>(), mutex + 8);
}
