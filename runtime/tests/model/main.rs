//! Random schedules: each primitive takes the same steps as a small, sequential
//! reference model of it. After each step both agree on the holders, on the wake-ups
//! and their order, on the wakers that are kept, and on what the
//! primitive shows.
//!
//! ```text
//! cargo test -p async-monitor --test model --release
//! ```
//!
//! | variable | what |
//! |---|---|
//! | `ASYNC_MONITOR_STEPS` | how many steps each test takes; the default takes a second or two |
//! | `ASYNC_MONITOR_SEED` | the seed of the first schedule; it grows by one with each schedule |
//!
//! With the feature `check`, the steps run in a checked task: a primitive must behave there as
//! anywhere else.
//!
//! A failure prints its seed and the schedule, made as short as possible.
//!
//! | file | what |
//! |---|---|
//! | `driver` | steps, seeds, and the minimizer |
//! | `tasks` | wakers that count, log, and panic on demand |
//! | `reference` | the reference model of all primitives with a gate |
//! | `gate` | futures and guards of a primitive with a gate, beside that model |
//! | `contract` | a second model of a gate, written from the contract only |
//! | `crowd` | tasks with several futures each, beside that second model |
//! | the others | one primitive each |
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

/// The flavour under test: the files are compiled for the other flavour, too, in
/// `tests/local`.
mod flavour {
    pub(crate) use async_monitor::*;
    pub(crate) use std::sync::Arc as Rc;
}

mod contract;
mod crowd;
mod driver;
mod gate;
#[path = "../support/random.rs"]
mod random;
mod reference;
#[path = "../support/shown.rs"]
mod shown;
mod tasks;
#[path = "../support/wakers.rs"]
mod wakers;

mod barrier;
mod condition;
mod event;
mod lock;
mod mutex;
mod rwlock;
mod semaphore;
mod sync;
