//! Who waits, and which sections hold something meanwhile.

use core::hash::{Hash, Hasher};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::BTreeMap;
use std::string::String;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::vec::Vec;

use super::Seen;
use super::circles;
use super::frames::{self, HeldAround};
use super::holds::Lines;
use super::waiting::{Known, short_name};
use super::watcher::Thresholds;
use crate::LockId;
use crate::queue::State;
use crate::watch::{Held, Kind, Mode, Place, Report, Resource, SectionInfo, Wait};

/// A wait.
pub(super) struct Entry {
    /// In the order in which the waits began.
    pub(super) sequence: u64,
    pub(super) asked: Asked,
    pub(super) place: Place,
    /// The name of the lock, and the section that enters it.
    pub(super) entering: Option<(&'static str, SectionInfo)>,
    /// From the innermost section around on.
    pub(super) held: Vec<HeldAround>,
    /// See [`Around::beyond`](super::frames::Around::beyond).
    pub(super) beyond: Vec<HeldAround>,
    pub(super) since: Instant,
    pub(super) node: NodeAt,
    /// What the future that waits knows (W3).
    pub(super) known: NonNull<Known>,
    /// A thread is parked for it, and for as long as it takes.
    pub(super) is_certain: bool,
    /// When it was first seen that the wait is granted.
    granted_since: Option<Instant>,
    pub(super) reported: Reported,
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) resource: Resource,
    pub(super) lock: LockId,
    pub(super) mode: Mode,
    pub(super) type_name: fn() -> &'static str,
    /// Who had acquired the lock last when the wait began.
    pub(super) holder: Option<Seen>,
    /// How many permits the semaphore has in all, if that is known.
    pub(super) permits: Option<usize>,
    /// The lock that a wait for a `Condition` acquires again.
    pub(super) relocks: Option<LockId>,
}

/// Which reports there were of a wait.
#[derive(Clone, Copy, Default)]
pub(super) struct Reported {
    pub(super) in_a_circle: bool,
    unpolled: bool,
    within: bool,
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

    /// Of a wait in a queue that is not ours: it counts as waiting until it is polled.
    pub(super) fn elsewhere() -> Self {
        NodeAt {
            node: NonNull::dangling(),
            state: |_| State::Waiting,
        }
    }
}

/// What a wait waits for at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// To be served in turn.
    Queued,
    /// A change, to evaluate its condition again. It acquires its lock for that.
    Unsatisfied,
    /// To be polled.
    Served,
    /// Nothing: it is under way.
    Moving,
}

/// A section that holds something, and is or was suspended.
pub(super) struct Holding {
    pub(super) section: SectionInfo,
    pub(super) held: Vec<HeldSince>,
    pub(super) polls: NonNull<AtomicU64>,
    pub(super) is_reported: bool,
}

/// A lock that a section holds.
pub(super) struct HeldSince {
    pub(super) name: &'static str,
    pub(super) lock: Option<LockId>,
    pub(super) mode: Mode,
    /// From then on, or from before.
    pub(super) since: Instant,
}

/// Locks that somebody waited for, and who has acquired or changed them: the last of those that
/// share a place, which a lock has by its id.
pub(super) struct Told([Option<ToldOf>; TOLD]);

/// A lock, and who has acquired it.
#[derive(Clone, Copy)]
struct ToldOf {
    lock: LockId,
    /// As of the waits: those with a lower number began before.
    sequence: u64,
    holder: Seen,
}

const TOLD: usize = 64;

/// A hash of a few numbers.
struct Print(u64);

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = frames::print(self.0, number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Told {
    fn place_of(lock: LockId) -> usize {
        let mut print = Print(0);
        lock.hash(&mut print);
        print.finish() as usize % TOLD
    }

    /// Who has acquired a lock last, as far as that is known, and when.
    pub(super) fn of(&self, lock: LockId) -> Option<(u64, Seen)> {
        let told = self.0[Self::place_of(lock)].filter(|told| told.lock == lock)?;
        Some((told.sequence, told.holder))
    }
}

/// The waits. One is known by its place.
pub(super) struct Entries {
    slots: Vec<Option<Entry>>,
    free: Vec<u32>,
}

/// What is left of an entry.
struct Removed {
    is_certain: bool,
    _sections: (Vec<HeldAround>, Vec<HeldAround>),
}

impl Entries {
    fn insert(&mut self, entry: Entry) -> u32 {
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

    /// What is left of it is to be dropped elsewhere.
    fn remove(&mut self, at: u32) -> Option<Removed> {
        let slot = self.slots.get_mut(at as usize)?;
        let entry = slot.as_mut()?;
        let removed = Removed {
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

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.slots.iter_mut().flatten()
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    /// In the order in which they began.
    fn in_order(&self) -> Vec<(u32, &Entry)> {
        let mut entries: Vec<_> = self.iter().collect();
        entries.sort_unstable_by_key(|(_, entry)| entry.sequence);
        entries
    }
}

pub(super) struct Registry {
    pub(super) entries: Entries,
    pub(super) sections: BTreeMap<u64, Holding>,
    next: u64,
    /// The waits of threads that are certain.
    pub(super) certain: Vec<u32>,
    /// Those that were reported, by the places and numbers of their waits.
    circles: Vec<Vec<(u32, u64)>>,
    lines: Lines,
    pub(super) told: Told,
    /// To be reported at once.
    urgent: Vec<Report>,
    /// The watcher waits for something to look at.
    watcher_waits: bool,
}

// SAFETY: what its pointers lead to is atomic, and there for as long as they are (W3).
unsafe impl Send for Registry {}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    entries: Entries {
        slots: Vec::new(),
        free: Vec::new(),
    },
    sections: BTreeMap::new(),
    next: 1,
    certain: Vec::new(),
    circles: Vec::new(),
    lines: Lines::new(),
    told: Told([const { None }; TOLD]),
    urgent: Vec::new(),
    watcher_waits: false,
});

/// There is something to look at.
static CHANGED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a wait. Returns its place.
///
/// # Safety
///
/// W3, for what the entry points to.
pub(super) unsafe fn wait_began(mut entry: Entry) -> u32 {
    let mut registry = lock();
    entry.sequence = registry.next;
    registry.next += 1;
    let is_certain = entry.is_certain;
    let holds_something = !entry.held.is_empty();
    let at = registry.entries.insert(entry);
    if is_certain {
        registry.certain.push(at);
        if holds_something {
            registry.report_if_closed(at);
        }
    }
    registry.wake_watcher();
    at
}

/// It ends by an acquisition, if there is a holder.
pub(super) fn wait_ended(at: u32, holder: Option<(LockId, Seen)>) {
    let mut registry = lock();
    let entry = registry.entries.remove(at);
    if let Some((lock, holder)) = holder {
        registry.tell(lock, holder);
    }
    if entry.as_ref().is_some_and(|entry| entry.is_certain) {
        registry.certain.retain(|other| *other != at);
    }
    drop(registry);
    // The registry is unlocked.
    drop(entry);
}

/// A lock that somebody waits, or has waited, for has been acquired, or changed.
pub(super) fn acquired(lock: LockId, holder: Seen) {
    self::lock().tell(lock, holder);
}

/// Permits of a semaphore are added or taken by number from now on.
pub(super) fn permits_changed(semaphore: LockId) {
    for entry in lock().entries.iter_mut() {
        if entry.asked.lock == semaphore {
            entry.asked.permits = None;
        }
    }
}

/// The wait is in other sections now.
pub(super) fn wait_moved(at: u32, held: Vec<HeldAround>, beyond: Vec<HeldAround>) {
    let mut registry = lock();
    let before = registry.entries.get_mut(at).map(|entry| {
        (
            core::mem::replace(&mut entry.held, held),
            core::mem::replace(&mut entry.beyond, beyond),
        )
    });
    drop(registry);
    drop(before);
}

/// Tells what a section holds.
///
/// # Safety
///
/// W3, for `polls`.
pub(super) unsafe fn section_holds(
    number: u64,
    section: SectionInfo,
    held: impl Iterator<Item = (&'static str, Option<LockId>, Mode)>,
    polls: NonNull<AtomicU64>,
) {
    let since = Instant::now();
    let held = held.map(|(name, lock, mode)| HeldSince {
        name,
        lock,
        mode,
        since,
    });
    let mut holding = Holding {
        section,
        held: held.collect(),
        polls,
        is_reported: false,
    };
    let mut registry = lock();
    if let Some(before) = registry.sections.get(&number) {
        // It holds what it held, and more.
        for (held, before) in holding.held.iter_mut().zip(&before.held) {
            held.since = before.since;
        }
    }
    let before = registry.sections.insert(number, holding);
    registry.wake_watcher();
    drop(registry);
    drop(before);
}

pub(super) fn section_ended(number: u64) {
    let section = lock().sections.remove(&number);
    drop(section);
}

/// Has something reported at once.
pub(super) fn tell(reports: Vec<Report>) {
    super::watcher::start();
    let mut registry = lock();
    registry.urgent.extend(reports);
    registry.wake_watcher();
}

/// The watcher: waits until there is something to look at, and returns what is to be reported.
pub(super) fn watch(thresholds: impl Fn() -> Thresholds) -> Vec<Report> {
    let mut registry = lock();
    while registry.is_idle(&thresholds()) {
        registry.watcher_waits = true;
        registry = CHANGED
            .wait(registry)
            .unwrap_or_else(PoisonError::into_inner);
        registry.watcher_waits = false;
    }
    registry.findings(&thresholds(), Instant::now())
}

/// The watcher: waits for so long, or until something is urgent.
pub(super) fn rest(time: Duration) {
    let rested = CHANGED.wait_timeout_while(lock(), time, |registry| registry.urgent.is_empty());
    drop(rested.unwrap_or_else(PoisonError::into_inner));
}

/// Sections are looked at also where nobody waits.
pub(super) fn long_hold_was_set() {
    super::watcher::start();
    lock().wake_watcher();
}

impl Entry {
    pub(super) fn new(
        asked: Asked,
        place: Place,
        around: frames::Around,
        node: NodeAt,
        known: NonNull<Known>,
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
            is_certain,
            granted_since: None,
            reported: Reported::default(),
        }
    }

    pub(super) fn standing(&self) -> Standing {
        // SAFETY: the entry has not been removed.
        match unsafe { (self.node.state)(self.node.node) } {
            State::Waiting | State::Woken => Standing::Queued,
            State::Granted | State::Unclaimed | State::Notified | State::Unlinked => {
                Standing::Served
            }
            State::Unsatisfied => Standing::Unsatisfied,
            State::Idle | State::Evaluating => Standing::Moving,
        }
    }

    pub(super) fn is_old(&self, threshold: Duration, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= threshold
    }

    /// Whether its grant is something that others wait for.
    fn is_for_a_permit(&self) -> bool {
        match self.asked.resource {
            Resource::Lock | Resource::Semaphore | Resource::When => true,
            Resource::Event | Resource::Condition | Resource::Barrier => false,
        }
    }
}

impl Registry {
    fn is_idle(&self, thresholds: &Thresholds) -> bool {
        let sections_count = thresholds.hold.is_some() && !self.sections.is_empty();
        self.entries.is_empty() && self.urgent.is_empty() && !sections_count
    }

    fn tell(&mut self, lock: LockId, holder: Seen) {
        let sequence = self.next;
        self.next += 1;
        self.told.0[Told::place_of(lock)] = Some(ToldOf {
            lock,
            sequence,
            holder,
        });
    }

    fn wake_watcher(&self) {
        // While it rests, nothing but what is urgent is of interest: a call of the system for
        // each wait would be more than all else that a wait costs.
        if self.watcher_waits || !self.urgent.is_empty() {
            CHANGED.notify_one();
        }
    }

    /// What is to be reported, each once.
    fn findings(&mut self, thresholds: &Thresholds, now: Instant) -> Vec<Report> {
        let mut reports = core::mem::take(&mut self.urgent);
        let threshold = thresholds.wait;
        self.find_unpolled(threshold, now, &mut reports);
        self.forget_broken_circles();
        let is_known = |entry: &Entry| entry.reported.in_a_circle;
        for circle in circles::find_all(self, threshold, now, is_known) {
            reports.push(self.report_circle(&circle, now));
        }
        self.find_within(threshold, now, &mut reports);
        let mut lines = core::mem::replace(&mut self.lines, Lines::new());
        lines.find_long_holds(self, thresholds, now, &mut reports);
        self.lines = lines;
        reports
    }

    /// Grants that nobody picks up.
    fn find_unpolled(&mut self, threshold: Duration, now: Instant, reports: &mut Vec<Report>) {
        let Registry { entries, told, .. } = self;
        for entry in entries.iter_mut() {
            if entry.standing() != Standing::Served {
                entry.granted_since = None;
                entry.reported.unpolled = false;
                continue;
            }
            let since = *entry.granted_since.get_or_insert(now);
            let is_late = now.duration_since(since) >= threshold;
            if entry.is_for_a_permit() && is_late && !entry.reported.unpolled {
                entry.reported.unpolled = true;
                let waits = [wait(entry, told, now)].into();
                reports.push(Report::new(Kind::Unpolled, waits, Vec::new()));
            }
        }
    }

    /// What is asked for within the poll of a section that holds it.
    fn find_within(&mut self, threshold: Duration, now: Instant, reports: &mut Vec<Report>) {
        let Registry {
            entries,
            sections,
            told,
            ..
        } = self;
        for entry in entries.iter_mut() {
            let keeps = |held: &&HeldAround| conflict(held.mode, entry.asked.mode);
            let Some(holder) = entry.beyond.iter().find(keeps) else {
                continue;
            };
            let waits = entry.standing() == Standing::Queued && entry.is_old(threshold, now);
            // SAFETY: the wait is registered (W3).
            let known = unsafe { entry.known.as_ref() };
            if entry.reported.within
                || !waits
                || !stand_still(sections, entry.beyond.iter(), known.beyond())
            {
                continue;
            }
            let since = sections.get(&holder.number).and_then(|holding| {
                let mut held = holding.held.iter();
                Some(held.find(|held| held.lock == Some(holder.lock))?.since)
            });
            let since = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            let held = held(holder, since);
            entry.reported.within = true;
            let waits = [wait(entry, told, now)].into();
            reports.push(Report::new(Kind::WaitsWithin, waits, [held].into()));
        }
    }

    /// W5: each section around is suspended, or its thread waits, and has not been polled
    /// without the wait.
    pub(super) fn sections_stand_still(&self, entry: &Entry) -> bool {
        // SAFETY: the wait is registered (W3).
        let known = unsafe { entry.known.as_ref() };
        let suspended = entry.held.iter().filter(|held| held.is_suspended);
        stand_still(&self.sections, suspended, known.around())
    }

    /// The thread whose wait is at `at` closes a circle that nothing can break, and it is to be
    /// reported now.
    fn report_if_closed(&mut self, at: u32) {
        if let Some(circle) = circles::find_certain(self, at) {
            let report = self.report_circle(&circle, Instant::now());
            self.urgent.push(report);
        }
    }

    fn report_circle(&mut self, circle: &[u32], now: Instant) -> Report {
        let mut waits = Vec::new();
        let mut known = Vec::new();
        for at in circle {
            if let Some(entry) = self.entries.get_mut(*at) {
                entry.reported.in_a_circle = true;
                waits.push(wait(entry, &self.told, now));
                known.push((*at, entry.sequence));
            }
        }
        self.circles.push(known);
        Report::new(Kind::Deadlock, waits, Vec::new())
    }

    /// A circle of which one wait has ended is none any more: the others may be in another.
    fn forget_broken_circles(&mut self) {
        let Registry {
            circles, entries, ..
        } = self;
        circles.retain(|circle| {
            let is_whole = circle.iter().all(|(at, sequence)| {
                entries.get(*at).is_some_and(|entry| {
                    entry.sequence == *sequence && entry.standing() != Standing::Served
                })
            });
            for (at, sequence) in circle.iter().filter(|_| !is_whole) {
                if let Some(entry) = entries.get_mut(*at) {
                    entry.reported.in_a_circle &= entry.sequence != *sequence;
                }
            }
            is_whole
        });
    }

    fn snapshot(&self, threshold: Duration, now: Instant) -> Report {
        let circles = circles::find_all(self, threshold, now, |_| false);
        let circle_of = |at: u32| {
            let found = circles.iter().position(|circle| circle.contains(&at));
            found.map(|index| index + 1)
        };
        let entries = self.entries.in_order();
        let waits = entries.iter().map(|(at, entry)| Wait {
            circle: circle_of(*at),
            ..wait(entry, &self.told, now)
        });
        let held = self.sections.values().flat_map(|holding| holding.held(now));
        Report::new(Kind::Snapshot, waits.collect(), held.collect())
    }
}

/// Whether the sections have been polled as often as `print` says, each.
fn stand_still<'h>(
    sections: &BTreeMap<u64, Holding>,
    held: impl Iterator<Item = &'h HeldAround>,
    print: u64,
) -> bool {
    let mut numbers: Vec<u64> = held.map(|held| held.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut sum = 0_u64;
    for number in numbers {
        let Some(section) = sections.get(&number) else {
            return false;
        };
        // SAFETY: the section is registered (W3).
        let polls = unsafe { section.polls.as_ref() }.load(Ordering::Relaxed);
        sum = sum.wrapping_add(frames::print(number, polls));
    }
    sum == print
}

impl Holding {
    pub(super) fn held(&self, now: Instant) -> impl Iterator<Item = Held> + '_ {
        self.held.iter().map(move |held| {
            let since = now.saturating_duration_since(held.since);
            Held::new(held.name, held.lock, held.mode, self.section, since)
        })
    }
}

/// Whether a lock cannot be held in both ways at a time.
pub(super) fn conflict(held: Mode, asked: Mode) -> bool {
    match (held, asked) {
        // As many at a time as there are.
        (Mode::Permits(_), _) | (_, Mode::Permits(_)) => false,
        // What is upgraded is its own.
        (Mode::Upgradable, Mode::Upgrade) => false,
        (Mode::Exclusive | Mode::Upgrade, _) | (_, Mode::Exclusive | Mode::Upgrade) => true,
        (Mode::Upgradable, Mode::Upgradable) => true,
        (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => false,
    }
}

pub(super) fn wait(entry: &Entry, told: &Told, now: Instant) -> Wait {
    let asked = &entry.asked;
    let holder = match told.of(asked.lock) {
        Some((sequence, holder)) if sequence > entry.sequence => Some(holder),
        _ => asked.holder,
    };
    let name: String = match entry.entering {
        Some((name, _)) => name.into(),
        None => short_name((asked.type_name)()),
    };
    Wait {
        resource: asked.resource,
        name,
        id: asked.lock,
        mode: asked.mode,
        place: entry.place,
        section: entry.entering.map(|(_, section)| section),
        since: now.saturating_duration_since(entry.since),
        granted: entry.standing() == Standing::Served,
        has_condition_false: entry.standing() == Standing::Unsatisfied,
        last_acquired: holder.and_then(Seen::place),
        last_section: holder.and_then(Seen::section),
        holding: {
            let holding = entry.held.iter().rev();
            holding.map(|around| held(around, Duration::ZERO)).collect()
        },
        circle: None,
    }
}

fn held(around: &HeldAround, since: Duration) -> Held {
    Held::new(
        around.name,
        Some(around.lock),
        around.mode,
        around.section,
        since,
    )
}

pub(crate) fn report() -> Report {
    let threshold = super::watcher::thresholds().wait;
    let now = Instant::now();
    lock().snapshot(threshold, now)
}
