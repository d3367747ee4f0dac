//! The order of arrivals, and of acquisitions.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A logical clock, and the record of acquisitions.
///
/// The clock is not part of the test, and unknown to shuttle.
#[derive(Default)]
pub(crate) struct Stamps {
    clock: AtomicU64,
    entered: Mutex<Vec<Stamp>>,
}

/// The times of an arrival and its acquisition.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stamp {
    /// Before the first poll.
    pub(crate) came: u64,
    /// After the first poll.
    pub(crate) stood: u64,
    /// After the acquisition.
    entered: u64,
    /// Whether others may hold it at the same time.
    shared: bool,
}

impl Stamps {
    pub(crate) fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Records an acquisition.
    pub(crate) fn entered(&self, stamp: Stamp, shared: bool) {
        let mut entered = self.entered.lock().expect("nobody panics with it");
        let stamp = Stamp {
            entered: self.now(),
            shared,
            ..stamp
        };
        entered.push(stamp);
    }

    /// Nobody acquired before a waiter that was queued earlier (except readers
    /// among themselves).
    pub(crate) fn check(&self) {
        let mut entered = self.entered.lock().expect("nobody panics with it");
        entered.sort_by_key(|stamp| stamp.entered);
        // The latest arrival of the acquisitions so far, by kind.
        let mut latest = [None::<Stamp>; 2];
        for &stamp in &*entered {
            let passed_by = |kind: usize| {
                let other = latest[kind]?;
                (stamp.stood < other.came).then_some(other)
            };
            let exclusive = passed_by(0);
            let shared = passed_by(1).filter(|_| !stamp.shared);
            if let Some(other) = exclusive.or(shared) {
                panic!("{other:?} got in before {stamp:?}");
            }
            let latest = &mut latest[usize::from(stamp.shared)];
            if latest.is_none_or(|other| other.came < stamp.came) {
                *latest = Some(stamp);
            }
        }
    }
}
