//! Uncallable methods, under the names that std and parking_lot use for methods of ours: as in
//! `primitives/misnamed`.

use super::{Lock, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use crate::unawaited::never;
use crate::unpoisoned::{IsPoisoned, unpoisoned};

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `sync::Lock` has no `lock`, as it has no value of its own",
    label = "no such method",
    note = "write `.acquire()`, or use a `sync::Mutex<T>` for a value"
)]
pub trait LockHasLock {}

impl Lock {
    #[doc(hidden)]
    #[inline]
    pub fn lock<R>(&self) -> R
    where
        for<'a> &'a Self: LockHasLock,
    {
        unreachable!("the bound is never met")
    }
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `sync::RwLock` is locked to read or to write",
    label = "no such method",
    note = "write `.read()` or `.write()`"
)]
pub trait RwLockHasLock {}

impl<T: ?Sized> RwLock<T> {
    #[doc(hidden)]
    #[inline]
    pub fn lock<R>(&self) -> R
    where
        for<'a> &'a Self: RwLockHasLock,
    {
        unreachable!("the bound is never met")
    }
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `sync::Mutex` is acquired by `lock`",
    label = "no such method",
    note = "write `.lock()`, or `.try_lock()`: a plain call, which parks the thread"
)]
pub trait MutexHasLock {}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a guard of a lock of `sync` borrows its lock, and stays in the section",
    label = "no such method",
    note = "write `.lock()`; what keeps a lock for longer takes an async one, `async_monitor::Mutex`"
)]
pub trait MutexHasOwnedGuards {}

// One line each, as in `unawaited`.
#[rustfmt::skip]
#[doc(hidden)]
impl<T: ?Sized> Mutex<T> {
    pub fn lock_blocking<R>(&self) -> R where for<'a> &'a Self: MutexHasLock { never() }
    pub fn lock_owned<R>(&self) -> R where for<'a> &'a Self: MutexHasOwnedGuards { never() }
    pub fn is_poisoned<R>(&self) -> R where for<'a> &'a Self: IsPoisoned { never() }
    pub fn clear_poison<R>(&self) -> R where for<'a> &'a Self: IsPoisoned { never() }
}

/// A trait has methods of these names. With the bound on the impl, those are still found.
#[doc(hidden)]
impl<T: ?Sized> Mutex<T>
where
    Self: MutexHasLock,
{
    pub fn acquire<R>(&self) -> R {
        never()
    }

    pub fn try_acquire<R>(&self) -> R {
        never()
    }
}

// As above.
#[rustfmt::skip]
#[doc(hidden)]
impl<T: ?Sized> RwLock<T> {
    pub fn read_blocking<R>(&self) -> R where for<'a> &'a Self: RwLockHasLock { never() }
    pub fn write_blocking<R>(&self) -> R where for<'a> &'a Self: RwLockHasLock { never() }
    pub fn is_poisoned<R>(&self) -> R where for<'a> &'a Self: IsPoisoned { never() }
    pub fn clear_poison<R>(&self) -> R where for<'a> &'a Self: IsPoisoned { never() }
}

/// As for [`Mutex`].
#[doc(hidden)]
impl<T: ?Sized> RwLock<T>
where
    Self: RwLockHasLock,
{
    pub fn acquire<R>(&self) -> R {
        never()
    }
}

unpoisoned! {
    MutexGuard<'_, T>
    RwLockReadGuard<'_, T>
    RwLockWriteGuard<'_, T>
}
