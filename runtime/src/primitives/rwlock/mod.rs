//! `RwLock`: many readers or one writer, and readers that may become writers.
//!
//! # State
//!
//! The word of the [gate](crate::gate):
//!
//! | bits | meaning |
//! |---|---|
//! | `QUEUED`, `CONDITIONAL` | there are waiters: see the gate |
//! | [`WRITER`] | a write guard exists or is granted |
//! | [`UPGRADABLE`] | an upgradable guard exists or is granted |
//! | the rest, in units of [`READER`] | the number of read guards that exist or are granted |
//!
//! | request | is admitted if there is no | sets |
//! |---|---|---|
//! | read | writer | one `READER` more |
//! | upgradable read | writer, upgradable | `UPGRADABLE` |
//! | write | writer, upgradable, reader | `WRITER` |
//! | upgrade (of the one upgradable guard) | reader | `WRITER` for `UPGRADABLE` |
//!
//! # Policy
//!
//! Strict FIFO between readers and writers: requests acquire in the order in which
//! they were queued, and readers behind a writer wait for it. So neither kind starves.
//! Only an upgrade goes to the head of the queue: a writer before it could not acquire
//! anyway while the upgradable guard exists.
//!
//! # Invariants
//!
//! - **R1** While a write guard exists, no other guard does.
//! - **R2** While an upgradable guard exists, neither a writer nor another
//!   upgradable guard does.
//! - **R3** Between the old guard and the new guard of an upgrade, or of a
//!   downgrade, no other writer acquires: both change the word in one step.
//! - **R4** There is room in the count for the upgradable guard to become a
//!   reader: readers are admitted only up to one fewer than can be counted, and
//!   an upgradable guard only while the count is not full.
//!
//! When a writer is cancelled, the nodes behind it are served again, so that readers
//! join the current readers. A cancelled upgrade releases the
//! upgradable guard from which it was made.

mod guard;
mod methods;

use core::cell::UnsafeCell;
use core::fmt;
use core::future::Future;

use self::guard::ReadHandle;
pub use self::guard::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLockRead,
    RwLockReadGuard, RwLockReadOwned, RwLockUpgradableRead, RwLockUpgradableReadGuard,
    RwLockUpgradableReadOwned, RwLockUpgrade, RwLockUpgradeOwned, RwLockWrite, RwLockWriteGuard,
    RwLockWriteOwned,
};
use super::flavour::{ThisFlavour, let_rc, rc, threads_only, use_of, use_rc};
use crate::gate::{Access, Gate, Gated, READER, Shared, UPGRADABLE, WRITER};
use crate::traits::lock::{AsyncRwLock, ExclusiveLock, ExclusiveRwLock};
use crate::traits::lock_impls::{Infallibly, async_lock};
use crate::watching::Site;

/// A value that many tasks can read, or one can write.
///
/// # Fairness
///
/// FIFO, whatever the kind of access: a reader that is queued after a writer waits for it, even
/// while other readers hold the lock. (So a task that holds a read guard must not read again: with
/// a writer queued in between, it would wait for itself.) For the rest see [`Lock`](super::Lock),
/// of which this is the shared form.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("RwLock")]
///
/// let config = RwLock::new(String::from("a"));
/// {
///     let one = config.read().await;
///     let two = config.read().await;
///     assert_eq!(*one, *two);
/// }
/// config.write().await.push('b');
/// assert_eq!(*config.read().await, "ab");
/// # });
/// ```
// In C's order, so that a reader's view of it has the same layout.
#[derive(Default)]
#[repr(C)]
pub struct RwLock<T: ?Sized> {
    raw: RawRwLock,
    value: UnsafeCell<T>,
}

/// The lock without the value. Its type does not mention `T`, so that a read guard that
/// refers to it can be covariant in `T`.
pub(crate) struct RawRwLock {
    gate: Gate<Shared, ThisFlavour>,
}

impl Gated for RawRwLock {
    type Policy = Shared;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Shared, ThisFlavour> {
        &self.gate
    }
}

impl Default for RawRwLock {
    #[inline]
    fn default() -> Self {
        RawRwLock { gate: Gate::new(0) }
    }
}

threads_only! {
    // SAFETY: sending the lock sends the value.
    unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
    // SAFETY: writers send the value from thread to thread, readers share it (R1).
    unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}
}

impl<T> RwLock<T> {
    #[cfg(not(async_monitor_loom))]
    /// A lock that nobody holds.
    ///
    /// ```
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new("fast");
    /// assert!(!config.is_locked());
    /// ```
    pub const fn new(value: T) -> Self {
        RwLock {
            raw: RawRwLock { gate: Gate::new(0) },
            value: UnsafeCell::new(value),
        }
    }

    #[cfg(async_monitor_loom)]
    /// A lock that nobody holds.
    #[inline]
    pub fn new(value: T) -> Self {
        RwLock {
            raw: RawRwLock::default(),
            value: UnsafeCell::new(value),
        }
    }

    /// Consumes the lock and returns the value. Owning the lock proves that no guard exists.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("RwLock")]
    ///
    /// let config = RwLock::new(String::from("a"));
    /// config.write().await.push('b');
    /// assert_eq!(config.into_inner(), "ab");
    /// # });
    /// ```
    #[inline]
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Gated for RwLock<T> {
    type Policy = Shared;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Shared, ThisFlavour> {
        &self.raw.gate
    }
}

impl<T> From<T> for RwLock<T> {
    #[inline]
    fn from(value: T) -> Self {
        RwLock::new(value)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.gate().word();
        let alternate = f.alternate();
        let mut debug = f.debug_struct("RwLock");
        if self.gate().try_acquire_quietly(Access::Read) {
            debug.field("value", &&*RwLockReadGuard::new(ReadHandle::new(self)));
        } else {
            debug.field("value", &format_args!("<locked>"));
        }
        debug
            .field("writer", &(word & WRITER != 0))
            .field("upgradable", &(word & UPGRADABLE != 0))
            .field("readers", &(word / READER))
            .field("waiters", &self.gate().waiters());
        // The latest reader may have released already.
        let is_written = word & WRITER != 0;
        self.gate()
            .holder()
            .write_to(&mut debug, is_written, alternate);
        debug.finish()
    }
}

// SAFETY: waiter and guard are made from the lock itself.
unsafe impl<T: ?Sized> crate::when::ConditionalLock for RwLock<T> {
    #[inline]
    fn waiter(&self) -> crate::when::ConditionalWaiter<'_> {
        crate::when::NewWaiter::shared_waiter(self.gate(), Access::Write)
    }

    #[inline]
    unsafe fn granted_guard(&self) -> RwLockWriteGuard<'_, T> {
        RwLockWriteGuard::new(self)
    }
}

// SAFETY: as above.
unsafe impl<T: ?Sized> crate::when::ConditionalRwLock for RwLock<T> {
    #[inline]
    fn read_waiter(&self) -> crate::when::ConditionalWaiter<'_> {
        crate::when::NewWaiter::shared_waiter(self.gate(), Access::Read)
    }

    #[inline]
    unsafe fn granted_read_guard(&self) -> RwLockReadGuard<'_, T> {
        RwLockReadGuard::new(ReadHandle::new(self))
    }
}

async_lock! {
    RwLock<T>[T: ?Sized] {
        RwLockWriteGuard<'a, T>, RwLock::write, RwLock::try_write, RwLockWrite<'a, T>,
        Access::Write => RwLockWriteGuard::new
    }
}

impl<T: ?Sized> AsyncRwLock for RwLock<T> {
    type ReadGuard<'a>
        = RwLockReadGuard<'a, T>
    where
        Self: 'a;

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn read(&self) -> impl Future<Output = Result<Self::ReadGuard<'_>, Self::Error>> {
        Infallibly(RwLock::read(self))
    }

    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    fn try_read(&self) -> Option<Self::ReadGuard<'_>> {
        RwLock::try_read(self)
    }

    #[inline]
    fn __read_at_once(&self, site: &'static Site) -> Option<Self::ReadGuard<'_>> {
        (self.gate().try_acquire_by(Access::Read, site))
            .then(|| RwLockReadGuard::new(ReadHandle::new(self)))
    }
}

// SAFETY: R1, R2; a release is a Release and an acquisition an Acquire on the same word,
// or both are ordered by the queue lock.
unsafe impl<T: ?Sized> ExclusiveLock for RwLock<T> {}

// SAFETY: as above.
unsafe impl<T: ?Sized> ExclusiveRwLock for RwLock<T> {}
