//! Monitors for async Rust.
//!
//! The synchronization primitives of Python's asyncio, with Rust's guarantees,
//! on any executor, and a notation on top by which the compiler keeps you from
//! using them wrongly.
//!
//! # Guarantees
//!
//! They hold for every primitive here:
//!
//! - **No allocation** for a lock, a waiter or a wake: a waiter's place in line
//!   is inside its future. (A thread that uses a `*_blocking` form allocates
//!   once.)
//! - **First come, first served.** A place in line is taken at the first poll,
//!   and what becomes free is handed over to the first in line at once. A waiter
//!   that was woken and is neither polled nor dropped keeps those behind it
//!   waiting, unless they are futures of its own task: see
//!   [`Lock`](Lock#fairness).
//! - **Cancel safety.** Every future does nothing until it is polled and may be
//!   dropped at any time. It gives on what it was granted, and its notification,
//!   and leaves no trace.
//! - **No code of yours under an internal lock**: not the clone, wake or drop of
//!   a waker, nor a predicate, nor the destructor of data. A waker may panic,
//!   use the primitive again, or drop another waiter.
//! - **No poisoning.** A panic releases the guards it unwinds through.
//!
//! # Importing
//!
//! By name, not by `use async_monitor::*`. The traits by which the notation acquires
//! any lock, [`AsyncLock`] and [`AsyncRwLock`], have methods of the same names as the
//! locks, and where they are in scope, they come first for a pointer: `acquire` of an
//! `Arc<Lock>`, and `read` of an `Arc<RwLock<T>>`, are then those of the trait, which
//! return a `Result`. Code that is generic over locks imports the traits; no other
//! needs them.
//!
//! # Features
//!
//! - `macros` (on by default): `#[derive(Guarded)]`, `#[monitor]`,
//!   `#[synchronized]` and `with_lock!`.
//! - `local` (on by default): the primitives once more, for tasks of one thread.
//! - `tokio`, `smol`: a timer for the option `timeout` of the notation. With both,
//!   it is tokio's where its runtime is running.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(
    any(async_monitor_loom, async_monitor_shuttle),
    not(feature = "__schedules")
))]
compile_error!("to test under loom or shuttle, add `--features __schedules`");

/// The primitives without data are whole again after every panic: a panic of a
/// waker is passed on once their state is in order.
macro_rules! unwind_safe {
    ($($primitive:ty),*) => {$(
        impl core::panic::UnwindSafe for $primitive {}
        impl core::panic::RefUnwindSafe for $primitive {}
    )*};
}

mod async_lock;
mod barrier;
mod blocking;
mod condition;
mod decoy;
mod event;
mod flavour;
mod gate;
mod guarded;
#[cfg(feature = "local")]
#[allow(clippy::duplicate_mod)] // one code for both flavours
pub mod local;
mod lock;
mod mutex;
mod proof;
mod queue;
mod rwlock;
mod semaphore;
mod signal;
mod sync;
mod timeout;
mod wake;
mod when;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use crate::async_lock::{
    AsyncLock, AsyncRwLock, ExclusiveLock, ExclusiveRwLock, LockId, NamedAcquire,
};
pub use crate::barrier::{Barrier, BarrierWaitResult, BrokenBarrier};
pub use crate::condition::Condition;
pub use crate::event::Event;
pub use crate::guarded::Guarded;
pub use crate::lock::{Lock, LockGuard, OwnedLockGuard};
pub use crate::mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMutexGuard};
pub use crate::proof::{HoldsLock, Relock, View};
pub use crate::rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard,
};
pub use crate::semaphore::{
    BoundedSemaphore, BoundedSemaphorePermit, OverRelease, OwnedBoundedSemaphorePermit,
    OwnedSemaphorePermit, Semaphore, SemaphorePermit,
};

pub use crate::timeout::Elapsed;

#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
#[doc(hidden)]
pub use crate::blocking::poll_out_of_patience as __poll_out_of_patience;

#[cfg(feature = "macros")]
pub use async_monitor_macros::{Guarded, monitor, synchronized, with_lock};

/// The futures of the primitives, by name: to store them in a struct, or to wait
/// without a box.
pub mod future {
    pub use crate::barrier::BarrierWait;
    pub use crate::condition::{ConditionWait, ConditionWaitFor};
    pub use crate::event::EventWait;
    pub use crate::lock::{LockAcquire, LockAcquireOwned};
    pub use crate::mutex::{MutexLock, MutexLockOwned};
    pub use crate::rwlock::{
        RwLockRead, RwLockReadOwned, RwLockUpgradableRead, RwLockUpgradableReadOwned,
        RwLockUpgrade, RwLockUpgradeOwned, RwLockWrite, RwLockWriteOwned,
    };
    pub use crate::semaphore::{
        BoundedSemaphoreAcquire, BoundedSemaphoreAcquireOwned, SemaphoreAcquire,
        SemaphoreAcquireOwned,
    };
}

unwind_safe!(Lock, Event, Condition, Semaphore, BoundedSemaphore, Barrier);
