//! Tests of the checker of schedules: `cargo test -p async-monitor --features check --test check`.
#![cfg(feature = "check")]

#[cfg(feature = "macros")]
mod attribute;
mod bugs;
mod compare;
mod programs;
#[path = "../support/random.rs"]
mod random;
mod sections;
mod yardstick;
