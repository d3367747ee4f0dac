//! The guards of `RwLock` and the futures that return them.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::{
    Access, READER, RawRwLock, RwLock, Shared, ThisFlavour, UPGRADABLE, WRITER, rc, threads_only,
    use_of,
};
use crate::gate::{
    Acquiring, Gate, GatePermit, Gated, acquiring_future, guard_traits, polled_after_completion,
};
use crate::traits::guard::relock_guard;
use crate::watching::Caller;

/// Claims, as types: a guard needs no byte to say what it is.
macro_rules! claims {
    ($($claim:ident),*) => {$(
        #[derive(Clone, Copy, Default)]
        pub(super) struct $claim;

        impl From<$claim> for Access {
            #[inline]
            fn from(_: $claim) -> Access {
                Access::$claim
            }
        }
    )*};
}

claims!(Read, Upgradable, Write);

/// An [`RwLock`] as its readers see it: in the same place, and covariant in `T`.
#[repr(C)]
struct Readable<T: ?Sized> {
    raw: RawRwLock,
    value: T,
}

/// A lock, for reading only: unlike `&RwLock<T>`, it is covariant in `T`.
///
/// # Invariants
///
/// - **H1** The pointer is that of an `RwLock<T>` which is borrowed for `'a`. It leads
///   to the gate at any time, and to the value, as a `&T`, while a guard exists.
// Public because it is `Relock::Released` of the read guard, but not reachable.
#[allow(unreachable_pub, missing_debug_implementations)]
pub struct ReadHandle<'a, T: ?Sized> {
    lock: NonNull<Readable<T>>,
    _lock: PhantomData<&'a T>,
}

threads_only! {
    // SAFETY: through the handle the value is only ever shared (H1), and the gate may
    // be used by any thread.
    unsafe impl<T: ?Sized + Sync> Send for ReadHandle<'_, T> {}
    // SAFETY: as above.
    unsafe impl<T: ?Sized + Sync> Sync for ReadHandle<'_, T> {}
}

impl<'a, T: ?Sized> ReadHandle<'a, T> {
    #[inline]
    pub(crate) fn new(lock: &'a RwLock<T>) -> Self {
        // Both are `repr(C)`, with fields of the same layout: an `UnsafeCell` has that
        // of its contents.
        let lock = (&raw const *lock) as *mut Readable<T>;
        ReadHandle {
            // SAFETY: a reference is not null.
            lock: unsafe { NonNull::new_unchecked(lock) },
            _lock: PhantomData,
        }
    }

    /// The value, for reading while a guard exists.
    #[inline]
    fn value(&self) -> *const T {
        // SAFETY: the lock is there (H1); no reference is made.
        unsafe { &raw const (*self.lock.as_ptr()).value }
    }
}

impl<T: ?Sized> Gated for ReadHandle<'_, T> {
    type Policy = Shared;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Shared, ThisFlavour> {
        // SAFETY: H1. The reference does not lead to the value.
        let raw = unsafe { &(*self.lock.as_ptr()).raw };
        raw.gate()
    }
}

/// Holds an [`RwLock`] for reading until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    permit: GatePermit<ReadHandle<'a, T>, Read>,
}

/// Holds an [`RwLock`] for writing until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    pub(super) permit: GatePermit<&'a RwLock<T>, Write>,
}

/// Holds an [`RwLock`] for reading until it is dropped, and may be
/// [upgraded](Self::upgrade) for writing.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    permit: GatePermit<&'a RwLock<T>, Upgradable>,
}

/// Holds an [`RwLock`], and keeps it alive, for reading until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Read>,
}

/// Holds an [`RwLock`], and keeps it alive, for writing until it is dropped.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Write>,
}

/// Holds an [`RwLock`], and keeps it alive, for reading until it is dropped, and may be
/// [upgraded](Self::upgrade) for writing.
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockUpgradableReadGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Upgradable>,
}

macro_rules! guards {
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $handle:ty;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// The gate has granted the access to the caller.
            #[inline]
            pub(crate) fn new(handle: $handle) -> Self {
                Self { permit: GatePermit::new(handle, Default::default()) }
            }

            /// Releases the lock. Equivalent to `drop(guard)`.
            ///
            /// An associated function, so that it hides no method of `T`.
            #[inline]
            pub fn release(guard: Self) {
                guard.permit.release();
            }
        }
    )*};
}

guards! {
    RwLockReadGuard['a, T: ?Sized]<'a, T>, ReadHandle<'a, T>;
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, &'a RwLock<T>;
    RwLockUpgradableReadGuard['a, T: ?Sized]<'a, T>, &'a RwLock<T>;
    OwnedRwLockReadGuard[T: ?Sized]<T>, rc!(RwLock<T>);
    OwnedRwLockWriteGuard[T: ?Sized]<T>, rc!(RwLock<T>);
    OwnedRwLockUpgradableReadGuard[T: ?Sized]<T>, rc!(RwLock<T>);
}

// R1 and R2.
guard_traits! {
    RwLockReadGuard['a, T: ?Sized]<'a, T>, |this| this.permit.handle().value();
    RwLockUpgradableReadGuard['a, T: ?Sized]<'a, T>, |this| this.permit.handle().value.get();
    OwnedRwLockReadGuard[T: ?Sized]<T>, |this| this.permit.handle().value.get();
    OwnedRwLockUpgradableReadGuard[T: ?Sized]<T>, |this| this.permit.handle().value.get();
}

// R1.
guard_traits! {
    mut:
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, |this| this.permit.handle().value.get();
    OwnedRwLockWriteGuard[T: ?Sized]<T>, |this| this.permit.handle().value.get();
}

macro_rules! write_guards {
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $read_guard:ty, |$handle:ident| $read_handle:expr;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// Goes on as a reader. Readers that are first in the queue acquire too;
            /// no writer gets in between.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = use_of!("{RwLock, RwLockWriteGuard}")]
            ///
            /// let lock = RwLock::new(1);
            /// let mut guard = lock.write().await;
            /// *guard += 1;
            /// let guard = RwLockWriteGuard::downgrade(guard);
            /// assert_eq!((*guard, *lock.read().await), (2, 2));
            /// # });
            /// ```
            #[inline]
            pub fn downgrade(guard: Self) -> $read_guard {
                let $handle = guard.permit.into_handle();
                let guard = <$read_guard>::new($read_handle);
                // R3. A waker that panics in here drops the new guard.
                let gate = guard.permit.handle().gate();
                gate.gives_back(Access::Write);
                gate.change(true, |word| Some((word & !WRITER) + READER));
                guard
            }
        }
    )*};
}

write_guards! {
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, RwLockReadGuard<'a, T>,
        |lock| ReadHandle::new(lock);
    OwnedRwLockWriteGuard[T: ?Sized]<T>, OwnedRwLockReadGuard<T>, |lock| lock;
}

macro_rules! upgradable_guards {
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $read_guard:ty, |$handle:ident| $read_handle:expr, $write_guard:ty, $upgrade:ident, $for:ty;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// Waits until the readers have left, and goes on as the writer. No
            /// writer gets in between, and no reader acquires meanwhile.
            ///
            /// # Cancel safety
            ///
            /// The guard is given to the future: dropping the future releases
            /// the lock.
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn upgrade(guard: Self) -> $upgrade<$($params),*> {
                let handle = guard.permit.handle().clone();
                $upgrade {
                    acquiring: Acquiring::new(handle, Access::Upgrade),
                    upgradable: Some(guard.permit),
                }
            }

            /// Goes on as the writer if there are no readers; otherwise returns
            /// the guard.
            ///
            /// # Errors
            ///
            /// The guard itself where others read.
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_upgrade(guard: Self) -> Result<$write_guard, Self> {
                let gate = guard.permit.handle().gate();
                gate.attempts(Access::Upgrade, Caller::here());
                if gate.try_acquire_first(Access::Upgrade) {
                    Ok(<$write_guard>::new(guard.permit.into_handle()))
                } else {
                    Err(guard)
                }
            }

            /// Goes on as a plain reader, so that another may be upgradable.
            #[inline]
            pub fn downgrade(guard: Self) -> $read_guard {
                let $handle = guard.permit.into_handle();
                let guard = <$read_guard>::new($read_handle);
                // A waker that panics in here drops the new guard. The count
                // has room by R4.
                let gate = guard.permit.handle().gate();
                gate.gives_back(Access::Upgradable);
                gate.change(false, |word| Some((word & !UPGRADABLE) + READER));
                guard
            }
        }

        /// The future of `upgrade`. Dropping it releases the lock.
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $upgrade<$($generics)*> {
            // Dropped first: takes back the request before the guard goes.
            acquiring: Acquiring<$for>,
            /// `None` once the future has completed.
            upgradable: Option<GatePermit<$for, Upgradable>>,
        }

        impl<$($generics)*> Future for $upgrade<$($params),*> {
            type Output = $write_guard;

            #[inline]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: `acquiring` is pinned with us and not moved below;
                // `upgradable` is not.
                let this = unsafe { self.get_unchecked_mut() };
                // SAFETY: as above.
                let acquiring = unsafe { Pin::new_unchecked(&mut this.acquiring) };
                acquiring.poll(cx).map(|handle| {
                    let Some(upgradable) = this.upgradable.take() else {
                        polled_after_completion()
                    };
                    // The gate has exchanged one claim for the other.
                    upgradable.into_handle();
                    <$write_guard>::new(handle)
                })
            }
        }

        impl<$($generics)*> fmt::Debug for $upgrade<$($params),*> {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($upgrade))
                    .field("terminated", &self.acquiring.is_terminated())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

upgradable_guards! {
    RwLockUpgradableReadGuard['a, T: ?Sized]<'a, T>,
        RwLockReadGuard<'a, T>, |lock| ReadHandle::new(lock),
        RwLockWriteGuard<'a, T>, RwLockUpgrade, &'a RwLock<T>;
    OwnedRwLockUpgradableReadGuard[T: ?Sized]<T>,
        OwnedRwLockReadGuard<T>, |lock| lock,
        OwnedRwLockWriteGuard<T>, RwLockUpgradeOwned, rc!(RwLock<T>);
}

acquiring_future! {
    /// The future of [`RwLock::read`].
    RwLockRead['a, T: ?Sized]['a, T] for ReadHandle<'a, T> => RwLockReadGuard<'a, T>,
        request Access::Read;

    /// The future of [`RwLock::write`].
    RwLockWrite['a, T: ?Sized]['a, T] for &'a RwLock<T> => RwLockWriteGuard<'a, T>,
        request Access::Write;

    /// The future of [`RwLock::upgradable_read`].
    RwLockUpgradableRead['a, T: ?Sized]['a, T] for &'a RwLock<T>
        => RwLockUpgradableReadGuard<'a, T>, request Access::Upgradable;

    /// The future of [`RwLock::read_owned`].
    RwLockReadOwned[T: ?Sized][T] for rc!(RwLock<T>) => OwnedRwLockReadGuard<T>,
        request Access::Read;

    /// The future of [`RwLock::write_owned`].
    RwLockWriteOwned[T: ?Sized][T] for rc!(RwLock<T>) => OwnedRwLockWriteGuard<T>,
        request Access::Write;

    /// The future of [`RwLock::upgradable_read_owned`].
    RwLockUpgradableReadOwned[T: ?Sized][T] for rc!(RwLock<T>)
        => OwnedRwLockUpgradableReadGuard<T>, request Access::Upgradable;
}

relock_guard! {
    RwLockReadGuard<'a, T>['a, T: ?Sized], ReadHandle<'a, T>, RwLockRead<'a, T>,
        |guard| &**guard => T;
    RwLockWriteGuard<'a, T>['a, T: ?Sized], &'a RwLock<T>, RwLockWrite<'a, T>,
        |guard| &**guard => T;
    RwLockUpgradableReadGuard<'a, T>['a, T: ?Sized], &'a RwLock<T>,
        RwLockUpgradableRead<'a, T>, |guard| &**guard => T;
    OwnedRwLockReadGuard<T>[T: ?Sized], rc!(RwLock<T>), RwLockReadOwned<T>,
        |guard| &**guard => T;
    OwnedRwLockWriteGuard<T>[T: ?Sized], rc!(RwLock<T>), RwLockWriteOwned<T>,
        |guard| &**guard => T;
    OwnedRwLockUpgradableReadGuard<T>[T: ?Sized], rc!(RwLock<T>),
        RwLockUpgradableReadOwned<T>, |guard| &**guard => T;
}
