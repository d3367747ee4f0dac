//! The logic of the leases beside a simulated store, with simulated clocks: many random
//! histories of several processes that are paused, cut off, and whose clocks run at different
//! rates; each with the store's own view at hand.
//!
//! What is checked, at each poll of each body: the store takes its session for the holder of
//! the key. And for each history: fences grow, bodies that are acknowledged had the lock to
//! their end, and when all faults are over, everybody gets in again.

#[allow(unreachable_pub, missing_docs)]
mod sim;

use std::time::Duration;

use sim::{Faults, World};

/// The seeds of a run, and where it begins.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str, default: u64| {
        let value = std::env::var(name).ok();
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    let first = number("ASYNC_MONITOR_SEED", 0);
    first..first + number("ASYNC_MONITOR_STEPS", 300)
}

#[test]
fn a_body_runs_only_while_the_store_takes_it_for_the_holder() {
    let (mut sections, mut losses) = (0, 0);
    for seed in seeds() {
        let history = World::run(seed, Faults::ALL);
        assert_eq!(history.violations, Vec::<String>::new(), "seed {seed}");
        sections += history.completed;
        losses += history.lost;
    }
    println!("{sections} sections, {losses} lost, 0 violations");
    assert!(sections > 0 && losses > 0, "the histories say nothing");
}

#[test]
fn without_faults_nothing_is_lost() {
    for seed in seeds().take(50) {
        let history = World::run(seed, Faults::NONE);
        assert_eq!(history.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(history.lost, 0, "seed {seed}");
    }
}

/// The checker finds what there is to find: a clock that is slower than the margin allows.
#[test]
fn a_clock_beyond_the_margin_is_noticed() {
    let slow = Faults {
        clock_rates: (0.7, 0.75),
        ..Faults::ALL
    };
    let found = seeds().any(|seed| !World::run(seed, slow).violations.is_empty());
    assert!(found, "no history of a slow clock has a violation");
}

#[test]
fn everybody_gets_in_again_within_the_bound() {
    for seed in seeds().take(100) {
        let history = World::run(seed, Faults::ALL);
        // The lease of whoever has died, of those before in the queue, and the next renewal.
        let bound = 4 * sim::LEASE + Duration::from_secs(1);
        assert!(
            history.recovery < bound,
            "seed {seed}: {:?}",
            history.recovery
        );
    }
}
