//! Monitors for async Rust: shared state that is reached only while its lock is held,
//! checked by the compiler. The primitives of Python's asyncio with Rust's guarantees, on
//! any executor, plus macros that turn misuse into compile errors.
//!
//! # When not to use an async lock
//!
//! Most shared state is used in short sections that never await. An async lock is the wrong choice
//! there: it costs more, and under contention each hand-off is a wake-up. Use a lock of [`sync`],
//! which works with the same macros. An async lock is for sections that await something while other
//! tasks must stay out. A value that moves from task to task belongs in a channel, a counter in an
//! atomic.
//!
//! | the code that holds the lock ... | use |
//! |---|---|
//! | never awaits (most shared state; also plain fns, `Drop`, `poll_next`) | [`sync::Mutex`], [`sync::RwLock`], [`sync::Lock`] |
//! | awaits | [`Mutex`], [`RwLock`], [`Lock`] |
//! | awaits, and all its tasks run on one thread | `local` |
//!
#![cfg_attr(
    all(feature = "macros", feature = "local", feature = "std"),
    doc = "The [guide] has a tutorial, pages for users of std, tokio and asyncio, recipes, the cancel \
           safety of each method, the limits and the alternatives.\n"
)]
//! # An example
//!
//! ```
//! # #[cfg(feature = "macros")] {
//! use async_monitor::{Guarded, Lock, monitor, synchronized, with_lock};
//!
//! #[derive(Guarded)]
//! pub struct Account {
//!     pub id: u64,                                   // unguarded: plain, shared, read-only
//!     ledger: Lock,                                  // a lock ...
//!     #[guarded_by(ledger)] balance: Guarded<i64>,   // ... and what it guards
//!     #[guarded_by(ledger)] history: Guarded<Vec<i64>>,
//! }
//!
//! #[monitor]
//! impl Account {
//!     /// Holds `self.ledger` from the first statement to the last.
//!     #[synchronized(ledger)]
//!     pub async fn deposit(&self, amount: i64) -> i64 {
//!         *ledger.balance += amount;
//!         ledger.history.push(amount);
//!         *ledger.balance
//!     }
//!
//!     /// Waits, without holding the lock, until the balance suffices.
//!     #[synchronized(ledger, when = *ledger.balance >= amount)]
//!     pub async fn withdraw(&self, amount: i64) -> i64 {
//!         ledger.deposit(-amount).await              // already held: no second acquisition
//!         // self.deposit(-amount).await             // would deadlock: does not compile
//!     }
//! }
//!
//! async fn transfer(from: &Account, to: &Account, amount: i64) {
//!     with_lock!(a = from.ledger, b = to.ledger, {   // any order, from any task: no deadlock
//!         *a.balance -= amount;
//!         *b.balance += amount;
//!     })
//! }
//! # }
//! ```
//!
//! # Which primitive?
//!
//! | you want | use |
//! |---|---|
//! | fields of a struct that change together | [`Lock`] and `#[derive(Guarded)]` |
//! | one value behind a lock | [`Mutex`] |
//! | a value that is mostly read | [`RwLock`] |
//! | to wait until what a lock guards has changed | `when = ..` in a section, or [`Condition`] |
//! | a flag to wait for | [`Event`] |
//! | at most `n` tasks at a time | [`Semaphore`], [`BoundedSemaphore`] |
//! | tasks that wait for each other | [`Barrier`] |
//! | a lock for sections that never await (a *sync lock*) | [`sync`] |
//! | to keep your locks of tokio, async-lock or futures | [`adapters`] |
//! | any of these within one thread | `local` |
//!
//! # Guarantees
//!
//! These hold for the async primitives and for `local`. For the locks of [`sync`], see there.
//!
//! - **No allocation** for a lock, a waiter or a wake-up: a waiter's node is inside its
//!   future. (A thread that calls `*_blocking` methods allocates once.)
//! - **Fairness.** A waiter is queued when its future is first polled, and a release hands the
//!   permit to the waiter at the head. A granted waiter that is neither polled nor dropped keeps
//!   the waiters behind it waiting, except futures of its own task and parked threads: see
//!   [`Lock`](Lock#fairness).
//! - **Cancel safety.** A future does nothing until it is polled and may be dropped at any
//!   time. Dropping it passes its permit or notification on to the next waiter.
//! - **No code of yours under an internal lock**: not the clone, wake or drop of
//!   a waker, nor a predicate, nor the destructor of data. A waker may panic,
//!   use the primitive again, or drop another waiter.
//! - **No poisoning.** A panic releases the guards it unwinds through.
//!
//! # Importing
//!
//! Import items by name, not with `use async_monitor::*`. Do not import [`AsyncLock`] or
//! [`AsyncRwLock`] unless you write generic code: on an `Arc<Lock>`, their methods shadow the
//! lock's own and return a `Result`.
//!
//! # Without std
//!
//! With `default-features = false` and without the feature `std`, the crate is `no_std` and does
//! not allocate.
//!
//! ```toml
//! async-monitor = { version = "0.1", default-features = false, features = ["macros"] }
//! ```
//!
//! | available | with the feature |
//! |---|---|
//! | the async primitives, `local`, sections with `when`, `atomic`, `no_await`, [`Condition`], `#[monitor]` | none |
//! | the `*_owned` forms, locks behind `Box`, `Rc` and `Arc`, [`Lease::new`] | `alloc` |
//! | the `*_blocking` forms, the option `blocking`, [`sync`], `timeout`, [`watch`], [`adapters`] | `std` |
//!
//! A task that finds a wait queue locked spins until the holder, on another processor, has unlocked
//! it: a few instructions. With the feature `critical-section`, a queue is locked by a critical
//! section of the crate of that name instead. Enable it if the same primitive is used
//!
//! - by an interrupt handler and by the code it interrupts, or by tasks that pre-empt each other on
//!   one processor: they would spin for ever, because the holder of the queue lock cannot run
//!   meanwhile;
//! - on a target without compare-and-swap, such as `thumbv6m-none-eabi`.
//!
//! No code of yours runs in such a critical section, not even a waker. The program must provide an
//! implementation, as for every user of that crate. With `std`, the feature has no effect.
//!
//! A panic aborts or unwinds, depending on how the program is built. If it unwinds, guards release
//! their locks and `atomic` rolls back, but a waker that panics while several are woken ends the
//! program. A release does not evaluate the conditions of waiters: it wakes their tasks.
//!
//! # Features
//!
//! - `macros` (on by default): `#[derive(Guarded)]`, `#[monitor]`,
//!   `#[synchronized]`, `#[holding]` and `with_lock!`.
//! - `local` (on by default): the same primitives for the tasks of one thread.
//! - `std` (on by default), `alloc`, `critical-section`: see [above](#without-std). All features
//!   below imply `std`.
//! - `parking_lot`: the locks of [`sync`] wrap those of parking_lot.
//! - `watch`: [watching](watch) also without `debug_assertions`.
//! - `check` (for a dev-dependency): runs a test in every schedule, see the module `check`.
//! - `watch-signal`: a hung process reports its waits on a signal, or to `async-monitor ps PID`
//!   (Unix). Implies `watch` and `serde`.
//! - `serde`: a [`watch::Report`] serializes.
//! - `tracing`: [a span for each section](watch#spans), with its lock, its wait and its outcome.
//!   Implies `watch`.
//! - `tokio`, `smol`: a timer for the option `timeout`. With both, it is tokio's if its runtime is
//!   running.
//! - `tokio`, `async-lock`, `futures`: the macros accept the locks of these crates, see
//!   [`adapters`].

#![cfg_attr(not(any(feature = "std", test)), no_std)]
// Items used only by the forms that are left out.
#![cfg_attr(not(feature = "std"), allow(unreachable_pub, unused))]
// The pages are those of a build with std.
#![cfg_attr(
    not(feature = "std"),
    allow(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(not(any(target_has_atomic = "ptr", feature = "critical-section")))]
compile_error!(
    "this target has no compare-and-swap: add the feature `critical-section` of async-monitor"
);
#[cfg(all(feature = "alloc", not(target_has_atomic = "ptr")))]
compile_error!("this target has no `Arc`: leave out the feature `alloc` of async-monitor");

#[cfg(all(
    any(async_monitor_loom, async_monitor_shuttle),
    not(feature = "__schedules")
))]
compile_error!("to test under loom or shuttle, add `--features __schedules`");

#[cfg(feature = "std")]
pub mod adapters;
mod barrier;
mod blocking;
#[cfg(all(
    feature = "check",
    not(any(
        async_monitor_loom,
        async_monitor_shuttle,
        all(target_family = "wasm", target_os = "unknown")
    ))
))]
pub mod check;
#[cfg_attr(
    not(all(
        feature = "check",
        not(any(
            async_monitor_loom,
            async_monitor_shuttle,
            all(target_family = "wasm", target_os = "unknown")
        ))
    )),
    path = "checking/off.rs"
)]
mod checking;
mod flavour;
mod forms;
mod gate;
mod guarded;
#[cfg(all(
    any(doc, doctest),
    feature = "macros",
    feature = "local",
    feature = "std"
))]
pub mod guide;
#[cfg(all(test, feature = "std"))]
mod labels;
#[cfg(feature = "local")]
#[allow(clippy::duplicate_mod)] // one code for both flavours
pub mod local;
mod misplaced;
mod panics;
mod platform;
mod primitives;
mod queue;
mod request;
mod signal;
#[cfg(feature = "std")]
pub mod sync;
// How a section waits at one, which the macros name. By another name, so that the compiler says
// what `sync` takes. So this crate names these modules by two paths: as `sync_waits` in code that is
// also compiled without std, and else as `sync`.
#[cfg(not(feature = "std"))]
#[path = "sync/mod.rs"]
mod sync_waits;
#[cfg(feature = "std")]
use self::sync as sync_waits;
mod timeout;
mod traits;
mod unawaited;
mod unpoisoned;
mod wake;
#[cfg(feature = "std")]
pub mod watch;
#[cfg_attr(
    not(all(
        feature = "std",
        any(debug_assertions, feature = "watch"),
        not(any(
            async_monitor_loom,
            async_monitor_shuttle,
            all(target_family = "wasm", target_os = "unknown")
        ))
    )),
    path = "watching/off.rs"
)]
mod watching;
mod when;

#[doc(hidden)]
#[path = "private/mod.rs"]
pub mod __private;

pub use crate::barrier::{Barrier, BarrierWaitResult, BrokenBarrier};
pub use crate::guarded::Guarded;
pub use crate::primitives::future;
pub use crate::primitives::{
    BoundedSemaphore, BoundedSemaphorePermit, Condition, Event, Lock, LockGuard, MappedMutexGuard,
    Mutex, MutexGuard, OverRelease, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard,
    RwLockWriteGuard, Semaphore, SemaphorePermit,
};
#[cfg(feature = "alloc")]
pub use crate::primitives::{
    OwnedBoundedSemaphorePermit, OwnedLockGuard, OwnedMutexGuard, OwnedRwLockReadGuard,
    OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit,
};
pub use crate::timeout::Elapsed;
pub use crate::traits::guard::{HoldsLock, Relock, View};
pub use crate::traits::lease::{CanBeLost, Lease};
pub use crate::traits::lock::{
    AsyncLock, AsyncRwLock, ExclusiveLock, ExclusiveRwLock, NamedAcquire,
};
pub use crate::traits::lock_id::LockId;
pub use crate::traits::sync_lock::{ExclusiveSyncLock, ExclusiveSyncRwLock, SyncLock, SyncRwLock};

#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
#[doc(hidden)]
pub use crate::blocking::poll_out_of_patience as __poll_out_of_patience;

#[cfg(all(
    feature = "macros",
    feature = "check",
    not(any(
        async_monitor_loom,
        async_monitor_shuttle,
        all(target_family = "wasm", target_os = "unknown")
    ))
))]
pub use async_monitor_macros::check;
#[cfg(feature = "macros")]
pub use async_monitor_macros::{Guarded, holding, monitor, synchronized, with_lock};

/// The examples of the page that is not part of the docs.
#[cfg(all(doctest, feature = "macros"))]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct Readme;
}
