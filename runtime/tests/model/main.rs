//! Random schedules: each primitive takes the same steps as a model of it that
//! is small, sequential and slow, and after each step both agree: on who got in,
//! who was woken and in which order, whose wakers are kept, and what the
//! primitive shows.
//!
//! ```text
//! cargo test -p async-monitor --test model --release
//! ```
//!
//! | variable | what |
//! |---|---|
//! | `ASYNC_MONITOR_STEPS` | how many steps each test takes; the default takes a second or two |
//! | `ASYNC_MONITOR_SEED` | the seed of the first schedule; each one after it is one more |
//!
//! With the feature `check`, the steps are those of a task that is checked: what a primitive does
//! there is what it does.
//!
//! A failure prints its seed and the schedule, made as short as possible.
//!
//! | file | what |
//! |---|---|
//! | `driver` | steps, seeds, and how a schedule is made shorter |
//! | `tasks` | wakers that count, log, and panic on demand |
//! | `reference` | the model of all that has a gate: a line of people in front of it |
//! | `gate` | futures and guards of a primitive with a gate, beside that line |
//! | `contract` | a second model of a gate, by somebody who had read the contract only |
//! | `crowd` | tasks with several futures each, beside that second model |
//! | the others | a primitive each |
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

/// What is tested: the files are compiled for the other flavour, too, in
/// `tests/local`.
mod flavour {
    pub(crate) use async_monitor::*;
    pub(crate) use std::sync::Arc as Rc;
}

mod contract;
mod crowd;
mod driver;
mod gate;
#[path = "../support/one_table.rs"]
mod one_table;
#[path = "../support/random.rs"]
mod random;
mod reference;
#[path = "../support/shown.rs"]
mod shown;
mod tasks;

mod barrier;
mod condition;
mod event;
mod lock;
mod mutex;
mod rwlock;
mod semaphore;
mod sync;
