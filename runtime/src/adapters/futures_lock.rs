//! The lock of `futures`, as it is in `futures-util`.
//!
//! # Invariants
//!
//! - **A1** A `Mutex` gives out one guard at a time. Only the drop of a guard releases it. A
//!   release happens before the next acquisition. futures promises it with the reference that
//!   its guard leads to.
//! - **A2** Nothing leads from a `&` of the lock to another lock.
//! - **A3** Guards are `Send` where the lock is `Sync`.

use core::convert::Infallible;

use futures_util::lock::{Mutex, MutexGuard};

use super::foreign_lock;
use crate::ExclusiveLock;
use crate::traits::lock_impls::Infallibly;
use crate::watch::Mode;

foreign_lock! {
    Mutex<T>[T: ?Sized] is a Lock, Mode::Exclusive;
    MutexGuard<'a, T>, Infallible, |lock| Infallibly(lock.lock()), lock.try_lock()
}

// SAFETY: A1, A2, A3.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized> ExclusiveLock for Mutex<T> {}
