//! Several processes beside a real Postgres that are stopped, killed and cut off at random,
//! and what the database has to say at the end.
//!
//! Each process reads a number with its fence, and adds the next one. So if a stale write was
//! ever let in, a number is there twice or out of order. `ASYNC_MONITOR_SECONDS` says for how
//! long; `.ci/distributed MINUTES` runs it longer.

#[path = "../../../tests/support/random.rs"]
mod random;
#[path = "../support/mod.rs"]
mod support;

mod harness;
mod stopped;
mod worker;

use std::time::Duration;

const LEASE: Duration = Duration::from_secs(3);
const KEYS: u64 = 3;

const SCHEMA: &str = "create table history (
    id bigint generated always as identity primary key,
    key text not null, fence bigint not null, number bigint not null, worker text not null)";

#[test]
fn no_fault_lets_a_stale_write_in_or_loses_one_or_keeps_anybody_out() {
    let seconds = std::env::var("ASYNC_MONITOR_SECONDS").ok();
    let seconds = seconds.map_or(15, |seconds| seconds.parse().expect("a number"));
    // To see what the leases alone do not keep out.
    let is_fenced = std::env::var("ASYNC_MONITOR_UNFENCED").is_err();
    let Some(outcome) = harness::run(Duration::from_secs(seconds), is_fenced) else {
        return;
    };
    println!("{outcome}");
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
    assert!(outcome.acknowledged > 0);
}

#[test]
fn the_write_of_a_stopped_process_is_refused() {
    let Some(outcome) = stopped::run(true) else {
        return;
    };
    assert_eq!(outcome.refused, 1);
    assert!(outcome.violations.is_empty(), "{:#?}", outcome.violations);
}

/// The same without the fence: what is looked for is there to be found.
#[test]
fn without_a_fence_the_write_of_a_stopped_process_is_found() {
    let Some(outcome) = stopped::run(false) else {
        return;
    };
    assert_eq!(outcome.refused, 0);
    assert!(!outcome.violations.is_empty(), "a stale write was let in");
}

/// Not a test by itself: what a process does that the harness has started.
#[test]
fn worker() {
    if let Ok(url) = std::env::var("WORKER_URL") {
        worker::run(&url);
    }
}
