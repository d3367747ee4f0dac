//! The guards of a `Mutex`, and the futures that acquire it.

use core::marker::PhantomData;
use core::ptr::NonNull;

use super::super::flavour::{let_rc, rc, threads_only, use_of, use_rc};
use super::super::lock::Lock;
use super::Mutex;
use crate::gate::{GatePermit, acquiring_future, guard_traits};
use crate::traits::guard::{HoldsLock, relock_guard};
use crate::traits::lock_id::LockId;

/// Holds a [`Mutex`] until it is dropped, and dereferences to its value.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Mutex, MutexGuard}")]
///
/// fn count(guard: &mut MutexGuard<'_, u32>) {
///     **guard += 1;
/// }
///
/// let visits = Mutex::new(0);
/// count(&mut visits.lock().await);
/// assert_eq!(visits.into_inner(), 1);
/// # });
/// ```
#[must_use = "the mutex is unlocked as soon as the guard is dropped"]
#[rustfmt::skip] // the compiler shows the line
pub struct MutexGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    pub(super) permit: GatePermit<&'a Mutex<T>, ()>,
}

/// Holds a [`Mutex`] and keeps it alive until it is dropped, and dereferences to its value.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Mutex, OwnedMutexGuard}")]
#[doc = use_rc!()]
///
#[doc = let_rc!("count", "Mutex::new(1)")]
/// let guard: OwnedMutexGuard<i32> = count.lock_owned().await;
/// assert_eq!(*guard, 1);
/// # });
/// ```
#[must_use = "the mutex is unlocked as soon as the guard is dropped"]
pub struct OwnedMutexGuard<T: ?Sized> {
    pub(super) permit: GatePermit<rc!(Mutex<T>), ()>,
}

/// Holds a [`Mutex`] until it is dropped, and dereferences to a part of its value.
///
/// Created by [`MutexGuard::map`]. It is proof for
/// [`Condition::notify`](super::super::Condition::notify); to wait on a condition, pass the guard
/// of the whole value.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{MappedMutexGuard, Mutex, MutexGuard}")]
///
/// let pair = Mutex::new((1, "one"));
/// let guard: MappedMutexGuard<'_, i32> = MutexGuard::map(pair.lock().await, |pair| &mut pair.0);
/// assert_eq!(*guard, 1);
/// assert!(pair.is_locked());
/// # });
/// ```
#[must_use = "the mutex is unlocked as soon as the guard is dropped"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    pub(super) permit: GatePermit<&'a Lock, ()>,
    value: NonNull<T>,
    /// Leads to the value as `&mut` does: not covariant.
    _value: PhantomData<&'a mut T>,
}

threads_only! {
    // SAFETY: a shared guard gives `&T` and nothing else. (`Send` follows from
    // `&Mutex<T>`, by `T: Send`.)
    unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}
    // SAFETY: as above.
    unsafe impl<T: ?Sized + Sync> Sync for OwnedMutexGuard<T> {}
    // SAFETY: the guard leads to the value as `&mut T` does.
    unsafe impl<T: ?Sized + Send> Send for MappedMutexGuard<'_, T> {}
    // SAFETY: as above.
    unsafe impl<T: ?Sized + Sync> Sync for MappedMutexGuard<'_, T> {}
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// For those who have just acquired from the gate.
    #[inline]
    pub(crate) fn new(mutex: &'a Mutex<T>) -> Self {
        MutexGuard {
            permit: GatePermit::new(mutex, ()),
        }
    }

    /// Unlocks the mutex. Equivalent to `drop(guard)`.
    ///
    /// This is an associated function, to avoid hiding a method of `T`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Mutex, MutexGuard}")]
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock().await;
    /// MutexGuard::release(guard);
    /// assert!(!mutex.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        guard.permit.release();
    }

    /// Converts the guard into one of a part of the value.
    ///
    /// This is an associated function, to avoid hiding a method of `T`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Mutex, MutexGuard}")]
    ///
    /// let pair = Mutex::new((1, "one"));
    /// let mut number = MutexGuard::map(pair.lock().await, |pair| &mut pair.0);
    /// *number += 1;
    /// # });
    /// ```
    #[inline]
    pub fn map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedMutexGuard<'a, U> {
        let value = NonNull::from(part(&mut guard));
        MappedMutexGuard::new(&guard.permit.into_handle().lock, value)
    }

    /// Converts the guard into one of a part of the value, if `part` returns one; otherwise returns
    /// the guard, still locked.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Mutex, MutexGuard}")]
    ///
    /// let list = Mutex::new(vec![1]);
    /// let guard = list.lock().await;
    /// let guard = MutexGuard::filter_map(guard, |list| list.get_mut(7)).unwrap_err();
    /// assert_eq!(*guard, [1]);
    /// # });
    /// ```
    ///
    /// # Errors
    ///
    /// The guard itself if `part` returns `None`.
    #[inline]
    pub fn filter_map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        match part(&mut guard).map(NonNull::from) {
            Some(value) => Ok(MappedMutexGuard::new(
                &guard.permit.into_handle().lock,
                value,
            )),
            None => Err(guard),
        }
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// For those who have just acquired from the gate.
    #[inline]
    pub(crate) fn new(mutex: rc!(Mutex<T>)) -> Self {
        OwnedMutexGuard {
            permit: GatePermit::new(mutex, ()),
        }
    }

    /// Unlocks the mutex. Equivalent to `drop(guard)`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Mutex, OwnedMutexGuard}")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("mutex", "Mutex::new(1)")]
    /// let guard = mutex.lock_owned().await;
    /// OwnedMutexGuard::release(guard);
    /// assert!(!mutex.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        guard.permit.release();
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// `value` is a part of the data of `lock`, which is held.
    #[inline]
    fn new(lock: &'a Lock, value: NonNull<T>) -> Self {
        MappedMutexGuard {
            permit: GatePermit::new(lock, ()),
            value,
            _value: PhantomData,
        }
    }

    /// Converts the guard into one of a part of the part.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{MappedMutexGuard, Mutex, MutexGuard}")]
    ///
    /// let nested = Mutex::new((1, (2, 3)));
    /// let inner = MutexGuard::map(nested.lock().await, |nested| &mut nested.1);
    /// let mut last = MappedMutexGuard::map(inner, |inner| &mut inner.1);
    /// *last += 1;
    /// drop(last);
    /// assert_eq!(nested.into_inner(), (1, (2, 4)));
    /// # });
    /// ```
    #[inline]
    pub fn map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> &mut U,
    ) -> MappedMutexGuard<'a, U> {
        let value = NonNull::from(part(&mut guard));
        MappedMutexGuard {
            permit: guard.permit,
            value,
            _value: PhantomData,
        }
    }

    /// Converts the guard into one of a part of the part, if `part` returns one; otherwise returns
    /// the guard, still locked.
    ///
    /// # Errors
    ///
    /// The guard itself if `part` returns `None`.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{MappedMutexGuard, Mutex, MutexGuard}")]
    ///
    /// let pair = Mutex::new((1, vec![2]));
    /// let list = MutexGuard::map(pair.lock().await, |pair| &mut pair.1);
    /// let list = MappedMutexGuard::filter_map(list, |list| list.get_mut(7)).unwrap_err();
    /// let first = MappedMutexGuard::filter_map(list, |list| list.first_mut()).unwrap();
    /// assert_eq!(*first, 2);
    /// # });
    /// ```
    #[inline]
    pub fn filter_map<U: ?Sized>(
        mut guard: Self,
        part: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<MappedMutexGuard<'a, U>, Self> {
        match part(&mut guard).map(NonNull::from) {
            Some(value) => Ok(MappedMutexGuard {
                permit: guard.permit,
                value,
                _value: PhantomData,
            }),
            None => Err(guard),
        }
    }

    /// Unlocks the mutex. Equivalent to `drop(guard)`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{MappedMutexGuard, Mutex, MutexGuard}")]
    ///
    /// let pair = Mutex::new((1, "one"));
    /// let guard = MutexGuard::map(pair.lock().await, |pair| &mut pair.0);
    /// MappedMutexGuard::release(guard);
    /// assert!(!pair.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        drop(guard);
    }
}

// M1.
guard_traits! {
    mut:
    MutexGuard['a, T: ?Sized]<'a, T>, |this| this.permit.handle().value.get();
    OwnedMutexGuard[T: ?Sized]<T>, |this| this.permit.handle().value.get();
    MappedMutexGuard['a, T: ?Sized]<'a, T>, |this| this.value.as_ptr();
}

acquiring_future! {
    /// The future of [`Mutex::lock`].
    MutexLock['a, T: ?Sized]['a, T] for &'a Mutex<T> => MutexGuard<'a, T>, request (),
    example use_of!("{Mutex, future::MutexLock}"),
        "let count = Mutex::new(0);",
        "let acquiring: MutexLock<'_, i32> = count.lock();";

    /// The future of [`Mutex::lock_owned`].
    MutexLockOwned[T: ?Sized][T] for rc!(Mutex<T>) => OwnedMutexGuard<T>, request (),
    example concat!(use_of!("{Mutex, future::MutexLockOwned}"), "\n", use_rc!()),
        let_rc!("count", "Mutex::new(0)"),
        "let acquiring: MutexLockOwned<i32> = count.lock_owned();";
}

relock_guard! {
    MutexGuard<'a, T>['a, T: ?Sized], &'a Mutex<T>, MutexLock<'a, T>, |guard| &**guard => T;
    OwnedMutexGuard<T>[T: ?Sized], rc!(Mutex<T>), MutexLockOwned<T>, |guard| &**guard => T;
}

// SAFETY: as for the guards above: the id is the address of the gate of its permit,
// which is that of the mutex.
unsafe impl<T: ?Sized> HoldsLock for MappedMutexGuard<'_, T> {
    #[inline]
    fn lock_id(&self) -> LockId {
        self.permit.lock_id()
    }
}
