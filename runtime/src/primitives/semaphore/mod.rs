//! `Semaphore` and `BoundedSemaphore`: permits that tasks acquire and release.
//!
//! # State
//!
//! The word of the [gate](crate::gate) is `QUEUED` and, in units of [`PERMIT`],
//! the number of available permits.
//!
//! | | effect |
//! |---|---|
//! | acquire `n`, as many are available, none is queued | `n` fewer |
//! | acquire `n` otherwise | joins the queue |
//! | acquire 0 | acquires at once, even if others wait |
//! | release `n` | `n` more; then the queued requests are granted in order, up to the first for which there are too few |
//!
//! Permits are taken from the word when they are granted, so granted permits that are
//! not picked up yet never count as available. A request for several permits
//! waits until all are available, and the requests behind it wait, too: it is woken
//! once, and cannot be starved by smaller ones.
//!
//! # Invariants
//!
//! - **S1** Available permits, those of guards and those of granted nodes make
//!   up the initial number, plus those added, less those forgotten. (Available
//!   permits above [`CAPACITY`] are lost.)
//! - **S2** In a bounded semaphore, that sum plus the permits that were forgotten and
//!   not released since is the initial number at any time: a release takes
//!   from the forgotten ones.

mod methods;
mod permit;

use core::fmt;

pub use self::permit::{
    BoundedSemaphoreAcquire, BoundedSemaphoreAcquireOwned, BoundedSemaphorePermit,
    OwnedBoundedSemaphorePermit, OwnedSemaphorePermit, SemaphoreAcquire, SemaphoreAcquireOwned,
    SemaphorePermit,
};
use super::flavour::{ThisFlavour, let_rc, local_only, rc, threads_only, use_of, use_rc};
use crate::gate::{Counting, Gate, PERMIT};
use crate::platform::{Ordering, Word, const_unless_loom};
use crate::traits::lock_id::LockId;
use crate::watching::Caller;
use crate::watching::Permits;

/// A number of permits that tasks acquire, wait for and release: asyncio's `Semaphore`.
///
/// # Fairness
///
/// FIFO. A release hands the permit directly to the first waiter. Without waiters, the permit stays
/// available for the next request. For the rest see [`Lock`](super::Lock), which is the same with
/// one permit and no way to add another.
///
/// # Examples
///
/// At most two at a time:
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("Semaphore")]
///
/// let connections = Semaphore::new(2);
///
/// let one = connections.acquire().await;
/// let two = connections.acquire().await;
/// assert!(connections.try_acquire().is_none());
/// drop(one);
/// assert_eq!(connections.available_permits(), 1);
/// # drop(two);
/// # });
/// ```
pub struct Semaphore {
    gate: Gate<Counting, ThisFlavour>,
    permits: Permits,
}

/// A [`Semaphore`] that never has more permits than it began with: asyncio's
/// `BoundedSemaphore`.
///
/// Dropping a permit releases it, so it cannot be released twice. [`release`](Self::release) takes
/// a number of permits and refuses to release more than were
/// [forgotten](BoundedSemaphorePermit::forget).
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("BoundedSemaphore")]
///
/// let seats = BoundedSemaphore::new(2);
/// let permit = seats.acquire().await;
/// // The permit is held, and releases itself on drop.
/// assert!(seats.release(1).is_err());
/// permit.forget();
/// assert!(seats.release(1).is_ok());
/// assert!(seats.release(1).is_err());
/// assert_eq!(seats.available_permits(), 2);
/// # });
/// ```
pub struct BoundedSemaphore {
    gate: Gate<Counting, ThisFlavour>,
    bound: usize,
    /// Permits that were forgotten and not released since (S2).
    forgotten: Word<ThisFlavour>,
    permits: Permits,
}

threads_only! {
    /// The error of a [`BoundedSemaphore`] that was asked to release more permits than it began
    /// with. Nothing was released.
    ///
    /// ```
    /// use async_monitor::{BoundedSemaphore, OverRelease};
    ///
    /// fn free(seats: &BoundedSemaphore) -> Result<(), OverRelease> {
    ///     seats.release(1)
    /// }
    ///
    /// let error = free(&BoundedSemaphore::new(2)).unwrap_err();
    /// assert_eq!((error.requested, error.releasable), (1, 0));
    /// ```
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[non_exhaustive]
    pub struct OverRelease {
        /// The number of permits requested to be released.
        pub requested: usize,
        /// The number that could have been released: permits forgotten and not released since.
        pub releasable: usize,
    }

    impl fmt::Display for OverRelease {
        #[inline]
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(
                f,
                "cannot release {} permits of a bounded semaphore: {} were taken for good \
                 (a permit that is dropped gives itself back)",
                self.requested, self.releasable,
            )
        }
    }

    impl core::error::Error for OverRelease {}
}

local_only! {
    pub use crate::OverRelease;
}

/// Panics if a constructor is called with more permits than there can be.
#[inline]
#[track_caller]
const fn checked(permits: usize) -> usize {
    assert!(
        permits <= Semaphore::MAX_PERMITS,
        "a semaphore cannot have more than `Semaphore::MAX_PERMITS` permits"
    );
    permits
}

impl Semaphore {
    const_unless_loom! {
        /// A semaphore with `permits` permits. With zero, every task waits until permits are
        /// [added](Self::add_permits).
        ///
        /// # Panics
        ///
        /// If `permits` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = use_of!("Semaphore")]
        ///
        /// let connections = Semaphore::new(8);
        /// assert_eq!(connections.available_permits(), 8);
        /// ```
        #[track_caller]
        pub const fn new(permits: usize) -> Self {
            Semaphore {
                gate: Gate::new(checked(permits) * PERMIT),
                permits: Permits::new(permits),
            }
        }
    }

    /// Adds `permits` permits, for current waiters and later requests. The semaphore may then have
    /// more than it began with. This is asyncio's `release`.
    ///
    /// # Panics
    ///
    /// If more than [`MAX_PERMITS`](Self::MAX_PERMITS) would be available. Then nothing is added,
    /// and the semaphore remains usable.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = use_of!("Semaphore")]
    ///
    /// let semaphore = Semaphore::new(0);
    /// semaphore.add_permits(2);
    /// assert_eq!(semaphore.available_permits(), 2);
    /// ```
    #[track_caller]
    #[inline]
    pub fn add_permits(&self, permits: usize) {
        self.permits.changed(LockId::of(&self.gate));
        self.gate.gives_back(permits);
        let added = permits == 0
            || self.gate.update_word(false, |word| {
                let available = (word / PERMIT).checked_add(permits)?;
                (available <= Self::MAX_PERMITS).then_some(available * PERMIT)
            });
        assert!(
            added,
            "cannot add {permits} permits: more than `Semaphore::MAX_PERMITS` would be available"
        );
    }
}

impl BoundedSemaphore {
    const_unless_loom! {
        /// A semaphore that never has more than `permits` permits.
        ///
        /// # Panics
        ///
        /// If `permits` exceeds [`MAX_PERMITS`](Self::MAX_PERMITS).
        ///
        /// # Examples
        ///
        /// ```
        #[doc = use_of!("BoundedSemaphore")]
        ///
        /// let seats = BoundedSemaphore::new(8);
        /// assert_eq!(seats.bound(), 8);
        /// ```
        #[track_caller]
        pub const fn new(permits: usize) -> Self {
            BoundedSemaphore {
                gate: Gate::new(checked(permits) * PERMIT),
                bound: permits,
                forgotten: Word::new(0),
                permits: Permits::new(permits),
            }
        }
    }

    /// Releases permits that were [forgotten](BoundedSemaphorePermit::forget).
    ///
    /// Permits that are held or granted release themselves, and cannot be released by this method.
    ///
    /// # Errors
    ///
    /// [`OverRelease`] if there would be more permits than at the beginning, including those that
    /// are held. Then nothing is released.
    ///
    /// # Examples
    ///
    /// ```
    #[doc = use_of!("BoundedSemaphore")]
    ///
    /// let seats = BoundedSemaphore::new(2);
    /// seats.try_acquire().expect("two are available").forget();
    /// assert!(seats.release(1).is_ok());
    /// let error = seats.release(1).unwrap_err();
    /// assert_eq!((error.requested, error.releasable), (1, 0));
    /// ```
    #[inline]
    pub fn release(&self, permits: usize) -> Result<(), OverRelease> {
        // Whether it is refused depends on what others have forgotten.
        self.gate.attempts(permits, Caller::here());
        let mut forgotten = self.forgotten.load(Ordering::Relaxed);
        loop {
            let Some(left) = forgotten.checked_sub(permits) else {
                return Err(OverRelease {
                    requested: permits,
                    releasable: forgotten,
                });
            };
            // Acquire: pairs with the Release of `forgot`, so that the next
            // holder of the permit comes after the one that forgot it.
            match self.forgotten.compare_exchange_weak(
                forgotten,
                left,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => break,
                Err(now) => forgotten = now,
            }
        }
        if permits != 0 {
            self.gate.release(permits);
        }
        Ok(())
    }

    /// The total number of permits: the maximum that can be available.
    ///
    /// ```
    #[doc = use_of!("BoundedSemaphore")]
    ///
    /// let seats = BoundedSemaphore::new(8);
    /// let permit = seats.try_acquire();
    /// assert_eq!((seats.bound(), seats.available_permits()), (8, 7));
    /// # drop(permit);
    /// ```
    #[inline]
    pub fn bound(&self) -> usize {
        self.bound
    }
}

/// Whether the last holder has all permits, as there is only one permit.
fn is_held_by_one(permits: &Permits, available: usize) -> bool {
    available == 0 && permits.total() == Some(1)
}

impl fmt::Debug for Semaphore {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternate = f.alternate();
        let mut debug = f.debug_struct("Semaphore");
        let available = self.available_permits();
        debug
            .field("available", &available)
            .field("waiters", &self.gate.waiters());
        let is_held = is_held_by_one(&self.permits, available);
        self.gate.holder().write_to(&mut debug, is_held, alternate);
        debug.finish()
    }
}

impl fmt::Debug for BoundedSemaphore {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alternate = f.alternate();
        let mut debug = f.debug_struct("BoundedSemaphore");
        let available = self.available_permits();
        debug
            .field("available", &available)
            .field("bound", &self.bound)
            .field("waiters", &self.gate.waiters());
        let is_held = is_held_by_one(&self.permits, available);
        self.gate.holder().write_to(&mut debug, is_held, alternate);
        debug.finish()
    }
}
