//! The thread that looks whether anything moves.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use std::panic;
use std::sync::PoisonError;
use std::thread;
use std::time::Instant;

use super::registry::{self, CHANGED};

static THRESHOLD: AtomicU64 = AtomicU64::new(1_000_000_000);

/// In nanoseconds.
pub(crate) fn set_threshold(threshold: Duration) {
    let nanos = u64::try_from(threshold.as_nanos()).unwrap_or(u64::MAX);
    THRESHOLD.store(nanos.max(1), Ordering::Relaxed);
    CHANGED.notify_one();
}

/// Has the thread started. Where there can be none, nothing is reported by itself.
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
        let threshold = Duration::from_nanos(THRESHOLD.load(Ordering::Relaxed));
        let mut registry = registry::lock();
        while registry.is_empty() {
            registry = CHANGED
                .wait(registry)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let reports = registry.findings(threshold, Instant::now());
        drop(registry);
        for report in &reports {
            // A hook that panics has said so; what is watched goes on.
            let _ = panic::catch_unwind(|| crate::watch::call_hook(report));
        }
        // A quarter late at most.
        thread::sleep((threshold / 4).clamp(Duration::from_millis(1), Duration::from_millis(250)));
    }
}
