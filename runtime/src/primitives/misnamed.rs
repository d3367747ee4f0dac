//! Uncallable methods, under the names that asyncio, tokio and std use for methods
//! of ours. The compiler's message says what to write instead.
//!
//! Their bound is a trait that nothing implements. It is on a reference of any lifetime,
//! because the compiler reports a plain bound that is never met as an error of this
//! crate. They are written out, as the compiler would show a macro with
//! every message. They return any type, so that no use of the result is a
//! second error.

use core::ops::Deref;

use super::condition::{ConditionWait, ConditionWaitFor};
use super::lock::{LockAcquire, LockAcquireOwned};
use super::mutex::{MutexLock, MutexLockOwned};
use super::rwlock::{
    RwLockRead, RwLockReadOwned, RwLockUpgradableRead, RwLockUpgradableReadOwned, RwLockUpgrade,
    RwLockUpgradeOwned, RwLockWrite, RwLockWriteOwned,
};
use super::semaphore::{
    BoundedSemaphoreAcquire, BoundedSemaphoreAcquireOwned, SemaphoreAcquire, SemaphoreAcquireOwned,
};
use super::{
    BoundedSemaphore, Lock, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, Semaphore,
};
use crate::misplaced::misplaced;
use crate::traits::guard::Relock;
use crate::unawaited::{AwaitIts, AwaitItsLock, ReachedWithoutAwait, never};
use crate::unpoisoned::{IsPoisoned, unpoisoned};

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Lock` has no `lock`, as it has no value of its own",
    label = "no such method",
    note = "write `.acquire().await`, or use a `Mutex<T>` for a value"
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
    message = "a `Lock` is released by its guard",
    label = "no such method",
    note = "write `guard.release()`, or drop the guard that `acquire` has returned"
)]
pub trait LockHasRelease {}

impl Lock {
    #[doc(hidden)]
    #[inline]
    pub fn release<R>(&self) -> R
    where
        for<'a> &'a Self: LockHasRelease,
    {
        unreachable!("the bound is never met")
    }
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an `RwLock` is locked to read or to write",
    label = "no such method",
    note = "write `.read().await` or `.write().await`"
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
    message = "a `Semaphore` gets a permit back when the permit is dropped",
    label = "no such method",
    note = "write `permit.release()`, or drop the permit that `acquire` has returned; `.add_permits(1)` adds one that nobody had"
)]
pub trait SemaphoreHasRelease {}

impl Semaphore {
    #[doc(hidden)]
    #[inline]
    pub fn release<R>(&self) -> R
    where
        for<'a> &'a Self: SemaphoreHasRelease,
    {
        unreachable!("the bound is never met")
    }
}

#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `Lock` has no `locked`",
    label = "no such method",
    note = "write `.is_locked()`"
)]
pub trait LockHasLocked {}

impl Lock {
    #[doc(hidden)]
    #[inline]
    pub fn locked<R>(&self) -> R
    where
        for<'a> &'a Self: LockHasLocked,
    {
        unreachable!("the bound is never met")
    }
}

/// Methods of the value, called on the future of its lock, an index, and a loop.
macro_rules! unawaited {
    ($($future:ident <$($lifetime:lifetime,)? $T:ident>)*) => {$(
        #[doc(hidden)]
        impl<$T: ?Sized> Deref for $future<$($lifetime,)? $T> {
            type Target = AwaitItsLock<$T>;

            #[inline]
            fn deref(&self) -> &AwaitItsLock<$T> {
                const { &AwaitItsLock::HINT }
            }
        }

        misplaced!(index ReachedWithoutAwait: AwaitItsLock<T> { $future<$($lifetime,)? $T> });
        misplaced!(iterate ReachedWithoutAwait: AwaitItsLock<T> {
            $future<$($lifetime,)? $T>, &$future<$($lifetime,)? $T>,
        });
    )*};
}

unawaited!(
    MutexLock<'_, T> RwLockRead<'_, T> RwLockUpgradableRead<'_, T> RwLockWrite<'_, T>
    MutexLockOwned<T> RwLockReadOwned<T> RwLockUpgradableReadOwned<T> RwLockWriteOwned<T>
    RwLockUpgrade<'_, T> RwLockUpgradeOwned<T>
);

#[doc(hidden)]
impl<G: Relock> Deref for ConditionWait<'_, G> {
    type Target = AwaitItsLock<G>;

    #[inline]
    fn deref(&self) -> &AwaitItsLock<G> {
        const { &AwaitItsLock::HINT }
    }
}

#[doc(hidden)]
impl<G: Relock, F> Deref for ConditionWaitFor<'_, G, F> {
    type Target = AwaitItsLock<G>;

    #[inline]
    fn deref(&self) -> &AwaitItsLock<G> {
        const { &AwaitItsLock::HINT }
    }
}

/// Methods of a guard, or a permit, called on the future that acquires it.
macro_rules! unacquired {
    ($($future:ty => $lock:ident;)*) => {$(
        #[doc(hidden)]
        impl Deref for $future {
            type Target = AwaitIts<$lock>;

            #[inline]
            fn deref(&self) -> &AwaitIts<$lock> {
                const { &AwaitIts::HINT }
            }
        }
    )*};
}

unacquired! {
    LockAcquire<'_> => Lock;
    LockAcquireOwned => Lock;
    SemaphoreAcquire<'_> => Semaphore;
    SemaphoreAcquireOwned => Semaphore;
    BoundedSemaphoreAcquire<'_> => BoundedSemaphore;
    BoundedSemaphoreAcquireOwned => BoundedSemaphore;
}

unpoisoned! {
    MutexGuard<'_, T>
    RwLockReadGuard<'_, T>
    RwLockWriteGuard<'_, T>
}
