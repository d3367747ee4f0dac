//! `sync::Lock`: mutual exclusion between threads, without data of its own.

use core::fmt;
use core::panic::{RefUnwindSafe, UnwindSafe};

use super::hold::Hold;
use super::raw::{RawMutex, RawMutexGuard};
use super::thread::stays_on_its_thread;
use super::turns::Turns;
use super::when::conditional_sync_lock;
use crate::checking::SyncOp;
use crate::platform::const_unless_loom;
use crate::traits::lock_id::LockId;
use crate::traits::sync_lock::ExclusiveSyncLock;
use crate::watch::Mode;
use crate::watching::by_thread;

/// A lock for sections that never suspend, without data of its own.
///
/// Put it next to the fields it guards and let `#[derive(Guarded)]` enforce the locking, or use
/// [`sync::Mutex`](super::Mutex) for a single value. See [the module](super) for how it differs
/// from [`async_monitor::Lock`](crate::Lock).
///
/// # Examples
///
/// ```
/// use async_monitor::sync::Lock;
///
/// let printer = Lock::new();
///
/// let guard = printer.acquire();
/// println!("first line");
/// println!("second line, and nobody in between");
/// drop(guard);
/// assert!(printer.try_acquire().is_some());
/// ```
pub struct Lock {
    turns: Turns,
    raw: RawMutex,
}

/// Holds a [`Lock`] until it is dropped.
///
/// ```
/// use async_monitor::sync::{Lock, LockGuard};
///
/// let lock = Lock::new();
/// {
///     let _guard: LockGuard<'_> = lock.acquire();
///     assert!(lock.try_acquire().is_none());
/// }
/// assert!(lock.try_acquire().is_some());
/// ```
#[must_use = "a guard that is not kept releases its lock at once"]
pub struct LockGuard<'a> {
    hold: Hold<'a, RawMutexGuard<'a>>,
}

stays_on_its_thread!([] LockGuard<'_>;);

impl Lock {
    const_unless_loom! {
        /// A lock that nobody holds. As a constant, it may be in a `static`.
        ///
        /// ```
        /// use async_monitor::sync::Lock;
        ///
        /// static PRINTER: Lock = Lock::new();
        /// assert!(PRINTER.try_acquire().is_some());
        /// ```
        pub const fn new() -> Self {
            Lock { turns: Turns::new(), raw: RawMutex::new() }
        }
    }

    /// Acquires the lock, parking the thread while another holds it.
    ///
    /// # Panics and deadlocks
    ///
    /// A thread that already holds the lock waits for itself: it hangs or panics, depending on the
    /// platform lock. In builds with `debug_assertions`, it panics with the place where it
    /// [acquired](crate::watch) the lock.
    ///
    /// # Examples
    ///
    /// ```
    /// use async_monitor::sync::Lock;
    ///
    /// let printer = Lock::new();
    /// std::thread::scope(|scope| {
    ///     for thread in 0..2 {
    ///         let printer = &printer;
    ///         scope.spawn(move || {
    ///             let _guard = printer.acquire();
    ///             println!("first line of {thread}");
    ///             println!("second line of {thread}");
    ///         });
    ///     }
    /// });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline(always)] // so that the guard stays in registers
    pub fn acquire(&self) -> LockGuard<'_> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: false });
        LockGuard {
            hold: Hold::new(self.lock_raw(), &self.turns),
        }
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn lock_raw(&self) -> RawMutexGuard<'_> {
        by_thread(
            || {
                self.turns
                    .describe_request(Mode::Exclusive, Some(Mode::Exclusive))
            },
            || self.raw.try_lock(),
            || self.raw.lock(),
        )
    }

    /// Attempts to acquire the lock without waiting.
    ///
    /// ```
    /// use async_monitor::sync::Lock;
    ///
    /// let lock = Lock::new();
    /// let guard = lock.try_acquire().expect("nobody holds it");
    /// assert!(lock.try_acquire().is_none());
    /// # drop(guard);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.turns.announce_call(SyncOp::Try { is_shared: false });
        let raw = self.raw.try_lock()?;
        self.turns.on_acquired(Mode::Exclusive);
        Some(LockGuard {
            hold: Hold::new(raw, &self.turns),
        })
    }

    #[inline]
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// # Safety
    ///
    /// The caller has the turn, and leaves it to the guard.
    #[inline]
    pub(super) unsafe fn acquire_with_turn(&self) -> LockGuard<'_> {
        self.turns
            .announce_call(SyncOp::Acquire { is_shared: false });
        LockGuard {
            hold: Hold::with_turn(self.lock_raw(), &self.turns, true),
        }
    }

    /// # Safety
    ///
    /// As for [`Hold::to_evaluate`], and the caller holds the lock.
    #[inline]
    pub(super) unsafe fn guard_to_evaluate(&self) -> LockGuard<'_> {
        LockGuard {
            // SAFETY: passed on.
            hold: unsafe { Hold::to_evaluate(&self.turns) },
        }
    }

    /// The id of the lock.
    #[inline]
    pub(super) fn lock_id(&self) -> LockId {
        LockId::of(&self.turns)
    }
}

impl<'a> LockGuard<'a> {
    /// Releases the lock. Equivalent to `drop(guard)`.
    ///
    /// ```
    /// use async_monitor::sync::Lock;
    ///
    /// let lock = Lock::new();
    /// let guard = lock.acquire();
    /// guard.release();
    /// assert!(lock.try_acquire().is_some());
    /// ```
    #[inline]
    pub fn release(self) {
        drop(self);
    }

    #[inline]
    pub(super) fn into_hold(self) -> Hold<'a, RawMutexGuard<'a>> {
        self.hold
    }

    #[inline]
    pub(super) fn lock_id(&self) -> LockId {
        self.hold.lock_id()
    }
}

// Its state is consistent after every panic.
impl UnwindSafe for Lock {}
impl RefUnwindSafe for Lock {}

impl Default for Lock {
    fn default() -> Self {
        Lock::new()
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").finish_non_exhaustive()
    }
}

impl fmt::Debug for LockGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard")
            .field("lock_id", &self.lock_id())
            .finish_non_exhaustive()
    }
}

conditional_sync_lock! {
    Lock[] => LockGuard<'a>, acquire, try_acquire, |guard| guard.into_hold()
}

// SAFETY: the mutex of the platform excludes.
unsafe impl ExclusiveSyncLock for Lock {}
