//! The thread that checks the registry.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::panic;
use std::thread;

use super::registry;

/// In nanoseconds.
static THRESHOLD: AtomicU64 = AtomicU64::new(1_000_000_000);

/// In nanoseconds, or [`UNSET`].
static LONG_HOLD: AtomicU64 = AtomicU64::new(UNSET);

const UNSET: u64 = u64::MAX;

/// The default for how long a lock may be held while others wait for it.
const LONG_HOLD_WAITED_FOR: Duration = Duration::from_secs(10);

/// The times after which something is reported.
pub(super) struct Thresholds {
    /// Waits without progress.
    pub(super) wait: Duration,
    /// Locks that are held while others wait for them.
    pub(super) hold_waited_for: Duration,
    /// Locks that are held.
    pub(super) hold: Option<Duration>,
}

pub(super) fn thresholds() -> Thresholds {
    let long_hold = LONG_HOLD.load(Ordering::Relaxed);
    let hold = (long_hold != UNSET).then(|| Duration::from_nanos(long_hold));
    Thresholds {
        wait: Duration::from_nanos(THRESHOLD.load(Ordering::Relaxed)),
        hold_waited_for: hold.unwrap_or(LONG_HOLD_WAITED_FOR),
        hold,
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(UNSET - 1, |nanos| nanos.clamp(1, UNSET - 1))
}

pub(crate) fn set_threshold(threshold: Duration) {
    THRESHOLD.store(nanos(threshold), Ordering::Relaxed);
}

pub(crate) fn set_long_hold(limit: Duration) {
    LONG_HOLD.store(nanos(limit), Ordering::Relaxed);
    registry::long_hold_was_set();
}

/// Starts the thread. If that fails, nothing is reported unasked.
pub(super) fn start() {
    static STARTED: AtomicBool = AtomicBool::new(false);

    // Miri would complain about a thread that outlives `main`.
    if cfg!(miri) || STARTED.load(Ordering::Relaxed) || STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    let thread = thread::Builder::new().name("async-monitor-watch".into());
    let _ = thread.spawn(watch);
}

fn watch() {
    loop {
        for report in &registry::next_reports(thresholds) {
            // The panic of a hook has been printed; watching goes on.
            let _ = panic::catch_unwind(|| crate::watch::call_hook(report));
        }
        let Thresholds {
            wait,
            hold_waited_for,
            ..
        } = thresholds();
        // A quarter late at most.
        let time = wait.min(hold_waited_for) / 4;
        registry::pause_watcher(time.clamp(Duration::from_millis(1), Duration::from_millis(250)));
    }
}
