//! Several processes beside a real Postgres, or a real etcd of three members, that are stopped, killed and cut off at random,
//! and what the store has to say at the end.
//!
//! Each process reads a number with its fence, and adds the next one. So if a stale write was
//! ever let in, a number is there twice or out of order. `ASYNC_MONITOR_SECONDS` says for how
//! long; `.ci/distributed MINUTES` runs it longer.

#![cfg(any(feature = "postgres", feature = "etcd"))]

#[path = "../../../tests/support/random.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;

mod backend;
#[cfg(feature = "etcd")]
mod etcd;
mod harness;
#[cfg(feature = "postgres")]
mod postgres;
mod stopped;
mod worker;

use std::time::Duration;

use backend::Servers;

const LEASE: Duration = Duration::from_secs(3);
const KEYS: u64 = 3;

fn no_fault<S: Servers>() {
    let seconds = std::env::var("ASYNC_MONITOR_SECONDS").ok();
    let seconds = seconds.map_or(15, |seconds| seconds.parse().expect("a number"));
    // To see what the leases alone do not keep out.
    let is_fenced = std::env::var("ASYNC_MONITOR_UNFENCED").is_err();
    let time = Duration::from_secs(seconds);
    let Some(outcome) = harness::run::<S>(time, is_fenced) else {
        return;
    };
    println!("{outcome}");
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert!(outcome.acknowledged > 0);
}

/// Not a test by itself: what a process does that the harness has started.
#[test]
fn worker() {
    match std::env::var("WORKER_URL") {
        #[cfg(feature = "etcd")]
        Ok(url) if url.starts_with("http") => worker::run::<etcd::Connection>(&url),
        #[cfg(feature = "postgres")]
        Ok(url) => worker::run::<postgres::Connection>(&url),
        _ => {}
    }
}
