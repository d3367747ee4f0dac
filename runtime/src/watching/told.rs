//! Who has acquired the locks that somebody waits for.

use super::Seen;
use super::elsewhere::Table;
use super::frames;
use crate::LockId;
use crate::watch::Mode;

/// What was told of locks.
pub(super) struct Told {
    /// Locks that somebody waited for, and who has acquired or changed them: the last of those
    /// that share a place, which a lock has by its id.
    acquired: [Option<ToldOf>; TOLD],
    pub(super) elsewhere: Table,
}

/// A lock, and who has acquired it.
#[derive(Clone, Copy)]
pub(super) struct ToldOf {
    lock: LockId,
    /// As of the waits: those with a lower number began before.
    pub(super) sequence: u64,
    pub(super) holder: Seen,
    /// None where it was changed, and released.
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

    /// It was acquired in that mode, or changed, when the waits had come to that number.
    pub(super) fn tell(&mut self, lock: LockId, sequence: u64, holder: Seen, mode: Option<Mode>) {
        self.acquired[Self::place_of(lock)] = Some(ToldOf {
            lock,
            sequence,
            holder,
            mode,
        });
    }

    fn place_of(lock: LockId) -> usize {
        // Those that tell are locks of this crate, and have one.
        let address = lock.address().unwrap_or(0);
        frames::print(0, address as u64) as usize % TOLD
    }

    /// Who has acquired a lock last, as far as that is known, and when.
    pub(super) fn of(&self, lock: LockId) -> Option<ToldOf> {
        self.acquired[Self::place_of(lock)].filter(|told| told.lock == lock)
    }
}
