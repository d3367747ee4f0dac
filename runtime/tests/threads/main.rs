//! Crowds: threads that take random steps with one primitive, and give up at random;
//! at the end the primitive must be in the right state. Each test runs on the threads
//! of the machine, or on those of shuttle, which chooses a random thread to go on
//! at each atomic access, and prints how to repeat a test that fails.
//!
//! ```text
//! cargo test -p async-monitor --test threads --release
//! RUSTFLAGS="--cfg async_monitor_shuttle" cargo test -p async-monitor \
//!     --no-default-features --features __schedules --release --test threads
//! ```
//!
//! | what is checked | how |
//! |---|---|
//! | exclusion | each holder registers, in atomics of the test's own |
//! | nothing is lost | permits, items and money are counted at the end |
//! | first come, first served | stamps before and after the first poll, and inside ([`Stamps`]) |
//! | no lost wake-up | every thread ends; at the end nobody waits |
//!
//! The crowd of [`tasks`] has an executor of its own, in which each task has many requests
//! at once; it runs on real threads only.
//!
//! `ASYNC_MONITOR_STEPS` is how many acquisitions each test makes in all,
//! `ASYNC_MONITOR_SEED` the seed of its random numbers (on real threads).
#![cfg(not(async_monitor_loom))]

mod crowd;
#[path = "../support/random.rs"]
mod random;
mod stamps;
#[path = "../support/wakers.rs"]
mod wakers;

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
