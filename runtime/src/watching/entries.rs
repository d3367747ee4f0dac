//! The registry entries of waits.

use core::ptr::NonNull;
use core::time::Duration;
use std::time::Instant;
use std::vec::Vec;

use super::frames::{self, HeldAround};
use super::waiting::Known;
use super::{Holder, Seen};
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
    /// The locks held by the sections around, from the innermost on.
    pub(super) held: Vec<HeldAround>,
    /// See [`Around::beyond`](super::frames::Around::beyond).
    pub(super) beyond: Vec<HeldAround>,
    pub(super) since: Instant,
    pub(super) node: NodeAt,
    /// In the waiting future (W3).
    pub(super) known: NonNull<Known>,
    /// The holder of the sync lock that a thread is parked for (W3).
    pub(super) sync_holder: Option<NonNull<Holder>>,
    /// A thread is parked for it, without a timeout.
    pub(super) is_certain: bool,
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
    pub(super) holder: Option<Seen>,
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
    pub(super) in_a_circle: bool,
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
    pub(super) is_certain: bool,
    _sections: (Vec<HeldAround>, Vec<HeldAround>),
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
            Some(at) => {
                self.slots[at as usize] = Some(entry);
                at
            }
            None => {
                self.slots.push(Some(entry));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// The remainder is to be dropped once the registry is unlocked.
    pub(super) fn remove(&mut self, at: u32) -> Option<Removed> {
        let slot = self.slots.get_mut(at as usize)?;
        let entry = slot.as_mut()?;
        let removed = Removed {
            mode: entry.asked.mode,
            is_certain: entry.is_certain,
            _sections: (
                core::mem::take(&mut entry.held),
                core::mem::take(&mut entry.beyond),
            ),
        };
        *slot = None;
        self.free.push(at);
        Some(removed)
    }

    pub(super) fn get(&self, at: u32) -> Option<&Entry> {
        self.slots.get(at as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, at: u32) -> Option<&mut Entry> {
        self.slots.get_mut(at as usize)?.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let numbered = self.slots.iter().enumerate();
        numbered.filter_map(|(at, slot)| Some((at as u32, slot.as_ref()?)))
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
        around: frames::Around,
        node: NodeAt,
        known: NonNull<Known>,
        sync_holder: Option<NonNull<Holder>>,
        is_certain: bool,
    ) -> Self {
        Entry {
            sequence: 0,
            asked,
            place,
            entering: around.entering,
            held: around.held,
            beyond: around.beyond,
            since: Instant::now(),
            node,
            known,
            sync_holder,
            is_certain,
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
    pub(super) fn current_sync_holder(&self) -> Option<Seen> {
        // SAFETY: the entry has not been removed (W3).
        self.sync_holder
            .map(|holder| unsafe { holder.as_ref() }.seen())
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
