//! The primitives for tasks of one thread, as on a current-thread executor or with one executor per
//! core. This is the setting of asyncio.
//!
//! They have the guarantees and the code of the primitives at the crate's root, but use no atomic
//! read-modify-write operations, because no other thread can come in between. Neither they nor
//! their guards and futures are `Send`.
//!
//! ```
//! # futures::executor::block_on(async {
//! use async_monitor::local::Mutex;
//!
//! let mutex = Mutex::new(1);
//! *mutex.lock().await += 1;
//! assert_eq!(mutex.into_inner(), 2);
//! # });
//! ```
//!
//! The differences:
//!
//! - The `*_owned` methods take an [`Rc`](std::rc::Rc).
//! - There are no `*_blocking` methods: while the only thread is parked, no task could release.
//!
//! The macros work with them, and a `#[derive(Guarded)]` struct with a local lock
//! stays on its thread:
//!
#![cfg_attr(feature = "macros", doc = "```")]
#![cfg_attr(not(feature = "macros"), doc = "```ignore")]
//! use async_monitor::{Guarded, local, synchronized};
//!
//! #[derive(Guarded, Default)]
//! struct Account {
//!     ledger: local::Lock,
//!     #[guarded_by(ledger)]
//!     balance: Guarded<i64>,
//! }
//!
//! impl Account {
//!     #[synchronized(ledger)]
//!     async fn deposit(&self, amount: i64) -> i64 {
//!         *ledger.balance += amount;
//!         *ledger.balance
//!     }
//! }
//! # let account = Account::default();
//! # assert_eq!(futures::executor::block_on(account.deposit(2)), 2);
//! ```

// `primitives` is compiled a second time here, with the flavour `Local`.
//
// - **LF1** A type with a wait queue of this flavour is neither `Send` nor `Sync`, and
//   neither is any type that refers to it: a guard, a future, a permit. So all of them
//   stay on one thread. (The impls of `Send` and `Sync` below never
//   apply: they exist for their message.)
// - **LF2** No user code runs between a load of a word and the store that
//   belongs to it, nor while a queue is locked (Q5). So nothing on that thread
//   comes in between, and load and store together are one step.

pub(crate) mod flavour;

#[path = "../primitives/mod.rs"]
mod primitives;

pub use self::primitives::*;

/// The compiler's message if a type of this module has to be on several
/// threads. Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "what is in `async_monitor::local` stays on one thread",
    label = "stays on one thread",
    note = "use what has the same name in `async_monitor`, or run the task where it need not be `Send`, as with tokio's `spawn_local`"
)]
pub trait OnSeveralThreads {}

/// Implements `Sync` or `Send` under a condition that is never met.
///
/// Without these impls, the fields would decide (LF1), and the message would be about
/// them. The bound is on a reference of any lifetime, as the compiler reports a plain
/// bound that is never met as an error of this crate.
macro_rules! not_on_several_threads {
    ($($auto:ident for $local:ty $([$($generics:tt)*])?;)*) => {$(
        // SAFETY: the impl never applies: nothing implements `OnSeveralThreads`, and
        // no other crate can, as trait and type are both of this crate.
        #[doc(hidden)]
        unsafe impl$(<$($generics)*>)? $auto for $local
        where
            for<'a> &'a crate::platform::Local: OnSeveralThreads,
        {
        }
    )*};
}

not_on_several_threads! {
    Send for Lock;
    Sync for Lock;
    Send for Mutex<T>[T: ?Sized];
    Sync for Mutex<T>[T: ?Sized];
    Send for RwLock<T>[T: ?Sized];
    Sync for RwLock<T>[T: ?Sized];
    Send for Event;
    Sync for Event;
    Send for Condition;
    Sync for Condition;
    Send for Semaphore;
    Sync for Semaphore;
    Send for BoundedSemaphore;
    Sync for BoundedSemaphore;
    Send for MappedMutexGuard<'_, T>[T: ?Sized];
    Sync for MappedMutexGuard<'_, T>[T: ?Sized];
    Send for RwLockReadGuard<'_, T>[T: ?Sized];
    Sync for RwLockReadGuard<'_, T>[T: ?Sized];
    Send for future::RwLockRead<'_, T>[T: ?Sized];
    Sync for future::RwLockRead<'_, T>[T: ?Sized];
}
