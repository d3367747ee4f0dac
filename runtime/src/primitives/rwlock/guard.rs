//! The guards of `RwLock` and the futures that return them.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

use super::{
    Access, READER, RawRwLock, RwLock, Shared, ThisFlavour, UPGRADABLE, WRITER, let_rc, rc,
    threads_only, use_of, use_rc,
};
use crate::gate::{
    Acquiring, Gate, GatePermit, Gated, acquiring_future, guard_traits, polled_after_completion,
};
use crate::traits::guard::relock_guard;
use crate::traits::lock_id::LockId;
use crate::watching::{self, Caller};

/// Claims, as types: a guard needs no byte to say which request was granted.
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
/// - **H1** The pointer is to an `RwLock<T>` that is borrowed for `'a`. It gives access to
///   the gate at any time, and to the value, as `&T`, while a guard exists.
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
        // Both are `repr(C)`, with fields of the same layout: an `UnsafeCell` has the
        // layout of its contents.
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
        // SAFETY: the lock is borrowed (H1); no reference is made.
        unsafe { &raw const (*self.lock.as_ptr()).value }
    }
}

impl<T: ?Sized> Gated for ReadHandle<'_, T> {
    type Policy = Shared;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Shared, ThisFlavour> {
        // SAFETY: H1. The reference does not cover the value.
        let raw = unsafe { &(*self.lock.as_ptr()).raw };
        raw.gate()
    }
}

/// Holds an [`RwLock`] for reading until it is dropped.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{RwLock, RwLockReadGuard}")]
///
/// let config = RwLock::new("fast");
/// let reader: RwLockReadGuard<'_, &str> = config.read().await;
/// assert_eq!(*reader, "fast");
/// assert!(config.try_write().is_none());
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
#[rustfmt::skip] // the compiler shows the line
pub struct RwLockReadGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    permit: GatePermit<ReadHandle<'a, T>, Read>,
}

/// Holds an [`RwLock`] for writing until it is dropped.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{RwLock, RwLockWriteGuard}")]
///
/// let config = RwLock::new("fast");
/// let mut writer: RwLockWriteGuard<'_, &str> = config.write().await;
/// *writer = "safe";
/// assert!(config.try_read().is_none());
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
#[rustfmt::skip] // the compiler shows the line
pub struct RwLockWriteGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    pub(super) permit: GatePermit<&'a RwLock<T>, Write>,
}

/// Holds an [`RwLock`] for reading until it is dropped. It can be [upgraded](Self::upgrade) for
/// writing.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{RwLock, RwLockUpgradableReadGuard}")]
///
/// let cache = RwLock::new(None);
/// let reader: RwLockUpgradableReadGuard<'_, _> = cache.upgradable_read().await;
/// if reader.is_none() {
///     *RwLockUpgradableReadGuard::upgrade(reader).await = Some(42);
/// }
/// assert_eq!(*cache.read().await, Some(42));
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct RwLockUpgradableReadGuard<'a, T: ?Sized> {
    permit: GatePermit<&'a RwLock<T>, Upgradable>,
}

/// Holds an [`RwLock`] for reading and keeps it alive until it is dropped.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{OwnedRwLockReadGuard, RwLock}")]
#[doc = use_rc!()]
///
#[doc = let_rc!("config", "RwLock::new(\"fast\")")]
/// let reader: OwnedRwLockReadGuard<&str> = config.read_owned().await;
/// drop(config);
/// assert_eq!(*reader, "fast");
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockReadGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Read>,
}

/// Holds an [`RwLock`] for writing and keeps it alive until it is dropped.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{OwnedRwLockWriteGuard, RwLock}")]
#[doc = use_rc!()]
///
#[doc = let_rc!("config", "RwLock::new(\"fast\")")]
/// let mut writer: OwnedRwLockWriteGuard<&str> = config.write_owned().await;
/// *writer = "safe";
/// drop(writer);
/// assert_eq!(*config.read().await, "safe");
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Write>,
}

/// Holds an [`RwLock`] for reading and keeps it alive until it is dropped. It can be
/// [upgraded](Self::upgrade) for writing.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{OwnedRwLockUpgradableReadGuard, RwLock}")]
#[doc = use_rc!()]
///
#[doc = let_rc!("cache", "RwLock::new(None)")]
/// let reader: OwnedRwLockUpgradableReadGuard<_> = cache.upgradable_read_owned().await;
/// if reader.is_none() {
///     *OwnedRwLockUpgradableReadGuard::upgrade(reader).await = Some(42);
/// }
/// assert_eq!(*cache.read().await, Some(42));
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedRwLockUpgradableReadGuard<T: ?Sized> {
    permit: GatePermit<rc!(RwLock<T>), Upgradable>,
}

/// The methods of all guards. `import`, `primitive` and `acquire` are lines of their examples.
macro_rules! guards {
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $handle:ty, $import:expr, $primitive:expr, $acquire:literal;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// The gate has granted the access to the caller.
            #[inline]
            pub(crate) fn new(handle: $handle) -> Self {
                Self { permit: GatePermit::new(handle, Default::default()) }
            }

            /// Releases the lock. Equivalent to `drop(guard)`.
            ///
            /// This is an associated function, to avoid hiding a method of `T`.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $import]
            ///
            #[doc = $primitive]
            #[doc = concat!("let guard = lock.", $acquire, "().await;")]
            #[doc = concat!(stringify!($guard), "::release(guard);")]
            /// assert!(!lock.is_locked());
            /// # });
            /// ```
            #[inline]
            pub fn release(guard: Self) {
                guard.permit.release();
            }
        }
    )*};
}

guards! {
    RwLockReadGuard['a, T: ?Sized]<'a, T>, ReadHandle<'a, T>,
        use_of!("{RwLock, RwLockReadGuard}"), "let lock = RwLock::new(1);", "read";
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, &'a RwLock<T>,
        use_of!("{RwLock, RwLockWriteGuard}"), "let lock = RwLock::new(1);", "write";
    RwLockUpgradableReadGuard['a, T: ?Sized]<'a, T>, &'a RwLock<T>,
        use_of!("{RwLock, RwLockUpgradableReadGuard}"), "let lock = RwLock::new(1);", "upgradable_read";
    OwnedRwLockReadGuard[T: ?Sized]<T>, rc!(RwLock<T>),
        concat!(use_of!("{OwnedRwLockReadGuard, RwLock}"), "\n", use_rc!()),
        let_rc!("lock", "RwLock::new(1)"), "read_owned";
    OwnedRwLockWriteGuard[T: ?Sized]<T>, rc!(RwLock<T>),
        concat!(use_of!("{OwnedRwLockWriteGuard, RwLock}"), "\n", use_rc!()),
        let_rc!("lock", "RwLock::new(1)"), "write_owned";
    OwnedRwLockUpgradableReadGuard[T: ?Sized]<T>, rc!(RwLock<T>),
        concat!(use_of!("{OwnedRwLockUpgradableReadGuard, RwLock}"), "\n", use_rc!()),
        let_rc!("lock", "RwLock::new(1)"), "upgradable_read_owned";
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
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $read_guard:ty, |$handle:ident| $read_handle:expr, $import:expr, $primitive:expr, $acquire:literal;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// Converts the guard into a read guard. Readers at the head of the queue acquire, too;
            /// no writer gets in between.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $import]
            ///
            #[doc = $primitive]
            #[doc = concat!("let mut guard = lock.", $acquire, "().await;")]
            /// *guard += 1;
            #[doc = concat!("let guard = ", stringify!($guard), "::downgrade(guard);")]
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
                watching::downgraded(|| LockId::of(gate));
                gate.update_word(true, |word| Some((word & !WRITER) + READER));
                guard
            }
        }
    )*};
}

write_guards! {
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, RwLockReadGuard<'a, T>,
        |lock| ReadHandle::new(lock),
        use_of!("{RwLock, RwLockWriteGuard}"), "let lock = RwLock::new(1);", "write";
    OwnedRwLockWriteGuard[T: ?Sized]<T>, OwnedRwLockReadGuard<T>, |lock| lock,
        concat!(use_of!("{OwnedRwLockWriteGuard, RwLock}"), "\n", use_rc!()),
        let_rc!("lock", "RwLock::new(1)"), "write_owned";
}

macro_rules! upgradable_guards {
    ($($guard:ident[$($generics:tt)*]<$($params:tt),*>, $read_guard:ty, |$handle:ident| $read_handle:expr, $write_guard:ty, $upgrade:ident, $for:ty, $import:expr, $primitive:expr, $acquire:literal, $future:literal;)*) => {$(
        impl<$($generics)*> $guard<$($params),*> {
            /// Waits until all readers have released the lock, and converts the guard into a write
            /// guard. No writer gets in between, and no reader acquires meanwhile.
            ///
            /// # Cancel safety
            ///
            /// The future owns the guard: dropping the future releases the lock.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $import]
            ///
            #[doc = $primitive]
            #[doc = concat!("let guard = lock.", $acquire, "().await;")]
            /// assert_eq!(*guard, 1);
            #[doc = concat!("let mut guard = ", stringify!($guard), "::upgrade(guard).await;")]
            /// *guard += 1;
            /// # });
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn upgrade(guard: Self) -> $upgrade<$($params),*> {
                let handle = guard.permit.handle().clone();
                $upgrade {
                    acquiring: Acquiring::new(handle, Access::Upgrade),
                    upgradable: Some(guard.permit),
                }
            }

            /// Converts the guard into a write guard if there are no readers; otherwise returns the
            /// guard.
            ///
            /// # Errors
            ///
            /// The guard itself if there are other readers.
            ///
            /// # Examples
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $import]
            ///
            #[doc = $primitive]
            #[doc = concat!("let guard = lock.", $acquire, "().await;")]
            /// let reader = lock.read().await;
            #[doc = concat!("let guard = ", stringify!($guard), "::try_upgrade(guard).unwrap_err();")]
            /// drop(reader);
            #[doc = concat!("let mut guard = ", stringify!($guard), "::try_upgrade(guard).unwrap();")]
            /// *guard += 1;
            /// # });
            /// ```
            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            pub fn try_upgrade(guard: Self) -> Result<$write_guard, Self> {
                let gate = guard.permit.handle().gate();
                gate.attempts(Access::Upgrade, Caller::here());
                if gate.try_acquire_with_priority(Access::Upgrade) {
                    Ok(<$write_guard>::new(guard.permit.into_handle()))
                } else {
                    Err(guard)
                }
            }

            /// Converts the guard into a plain read guard, so that another reader can be
            /// upgradable.
            ///
            /// ```
            /// # futures::executor::block_on(async {
            #[doc = $import]
            ///
            #[doc = $primitive]
            #[doc = concat!("let guard = lock.", $acquire, "().await;")]
            /// assert!(lock.try_upgradable_read().is_none());
            #[doc = concat!("let guard = ", stringify!($guard), "::downgrade(guard);")]
            /// assert!(lock.try_upgradable_read().is_some());
            /// # drop(guard);
            /// # });
            /// ```
            #[inline]
            pub fn downgrade(guard: Self) -> $read_guard {
                let $handle = guard.permit.into_handle();
                let guard = <$read_guard>::new($read_handle);
                // A waker that panics in here drops the new guard. The count
                // has room by R4.
                let gate = guard.permit.handle().gate();
                gate.gives_back(Access::Upgradable);
                watching::downgraded(|| LockId::of(gate));
                gate.update_word(false, |word| Some((word & !UPGRADABLE) + READER));
                guard
            }
        }

        #[doc = concat!("The future of [`", stringify!($guard), "::upgrade`]. Dropping it releases the lock.")]
        ///
        /// ```
        /// # futures::executor::block_on(async {
        #[doc = $import]
        ///
        #[doc = $primitive]
        #[doc = concat!("let guard = lock.", $acquire, "().await;")]
        #[doc = concat!("let upgrading: ", $future, " = ", stringify!($guard), "::upgrade(guard);")]
        /// drop(upgrading);
        /// assert!(!lock.is_locked());
        /// # });
        /// ```
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $upgrade<$($generics)*> {
            // Dropped first: the request is cancelled before the guard is dropped.
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
        RwLockWriteGuard<'a, T>, RwLockUpgrade, &'a RwLock<T>,
        use_of!("{RwLock, RwLockUpgradableReadGuard, future::RwLockUpgrade}"), "let lock = RwLock::new(1);",
        "upgradable_read", "RwLockUpgrade<'_, i32>";
    OwnedRwLockUpgradableReadGuard[T: ?Sized]<T>,
        OwnedRwLockReadGuard<T>, |lock| lock,
        OwnedRwLockWriteGuard<T>, RwLockUpgradeOwned, rc!(RwLock<T>),
        concat!(
            use_of!("{OwnedRwLockUpgradableReadGuard, RwLock, future::RwLockUpgradeOwned}"),
            "\n",
            use_rc!()
        ),
        let_rc!("lock", "RwLock::new(1)"),
        "upgradable_read_owned", "RwLockUpgradeOwned<i32>";
}

acquiring_future! {
    /// The future of [`RwLock::read`].
    RwLockRead['a, T: ?Sized]['a, T] for ReadHandle<'a, T> => RwLockReadGuard<'a, T>,
        request Access::Read,
        example use_of!("{RwLock, future::RwLockRead}"),
            "let lock = RwLock::new(1);",
            "let acquiring: RwLockRead<'_, i32> = lock.read();";

    /// The future of [`RwLock::write`].
    RwLockWrite['a, T: ?Sized]['a, T] for &'a RwLock<T> => RwLockWriteGuard<'a, T>,
        request Access::Write,
        example use_of!("{RwLock, future::RwLockWrite}"),
            "let lock = RwLock::new(1);",
            "let acquiring: RwLockWrite<'_, i32> = lock.write();";

    /// The future of [`RwLock::upgradable_read`].
    RwLockUpgradableRead['a, T: ?Sized]['a, T] for &'a RwLock<T>
        => RwLockUpgradableReadGuard<'a, T>, request Access::Upgradable,
        example use_of!("{RwLock, future::RwLockUpgradableRead}"),
            "let lock = RwLock::new(1);",
            "let acquiring: RwLockUpgradableRead<'_, i32> = lock.upgradable_read();";

    /// The future of [`RwLock::read_owned`].
    RwLockReadOwned[T: ?Sized][T] for rc!(RwLock<T>) => OwnedRwLockReadGuard<T>,
        request Access::Read,
        example concat!(use_of!("{RwLock, future::RwLockReadOwned}"), "\n", use_rc!()),
            let_rc!("lock", "RwLock::new(1)"),
            "let acquiring: RwLockReadOwned<i32> = lock.read_owned();";

    /// The future of [`RwLock::write_owned`].
    RwLockWriteOwned[T: ?Sized][T] for rc!(RwLock<T>) => OwnedRwLockWriteGuard<T>,
        request Access::Write,
        example concat!(use_of!("{RwLock, future::RwLockWriteOwned}"), "\n", use_rc!()),
            let_rc!("lock", "RwLock::new(1)"),
            "let acquiring: RwLockWriteOwned<i32> = lock.write_owned();";

    /// The future of [`RwLock::upgradable_read_owned`].
    RwLockUpgradableReadOwned[T: ?Sized][T] for rc!(RwLock<T>)
        => OwnedRwLockUpgradableReadGuard<T>, request Access::Upgradable,
        example concat!(use_of!("{RwLock, future::RwLockUpgradableReadOwned}"), "\n", use_rc!()),
            let_rc!("lock", "RwLock::new(1)"),
            "let acquiring: RwLockUpgradableReadOwned<i32> = lock.upgradable_read_owned();";
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
