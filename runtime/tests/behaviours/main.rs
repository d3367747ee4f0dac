//! The behaviours that the test suites of asyncio's primitives and their peers
//! check, one test each, polled by hand with counting wakers. The
//! names of the tests begin with the number of the behaviour in `README.md`.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

/// The flavour under test: the files are compiled for the other flavour, too, in
/// `tests/local`.
#[macro_use]
mod flavour {
    pub(crate) use async_monitor::*;
    pub(crate) use std::sync::Arc as Rc;

    /// The bounds on everything that is used together with a primitive.
    pub(crate) trait Anywhere: Send + Sync {}

    impl<T: Send + Sync + ?Sized> Anywhere for T {}

    /// Tests that need several threads.
    macro_rules! threads_only {
        ($($code:tt)*) => { $($code)* };
    }
}

mod list;
#[path = "../support/random.rs"]
mod random;
mod scheduled;
#[path = "../support/shown.rs"]
mod shown;
mod support;
mod sync;
#[path = "../support/wakers.rs"]
mod wakers;
mod when;

mod barrier;
mod condition;
mod cross;
mod event;
mod lock;
mod rwlock;
mod semaphore;
