//! The locks of `async-lock`.
//!
//! # Invariants
//!
//! - **A1** A `Mutex` gives out one guard at a time, and an `RwLock` one to write or any number
//!   to read (of which one may be upgradable). Only the drop of a guard releases them. A
//!   release happens before the next acquisition. async-lock promises it with the references
//!   that its guards lead to.
//! - **A2** Nothing leads from a `&` of the lock to another lock.
//! - **A3** Guards are `Send` where the lock is `Sync`.

use core::convert::Infallible;

use async_lock::{
    Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore, SemaphoreGuard,
};

use super::{foreign_lock, foreign_rw_lock};
use crate::traits::lock_impls::Infallibly;
use crate::watch::Mode;
use crate::{ExclusiveLock, ExclusiveRwLock};

foreign_lock! {
    Mutex<T>[T: ?Sized] is a Lock, Mode::Exclusive;
    MutexGuard<'a, T>, Infallible, |lock| Infallibly(lock.lock()), lock.try_lock()
}

foreign_lock! {
    RwLock<T>[T: ?Sized] is a Lock, Mode::Exclusive;
    RwLockWriteGuard<'a, T>, Infallible, |lock| Infallibly(lock.write()), lock.try_write()
}

foreign_rw_lock! {
    RwLock<T>[T: ?Sized]: RwLockReadGuard<'a, T>, |lock| Infallibly(lock.read()), lock.try_read()
}

foreign_lock! {
    Semaphore[] is a Semaphore, Mode::Permits(1);
    SemaphoreGuard<'a>, Infallible, |lock| Infallibly(lock.acquire()), lock.try_acquire()
}

// SAFETY: A1, A2, A3.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized> ExclusiveLock for Mutex<T> {}
// SAFETY: as above.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized> ExclusiveLock for RwLock<T> {}
// SAFETY: as above.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized> ExclusiveRwLock for RwLock<T> {}
