//! The platform locks: std's, or parking_lot's with the feature of that name; loom's and
//! shuttle's under these model checkers. None of them is poisoned.

/// Declares a lock without data over a `Mutex<()>`, or over an `RwLock<()>`.
macro_rules! raw_locks {
    ($platform:path, |$result:ident| $unpoisoned:expr, |$attempt:ident| $attempted:expr) => {
        use $platform as platform;

        use crate::platform::const_unless_loom;

        pub(super) struct RawMutex(platform::Mutex<()>);

        pub(super) struct RawRwLock(platform::RwLock<()>);

        /// Holds a [`RawMutex`].
        #[allow(dead_code)] // for its drop
        pub(super) struct RawMutexGuard<'a>(platform::MutexGuard<'a, ()>);

        /// Holds a [`RawRwLock`] to read.
        #[allow(dead_code)] // for its drop
        pub(super) struct RawReadGuard<'a>(platform::RwLockReadGuard<'a, ()>);

        /// Holds a [`RawRwLock`] to write.
        #[allow(dead_code)] // for its drop
        pub(super) struct RawWriteGuard<'a>(platform::RwLockWriteGuard<'a, ()>);

        impl RawMutex {
            const_unless_loom! {
                pub(super) const fn new() -> Self {
                    RawMutex(platform::Mutex::new(()))
                }
            }

            #[inline]
            pub(super) fn lock(&self) -> RawMutexGuard<'_> {
                let $result = self.0.lock();
                RawMutexGuard($unpoisoned)
            }

            #[inline]
            pub(super) fn try_lock(&self) -> Option<RawMutexGuard<'_>> {
                let $attempt = self.0.try_lock();
                $attempted.map(RawMutexGuard)
            }
        }

        impl RawRwLock {
            const_unless_loom! {
                pub(super) const fn new() -> Self {
                    RawRwLock(platform::RwLock::new(()))
                }
            }

            #[inline]
            pub(super) fn read(&self) -> RawReadGuard<'_> {
                let $result = self.0.read();
                RawReadGuard($unpoisoned)
            }

            #[inline]
            pub(super) fn try_read(&self) -> Option<RawReadGuard<'_>> {
                let $attempt = self.0.try_read();
                $attempted.map(RawReadGuard)
            }

            #[inline]
            pub(super) fn write(&self) -> RawWriteGuard<'_> {
                let $result = self.0.write();
                RawWriteGuard($unpoisoned)
            }

            #[inline]
            pub(super) fn try_write(&self) -> Option<RawWriteGuard<'_>> {
                let $attempt = self.0.try_write();
                $attempted.map(RawWriteGuard)
            }
        }
    };
}

/// Locks that a panic poisons; the poison is ignored.
#[cfg(any(
    async_monitor_loom,
    async_monitor_shuttle,
    not(feature = "parking_lot")
))]
macro_rules! poisoned_locks {
    ($platform:path) => {
        use std::sync::{PoisonError, TryLockError};

        raw_locks! {
            $platform,
            |result| result.unwrap_or_else(PoisonError::into_inner),
            |attempt| match attempt {
                Ok(guard) => Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => None,
            }
        }
    };
}

#[cfg(async_monitor_loom)]
poisoned_locks!(loom::sync);

#[cfg(all(async_monitor_shuttle, not(async_monitor_loom)))]
poisoned_locks!(shuttle::sync);

#[cfg(all(
    not(any(async_monitor_loom, async_monitor_shuttle)),
    not(feature = "parking_lot")
))]
poisoned_locks!(std::sync);

#[cfg(all(
    not(any(async_monitor_loom, async_monitor_shuttle)),
    feature = "parking_lot"
))]
raw_locks!(parking_lot, |result| result, |attempt| attempt);
