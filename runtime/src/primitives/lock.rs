//! `Lock`: mutual exclusion between tasks, without data of its own.
//!
//! # State
//!
//! The word of the [gate](crate::gate):
//!
//! | bits | meaning |
//! |---|---|
//! | [`LOCKED`] | a guard exists, or a waiter has been granted the lock |
//! | `QUEUED`, `CONDITIONAL` | there are waiters: see the gate |
//!
//! | word | acquire | release |
//! |---|---|---|
//! | free | `LOCKED` | - |
//! | `LOCKED` | joins the queue, sets `QUEUED` | free |
//! | `LOCKED`, `QUEUED` | joins the queue | grants the first queued waiter and leaves the word unchanged; free if none is queued |
//!
//! # Invariants
//!
//! - **L1** At most one guard or granted node exists at a time, and `LOCKED` is
//!   set exactly then. (G4, and `admit` refuses while `LOCKED` is set.)
//!
//! Cancelling a waiter takes it out of the queue; if it had been granted the
//! lock, the next one gets it. [`Mutex`](crate::Mutex) is this lock with a value
//! inside.

use core::fmt;

use super::flavour::{Rc, ThisFlavour, let_rc, per_flavour, rc, threads_only, use_of, use_rc};
use crate::gate::{Exclusive, Gate, GatePermit, Gated, LOCKED, acquiring_future};
use crate::platform::const_unless_loom;
use crate::traits::guard::relock_guard;
use crate::traits::lock::ExclusiveLock;
use crate::traits::lock_impls::async_lock;

/// A lock that tasks wait for: asyncio's `Lock`.
///
/// It contains no data. Put it next to the fields it guards and let `#[derive(Guarded)]` enforce
/// the locking, or use [`Mutex`](super::Mutex) for a single value.
///
/// # Fairness
///
/// FIFO between tasks: a waiter is queued when the future of [`acquire`](Self::acquire) is first
/// polled, and a release hands the lock directly to the first waiter. Nothing, not even
/// [`try_acquire`](Self::try_acquire), gets in between, however long the woken task takes to run.
/// So a future that was granted the lock and is neither polled nor dropped keeps all waiters behind
/// it waiting.
///
/// There are two exceptions.
///
/// - The lock is granted to a task, not to a future. If the task does not poll the future that was
///   granted the lock, but polls another one that waits for the same lock, the second future gets
///   the lock (after one more turn, in case the first was only about to be polled), and the first
///   takes the place of the second in the queue. So no other task is overtaken. Tasks are told
///   apart by [`Waker::will_wake`](core::task::Waker::will_wake). Futures in combinators that
///   create their own wakers, such as `FuturesUnordered`, look like separate tasks.
/// - A thread that waits in a `*_blocking` method takes over a grant that another waiter does not
///   pick up for about a millisecond (or longer, if the thread has waited longer): it may be the
///   very thread that should poll that waiter. For its next 256 waits, the thread does not wait
///   that long. The waiter is queued again, at the head.
///
/// # Panics and forgotten guards
///
/// There is no poisoning: a guard that is dropped by a panic releases the lock.
/// A guard that is leaked (`mem::forget`) keeps it locked for ever.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("Lock")]
///
/// let printer = Lock::new();
///
/// let guard = printer.acquire().await;
/// assert!(printer.is_locked());
/// println!("first line");
/// println!("second line, and nobody in between");
/// drop(guard);
/// assert!(!printer.is_locked());
/// # });
/// ```
pub struct Lock {
    gate: Gate<Exclusive, ThisFlavour>,
}

impl Lock {
    const_unless_loom! {
        /// A lock that nobody holds. As a constant, it may be in a
        #[doc = per_flavour!("`static`.", "`thread_local!`.")]
        ///
        /// ```
        #[doc = use_of!("Lock")]
        ///
        #[doc = per_flavour!("static PRINTER: Lock = Lock::new();", "thread_local! { static PRINTER: Lock = const { Lock::new() } }")]
        #[doc = per_flavour!("assert!(!PRINTER.is_locked());", "PRINTER.with(|printer| assert!(!printer.is_locked()));")]
        /// ```
        pub const fn new() -> Self {
            Lock { gate: Gate::new(0) }
        }
    }

    /// Waits until the lock is free, and acquires it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future removes it from the queue. If it had been granted the lock, the next
    /// waiter gets it.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Lock")]
    ///
    /// let lock = Lock::new();
    /// let guard = lock.acquire().await;
    /// guard.release();
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn acquire(&self) -> LockAcquire<'_> {
        LockAcquire::new(self)
    }

    /// Acquires the lock if it is free and no waiter is queued.
    ///
    /// ```
    #[doc = use_of!("Lock")]
    ///
    /// let lock = Lock::new();
    /// let guard = lock.try_acquire().expect("nobody holds it");
    /// assert!(lock.try_acquire().is_none());
    /// drop(guard);
    /// assert!(lock.try_acquire().is_some());
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.gate.attempt(()).then(|| LockGuard::new(self))
    }

    threads_only! {
        /// Acquires the lock from code that is not async, parking the thread while it waits.
        /// Threads and tasks share one queue.
        ///
        /// In async code, use [`acquire`](Self::acquire): a parked thread may keep the executor
        /// from running the task that holds the lock.
        ///
        /// ```
        /// let lock = async_monitor::Lock::new();
        /// let guard = lock.acquire_blocking();
        /// assert!(lock.is_locked());
        /// # drop(guard);
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn acquire_blocking(&self) -> LockGuard<'_> {
            crate::blocking::at_once_or_blocking!(self.try_acquire(), self.acquire())
        }
    }

    /// Like [`acquire`](Self::acquire), but the guard keeps the lock alive and borrows nothing.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = per_flavour!("use std::sync::Arc;", "use std::rc::Rc;")]
    #[doc = use_of!("Lock")]
    ///
    #[doc = per_flavour!("let lock = Arc::new(Lock::new());", "let lock = Rc::new(Lock::new());")]
    /// let guard = lock.acquire_owned().await;
    #[doc = per_flavour!("std::thread::spawn(move || drop(guard)).join().unwrap();", "drop(guard);")]
    /// assert!(!lock.is_locked());
    /// # });
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn acquire_owned(self: &rc!(Self)) -> LockAcquireOwned {
        LockAcquireOwned::new(Rc::clone(self))
    }

    /// Like [`try_acquire`](Self::try_acquire), but returns an owned guard.
    ///
    /// ```
    #[doc = use_of!("Lock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("lock", "Lock::new()")]
    /// let guard = lock.try_acquire_owned().expect("nobody holds it");
    /// assert!(lock.try_acquire_owned().is_none());
    /// # drop(guard);
    /// ```
    #[cfg(feature = "alloc")]
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn try_acquire_owned(self: &rc!(Self)) -> Option<OwnedLockGuard> {
        self.gate
            .attempt(())
            .then(|| OwnedLockGuard::new(Rc::clone(self)))
    }

    threads_only! {
        /// Like [`acquire_blocking`](Self::acquire_blocking), but returns an owned guard.
        ///
        /// ```
        /// use async_monitor::Lock;
        /// use std::sync::Arc;
        ///
        /// let lock = Arc::new(Lock::new());
        /// let guard = lock.acquire_owned_blocking();
        /// // The guard borrows nothing, so it may be sent to another thread.
        /// std::thread::spawn(move || drop(guard)).join().unwrap();
        /// assert!(!lock.is_locked());
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn acquire_owned_blocking(self: &rc!(Self)) -> OwnedLockGuard {
            crate::blocking::at_once_or_blocking!(self.try_acquire_owned(), self.acquire_owned())
        }
    }

    /// Whether the lock is held, or granted to a waiter that has not run yet. The answer may
    /// already be out of date.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Lock")]
    ///
    /// let lock = Lock::new();
    /// let guard = lock.acquire().await;
    /// assert!(lock.is_locked());
    /// drop(guard);
    /// assert!(!lock.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn is_locked(&self) -> bool {
        self.gate.looks();
        self.gate.word() & LOCKED != 0
    }
}

impl Gated for Lock {
    type Policy = Exclusive;
    type Flavour = ThisFlavour;

    #[inline]
    fn gate(&self) -> &Gate<Exclusive, ThisFlavour> {
        &self.gate
    }
}

impl Default for Lock {
    #[inline]
    fn default() -> Self {
        Lock::new()
    }
}

impl fmt::Debug for Lock {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternate = f.alternate();
        let mut debug = f.debug_struct("Lock");
        let is_locked = self.is_locked();
        debug
            .field("locked", &is_locked)
            .field("waiters", &self.gate.waiters());
        self.gate
            .holder()
            .write_to(&mut debug, is_locked, alternate);
        debug.finish()
    }
}

/// Holds a [`Lock`] until it is dropped or [released](Self::release).
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Lock, LockGuard}")]
///
/// let lock = Lock::new();
/// {
///     let _guard: LockGuard<'_> = lock.acquire().await;
///     assert!(lock.is_locked());
/// }
/// assert!(!lock.is_locked());
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct LockGuard<'a> {
    permit: GatePermit<&'a Lock, ()>,
}

/// Holds a [`Lock`], and keeps it alive, until it is dropped or
/// [released](Self::release).
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Lock, OwnedLockGuard}")]
#[doc = use_rc!()]
///
/// struct Session {
///     printer: OwnedLockGuard,
/// }
///
#[doc = let_rc!("printer", "Lock::new()")]
/// let session = Session { printer: printer.acquire_owned().await };
/// assert!(printer.is_locked());
/// drop(session.printer);
/// assert!(!printer.is_locked());
/// # });
/// ```
#[must_use = "the lock is released as soon as the guard is dropped"]
pub struct OwnedLockGuard {
    permit: GatePermit<rc!(Lock), ()>,
}

impl<'a> LockGuard<'a> {
    /// For those who have just acquired from the gate.
    #[inline]
    pub(crate) fn new(lock: &'a Lock) -> Self {
        LockGuard {
            permit: GatePermit::new(lock, ()),
        }
    }

    /// Releases the lock. Equivalent to `drop(guard)`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Lock")]
    ///
    /// let lock = Lock::new();
    /// let guard = lock.acquire().await;
    /// guard.release();
    /// assert!(!lock.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn release(self) {
        self.permit.release();
    }
}

impl OwnedLockGuard {
    /// For those who have just acquired from the gate.
    #[inline]
    pub(crate) fn new(lock: rc!(Lock)) -> Self {
        OwnedLockGuard {
            permit: GatePermit::new(lock, ()),
        }
    }

    /// Releases the lock. Equivalent to `drop(guard)`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Lock")]
    #[doc = use_rc!()]
    ///
    #[doc = let_rc!("lock", "Lock::new()")]
    /// let guard = lock.acquire_owned().await;
    /// guard.release();
    /// assert!(!lock.is_locked());
    /// # });
    /// ```
    #[inline]
    pub fn release(self) {
        self.permit.release();
    }
}

impl fmt::Debug for LockGuard<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockGuard").finish_non_exhaustive()
    }
}

impl fmt::Debug for OwnedLockGuard {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnedLockGuard").finish_non_exhaustive()
    }
}

acquiring_future! {
    /// The future of [`Lock::acquire`].
    LockAcquire['a]['a] for &'a Lock => LockGuard<'a>, request (),
    example use_of!("{Lock, future::LockAcquire}"),
        "let lock = Lock::new();",
        "let acquiring: LockAcquire<'_> = lock.acquire();";

    /// The future of [`Lock::acquire_owned`].
    LockAcquireOwned[][] for rc!(Lock) => OwnedLockGuard, request (),
    example concat!(use_of!("{Lock, future::LockAcquireOwned}"), "\n", use_rc!()),
        let_rc!("lock", "Lock::new()"),
        "let acquiring: LockAcquireOwned = lock.acquire_owned();";
}

relock_guard! {
    LockGuard<'a>['a], &'a Lock, LockAcquire<'a>, |_guard| &() => ();
    OwnedLockGuard[], rc!(Lock), LockAcquireOwned, |_guard| &() => ();
}

crate::when::conditional_lock! {
    Lock[] => LockGuard::new
}

async_lock! {
    Lock[] {
        LockGuard<'a>, Lock::acquire, Lock::try_acquire, LockAcquire<'a>, () => LockGuard::new
    }
}

// SAFETY: L1; a release is a Release and an acquisition an Acquire on the same word, or
// both are ordered by the queue lock.
unsafe impl ExclusiveLock for Lock {}
