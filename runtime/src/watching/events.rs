//! The observers of sections, and the counts of [`watch::metrics`](crate::watch::metrics).
//!
//! A section that acquires an uncontended lock tests once whether there is an observer (metrics,
//! or a `tracing` subscriber), and if not, does nothing more. [`observed`](super::frames) has the
//! record of an observed section.
//!
//! The counts of a class are never freed. There are as many as a program has classes, up to a
//! bound. Further classes are counted as one, which is reported once.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::boxed::Box;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};
use std::vec::Vec;

use super::frames;
use super::orders::Class;
use super::registry;
use super::waiting::Busy;
use crate::watch::{BUCKETS, Kind, Metrics, Report, Times};

/// Counting is enabled.
static IS_COUNTED: AtomicBool = AtomicBool::new(false);

/// Whether a section that requests a lock now is observed.
#[inline]
pub(super) fn has_observer() -> bool {
    is_counted() || frames::are_spans_wanted()
}

/// Whether an acquisition now is counted.
#[inline]
pub(super) fn is_counted() -> bool {
    IS_COUNTED.load(Ordering::Relaxed)
}

pub(crate) fn set_metrics(is_on: bool) {
    IS_COUNTED.store(is_on, Ordering::Relaxed);
}

/// How many classes have counts of their own.
const CLASSES: usize = 1024;
const OTHERS: (&str, &str) = ("(other classes)", "");

/// By the name of the lock and the type that the section enters.
type AllCounts = BTreeMap<(&'static str, &'static str), &'static Counts>;

static COUNTS: RwLock<AllCounts> = RwLock::new(BTreeMap::new());

/// The counts of a class.
pub(super) struct Counts {
    acquired: AtomicU64,
    wait: Clock,
    held: Clock,
}

/// Durations, in nanoseconds.
struct Clock {
    total: AtomicU64,
    max: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

impl Counts {
    fn new() -> Self {
        Counts {
            acquired: AtomicU64::new(0),
            wait: Clock::new(),
            held: Clock::new(),
        }
    }

    /// The counts of `class`.
    ///
    /// The caller is [`Busy`]: the user's allocator could enter a section.
    pub(super) fn of(class: Class) -> &'static Counts {
        let key = class.shown();
        let counts = COUNTS.read().unwrap_or_else(PoisonError::into_inner);
        let known = counts.get(&key).copied();
        drop(counts);
        known.unwrap_or_else(|| Counts::insert(key))
    }

    #[cold]
    fn insert(key: (&'static str, &'static str)) -> &'static Counts {
        static IS_FULL: AtomicBool = AtomicBool::new(false);

        let mut counts = COUNTS.write().unwrap_or_else(PoisonError::into_inner);
        let is_full = counts.len() >= CLASSES && !counts.contains_key(&key);
        let key = if is_full { OTHERS } else { key };
        let counts_of = *counts
            .entry(key)
            .or_insert_with(|| Box::leak(Box::new(Counts::new())));
        drop(counts);
        if is_full && !IS_FULL.swap(true, Ordering::Relaxed) {
            let report = Report::new(Kind::MetricsFull, Vec::new(), Vec::new());
            registry::report_urgently(Vec::from([report]));
        }
        counts_of
    }

    /// A lock has been acquired, after a wait of that time, if it had to wait.
    pub(super) fn acquired(&self, waited: Option<Duration>) {
        self.acquired.fetch_add(1, Ordering::Relaxed);
        if let Some(waited) = waited {
            self.wait.add(waited);
        }
    }

    /// A lock has been held for that time.
    pub(super) fn held(&self, time: Duration) {
        self.held.add(time);
    }
}

impl Clock {
    fn new() -> Self {
        Clock {
            total: AtomicU64::new(0),
            max: AtomicU64::new(0),
            buckets: [const { AtomicU64::new(0) }; BUCKETS],
        }
    }

    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        // 2^power is the first power that is not less.
        let power = (u64::BITS - nanos.saturating_sub(1).leading_zeros()) as usize;
        self.buckets[power.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
        self.total.fetch_add(nanos, Ordering::Relaxed);
        self.max.fetch_max(nanos, Ordering::Relaxed);
    }

    fn times(&self) -> Times {
        let nanos = |nanos: &AtomicU64| Duration::from_nanos(nanos.load(Ordering::Relaxed));
        let buckets = core::array::from_fn(|at| self.buckets[at].load(Ordering::Relaxed));
        Times::new(nanos(&self.total), nanos(&self.max), buckets)
    }
}

pub(crate) fn metrics() -> Vec<Metrics> {
    let _busy = Busy::new();
    let counts = COUNTS.read().unwrap_or_else(PoisonError::into_inner);
    let metrics = |(&(lock, type_name), counts): (&(_, _), &&'static Counts)| Metrics {
        lock,
        type_name,
        acquired: counts.acquired.load(Ordering::Relaxed),
        wait: counts.wait.times(),
        held: counts.held.times(),
    };
    counts.iter().map(metrics).collect()
}

#[cfg(test)]
mod tests {
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::time::Duration;
    use std::boxed::Box;
    use std::vec::Vec;
    use std::{format, thread};

    use super::{BUCKETS, CLASSES, Class, Clock, Counts, metrics};
    use crate::watch::Kind;

    #[test]
    fn a_time_is_in_the_bucket_of_the_first_power_that_is_not_less() {
        let clock = Clock::new();
        for nanos in [0, 1, 2, 3, 4, 5] {
            clock.add(Duration::from_nanos(nanos));
        }
        let times = clock.times();
        let histogram: Vec<_> = times
            .histogram()
            .map(|(at_most, count)| (at_most.as_nanos(), count))
            .collect();
        assert_eq!(histogram, [(1, 2), (2, 1), (4, 2), (8, 1)]);
        assert_eq!(
            (times.count, times.total.as_nanos(), times.max.as_nanos()),
            (6, 15, 5)
        );
    }

    #[test]
    fn a_time_beyond_all_bounds_is_counted() {
        let clock = Clock::new();
        clock.add(Duration::from_nanos(1 << (BUCKETS - 2)));
        clock.add(Duration::MAX);
        let times = clock.times();
        assert_eq!(times.histogram().map(|(_, count)| count).sum::<u64>(), 1);
        assert_eq!(times.count, 2);
    }

    #[test]
    fn classes_beyond_the_bound_are_counted_as_one_and_that_is_said_once() {
        static SAID: AtomicUsize = AtomicUsize::new(0);

        crate::watch::set_hook(|report| {
            if report.kind == Kind::MetricsFull {
                SAID.fetch_add(1, Ordering::Relaxed);
            }
        });
        for _ in 0..2 {
            for number in 0..CLASSES + 3 {
                let class = Class {
                    entered: core::any::type_name::<Clock>,
                    name: Box::leak(format!("lock {number}").into_boxed_str()),
                };
                Counts::of(class).acquired(None);
            }
        }
        let counted = metrics();
        assert_eq!(counted.len(), CLASSES + 1);
        let of = |name: &str| counted.iter().find(|metrics| metrics.lock == name);
        assert_eq!(of("(other classes)").map(|others| others.acquired), Some(6));
        assert_eq!(of("lock 1023").map(|last| last.acquired), Some(2));
        while SAID.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_millis(50));
        assert_eq!(SAID.load(Ordering::Relaxed), 1);
    }
}
