//! The traits by which the macros acquire a lock for a section that never suspends.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;

use super::lock_id::LockId;
use crate::queue::Object;

/// A lock for sections that never suspend: a plain call acquires it, and parks the thread while the
/// lock is held.
///
/// Implemented by the locks of [`sync`](crate::sync) and through `&L`, [`Box<L>`], [`Rc<L>`]
/// and [`Arc<L>`].
///
/// Its guards are not held over an `.await`: those of this crate are not `Send`, and a section
/// with an `.await` in it does not compile. For sections that suspend there is
/// [`AsyncLock`](crate::AsyncLock).
///
/// As for [`AsyncLock`](crate::AsyncLock), import it only in generic code.
///
/// ```
/// use async_monitor::{SyncLock, sync};
///
/// fn run_alone<L: SyncLock>(lock: &L) {
///     let _guard = lock.acquire();
///     // ... nobody else is here ...
/// }
/// run_alone(&sync::Lock::new());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a lock for sections that never suspend",
    label = "not a sync lock",
    note = "such locks are `async_monitor::sync::Lock`, `sync::Mutex<T>` and `sync::RwLock<T>`"
)]
pub trait SyncLock {
    /// The guard, which holds the lock until it is dropped.
    type Guard<'a>
    where
        Self: 'a;

    /// Acquires the lock, parking the thread until that is possible.
    ///
    /// ```
    /// use async_monitor::{SyncLock, sync};
    /// use std::ops::DerefMut;
    ///
    /// fn add<'a, L>(lock: &'a L, amount: i32)
    /// where
    ///     L: SyncLock,
    ///     L::Guard<'a>: DerefMut<Target = i32>,
    /// {
    ///     *lock.acquire() += amount;
    /// }
    ///
    /// let balance = sync::Mutex::new(1);
    /// add(&balance, 2);
    /// assert_eq!(balance.into_inner(), 3);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn acquire(&self) -> Self::Guard<'_>;

    /// Acquires the lock if that is possible at once.
    ///
    /// ```
    /// use async_monitor::{SyncLock, sync};
    ///
    /// fn is_free<L: SyncLock>(lock: &L) -> bool {
    ///     lock.try_acquire().is_some()
    /// }
    ///
    /// assert!(is_free(&sync::Lock::new()));
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn try_acquire(&self) -> Option<Self::Guard<'_>>;

    /// The identity of this lock. See [`AsyncLock::id`](crate::AsyncLock::id), which also says when
    /// to override the default.
    ///
    /// ```
    /// use async_monitor::{SyncLock, sync};
    /// use std::sync::Arc;
    ///
    /// let lock = Arc::new(sync::Lock::new());
    /// assert_eq!(lock.id(), Arc::clone(&lock).id());
    /// assert_ne!(lock.id(), sync::Lock::new().id());
    /// ```
    #[inline]
    fn id(&self) -> LockId {
        LockId::of(self)
    }

    /// As [`AsyncLock::__watched_id`](crate::AsyncLock::__watched_id).
    #[doc(hidden)]
    #[inline]
    fn __watched_id(&self) -> Option<LockId> {
        None
    }

    /// Releases the lock after a section that has only read: where conditions (`when`)
    /// wait for a change of what is guarded, this is none.
    #[doc(hidden)]
    #[inline]
    fn __release_unchanged<'a>(guard: Self::Guard<'a>)
    where
        Self: 'a,
    {
        drop(guard);
    }

    /// Releases the lock of an object. Conditions (`when`) that wait for a change may be
    /// evaluated before, for that object.
    ///
    /// # Safety
    ///
    /// As for [`AsyncLock::__release_object`](crate::AsyncLock::__release_object).
    #[doc(hidden)]
    #[inline]
    unsafe fn __release_object<'a>(guard: Self::Guard<'a>, _object: impl FnOnce() -> Object)
    where
        Self: 'a,
    {
        drop(guard);
    }
}

/// A [`SyncLock`] that several readers can share. As a `SyncLock`, it is acquired for
/// writing.
///
/// ```
/// use async_monitor::{SyncRwLock, sync};
/// use std::ops::Deref;
///
/// fn copy<'a, L, T>(lock: &'a L) -> T
/// where
///     L: SyncRwLock,
///     L::ReadGuard<'a>: Deref<Target = T>,
///     T: Copy,
/// {
///     *lock.read()
/// }
///
/// assert_eq!(copy(&sync::RwLock::new(1)), 1);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be acquired for reading",
    label = "not a reader-writer lock",
    note = "use an `async_monitor::sync::RwLock`, marked `#[lock(rw)]` where it is a field of a `#[derive(Guarded)]` struct"
)]
pub trait SyncRwLock: SyncLock {
    /// The read guard, which holds the lock for reading until it is dropped.
    type ReadGuard<'a>
    where
        Self: 'a;

    /// Acquires the lock for reading, parking the thread until that is possible.
    ///
    /// ```
    /// use async_monitor::{SyncRwLock, sync};
    ///
    /// /// Waits until those who write now have done so.
    /// fn settle<L: SyncRwLock>(lock: &L) {
    ///     drop(lock.read());
    /// }
    ///
    /// settle(&sync::RwLock::new(()));
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn read(&self) -> Self::ReadGuard<'_>;

    /// Acquires the lock for reading if that is possible at once.
    ///
    /// ```
    /// use async_monitor::{SyncRwLock, sync};
    ///
    /// fn is_written<L: SyncRwLock>(lock: &L) -> bool {
    ///     lock.try_read().is_none()
    /// }
    ///
    /// let lock = sync::RwLock::new(1);
    /// let _writer = lock.write();
    /// assert!(is_written(&lock));
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    fn try_read(&self) -> Option<Self::ReadGuard<'_>>;
}

/// A [`SyncLock`] that guarantees exclusion, so it can guard fields.
///
/// # Safety
///
/// - Between the return of [`acquire`](SyncLock::acquire) or
///   [`try_acquire`](SyncLock::try_acquire) and the drop of the guard, neither returns
///   another guard of the same lock (for a [`SyncRwLock`]: nor do `read` and `try_read`), on
///   any thread; and both return guards of the lock that they were called on.
/// - The drop of a guard happens before the return of the next guard.
/// - A shared reference to the lock always leads to the same lock.
///
/// # Examples
///
/// A lock of one's own that can guard fields:
///
/// ```
/// use async_monitor::{ExclusiveSyncLock, SyncLock};
/// use std::sync::{Mutex, MutexGuard, PoisonError};
///
/// #[derive(Default)]
/// struct StdLock(Mutex<()>);
///
/// impl SyncLock for StdLock {
///     type Guard<'a> = MutexGuard<'a, ()>;
///
///     fn acquire(&self) -> MutexGuard<'_, ()> {
///         self.0.lock().unwrap_or_else(PoisonError::into_inner)
///     }
///
///     fn try_acquire(&self) -> Option<MutexGuard<'_, ()>> {
///         self.0.try_lock().ok()
///     }
/// }
///
/// // SAFETY: the guards are those of the one mutex inside, which is never replaced.
/// unsafe impl ExclusiveSyncLock for StdLock {}
/// # assert!(StdLock::default().try_acquire().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sync lock that can guard fields",
    label = "not a sync lock that excludes",
    note = "write `async_monitor::sync::Lock` here, or `sync::RwLock<()>` marked `#[lock(rw)]`",
    note = "an async lock is marked `#[lock]`; where its type is written `sync::Mutex`, write the whole path, such as `tokio::sync::Mutex`, or import the type"
)]
pub unsafe trait ExclusiveSyncLock: SyncLock {}

/// A [`SyncRwLock`] that guarantees exclusion, so it can guard fields that several threads read at
/// a time.
///
/// # Safety
///
/// As for [`ExclusiveSyncLock`], and: while a read guard exists, `acquire` and `try_acquire`
/// return nothing; the drop of a read guard happens before the return of the next write
/// guard, and the drop of a write guard before the return of the next read guard.
///
/// # Examples
///
/// ```
/// use async_monitor::{ExclusiveSyncRwLock, SyncRwLock, sync};
///
/// /// A value, and the lock that guards it.
/// struct Shelf<L: ExclusiveSyncRwLock> {
///     lock: L,
///     // ...
/// }
///
/// let shelf = Shelf { lock: sync::RwLock::new(()) };
/// assert!(shelf.lock.try_read().is_some());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a reader-writer lock, so fields cannot be read through it by several threads",
    label = "not a reader-writer lock",
    note = "write `async_monitor::sync::RwLock<()>` here, or `#[lock]` in place of `#[lock(rw)]`",
    note = "where the type of an async lock is written `sync::RwLock`, write the whole path, such as `tokio::sync::RwLock`, or import the type"
)]
pub unsafe trait ExclusiveSyncRwLock: SyncRwLock + ExclusiveSyncLock {}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<L: SyncLock + ?Sized> SyncLock for $pointer {
            type Guard<'a> = L::Guard<'a> where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire(&self) -> Self::Guard<'_> {
                L::acquire(self)
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_acquire(&self) -> Option<Self::Guard<'_>> {
                L::try_acquire(self)
            }

            #[inline]
            fn id(&self) -> LockId {
                L::id(self)
            }

            #[inline]
            fn __watched_id(&self) -> Option<LockId> {
                L::__watched_id(self)
            }

            #[inline]
            fn __release_unchanged<'a>(guard: Self::Guard<'a>)
            where
                Self: 'a,
            {
                L::__release_unchanged(guard);
            }

            #[inline]
            unsafe fn __release_object<'a>(guard: Self::Guard<'a>, object: impl FnOnce() -> Object)
            where
                Self: 'a,
            {
                // SAFETY: passed on.
                unsafe { L::__release_object(guard, object) }
            }
        }

        impl<L: SyncRwLock + ?Sized> SyncRwLock for $pointer {
            type ReadGuard<'a> = L::ReadGuard<'a> where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn read(&self) -> Self::ReadGuard<'_> {
                L::read(self)
            }

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn try_read(&self) -> Option<Self::ReadGuard<'_>> {
                L::try_read(self)
            }
        }

        // SAFETY: everything is forwarded to an exclusive lock; the pointer gives no way
        // to replace its target through `&self`.
        unsafe impl<L: ExclusiveSyncLock + ?Sized> ExclusiveSyncLock for $pointer {}

        // SAFETY: as above.
        unsafe impl<L: ExclusiveSyncRwLock + ?Sized> ExclusiveSyncRwLock for $pointer {}
    )*};
}

through_pointer!(&L);
#[cfg(feature = "alloc")]
through_pointer!(Box<L>, Rc<L>, Arc<L>);
