//! What sections do with the locks of a class, counted.

use core::fmt;
use core::time::Duration;

/// How many buckets there are. The last is of what is longer than the bounds of all others, the
/// longest of which is 2^46 ns, 19 hours.
pub(crate) const BUCKETS: usize = 48;

/// The acquisitions and waits of sections at the locks of one class: see
/// [`metrics`](super::metrics).
///
/// # Examples
///
/// The class with the longest total wait:
///
/// ```
/// use async_monitor::watch;
///
/// let metrics = watch::metrics();
/// if let Some(class) = metrics.iter().max_by_key(|class| class.wait.total) {
///     println!("{}: {:?} in {} waits", class.lock, class.wait.total, class.wait.count);
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Metrics {
    /// The name of the lock: `Account.ledger`, or the name in the section if the lock is in no
    /// derive. `(other classes)` for all classes beyond those that are counted.
    pub lock: &'static str,
    /// The type of the struct, or of the lock if it is in no derive. Type and name together
    /// identify a class. Meant for people, like [`type_name`](core::any::type_name).
    pub type_name: &'static str,
    /// How often a section acquired a lock of the class.
    pub acquired: u64,
    /// The waits of acquisitions that had to wait, including waits for a condition (`when`).
    /// `wait.count` is their number.
    pub wait: Times,
    /// How long the locks were held, counted when they are released.
    pub held: Times,
}

/// A distribution of times.
///
/// # Examples
///
/// ```
/// use async_monitor::watch;
///
/// for class in watch::metrics() {
///     let held = &class.held;
///     println!("{}: held {} times, {:?} at most", class.lock, held.count, held.max);
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct Times {
    /// The number of times.
    pub count: u64,
    /// Their sum.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
    buckets: [u64; BUCKETS],
}

impl Times {
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn new(total: Duration, max: Duration, buckets: [u64; BUCKETS]) -> Self {
        Times {
            count: buckets.iter().sum(),
            total,
            max,
            buckets,
        }
    }

    /// The histogram: each item is an upper bound and the number of times up to it and above the
    /// previous bound. The bounds are the powers of two of nanoseconds, from 1 ns to the largest
    /// needed. Times of more than 19 hours are in no item.
    ///
    /// ```
    /// use async_monitor::watch;
    /// use std::time::Duration;
    ///
    /// for metrics in watch::metrics() {
    ///     let long = metrics.held.histogram();
    ///     let long = long.filter(|(at_most, _)| *at_most > Duration::from_millis(1));
    ///     println!("{}: {}", metrics.lock, long.map(|(_, count)| count).sum::<u64>());
    /// }
    /// ```
    pub fn histogram(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let bounded = &self.buckets[..BUCKETS - 1];
        let used = bounded.iter().rposition(|&count| count != 0);
        let used = used.map_or(0, |last| last + 1);
        let at_most = |power: usize| Duration::from_nanos(1 << power);
        let counts = bounded[..used].iter().enumerate();
        counts.map(move |(power, &count)| (at_most(power), count))
    }
}

impl fmt::Debug for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Times")
            .field("count", &self.count)
            .field("total", &self.total)
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}
