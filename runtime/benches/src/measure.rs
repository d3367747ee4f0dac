//! How a workload is measured.
//!
//! In a round every contender runs once, for a short time; so what disturbs the
//! machine for longer disturbs them all alike. Before each contender, a loop of
//! plain arithmetic is timed: a round in which it ran slow is thrown away. What
//! is reported is the median over the rounds.

use std::hint::black_box;

use rustix::time::{ClockId, clock_gettime};

use crate::allocations;
use crate::workloads::{Clock, Workload};

#[derive(Clone, Copy)]
pub(crate) struct Settings {
    /// How many undisturbed rounds are wanted.
    pub(crate) rounds: usize,
    /// How long a contender runs in a round.
    pub(crate) slice_ns: u64,
}

/// The figures of one workload, in the order of its rows.
pub(crate) struct Measured {
    pub(crate) figures: Vec<Figures>,
    /// Rounds that were thrown away.
    pub(crate) disturbed: usize,
}

pub(crate) struct Figures {
    /// Median.
    pub(crate) ns_per_operation: f64,
    pub(crate) allocations_per_operation: f64,
    /// How uneven it was, where the workload says so. Median.
    pub(crate) spread: Option<f64>,
}

/// How much slower than at best the arithmetic may be in a round that counts.
const SLOW: f64 = 1.10;

/// For each round that is wanted, so many are tried at most.
const TRIES: usize = 6;

fn now_ns(clock: Clock) -> u64 {
    let time = clock_gettime(match clock {
        Clock::Thread => ClockId::ThreadCPUTime,
        Clock::Wall => ClockId::Monotonic,
    });
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

fn time_ns(clock: Clock, code: impl FnOnce()) -> f64 {
    let before = now_ns(clock);
    code();
    (now_ns(clock) - before) as f64
}

/// Steps that each depend on the one before, some 50 microseconds of them.
fn arithmetic() {
    let mut x = black_box(0x9E37_79B9_7F4A_7C15_u64);
    for _ in 0..20_000 {
        x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    }
    black_box(x);
}

/// How many operations fill a slice.
fn operations(clock: Clock, slice_ns: u64, run: &mut dyn FnMut(u64) -> Option<f64>) -> u64 {
    let mut operations = 1;
    loop {
        // The shortest of some: what disturbs only ever takes longer.
        let times = [(); 3].map(|()| time_ns(clock, || _ = run(operations)));
        let taken = times.into_iter().fold(f64::INFINITY, f64::min);
        if taken >= slice_ns as f64 / 4.0 {
            let wanted = operations as f64 * slice_ns as f64 / taken;
            return (wanted as u64).max(1);
        }
        operations *= 2;
    }
}

pub(crate) fn measure(workload: &mut Workload, settings: Settings) -> Measured {
    let clock = workload.clock;
    // What runs on several threads needs longer to be the same every time.
    let slice_ns = settings.slice_ns
        * match clock {
            Clock::Thread => 1,
            Clock::Wall => 50,
        };
    let counts: Vec<u64> = workload
        .rows
        .iter_mut()
        .map(|row| operations(clock, slice_ns, &mut row.run))
        .collect();
    let allocated: Vec<u64> = workload
        .rows
        .iter_mut()
        .zip(&counts)
        .map(|(row, &count)| {
            let before = allocations::so_far();
            (row.run)(count);
            allocations::so_far() - before
        })
        .collect();

    let mut samples = vec![Vec::new(); counts.len()];
    let mut spreads = vec![Vec::new(); counts.len()];
    let mut disturbed = 0;
    let mut best = f64::INFINITY;
    for tried in 0.. {
        let missing = samples.first().map_or(0, |s| settings.rounds - s.len());
        if missing == 0 || tried == settings.rounds * TRIES {
            break;
        }
        let mut slowest: f64 = 0.0;
        let mut round = Vec::new();
        for (row, &count) in workload.rows.iter_mut().zip(&counts) {
            let calibration = time_ns(Clock::Thread, arithmetic);
            best = best.min(calibration);
            slowest = slowest.max(calibration);
            let mut spread = None;
            let taken = time_ns(clock, || spread = (row.run)(count));
            round.push((taken / count as f64, spread));
        }
        // The last tries count in any case: better a rough figure than none.
        let enough_left = settings.rounds * TRIES - tried > missing;
        if slowest > best * SLOW && enough_left {
            disturbed += 1;
            continue;
        }
        for (index, (ns, spread)) in round.into_iter().enumerate() {
            samples[index].push(ns);
            spreads[index].extend(spread);
        }
    }

    let figures = samples
        .into_iter()
        .zip(spreads)
        .zip(counts.iter().zip(allocated))
        .map(|((samples, spreads), (&count, allocated))| Figures {
            ns_per_operation: median(samples),
            allocations_per_operation: allocated as f64 / count as f64,
            spread: (!spreads.is_empty()).then(|| median(spreads)),
        })
        .collect();
    Measured { figures, disturbed }
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
