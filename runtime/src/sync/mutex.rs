//! `sync::Mutex`: a [`Lock`] with the value it guards inside.
//!
//! # Invariants
//!
//! - **SM1** Through `&Mutex`, the value is accessed only by a guard, which holds the lock.

use core::cell::UnsafeCell;
use core::fmt;

use super::lock::{Lock, LockGuard};
use super::thread::stays_on_its_thread;
use super::when::conditional_sync_lock;
use crate::gate::guard_traits;
use crate::traits::sync_lock::ExclusiveSyncLock;

/// A value that one thread at a time can access, for sections that never suspend.
///
/// See [the module](super) for how it differs from [`async_monitor::Mutex`](crate::Mutex). A panic
/// does not poison it.
///
/// # Examples
///
/// ```
/// use async_monitor::sync::Mutex;
///
/// static NUMBERS: Mutex<Vec<i32>> = Mutex::new(Vec::new());
///
/// NUMBERS.lock().push(1);
/// assert_eq!(*NUMBERS.lock(), [1]);
/// ```
#[derive(Default)]
pub struct Mutex<T: ?Sized> {
    lock: Lock,
    value: UnsafeCell<T>,
}

/// Holds a [`Mutex`] until it is dropped, and dereferences to its value.
///
/// ```
/// use async_monitor::sync::{Mutex, MutexGuard};
///
/// fn count(guard: &mut MutexGuard<'_, u32>) {
///     **guard += 1;
/// }
///
/// let visits = Mutex::new(0);
/// count(&mut visits.lock());
/// assert_eq!(visits.into_inner(), 1);
/// ```
#[must_use = "a guard that is not kept unlocks its mutex at once"]
#[rustfmt::skip] // the compiler shows the line
pub struct MutexGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    guard: LockGuard<'a>,
    value: &'a UnsafeCell<T>,
}

stays_on_its_thread!([T: ?Sized] MutexGuard<'_, T>;);

// SAFETY: sending the mutex sends the value.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: by SM1 one thread at a time accesses the value: that sends the value, and never
// shares it.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
// SAFETY: a shared guard gives access to the value by `&T`.
unsafe impl<T: ?Sized + Sync> Sync for MutexGuard<'_, T> {}

impl<T> Mutex<T> {
    #[cfg(not(async_monitor_loom))]
    /// A mutex that nobody holds. As a constant, it may be in a `static`.
    ///
    /// ```
    /// use async_monitor::sync::Mutex;
    ///
    /// static NAMES: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    /// assert!(NAMES.lock().is_empty());
    /// ```
    #[inline]
    pub const fn new(value: T) -> Self {
        Mutex {
            lock: Lock::new(),
            value: UnsafeCell::new(value),
        }
    }

    #[cfg(async_monitor_loom)]
    /// A mutex that nobody holds.
    pub fn new(value: T) -> Self {
        Mutex {
            lock: Lock::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Consumes the mutex and returns the value. Owning the mutex proves that no guard exists.
    ///
    /// ```
    /// use async_monitor::sync::Mutex;
    ///
    /// let names = Mutex::new(vec!["a"]);
    /// names.lock().push("b");
    /// assert_eq!(names.into_inner(), ["a", "b"]);
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Locks the mutex, parking the thread while another holds it.
    ///
    /// # Panics and deadlocks
    ///
    /// As for [`sync::Lock::acquire`](super::Lock::acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::sync::Mutex;
    ///
    /// let count = Mutex::new(0);
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| *count.lock() += 1);
    ///     }
    /// });
    /// assert_eq!(*count.lock(), 4);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline(always)] // so that the guard stays in registers
    pub fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            guard: self.lock.acquire(),
            value: &self.value,
        }
    }

    /// Attempts to lock the mutex without waiting.
    ///
    /// ```
    /// use async_monitor::sync::Mutex;
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.try_lock().expect("nobody holds it");
    /// assert!(mutex.try_lock().is_none());
    /// # drop(guard);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        let guard = self.lock.try_acquire()?;
        Some(MutexGuard {
            guard,
            value: &self.value,
        })
    }

    /// The value, without locking: `&mut self` proves that no guard exists.
    ///
    /// ```
    /// use async_monitor::sync::Mutex;
    ///
    /// let mut count = Mutex::new(1);
    /// *count.get_mut() += 1;
    /// assert_eq!(count.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[inline]
    fn turns(&self) -> &super::turns::Turns {
        self.lock.turns()
    }

    /// # Safety
    ///
    /// As for [`Lock::acquire_with_turn`].
    #[inline]
    unsafe fn acquire_with_turn(&self) -> MutexGuard<'_, T> {
        // SAFETY: passed on.
        let guard = unsafe { self.lock.acquire_with_turn() };
        MutexGuard {
            guard,
            value: &self.value,
        }
    }

    /// # Safety
    ///
    /// As for [`Lock::guard_to_evaluate`].
    #[inline]
    unsafe fn guard_to_evaluate(&self) -> MutexGuard<'_, T> {
        // SAFETY: passed on.
        let guard = unsafe { self.lock.guard_to_evaluate() };
        MutexGuard {
            guard,
            value: &self.value,
        }
    }

    #[inline]
    fn lock_id(&self) -> crate::LockId {
        self.lock.lock_id()
    }
}

impl<T: ?Sized> MutexGuard<'_, T> {
    /// Unlocks the mutex. Equivalent to `drop(guard)`.
    ///
    /// This is an associated function, to avoid hiding a method of `T`.
    ///
    /// ```
    /// use async_monitor::sync::{Mutex, MutexGuard};
    ///
    /// let mutex = Mutex::new(1);
    /// let guard = mutex.lock();
    /// MutexGuard::release(guard);
    /// assert!(mutex.try_lock().is_some());
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        drop(guard);
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Mutex::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    /// Shows the value where the mutex is free at once.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.try_lock() {
            Some(guard) => {
                debug.field("value", &&*guard);
                guard.guard.into_hold().release_unchanged();
            }
            None => {
                debug.field("value", &format_args!("<locked>"));
            }
        }
        debug.finish_non_exhaustive()
    }
}

// SM1.
guard_traits! {
    mut:
    MutexGuard['a, T: ?Sized]<'a, T>, |this| this.value.get();
}

conditional_sync_lock! {
    Mutex<T>[T: ?Sized] => MutexGuard<'a, T>, lock, try_lock, |guard| guard.guard.into_hold()
}

// SAFETY: as for `Lock`.
unsafe impl<T: ?Sized> ExclusiveSyncLock for Mutex<T> {}
