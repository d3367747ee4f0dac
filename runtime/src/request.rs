//! The modes of requests, and the kinds of primitives that they wait for: public in
//! [`watch`](crate::watch).

/// How a lock is held, or requested.
///
/// ```
/// use async_monitor::watch::{self, Mode};
///
/// let writers = watch::report().waits.into_iter().filter(|wait| wait.mode == Mode::Exclusive);
/// println!("{} wait to write", writers.count());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Mode {
    /// Exclusively: a `Lock`, a `Mutex`, or an `RwLock` for writing.
    Exclusive,
    /// For reading.
    Shared,
    /// For reading, with the option to upgrade.
    Upgradable,
    /// For writing, by the holder of an upgradable guard.
    Upgrade,
    /// This number of permits of a semaphore.
    Permits(usize),
}

impl Mode {
    /// Whether a lock has one holder at a time in this mode.
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn has_one_holder(self) -> bool {
        match self {
            Mode::Exclusive | Mode::Upgradable | Mode::Upgrade => true,
            Mode::Shared | Mode::Permits(_) => false,
        }
    }
}

/// A resource that a section or task can wait for.
///
/// ```
/// use async_monitor::watch::{self, Resource};
///
/// let report = watch::report();
/// let of_locks = report.waits.iter().filter(|wait| wait.resource == Resource::Lock);
/// println!("{} of {} wait for a lock", of_locks.count(), report.waits.len());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Resource {
    /// A lock.
    Lock,
    /// The permits of a semaphore.
    Semaphore,
    /// A lock, and a condition of its data (`when`).
    When,
    /// An `Event`.
    Event,
    /// A notification of a `Condition`.
    Condition,
    /// The other tasks at a `Barrier`.
    Barrier,
}
