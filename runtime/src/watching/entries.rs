//! The registry entries of waits.

use core::ptr::NonNull;
use core::time::Duration;
use std::time::Instant;
use std::vec::Vec;

use super::frames::{self, HeldByEnclosing};
use super::waiting::LastHashes;
use super::{Holder, HolderCopy};
use crate::LockId;
use crate::queue::State;
use crate::watch::{Mode, Place, Resource, SectionInfo};

/// A wait.
pub(super) struct Entry {
    /// Numbered in the order in which the waits began.
    pub(super) sequence: u64,
    pub(super) asked: Asked,
    pub(super) place: Place,
    /// The name of the lock, and the section that enters it.
    pub(super) entering: Option<(&'static str, SectionInfo)>,
    /// The locks held by the enclosing sections, from the innermost on.
    pub(super) held: Vec<HeldByEnclosing>,
    /// See [`Enclosing::beyond`](super::frames::Enclosing::beyond).
    pub(super) beyond: Vec<HeldByEnclosing>,
    pub(super) since: Instant,
    pub(super) node: NodeAt,
    /// In the waiting future (W3).
    pub(super) hashes: NonNull<LastHashes>,
    /// The holder of the sync lock that a thread is parked for (W3).
    pub(super) sync_holder: Option<NonNull<Holder>>,
    /// A thread is parked for it, without a timeout, and not in a future of the user's own.
    pub(super) is_unbreakable: bool,
    /// When the watcher first saw that the wait is granted.
    pub(super) granted_since: Option<Instant>,
    pub(super) reported: Reported,
}

/// The request.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) resource: Resource,
    pub(super) lock: LockId,
    pub(super) mode: Mode,
    pub(super) type_name: fn() -> &'static str,
    /// The last known holder of the lock when the wait began.
    pub(super) holder: Option<HolderCopy>,
    /// The mode in which it was held then, if that is known.
    pub(super) held: Option<Mode>,
    /// The semaphore's total number of permits, if that is known.
    pub(super) permits: Option<usize>,
    /// The lock that a wait for a `Condition` reacquires.
    pub(super) relocks: Option<LockId>,
}

/// The reports that were made of a wait.
#[derive(Clone, Copy, Default)]
pub(super) struct Reported {
    pub(super) in_a_cycle: bool,
    pub(super) unpolled: bool,
    pub(super) within: bool,
}

/// The node of a wait (W3).
#[derive(Clone, Copy)]
pub(super) struct NodeAt {
    node: NonNull<()>,
    state: unsafe fn(NonNull<()>) -> State,
}

impl NodeAt {
    /// # Safety
    ///
    /// `state` can be called with `node`, from any thread, until the entry is removed.
    pub(super) unsafe fn new(node: NonNull<()>, state: unsafe fn(NonNull<()>) -> State) -> Self {
        NodeAt { node, state }
    }

    /// For a wait in a queue that is not ours: it counts as waiting until it is polled.
    pub(super) fn elsewhere() -> Self {
        NodeAt {
            node: NonNull::dangling(),
            state: |_| State::Waiting,
        }
    }
}

/// The current state of a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Waits to be served in turn.
    Queued,
    /// Waits for a change, to acquire its lock and evaluate its condition again.
    Unsatisfied,
    /// Served, and waits to be polled.
    Served,
    /// Waits for nothing: a poll is under way.
    Moving,
}

/// The entries, by index.
pub(super) struct Entries {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
}

/// The remainder of an entry.
pub(super) struct Removed {
    pub(super) mode: Mode,
    pub(super) is_unbreakable: bool,
    _sections: (Vec<HeldByEnclosing>, Vec<HeldByEnclosing>),
}

impl Entries {
    pub(super) const fn new() -> Self {
        Entries {
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    pub(super) fn insert(&mut self, entry: Entry) -> u32 {
        match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = Some(entry);
                index
            }
            None => {
                self.slots.push(Some(entry));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// The remainder is to be dropped once the registry is unlocked.
    pub(super) fn remove(&mut self, index: u32) -> Option<Removed> {
        let slot = self.slots.get_mut(index as usize)?;
        let entry = slot.as_mut()?;
        let removed = Removed {
            mode: entry.asked.mode,
            is_unbreakable: entry.is_unbreakable,
            _sections: (
                core::mem::take(&mut entry.held),
                core::mem::take(&mut entry.beyond),
            ),
        };
        *slot = None;
        self.free.push(index);
        Some(removed)
    }

    pub(super) fn get(&self, index: u32) -> Option<&Entry> {
        self.slots.get(index as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut Entry> {
        self.slots.get_mut(index as usize)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let numbered = self.slots.iter().enumerate();
        numbered.filter_map(|(index, slot)| Some((index as u32, slot.as_ref()?)))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.slots.iter_mut().flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// In the order in which the waits began.
    pub(super) fn in_order(&self) -> Vec<(u32, &Entry)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.sequence);
        entries
    }
}

impl Entry {
    pub(super) fn new(
        asked: Asked,
        place: Place,
        enclosing: frames::Enclosing,
        node: NodeAt,
        hashes: NonNull<LastHashes>,
        sync_holder: Option<NonNull<Holder>>,
        is_unbreakable: bool,
    ) -> Self {
        Entry {
            sequence: 0,
            asked,
            place,
            entering: enclosing.entering,
            held: enclosing.held,
            beyond: enclosing.beyond,
            since: Instant::now(),
            node,
            hashes,
            sync_holder,
            is_unbreakable,
            granted_since: None,
            reported: Reported::default(),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        // SAFETY: the entry has not been removed (W3).
        match unsafe { (self.node.state)(self.node.node) } {
            State::Waiting | State::Woken => Standing::Queued,
            State::Granted | State::Unclaimed | State::Notified | State::Unlinked => {
                Standing::Served
            }
            State::Unsatisfied => Standing::Unsatisfied,
            State::Idle | State::Evaluating => Standing::Moving,
        }
    }

    /// The last known holder now, of a sync lock that a thread is parked for.
    pub(super) fn current_sync_holder(&self) -> Option<HolderCopy> {
        // SAFETY: the entry has not been removed (W3).
        self.sync_holder
            .map(|holder| unsafe { holder.as_ref() }.copy())
    }

    pub(super) fn is_old(&self, threshold: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= threshold
    }

    /// Whether others wait for what it is granted.
    pub(super) fn is_for_a_permit(&self) -> bool {
        match self.asked.resource {
            Resource::Lock | Resource::Semaphore | Resource::When => true,
            Resource::Event | Resource::Condition | Resource::Barrier => false,
        }
    }
}
