//! What the test suites of the field check of asyncio's primitives and their
//! kin, one test for each behaviour, polled by hand with counting wakers. The
//! names of the tests begin with the number of the behaviour in `README.md`.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

/// What is tested: the files are compiled for the other flavour, too, in
/// `tests/local`.
#[macro_use]
mod flavour {
    pub(crate) use async_monitor::*;
    pub(crate) use std::sync::Arc as Rc;

    /// What can be where a primitive can be.
    pub(crate) trait Anywhere: Send + Sync {}

    impl<T: Send + Sync + ?Sized> Anywhere for T {}

    /// What only several threads do.
    macro_rules! threads_only {
        ($($code:tt)*) => { $($code)* };
    }
}

mod list;
#[path = "../support/one_table.rs"]
mod one_table;
#[path = "../support/random.rs"]
mod random;
mod scheduled;
#[path = "../support/shown.rs"]
mod shown;
mod support;
mod sync;
mod when;

mod barrier;
mod condition;
mod cross;
mod event;
mod lock;
mod rwlock;
mod semaphore;
