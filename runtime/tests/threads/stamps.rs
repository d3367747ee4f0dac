//! Who came before whom, and who got in first.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock that counts, and what has been written down of those who got in.
///
/// The clock is no part of what is tested, and shuttle does not know of it.
#[derive(Default)]
pub(crate) struct Stamps {
    clock: AtomicU64,
    entered: Mutex<Vec<Stamp>>,
}

/// When somebody came and got in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stamp {
    /// Before the first poll.
    pub(crate) came: u64,
    /// After the first poll.
    pub(crate) stood: u64,
    /// Once inside.
    entered: u64,
    /// Whether others may be inside at the same time.
    shared: bool,
}

impl Stamps {
    pub(crate) fn now(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    /// Writes down who is inside now.
    pub(crate) fn entered(&self, stamp: Stamp, shared: bool) {
        let mut entered = self.entered.lock().expect("nobody panics with it");
        let stamp = Stamp {
            entered: self.now(),
            shared,
            ..stamp
        };
        entered.push(stamp);
    }

    /// Nobody got in before one who had stood in line when they came (readers
    /// among themselves apart).
    pub(crate) fn check(&self) {
        let mut entered = self.entered.lock().expect("nobody panics with it");
        entered.sort_by_key(|stamp| stamp.entered);
        // The latest arrival of those who are inside already, by kind.
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
