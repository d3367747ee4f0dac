//! The registry of waits, and of the sections that hold locks meanwhile.

use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use std::vec::Vec;

use super::HolderCopy;
use super::cycles;
use super::elsewhere::Table;
use super::entries::{Entries, Entry, Standing};
use super::frames::{self, HeldByEnclosing};
use super::holders;
use super::holds::QueueHistory;
use super::lock_records::LockRecords;
use super::waiting::{Busy, type_name_without_paths};
use super::watcher::Thresholds;
use crate::LockId;
use crate::watch::{Held, Kind, Mode, Report, SectionInfo, Wait};

/// A section that holds something, and is or was suspended.
pub(super) struct HoldingSection {
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
    /// Held since then, or since before.
    pub(super) since: Instant,
}

pub(super) struct Registry {
    pub(super) entries: Entries,
    pub(super) sections: BTreeMap<u64, HoldingSection>,
    next_sequence: u64,
    /// The waits of which unbreakable cycles consist.
    pub(super) unbreakable: Vec<u32>,
    /// The reported cycles, by the indices and numbers of their waits.
    cycles: Vec<Vec<(u32, u64)>>,
    pub(super) queue_history: QueueHistory,
    pub(super) records: LockRecords,
    /// To be reported at once.
    urgent: Vec<Report>,
    /// Whether the watcher waits for something to check.
    watcher_is_idle: bool,
}

// SAFETY: its pointers are to atomics, which outlive them (W3).
unsafe impl Send for Registry {}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    entries: Entries::new(),
    sections: BTreeMap::new(),
    next_sequence: 1,
    unbreakable: Vec::new(),
    cycles: Vec::new(),
    queue_history: QueueHistory::new(),
    records: LockRecords::new(),
    urgent: Vec::new(),
    watcher_is_idle: false,
});

/// Notified once there is something to check.
static WAKE_WATCHER: Condvar = Condvar::new();

/// The registry, locked. Its thread records nothing else meanwhile: the user's allocator, which
/// is called here, could itself wait for one of our locks (W4).
struct Locked {
    /// Unlocked first.
    registry: MutexGuard<'static, Registry>,
    _busy: Option<Busy>,
}

impl Deref for Locked {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut Registry {
        &mut self.registry
    }
}

fn lock_registry() -> Locked {
    let busy = Busy::new();
    Locked {
        registry: REGISTRY.lock().unwrap_or_else(PoisonError::into_inner),
        _busy: busy,
    }
}

/// Adds a wait. Returns its index.
///
/// # Safety
///
/// W3, for the pointers in the entry.
pub(super) unsafe fn wait_began(mut entry: Entry) -> u32 {
    let mut registry = lock_registry();
    entry.sequence = registry.next_sequence;
    registry.next_sequence += 1;
    let is_unbreakable = entry.is_unbreakable;
    let holds_something = !entry.held.is_empty();
    let index = registry.entries.insert(entry);
    if is_unbreakable {
        registry.unbreakable.push(index);
        if holds_something {
            registry.report_if_closed(index);
        }
    }
    registry.wake_watcher();
    index
}

/// The wait ended: with an acquisition, if there is a holder.
pub(super) fn wait_ended(index: u32, holder: Option<(LockId, HolderCopy)>) {
    let mut registry = lock_registry();
    let entry = registry.entries.remove(index);
    if let Some((lock, holder)) = holder {
        let mode = entry.as_ref().map(|entry| entry.mode);
        registry.record_acquisition(lock, holder, mode);
    }
    if entry.as_ref().is_some_and(|entry| entry.is_unbreakable) {
        registry.unbreakable.retain(|other| *other != index);
    }
    drop(registry);
    // The registry is unlocked.
    drop(entry);
}

/// The data of a lock with waiters has changed, by that holder.
pub(super) fn lock_changed(lock: LockId, holder: HolderCopy) {
    lock_registry().record_acquisition(lock, holder, None);
}

/// Permits of a semaphore are added or taken by number from now on.
pub(super) fn permits_changed(semaphore: LockId) {
    for entry in lock_registry().entries.iter_mut() {
        if entry.asked.lock == semaphore {
            entry.asked.permits = None;
        }
    }
}

/// The wait is in other sections now.
pub(super) fn wait_moved(index: u32, held: Vec<HeldByEnclosing>, beyond: Vec<HeldByEnclosing>) {
    let mut registry = lock_registry();
    let before = registry.entries.get_mut(index).map(|entry| {
        (
            core::mem::replace(&mut entry.held, held),
            core::mem::replace(&mut entry.beyond, beyond),
        )
    });
    drop(registry);
    drop(before);
}

/// Registers what a section holds.
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
    let mut holding = HoldingSection {
        section,
        held: held.collect(),
        polls,
        is_reported: false,
    };
    let mut registry = lock_registry();
    if let Some(before) = registry.sections.get(&number) {
        // It holds the same locks as before, and more.
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
    let section = lock_registry().sections.remove(&number);
    drop(section);
}

/// Reads or changes the table of the locks that live elsewhere.
pub(super) fn elsewhere<T>(change: impl FnOnce(&mut Table) -> T) -> T {
    change(&mut lock_registry().records.elsewhere)
}

/// Hands reports to the watcher, to make at once.
pub(super) fn report_urgently(reports: Vec<Report>) {
    super::watcher::start();
    let mut registry = lock_registry();
    registry.urgent.extend(reports);
    registry.wake_watcher();
}

/// For the watcher: waits until there is something to check, and returns the reports to make.
pub(super) fn next_reports(thresholds: impl Fn() -> Thresholds) -> Vec<Report> {
    let mut registry = lock_registry();
    while registry.is_idle(&thresholds()) {
        registry.watcher_is_idle = true;
        registry.registry = WAKE_WATCHER
            .wait(registry.registry)
            .unwrap_or_else(PoisonError::into_inner);
        registry.watcher_is_idle = false;
    }
    registry.findings(&thresholds(), Instant::now())
}

/// For the watcher: waits for that time, or until a report is urgent.
pub(super) fn pause_watcher(time: Duration) {
    let rested = WAKE_WATCHER.wait_timeout_while(lock_registry().registry, time, |registry| {
        registry.urgent.is_empty()
    });
    drop(rested.unwrap_or_else(PoisonError::into_inner));
}

/// From now on, sections are checked even if nobody waits.
pub(super) fn long_hold_was_set() {
    super::watcher::start();
    lock_registry().wake_watcher();
}

impl Registry {
    fn is_idle(&self, thresholds: &Thresholds) -> bool {
        let must_check_sections = thresholds.hold.is_some() && !self.sections.is_empty();
        self.entries.is_empty() && self.urgent.is_empty() && !must_check_sections
    }

    fn record_acquisition(&mut self, lock: LockId, holder: HolderCopy, mode: Option<Mode>) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        self.records.record(lock, sequence, holder, mode);
    }

    fn wake_watcher(&self) {
        // While the watcher rests, only an urgent report wakes it: a system call for each wait
        // would cost more than the rest of the wait.
        if self.watcher_is_idle || !self.urgent.is_empty() {
            WAKE_WATCHER.notify_one();
        }
    }

    /// The reports to make, each once.
    fn findings(&mut self, thresholds: &Thresholds, now: Instant) -> Vec<Report> {
        let mut reports = core::mem::take(&mut self.urgent);
        let threshold = thresholds.wait;
        self.report_unpolled_grants(threshold, now, &mut reports);
        self.forget_broken_cycles();
        let is_reported = |entry: &Entry| entry.reported.in_a_cycle;
        for cycle in cycles::find_all(self, threshold, now, is_reported) {
            reports.push(self.report_cycle(&cycle, now));
        }
        self.report_requests_within(threshold, now, &mut reports);
        let mut queue_history = core::mem::replace(&mut self.queue_history, QueueHistory::new());
        queue_history.find_long_holds(self, thresholds, now, &mut reports);
        self.queue_history = queue_history;
        reports
    }

    /// Reports grants that nobody picks up.
    fn report_unpolled_grants(
        &mut self,
        threshold: Duration,
        now: Instant,
        reports: &mut Vec<Report>,
    ) {
        let Registry {
            entries, records, ..
        } = self;
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
                let waits = [describe_wait(entry, records, now)].into();
                reports.push(Report::new(Kind::Unpolled, waits, Vec::new()));
            }
        }
    }

    /// Reports requests for a lock that a section holds, made within the poll of that section.
    fn report_requests_within(
        &mut self,
        threshold: Duration,
        now: Instant,
        reports: &mut Vec<Report>,
    ) {
        let Registry {
            entries,
            sections,
            records,
            ..
        } = self;
        for entry in entries.iter_mut() {
            let blocks = |held: &&HeldByEnclosing| conflict(held.mode, entry.asked.mode);
            let Some(holder) = entry.beyond.iter().find(blocks) else {
                continue;
            };
            let waits = entry.standing() == Standing::Queued && entry.is_old(threshold, now);
            // SAFETY: the wait is registered (W3).
            let hashes = unsafe { entry.hashes.as_ref() };
            if entry.reported.within
                || !waits
                || !stand_still(sections, entry.beyond.iter(), hashes.beyond())
            {
                continue;
            }
            let since = sections.get(&holder.number).and_then(|holding| {
                let mut held = holding.held.iter();
                Some(held.find(|held| held.lock == Some(holder.lock))?.since)
            });
            let since = since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
            let held = describe_held(holder, records, since);
            entry.reported.within = true;
            let waits = [describe_wait(entry, records, now)].into();
            reports.push(Report::new(Kind::WaitsWithin, waits, [held].into()));
        }
    }

    /// W5: each enclosing section is suspended, or its thread waits, and has not been polled
    /// without the wait.
    pub(super) fn sections_stand_still(&self, entry: &Entry) -> bool {
        // SAFETY: the wait is registered (W3).
        let hashes = unsafe { entry.hashes.as_ref() };
        let suspended = entry.held.iter().filter(|held| held.is_suspended);
        stand_still(&self.sections, suspended, hashes.enclosing())
    }

    /// Reports at once if the wait at `index`, of a thread, closes an unbreakable cycle.
    fn report_if_closed(&mut self, index: u32) {
        if let Some(cycle) = cycles::find_unbreakable(self, index) {
            let report = self.report_cycle(&cycle, Instant::now());
            self.urgent.push(report);
        }
    }

    fn report_cycle(&mut self, cycle: &[u32], now: Instant) -> Report {
        let mut waits = Vec::new();
        let mut numbered = Vec::new();
        for index in cycle {
            let behind = cycles::blocking_predecessor(self, cycle, *index);
            if let Some(entry) = self.entries.get_mut(*index) {
                entry.reported.in_a_cycle = true;
                waits.push(Wait {
                    behind,
                    ..describe_wait(entry, &self.records, now)
                });
                numbered.push((*index, entry.sequence));
            }
        }
        self.cycles.push(numbered);
        Report::new(Kind::Deadlock, waits, Vec::new())
    }

    /// A cycle is broken once one of its waits has ended: the others may be in a new one.
    fn forget_broken_cycles(&mut self) {
        let Registry {
            cycles, entries, ..
        } = self;
        cycles.retain(|cycle| {
            let is_whole = cycle.iter().all(|(index, sequence)| {
                entries.get(*index).is_some_and(|entry| {
                    entry.sequence == *sequence && entry.standing() != Standing::Served
                })
            });
            for (index, sequence) in cycle.iter().filter(|_| !is_whole) {
                if let Some(entry) = entries.get_mut(*index) {
                    entry.reported.in_a_cycle &= entry.sequence != *sequence;
                }
            }
            is_whole
        });
    }

    fn snapshot(&self, threshold: Duration, now: Instant) -> Report {
        let cycles = cycles::find_all(self, threshold, now, |_| false);
        let entries = self.entries.in_order();
        let waits = entries.iter().map(|(index, entry)| {
            let number = cycles.iter().position(|cycle| cycle.contains(index));
            let behind = number
                .and_then(|number| cycles::blocking_predecessor(self, &cycles[number], *index));
            Wait {
                behind,
                circle: number.map(|number| number + 1),
                ..describe_wait(entry, &self.records, now)
            }
        });
        let mut held: Vec<Held> = self.held_by_sections(now);
        let queues = holders::queues_by_lock(self);
        holders::add_all(&mut held, &queues);
        for queue in queues.values() {
            held.extend(holders::held_by_others(self, queue, &held, now));
        }
        Report::new(Kind::Snapshot, waits.collect(), held)
    }

    /// The locks held by sections that are suspended, or whose threads wait.
    fn held_by_sections(&self, now: Instant) -> Vec<Held> {
        let sections = self.sections.values();
        let mut held: Vec<Held> = sections
            .flat_map(|section| section.held(&self.records, now))
            .collect();
        let locks = self.sections.iter().flat_map(|(number, section)| {
            let locks = section.held.iter().filter_map(|held| held.lock);
            locks.map(|lock| (*number, lock))
        });
        let mut listed: BTreeSet<(u64, LockId)> = locks.collect();
        for (_, entry) in self.entries.in_order() {
            let since = now.saturating_duration_since(entry.since);
            let runs = entry.held.iter().filter(|held| !held.is_suspended);
            let is_new = |held: &&HeldByEnclosing| listed.insert((held.number, held.lock));
            held.extend(
                runs.filter(is_new)
                    .map(|held| describe_held(held, &self.records, since)),
            );
        }
        held
    }
}

/// Whether the poll counts of the sections still have the hash `hash`.
fn stand_still<'h>(
    sections: &BTreeMap<u64, HoldingSection>,
    held: impl Iterator<Item = &'h HeldByEnclosing>,
    hash: u64,
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
        sum = sum.wrapping_add(frames::hash_pair(number, polls));
    }
    sum == hash
}

impl HoldingSection {
    pub(super) fn held<'h>(
        &'h self,
        records: &'h LockRecords,
        now: Instant,
    ) -> impl Iterator<Item = Held> + 'h {
        self.held.iter().map(move |held| {
            let since = now.saturating_duration_since(held.since);
            let instance = held.lock.and_then(|lock| records.elsewhere.instance(lock));
            let (mode, place) = (Some(held.mode), self.section.place);
            Held::new(
                held.name.into(),
                held.lock,
                mode,
                place,
                Some(self.section),
                since,
            )
            .of(instance)
        })
    }
}

/// Whether the two modes exclude each other.
pub(super) fn conflict(held: Mode, asked: Mode) -> bool {
    match (held, asked) {
        // Permits do not exclude each other.
        (Mode::Permits(_), _) | (_, Mode::Permits(_)) => false,
        // Only the one upgradable guard can be upgraded, so this is its own request.
        (Mode::Upgradable, Mode::Upgrade) => false,
        (Mode::Exclusive | Mode::Upgrade, _) | (_, Mode::Exclusive | Mode::Upgrade) => true,
        (Mode::Upgradable, Mode::Upgradable) => true,
        (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => false,
    }
}

/// The name of the lock.
pub(super) fn lock_name(entry: &Entry) -> String {
    match entry.entering {
        Some((name, _)) => name.into(),
        None => type_name_without_paths((entry.asked.type_name)()),
    }
}

pub(super) fn describe_wait(entry: &Entry, records: &LockRecords, now: Instant) -> Wait {
    let asked = &entry.asked;
    let holder = match records.last_acquisition(asked.lock) {
        Some(last) if last.sequence > entry.sequence => Some(last.holder),
        _ => entry.current_sync_holder().or(asked.holder),
    };
    let holding = entry.held.iter().rev();
    let holding = holding.map(|held| describe_held(held, records, Duration::ZERO));
    Wait {
        resource: asked.resource,
        name: lock_name(entry),
        instance: records.elsewhere.instance(asked.lock),
        id: asked.lock,
        mode: asked.mode,
        place: entry.place,
        section: entry.entering.map(|(_, section)| section),
        since: now.saturating_duration_since(entry.since),
        granted: entry.standing() == Standing::Served,
        has_condition_false: entry.standing() == Standing::Unsatisfied,
        last_acquired: holder.and_then(HolderCopy::place),
        last_section: holder.and_then(HolderCopy::section),
        last_holder: records.elsewhere.holder(asked.lock),
        holding: holding.collect(),
        behind: None,
        circle: None,
    }
}

fn describe_held(held: &HeldByEnclosing, records: &LockRecords, since: Duration) -> Held {
    Held::new(
        held.name.into(),
        Some(held.lock),
        Some(held.mode),
        held.section.place,
        Some(held.section),
        since,
    )
    .of(records.elsewhere.instance(held.lock))
}

pub(crate) fn report() -> Report {
    let threshold = super::watcher::thresholds().wait;
    let now = Instant::now();
    lock_registry().snapshot(threshold, now)
}
