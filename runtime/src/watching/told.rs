//! The acquisitions that were reported for locks with waiters.

use super::Seen;
use super::elsewhere::Table;
use super::frames;
use crate::LockId;
use crate::watch::Mode;

/// The last reports for locks.
pub(super) struct Told {
    /// The last acquisition or change of a lock with waiters, in a slot that the id of the lock
    /// hashes to. Locks that share a slot overwrite each other.
    acquired: [Option<ToldOf>; TOLD],
    pub(super) elsewhere: Table,
}

/// A lock, and its reported holder.
#[derive(Clone, Copy)]
pub(super) struct ToldOf {
    lock: LockId,
    /// In the numbering of the waits: waits with a lower number began before.
    pub(super) sequence: u64,
    pub(super) holder: Seen,
    /// None if it was changed, and released.
    pub(super) mode: Option<Mode>,
}

const TOLD: usize = 64;

impl Told {
    pub(super) const fn new() -> Self {
        Told {
            acquired: [const { None }; TOLD],
            elsewhere: Table::new(),
        }
    }

    /// Records an acquisition in that mode, or a change without one, at that number of the
    /// waits.
    pub(super) fn tell(&mut self, lock: LockId, sequence: u64, holder: Seen, mode: Option<Mode>) {
        self.acquired[Self::place_of(lock)] = Some(ToldOf {
            lock,
            sequence,
            holder,
            mode,
        });
    }

    fn place_of(lock: LockId) -> usize {
        // Only locks of this crate report, and they have an address.
        let address = lock.address().unwrap_or(0);
        frames::print(0, address as u64) as usize % TOLD
    }

    /// The last report for a lock, if its slot still has it.
    pub(super) fn of(&self, lock: LockId) -> Option<ToldOf> {
        self.acquired[Self::place_of(lock)].filter(|told| told.lock == lock)
    }
}
