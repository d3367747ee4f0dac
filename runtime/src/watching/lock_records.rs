//! What is recorded about locks: the last acquisition or change of each lock with waiters, and the
//! table of the locks that live elsewhere.

use super::HolderCopy;
use super::elsewhere::Table;
use super::frames;
use crate::LockId;
use crate::watch::Mode;

/// The records.
pub(super) struct LockRecords {
    /// Each in a slot that the id of the lock hashes to. Locks that share a slot overwrite each
    /// other.
    slots: [Option<LastAcquisition>; SLOTS],
    pub(super) elsewhere: Table,
}

/// The last acquisition, or change, of a lock with waiters.
#[derive(Clone, Copy)]
pub(super) struct LastAcquisition {
    lock: LockId,
    /// In the numbering of the waits: waits with a lower number began before.
    pub(super) sequence: u64,
    pub(super) holder: HolderCopy,
    /// None if the data was changed and the lock released.
    pub(super) mode: Option<Mode>,
}

const SLOTS: usize = 64;

impl LockRecords {
    pub(super) const fn new() -> Self {
        LockRecords {
            slots: [const { None }; SLOTS],
            elsewhere: Table::new(),
        }
    }

    /// Records an acquisition in that mode, or a change without one, at that number of the
    /// waits.
    pub(super) fn record(
        &mut self,
        lock: LockId,
        sequence: u64,
        holder: HolderCopy,
        mode: Option<Mode>,
    ) {
        self.slots[Self::slot_of(lock)] = Some(LastAcquisition {
            lock,
            sequence,
            holder,
            mode,
        });
    }

    fn slot_of(lock: LockId) -> usize {
        // Only locks of this crate are recorded, and they have an address.
        let address = lock.address().unwrap_or(0);
        frames::hash_pair(0, address as u64) as usize % SLOTS
    }

    /// The last record of a lock, if its slot still has it.
    pub(super) fn last_acquisition(&self, lock: LockId) -> Option<LastAcquisition> {
        self.slots[Self::slot_of(lock)].filter(|last| last.lock == lock)
    }
}
