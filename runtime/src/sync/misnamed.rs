//! Methods that cannot be called, under the names that std and parking_lot have for what ours
//! are called otherwise: as in `primitives/misnamed`.

use super::{Lock, RwLock};

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
