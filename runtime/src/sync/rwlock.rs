//! `sync::RwLock`: many readers or one writer, for sections that never suspend.
//!
//! # Invariants
//!
//! - **SR1** Through `&RwLock`, the value is accessed only through guards: one write guard, or
//!   any number of read guards.

use core::cell::UnsafeCell;
use core::fmt;

use super::hold::Hold;
use super::raw::{RawReadGuard, RawRwLock, RawWriteGuard};
use super::thread::stays_on_its_thread;
use super::turns::Turns;
use super::when::{ConditionalSyncRwLock, conditional_sync_lock};
use crate::checking::SyncOp;
use crate::gate::guard_traits;
use crate::traits::lock_id::LockId;
use crate::traits::sync_lock::{ExclusiveSyncLock, ExclusiveSyncRwLock, SyncRwLock};
use crate::watch::Mode;
use crate::watching::by_thread;

/// A value that many threads can read, or one can write, for sections that never suspend.
///
/// See [the module](super) for how it differs from [`async_monitor::RwLock`](crate::RwLock). A
/// panic does not poison it. Whether readers or writers are preferred depends on the platform
/// lock.
///
/// # Examples
///
/// ```
/// use async_monitor::sync::RwLock;
///
/// let config = RwLock::new("fast".to_owned());
/// {
///     let (one, two) = (config.read(), config.read());
///     assert_eq!(*one, *two);
/// }
/// config.write().push_str(" and safe");
/// assert_eq!(config.into_inner(), "fast and safe");
/// ```
pub struct RwLock<T: ?Sized> {
    turns: Turns,
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

/// Holds an [`RwLock`] for reading until it is dropped.
///
/// ```
/// use async_monitor::sync::{RwLock, RwLockReadGuard};
///
/// let config = RwLock::new("fast");
/// let reader: RwLockReadGuard<'_, &str> = config.read();
/// assert_eq!(*reader, "fast");
/// assert!(config.try_write().is_none());
/// ```
#[must_use = "a guard that is not kept unlocks its lock at once"]
#[rustfmt::skip] // the compiler shows the line
pub struct RwLockReadGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    hold: Hold<'a, RawReadGuard<'a>>,
    value: &'a UnsafeCell<T>,
}

/// Holds an [`RwLock`] for writing until it is dropped.
///
/// ```
/// use async_monitor::sync::{RwLock, RwLockWriteGuard};
///
/// let config = RwLock::new("fast");
/// let mut writer: RwLockWriteGuard<'_, &str> = config.write();
/// *writer = "safe";
/// assert!(config.try_read().is_none());
/// ```
#[must_use = "a guard that is not kept unlocks its lock at once"]
#[rustfmt::skip] // the compiler shows the line
pub struct RwLockWriteGuard<'a, T: ?Sized> { // in no `Result`, as nothing is poisoned: without `unwrap()`
    hold: Hold<'a, RawWriteGuard<'a>>,
    value: &'a UnsafeCell<T>,
}

stays_on_its_thread! {
    [T: ?Sized] RwLockReadGuard<'_, T>;
    [T: ?Sized] RwLockWriteGuard<'_, T>;
}

// SAFETY: sending the lock sends the value.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: by SR1, one thread writes (which needs `T: Send`) or several read (`T: Sync`).
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
// SAFETY: a shared guard gives access to the value by `&T`.
unsafe impl<T: ?Sized + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Sync> Sync for RwLockWriteGuard<'_, T> {}

impl<T> RwLock<T> {
    #[cfg(not(async_monitor_loom))]
    /// A lock that nobody holds. As a constant, it may be in a `static`.
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// static CONFIG: RwLock<&str> = RwLock::new("fast");
    /// assert_eq!(*CONFIG.read(), "fast");
    /// ```
    #[inline]
    pub const fn new(value: T) -> Self {
        RwLock {
            turns: Turns::new(),
            raw: RawRwLock::new(),
            value: UnsafeCell::new(value),
        }
    }

    #[cfg(async_monitor_loom)]
    /// A lock that nobody holds.
    pub fn new(value: T) -> Self {
        RwLock {
            turns: Turns::new(),
            raw: RawRwLock::new(),
            value: UnsafeCell::new(value),
        }
    }

    /// Consumes the lock and returns the value. Owning the lock proves that no guard exists.
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let config = RwLock::new(String::from("a"));
    /// config.write().push('b');
    /// assert_eq!(config.into_inner(), "ab");
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Acquires the lock for reading, parking the thread while a writer holds it.
    ///
    /// # Panics and deadlocks
    ///
    /// As for [`sync::Lock::acquire`](super::Lock::acquire). A thread that already
    /// holds a read guard may deadlock if a writer is waiting.
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let config = RwLock::new("fast");
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| assert_eq!(*config.read(), "fast"));
    ///     }
    /// });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline(always)] // so that the guard stays in registers
    pub fn read(&self) -> RwLockReadGuard<'_, T> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: true });
        self.reading(self.read_raw(), false)
    }

    /// Attempts to acquire the lock for reading without waiting.
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let config = RwLock::new("fast");
    /// let writer = config.write();
    /// assert!(config.try_read().is_none());
    /// drop(writer);
    /// assert_eq!(config.try_read().as_deref(), Some(&"fast"));
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        self.turns.announce_call(SyncOp::Try { is_shared: true });
        let raw = self.raw.try_read()?;
        self.turns.on_acquired(Mode::Shared);
        Some(self.reading(raw, false))
    }

    /// Acquires the lock for writing, parking the thread while anybody else holds it.
    ///
    /// # Panics and deadlocks
    ///
    /// As for [`sync::Lock::acquire`](super::Lock::acquire).
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let count = RwLock::new(0);
    /// std::thread::scope(|scope| {
    ///     for _ in 0..4 {
    ///         scope.spawn(|| *count.write() += 1);
    ///     }
    /// });
    /// assert_eq!(*count.read(), 4);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline(always)] // so that the guard stays in registers
    pub fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: false });
        self.writing(self.write_raw(), false)
    }

    /// Attempts to acquire the lock for writing without waiting.
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let config = RwLock::new("fast");
    /// let reader = config.read();
    /// assert!(config.try_write().is_none());
    /// drop(reader);
    /// assert!(config.try_write().is_some());
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_write(&self) -> Option<RwLockWriteGuard<'_, T>> {
        self.turns.announce_call(SyncOp::Try { is_shared: false });
        let raw = self.raw.try_write()?;
        self.turns.on_acquired(Mode::Exclusive);
        Some(self.writing(raw, false))
    }

    /// Returns a mutable reference to the value, without locking: `&mut self` proves that no guard
    /// exists.
    ///
    /// ```
    /// use async_monitor::sync::RwLock;
    ///
    /// let mut count = RwLock::new(1);
    /// *count.get_mut() += 1;
    /// assert_eq!(count.into_inner(), 2);
    /// ```
    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn read_raw(&self) -> RawReadGuard<'_> {
        by_thread(
            || {
                self.turns
                    .describe_request(Mode::Shared, Some(Mode::Exclusive))
            },
            || self.raw.try_read(),
            || self.raw.read(),
        )
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn write_raw(&self) -> RawWriteGuard<'_> {
        by_thread(
            || self.turns.describe_request(Mode::Exclusive, None),
            || self.raw.try_write(),
            || self.raw.write(),
        )
    }

    #[inline]
    fn reading<'a>(&'a self, raw: RawReadGuard<'a>, has_turn: bool) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard {
            hold: Hold::with_turn(raw, &self.turns, has_turn),
            value: &self.value,
        }
    }

    #[inline]
    fn writing<'a>(&'a self, raw: RawWriteGuard<'a>, has_turn: bool) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard {
            hold: Hold::with_turn(raw, &self.turns, has_turn),
            value: &self.value,
        }
    }

    #[inline]
    fn turns(&self) -> &Turns {
        &self.turns
    }

    /// # Safety
    ///
    /// The caller has the turn, and leaves it to the guard.
    #[inline]
    unsafe fn acquire_with_turn(&self) -> RwLockWriteGuard<'_, T> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: false });
        self.writing(self.write_raw(), true)
    }

    /// # Safety
    ///
    /// As for [`Lock::guard_to_evaluate`](super::Lock).
    #[inline]
    unsafe fn guard_to_evaluate(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard {
            // SAFETY: passed on.
            hold: unsafe { Hold::to_evaluate(&self.turns) },
            value: &self.value,
        }
    }

    #[inline]
    fn lock_id(&self) -> LockId {
        LockId::of(&self.turns)
    }
}

impl<T: ?Sized> RwLockReadGuard<'_, T> {
    /// Releases the lock. Equivalent to `drop(guard)`.
    ///
    /// This is an associated function, to avoid hiding a method of `T`.
    ///
    /// ```
    /// use async_monitor::sync::{RwLock, RwLockReadGuard};
    ///
    /// let config = RwLock::new("fast");
    /// let reader = config.read();
    /// RwLockReadGuard::release(reader);
    /// assert!(config.try_write().is_some());
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        drop(guard);
    }
}

impl<T: ?Sized> RwLockWriteGuard<'_, T> {
    /// Releases the lock. Equivalent to `drop(guard)`.
    ///
    /// This is an associated function, to avoid hiding a method of `T`.
    ///
    /// ```
    /// use async_monitor::sync::{RwLock, RwLockWriteGuard};
    ///
    /// let config = RwLock::new("fast");
    /// let writer = config.write();
    /// RwLockWriteGuard::release(writer);
    /// assert!(config.try_read().is_some());
    /// ```
    #[inline]
    pub fn release(guard: Self) {
        drop(guard);
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        RwLock::new(T::default())
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    /// Shows the value, or `<locked>` if the lock cannot be read without waiting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.try_read() {
            Some(guard) => debug.field("value", &&*guard),
            None => debug.field("value", &format_args!("<locked>")),
        };
        debug.finish_non_exhaustive()
    }
}

// SR1: the guard gives access to the value.
guard_traits! {
    RwLockReadGuard['a, T: ?Sized]<'a, T>, |this| this.value.get();
}

// SR1: the guard gives access to the value.
guard_traits! {
    mut:
    RwLockWriteGuard['a, T: ?Sized]<'a, T>, |this| this.value.get();
}

conditional_sync_lock! {
    RwLock<T>[T: ?Sized] => RwLockWriteGuard<'a, T>, write, try_write, |guard| guard.hold
}

impl<T: ?Sized> SyncRwLock for RwLock<T> {
    type ReadGuard<'a>
        = RwLockReadGuard<'a, T>
    where
        Self: 'a;

    #[inline]
    fn read(&self) -> RwLockReadGuard<'_, T> {
        RwLock::read(self)
    }

    #[inline]
    fn try_read(&self) -> Option<RwLockReadGuard<'_, T>> {
        RwLock::try_read(self)
    }
}

// SAFETY: turns and guards are those of the lock.
unsafe impl<T: ?Sized> ConditionalSyncRwLock for RwLock<T> {
    #[inline]
    unsafe fn read_with_turn(&self) -> RwLockReadGuard<'_, T> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: true });
        self.reading(self.read_raw(), true)
    }

    #[inline]
    unsafe fn read_guard_to_evaluate(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard {
            // SAFETY: passed on.
            hold: unsafe { Hold::to_evaluate(&self.turns) },
            value: &self.value,
        }
    }

    #[inline]
    fn release_read_without_turn<'a>(guard: RwLockReadGuard<'a, T>)
    where
        Self: 'a,
    {
        guard.hold.release_without_turn();
    }
}

// SAFETY: the platform lock gives mutual exclusion.
unsafe impl<T: ?Sized> ExclusiveSyncLock for RwLock<T> {}

// SAFETY: as above.
unsafe impl<T: ?Sized> ExclusiveSyncRwLock for RwLock<T> {}
