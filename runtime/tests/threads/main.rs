//! Crowds: threads that take random steps with one primitive, give up at random,
//! and at the end find everything as it should be. Each test runs on the threads
//! of the machine, or on those of shuttle, which decides at each atomic access who
//! goes on, at random, and says how to do it again where a test fails.
//!
//! ```text
//! cargo test -p async-monitor --test threads --release
//! RUSTFLAGS="--cfg async_monitor_shuttle" cargo test -p async-monitor \
//!     --no-default-features --features __schedules --release --test threads
//! ```
//!
//! | what is checked | how |
//! |---|---|
//! | exclusion | who is inside says so, in atomics of the test's own |
//! | nothing is lost | permits, items and money are counted at the end |
//! | first come, first served | stamps before and after the first poll, and inside ([`Stamps`]) |
//! | nobody is left behind | every thread ends; at the end nobody waits |
//!
//! The crowd of [`tasks`] has an executor of its own, in which each task has many requests
//! at once; it takes place on real threads only.
//!
//! `ASYNC_MONITOR_STEPS` is how many acquisitions each test makes in all,
//! `ASYNC_MONITOR_SEED` where its random numbers begin (on real threads).
#![cfg(not(async_monitor_loom))]

mod crowd;
#[path = "../support/one_table.rs"]
mod one_table;
#[path = "../support/random.rs"]
mod random;
mod stamps;

mod gates;
mod signals;
mod sync_locks;

// Shuttle does not know of its executor.
#[cfg(not(async_monitor_shuttle))]
mod sections;
#[cfg(not(async_monitor_shuttle))]
mod tasks;

pub(crate) use self::crowd::{crowd, patiently, wait};
pub(crate) use self::random::Random;
pub(crate) use self::stamps::{Stamp, Stamps};
