//! `Mutex`: a [`Lock`](crate::Lock) with the value it guards inside.
//!
//! The states are those of the lock.
//!
//! # Invariants
//!
//! - **M1** Through `&Mutex`, the value is accessed only by a guard, of which
//!   there is one at a time (L1).

mod guard;

use core::cell::UnsafeCell;
use core::fmt;

pub use self::guard::{MappedMutexGuard, MutexGuard, MutexLock, MutexLockOwned, OwnedMutexGuard};
use super::flavour::{Rc, ThisFlavour, let_rc, per_flavour, rc, threads_only, use_of, use_rc};
use super::lock::Lock;
use crate::gate::{Exclusive, Gate, Gated};
use crate::traits::lock::ExclusiveLock;
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
        self.gate()
            .holder()
            .write_to(&mut debug, is_locked, alternate);
        debug.finish()
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
