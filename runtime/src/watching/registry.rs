//! Who waits, and which sections are suspended.

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::vec::Vec;

use super::frames::HeldAround;
use crate::LockId;
use crate::watch::{Held, Kind, Mode, Place, Report, Resource, SectionInfo, Wait};

/// A wait.
pub(super) struct Entry {
    pub(super) resource: Resource,
    pub(super) lock: LockId,
    pub(super) name: String,
    pub(super) mode: Mode,
    pub(super) place: Place,
    pub(super) section: Option<SectionInfo>,
    /// Where the lock had been acquired last when the wait began.
    pub(super) last_acquired: Option<Place>,
    /// From the innermost section around on.
    pub(super) held: Vec<HeldAround>,
    pub(super) since: Instant,
    pub(super) state: NodeState,
    /// How often the sections around had been polled when the wait was polled last (W3).
    pub(super) polls: NonNull<AtomicU64>,
    /// When it was first seen that the wait is granted.
    granted_since: Option<Instant>,
    is_reported: bool,
}

/// Tells whether a wait has been granted.
pub(super) struct NodeState {
    /// The node of the wait (W3).
    node: NonNull<()>,
    is_granted: unsafe fn(NonNull<()>) -> bool,
}

impl NodeState {
    /// # Safety
    ///
    /// `is_granted` can be called with `node`, from any thread, until the entry is removed.
    pub(super) unsafe fn new(
        node: NonNull<()>,
        is_granted: unsafe fn(NonNull<()>) -> bool,
    ) -> Self {
        NodeState { node, is_granted }
    }
}

/// A section that is, or was, suspended.
struct Suspended {
    section: SectionInfo,
    held: Vec<(&'static str, Mode)>,
    polls: NonNull<AtomicU64>,
    since: Instant,
}

pub(super) struct Registry {
    entries: BTreeMap<u64, Entry>,
    sections: BTreeMap<u64, Suspended>,
    next: u64,
}

// SAFETY: what its pointers lead to is atomic, and there for as long as they are (W3).
unsafe impl Send for Registry {}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    entries: BTreeMap::new(),
    sections: BTreeMap::new(),
    next: 1,
});

/// There is an entry.
pub(super) static CHANGED: Condvar = Condvar::new();

pub(super) fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a wait. Returns its number.
///
/// # Safety
///
/// W3, for what the entry points to.
pub(super) unsafe fn wait_began(entry: Entry) -> u64 {
    let mut registry = lock();
    let number = registry.next;
    registry.next += 1;
    if registry.entries.is_empty() {
        CHANGED.notify_one();
    }
    registry.entries.insert(number, entry);
    number
}

pub(super) fn wait_ended(number: u64) {
    let entry = lock().entries.remove(&number);
    // The registry is unlocked.
    drop(entry);
}

/// # Safety
///
/// W3, for `polls`.
pub(super) unsafe fn section_suspended(
    number: u64,
    section: SectionInfo,
    held: Vec<(&'static str, Mode)>,
    polls: NonNull<AtomicU64>,
) {
    let since = Instant::now();
    lock().sections.insert(
        number,
        Suspended {
            section,
            held,
            polls,
            since,
        },
    );
}

pub(super) fn section_ended(number: u64) {
    let section = lock().sections.remove(&number);
    drop(section);
}

impl Entry {
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new(
        resource: Resource,
        lock: LockId,
        name: String,
        mode: Mode,
        place: Place,
        section: Option<SectionInfo>,
        last_acquired: Option<Place>,
        held: Vec<HeldAround>,
        state: NodeState,
        polls: NonNull<AtomicU64>,
    ) -> Self {
        Entry {
            resource,
            lock,
            name,
            mode,
            place,
            section,
            last_acquired,
            held,
            since: Instant::now(),
            state,
            polls,
            granted_since: None,
            is_reported: false,
        }
    }

    fn is_granted(&self) -> bool {
        // SAFETY: the entry has not been removed.
        unsafe { (self.state.is_granted)(self.state.node) }
    }

    fn waits_for_a_lock(&self) -> bool {
        match self.resource {
            Resource::Lock => true,
            Resource::Semaphore
            | Resource::When
            | Resource::Event
            | Resource::Condition
            | Resource::Barrier => false,
        }
    }
}

impl Registry {
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is to be reported, each once.
    pub(super) fn findings(&mut self, threshold: Duration, now: Instant) -> Vec<Report> {
        let mut reports = Vec::new();
        for entry in self.entries.values_mut() {
            if !entry.is_granted() {
                entry.granted_since = None;
                continue;
            }
            let since = *entry.granted_since.get_or_insert(now);
            let holds_something = matches!(entry.resource, Resource::Lock | Resource::Semaphore);
            let is_late = holds_something && now.duration_since(since) >= threshold;
            if is_late && !entry.is_reported {
                entry.is_reported = true;
                reports.push(Report::new(
                    Kind::Unpolled,
                    [wait(entry, now)].into(),
                    Vec::new(),
                ));
            }
        }
        while let Some(circle) = self.find_circle(threshold, now) {
            let mut waits = Vec::new();
            for number in circle {
                if let Some(entry) = self.entries.get_mut(&number) {
                    entry.is_reported = true;
                    waits.push(wait(entry, now));
                }
            }
            reports.push(Report::new(Kind::Deadlock, waits, Vec::new()));
        }
        reports
    }

    /// Waits of which each is for a lock that a section around the next one holds, and the
    /// last for one of the first.
    fn find_circle(&self, threshold: Duration, now: Instant) -> Option<Vec<u64>> {
        let mut stuck = Stuck::default();
        for (&number, entry) in &self.entries {
            let is_old = now.saturating_duration_since(entry.since) >= threshold;
            if !entry.waits_for_a_lock() || entry.is_reported || !is_old || entry.is_granted() {
                continue;
            }
            let first = stuck.queues.entry(entry.lock).or_default();
            if conflict(Mode::Shared, entry.mode) {
                first.get_or_insert(number);
            }
            // Without a section around it, it keeps nobody waiting.
            if !entry.held.is_empty() && self.sections_stand_still(entry) {
                stuck.waits.insert(number, entry);
                for held in &entry.held {
                    let holders = stuck.holders.entry(held.lock).or_default();
                    holders.push((number, held.mode));
                }
            }
        }
        let mut done = BTreeSet::new();
        let starts: Vec<u64> = stuck.waits.keys().copied().collect();
        starts
            .into_iter()
            .find_map(|start| stuck.circle_from(start, &mut done))
    }

    /// W5: each section around is suspended, and has not been polled without the wait.
    fn sections_stand_still(&self, entry: &Entry) -> bool {
        let numbers: BTreeSet<u64> = entry
            .held
            .iter()
            .filter_map(|held| held.suspended)
            .collect();
        let mut polls = 0;
        for number in numbers {
            let Some(section) = self.sections.get(&number) else {
                return false;
            };
            // SAFETY: the section is registered (W3).
            polls += unsafe { section.polls.as_ref() }.load(Ordering::Relaxed);
        }
        // SAFETY: the wait is registered (W3).
        polls == unsafe { entry.polls.as_ref() }.load(Ordering::Relaxed)
    }

    fn snapshot(&self, now: Instant) -> Report {
        let waits = self
            .entries
            .values()
            .map(|entry| wait(entry, now))
            .collect();
        let held = self.sections.values().flat_map(|section| {
            section.held.iter().map(|(lock, mode)| {
                let since = now.saturating_duration_since(section.since);
                Held::new(lock, *mode, section.section, since)
            })
        });
        Report::new(Kind::Snapshot, waits, held.collect())
    }
}

/// The waits that have not moved for a while, in sections that have not either.
#[derive(Default)]
struct Stuck<'r> {
    waits: BTreeMap<u64, &'r Entry>,
    /// By the lock that a section around holds: which wait, and how it is held.
    holders: BTreeMap<LockId, Vec<(u64, Mode)>>,
    /// By the lock: the first wait that readers have to let go before them.
    queues: BTreeMap<LockId, Option<u64>>,
}

impl Stuck<'_> {
    /// Follows waits from `start`, each to those that keep it waiting, depth first, each wait
    /// once; until one leads back to where it has come from.
    fn circle_from(&self, start: u64, done: &mut BTreeSet<u64>) -> Option<Vec<u64>> {
        // The way, and how many of each wait's followers have been looked at.
        let mut path: Vec<(u64, usize)> = Vec::new();
        if done.insert(start) {
            path.push((start, 0));
        }
        while let Some((number, looked_at)) = path.last_mut() {
            let (number, at) = (*number, *looked_at);
            *looked_at += 1;
            let Some(entry) = self.waits.get(&number) else {
                path.pop();
                continue;
            };
            let holders = self.holders.get(&entry.lock).map_or(&[][..], Vec::as_slice);
            let Some(&(next, mode)) = holders.get(at) else {
                path.pop();
                continue;
            };
            if !self.keeps_waiting(mode, number, entry) {
                continue;
            }
            if let Some(from) = path.iter().position(|(on_path, _)| *on_path == next) {
                return Some(path[from..].iter().map(|(number, _)| *number).collect());
            }
            if done.insert(next) {
                path.push((next, 0));
            }
        }
        None
    }

    /// Whether a holder of the lock in that mode keeps the wait waiting: by itself, or as it
    /// does so with one that is queued before.
    fn keeps_waiting(&self, held: Mode, number: u64, entry: &Entry) -> bool {
        let first = self.queues.get(&entry.lock).copied().flatten();
        conflict(held, entry.mode)
            || held != Mode::Exclusive && first.is_some_and(|first| first < number)
    }
}

/// Whether a lock cannot be held in both ways at a time.
pub(super) fn conflict(held: Mode, asked: Mode) -> bool {
    match (held, asked) {
        // As many at a time as there are.
        (Mode::Permits(_), _) | (_, Mode::Permits(_)) => false,
        (Mode::Exclusive, _) | (_, Mode::Exclusive) => true,
        (Mode::Upgradable, Mode::Upgradable) => true,
        (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => false,
    }
}

fn wait(entry: &Entry, now: Instant) -> Wait {
    let holding = entry.held.iter().rev();
    Wait {
        resource: entry.resource,
        name: entry.name.clone(),
        mode: entry.mode,
        place: entry.place,
        section: entry.section,
        since: now.saturating_duration_since(entry.since),
        granted: entry.is_granted(),
        last_acquired: entry.last_acquired,
        holding: holding
            .map(|held| Held::new(held.name, held.mode, held.section, Duration::ZERO))
            .collect(),
    }
}

pub(crate) fn report() -> Report {
    let now = Instant::now();
    lock().snapshot(now)
}
