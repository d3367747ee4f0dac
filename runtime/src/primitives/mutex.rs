//! `Mutex`: a [`Lock`](crate::Lock) with the value it guards inside.
//!
//! The states are those of the lock.
//!
//! # Invariants
//!
//! - **M1** Through `&Mutex`, the value is accessed only by a guard, of which
//!   there is one at a time (L1).

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

use super::flavour::{Rc, ThisFlavour, let_rc, per_flavour, rc, threads_only, use_of, use_rc};
use super::lock::Lock;
use crate::gate::{Exclusive, Gate, GatePermit, Gated, acquiring_future, guard_traits};
use crate::traits::guard::{HoldsLock, relock_guard};
use crate::traits::lock::ExclusiveLock;
use crate::traits::lock_id::LockId;
use crate::traits::lock_impls::async_lock;

/// A value that one task at a time can access: a [`Lock`] with the value inside.
///
/// Fairness, cancellation, panics and forgotten guards are as described for [`Lock`].
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("Mutex")]
///
/// let numbers = Mutex::new(vec![1]);
/// numbers.lock().await.push(2);
/// assert_eq!(numbers.into_inner(), [1, 2]);
/// # });
/// ```
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    lock: Lock,
    value: UnsafeCell<T>,
}

threads_only! {
    // SAFETY: sending the mutex sends the value.
    unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
    // SAFETY: by M1 one task at a time accesses the value, on any thread: that sends
    // the value, and never shares it.
    unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
}

impl<T> Mutex<T> {
    #[cfg(not(async_monitor_loom))]
    /// A mutex that nobody holds.
    ///
    /// ```
    #[doc = use_of!("Mutex")]
    ///
    /// let numbers = Mutex::new(vec![1, 2]);
    /// assert!(!numbers.is_locked());
    /// ```
    pub const fn new(value: T) -> Self {
        Mutex {
            lock: Lock::new(),
            value: UnsafeCell::new(value),
        }
    }

    #[cfg(async_monitor_loom)]
    /// A mutex that nobody holds.
    #[inline]
    pub fn new(value: T) -> Self {
        Mutex {
            lock: Lock::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Consumes the mutex and returns the value. Owning the mutex proves that no guard exists.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Mutex")]
    ///
    /// let numbers = Mutex::new(vec![1]);
    /// numbers.lock().await.push(2);
    /// assert_eq!(numbers.into_inner(), [1, 2]);
    /// # });
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits until the mutex is free, and locks it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future removes it from the queue. If it had been granted the mutex, the next
    /// waiter gets it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Mutex")]
    ///
    /// let count = Mutex::new(0);
    /// let mut guard = count.lock().await;
    /// *guard += 1;
    /// drop(guard);
    /// assert_eq!(*count.lock().await, 1);
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn lock(&self) -> MutexLock<'_, T> {
        MutexLock::new(self)
    }

    /// Locks the mutex if it is free and no waiter is queued.
    ///
    /// ```
    #[doc = use_of!("Mutex")]
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        self.gate().attempt(()).then(|| MutexGuard::new(self))
    }

    threads_only! {
        /// Locks the mutex from code that is not async, parking the thread while it waits. See
        /// [`Lock::acquire_blocking`].
        ///
        /// ```
        /// use async_monitor::Mutex;
        ///
        /// let count = Mutex::new(0);
        /// std::thread::scope(|scope| {
        ///     for _ in 0..4 {
        ///         scope.spawn(|| *count.lock_blocking() += 1);
        ///     }
        /// });
        /// assert_eq!(count.into_inner(), 4);
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn lock_blocking(&self) -> MutexGuard<'_, T> {
            crate::blocking::at_once_or_blocking!(self.try_lock(), self.lock())
        }
    }

    /// Like [`lock`](Self::lock), but the guard keeps the mutex alive and borrows nothing.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Mutex")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("count", "Mutex::new(0)")]
    /// let mut guard = count.lock_owned().await;
    /// *guard += 1;
    #[doc = per_flavour!("std::thread::spawn(move || drop(guard)).join().unwrap();", "drop(guard);")]
    /// assert_eq!(*count.lock().await, 1);
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn lock_owned(self: &rc!(Self)) -> MutexLockOwned<T> {
        MutexLockOwned::new(Rc::clone(self))
    }

    /// Like [`try_lock`](Self::try_lock), but returns an owned guard.
    ///
    /// ```
    #[doc = use_of!("Mutex")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("count", "Mutex::new(0)")]
    /// let guard = count.try_lock_owned().expect("nobody holds it");
    /// assert!(count.try_lock_owned().is_none());
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_lock_owned(self: &rc!(Self)) -> Option<OwnedMutexGuard<T>> {
        self.gate()
            .attempt(())
            .then(|| OwnedMutexGuard::new(Rc::clone(self)))
    }

    threads_only! {
        /// Like [`lock_blocking`](Self::lock_blocking), but returns an owned guard.
        ///
        /// ```
        /// use async_monitor::Mutex;
        /// use std::sync::Arc;
        ///
        /// let count = Arc::new(Mutex::new(0));
        /// let mut guard = count.lock_owned_blocking();
        /// std::thread::spawn(move || *guard += 1).join().unwrap();
        /// assert_eq!(*count.lock_blocking(), 1);
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn lock_owned_blocking(self: &rc!(Self)) -> OwnedMutexGuard<T> {
            crate::blocking::at_once_or_blocking!(self.try_lock_owned(), self.lock_owned())
        }
    }

    /// Whether the mutex is held, or granted to a waiter that has not run yet. The answer may
    /// already be out of date.
    ///
    /// ```
    #[doc = use_of!("Mutex")]
    ///
    /// let mutex = Mutex::new(());
    /// let guard = mutex.try_lock();
    /// assert!(mutex.is_locked());
    /// drop(guard);
    /// assert!(!mutex.is_locked());
    /// ```
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.lock.is_locked()
    }

    /// The value, without locking: `&mut self` proves that no guard exists.
    ///
    /// ```
    #[doc = use_of!("Mutex")]
    ///
    /// let mut count = Mutex::new(1);
    /// *count.get_mut() += 1;
    /// assert_eq!(count.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: ?Sized> Gated for Mutex<T> {
    type Policy = Exclusive;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Exclusive, ThisFlavour> {
        self.lock.gate()
    }
}

impl<T> From<T> for Mutex<T> {
    #[inline]
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// A read-only visit: its release must not wake conditional waiters.
        struct Visit<'a>(&'a Gate<Exclusive, ThisFlavour>);

        impl Drop for Visit<'_> {
            #[inline]
            fn drop(&mut self) {
                self.0.release_unchanged(());
            }
        }

        let alternate = f.alternate();
        let mut debug = f.debug_struct("Mutex");
        let is_locked = !self.gate().try_acquire_quietly(());
        if !is_locked {
            let _visit = Visit(self.gate());
            // SAFETY: the visit holds the lock (M1).
            let value = unsafe { &*self.value.get() };
            debug.field("value", &value).field("locked", &false);
        } else {
            debug
                .field("value", &format_args!("<locked>"))
                .field("locked", &true);
        }
        debug.field("waiters", &self.gate().waiters());
        self.gate().holder().show(&mut debug, is_locked, alternate);
        debug.finish()
    }
}

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
    permit: GatePermit<&'a Mutex<T>, ()>,
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
    permit: GatePermit<rc!(Mutex<T>), ()>,
}

/// Holds a [`Mutex`] until it is dropped, and dereferences to a part of its value.
///
/// Created by [`MutexGuard::map`]. It is proof for [`Condition::notify`](super::Condition::notify);
/// to wait on a condition, pass the guard of the whole value.
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
    permit: GatePermit<&'a Lock, ()>,
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

crate::when::conditional_lock! {
    Mutex<T>[T: ?Sized] => MutexGuard::new
}

async_lock! {
    Mutex<T>[T: ?Sized] {
        MutexGuard<'a, T>, Mutex::lock, Mutex::try_lock, MutexLock<'a, T>, () => MutexGuard::new
    }
}

// SAFETY: M1, as for `Lock`.
unsafe impl<T: ?Sized> ExclusiveLock for Mutex<T> {}
