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

use super::Seen;
use super::circles;
use super::elsewhere::Table;
use super::entries::{Entries, Entry, Standing};
use super::frames::{self, HeldAround};
use super::holders;
use super::holds::Lines;
use super::lock_records::LockRecords;
use super::waiting::{Busy, type_name_without_paths};
use super::watcher::Thresholds;
use crate::LockId;
use crate::watch::{Held, Kind, Mode, Report, SectionInfo, Wait};

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
    /// Held since then, or since before.
    pub(super) since: Instant,
}

pub(super) struct Registry {
    pub(super) entries: Entries,
    pub(super) sections: BTreeMap<u64, Holding>,
    next: u64,
    /// The waits of which certain cycles consist.
    pub(super) certain: Vec<u32>,
    /// The reported cycles, by the indices and numbers of their waits.
    circles: Vec<Vec<(u32, u64)>>,
    pub(super) lines: Lines,
    pub(super) records: LockRecords,
    /// To be reported at once.
    urgent: Vec<Report>,
    /// The watcher is idle until there is something to check.
    watcher_waits: bool,
}

// SAFETY: its pointers are to atomics, which outlive them (W3).
unsafe impl Send for Registry {}

static REGISTRY: Mutex<Registry> = Mutex::new(Registry {
    entries: Entries::new(),
    sections: BTreeMap::new(),
    next: 1,
    certain: Vec::new(),
    circles: Vec::new(),
    lines: Lines::new(),
    records: LockRecords::new(),
    urgent: Vec::new(),
    watcher_waits: false,
});

/// There is something to check.
static CHANGED: Condvar = Condvar::new();

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

fn lock() -> Locked {
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

/// The wait ended: with an acquisition, if there is a holder.
pub(super) fn wait_ended(at: u32, holder: Option<(LockId, Seen)>) {
    let mut registry = lock();
    let entry = registry.entries.remove(at);
    if let Some((lock, holder)) = holder {
        let mode = entry.as_ref().map(|entry| entry.mode);
        registry.record_acquisition(lock, holder, mode);
    }
    if entry.as_ref().is_some_and(|entry| entry.is_certain) {
        registry.certain.retain(|other| *other != at);
    }
    drop(registry);
    // The registry is unlocked.
    drop(entry);
}

/// The data of a lock with waiters has changed, by that holder.
pub(super) fn lock_changed(lock: LockId, holder: Seen) {
    self::lock().record_acquisition(lock, holder, None);
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
    let mut holding = Holding {
        section,
        held: held.collect(),
        polls,
        is_reported: false,
    };
    let mut registry = lock();
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
    let section = lock().sections.remove(&number);
    drop(section);
}

/// Reads or changes the table of the locks that live elsewhere.
pub(super) fn elsewhere<T>(change: impl FnOnce(&mut Table) -> T) -> T {
    change(&mut lock().records.elsewhere)
}

/// Hands reports to the watcher, to make at once.
pub(super) fn report_urgently(reports: Vec<Report>) {
    super::watcher::start();
    let mut registry = lock();
    registry.urgent.extend(reports);
    registry.wake_watcher();
}

/// For the watcher: waits until there is something to check, and returns the reports to make.
pub(super) fn watch(thresholds: impl Fn() -> Thresholds) -> Vec<Report> {
    let mut registry = lock();
    while registry.is_idle(&thresholds()) {
        registry.watcher_waits = true;
        registry.registry = CHANGED
            .wait(registry.registry)
            .unwrap_or_else(PoisonError::into_inner);
        registry.watcher_waits = false;
    }
    registry.findings(&thresholds(), Instant::now())
}

/// For the watcher: waits for that time, or until a report is urgent.
pub(super) fn rest(time: Duration) {
    let rested =
        CHANGED.wait_timeout_while(lock().registry, time, |registry| registry.urgent.is_empty());
    drop(rested.unwrap_or_else(PoisonError::into_inner));
}

/// From now on, sections are checked even if nobody waits.
pub(super) fn long_hold_was_set() {
    super::watcher::start();
    lock().wake_watcher();
}

impl Registry {
    fn is_idle(&self, thresholds: &Thresholds) -> bool {
        let sections_count = thresholds.hold.is_some() && !self.sections.is_empty();
        self.entries.is_empty() && self.urgent.is_empty() && !sections_count
    }

    fn record_acquisition(&mut self, lock: LockId, holder: Seen, mode: Option<Mode>) {
        let sequence = self.next;
        self.next += 1;
        self.records.record(lock, sequence, holder, mode);
    }

    fn wake_watcher(&self) {
        // While the watcher rests, only an urgent report wakes it: a system call for each wait
        // would cost more than the rest of the wait.
        if self.watcher_waits || !self.urgent.is_empty() {
            CHANGED.notify_one();
        }
    }

    /// The reports to make, each once.
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
                let waits = [wait(entry, records, now)].into();
                reports.push(Report::new(Kind::Unpolled, waits, Vec::new()));
            }
        }
    }

    /// Requests for a lock that a section holds, made within the poll of that section.
    fn find_within(&mut self, threshold: Duration, now: Instant, reports: &mut Vec<Report>) {
        let Registry {
            entries,
            sections,
            records,
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
            let held = held(holder, records, since);
            entry.reported.within = true;
            let waits = [wait(entry, records, now)].into();
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

    /// Reports at once if the thread whose wait is at `at` closes a certain cycle.
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
            let behind = circles::behind(self, circle, *at);
            if let Some(entry) = self.entries.get_mut(*at) {
                entry.reported.in_a_circle = true;
                waits.push(Wait {
                    behind,
                    ..wait(entry, &self.records, now)
                });
                known.push((*at, entry.sequence));
            }
        }
        self.circles.push(known);
        Report::new(Kind::Deadlock, waits, Vec::new())
    }

    /// A cycle is broken once one of its waits has ended: the others may be in a new one.
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
        let entries = self.entries.in_order();
        let waits = entries.iter().map(|(at, entry)| {
            let index = circles.iter().position(|circle| circle.contains(at));
            let behind = index.and_then(|index| circles::behind(self, &circles[index], *at));
            Wait {
                behind,
                circle: index.map(|index| index + 1),
                ..wait(entry, &self.records, now)
            }
        });
        let mut held: Vec<Held> = self.held_by_sections(now);
        let lines = holders::lines(self);
        holders::add_all(&mut held, &lines);
        for line in lines.values() {
            held.extend(holders::held_by_others(self, line, &held, now));
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
        let mut known: BTreeSet<(u64, LockId)> = locks.collect();
        for (_, entry) in self.entries.in_order() {
            let since = now.saturating_duration_since(entry.since);
            let runs = entry.held.iter().filter(|around| !around.is_suspended);
            let is_new = |around: &&HeldAround| known.insert((around.number, around.lock));
            held.extend(
                runs.filter(is_new)
                    .map(|around| self::held(around, &self.records, since)),
            );
        }
        held
    }
}

/// Whether the poll counts of the sections still have the hash `print`.
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
        // The upgrade is of that same guard.
        (Mode::Upgradable, Mode::Upgrade) => false,
        (Mode::Exclusive | Mode::Upgrade, _) | (_, Mode::Exclusive | Mode::Upgrade) => true,
        (Mode::Upgradable, Mode::Upgradable) => true,
        (Mode::Shared, Mode::Shared | Mode::Upgradable) | (Mode::Upgradable, Mode::Shared) => false,
    }
}

/// The name of the lock.
pub(super) fn name(entry: &Entry) -> String {
    match entry.entering {
        Some((name, _)) => name.into(),
        None => type_name_without_paths((entry.asked.type_name)()),
    }
}

pub(super) fn wait(entry: &Entry, records: &LockRecords, now: Instant) -> Wait {
    let asked = &entry.asked;
    let holder = match records.last_acquisition(asked.lock) {
        Some(last) if last.sequence > entry.sequence => Some(last.holder),
        _ => entry.current_sync_holder().or(asked.holder),
    };
    Wait {
        resource: asked.resource,
        name: name(entry),
        instance: records.elsewhere.instance(asked.lock),
        id: asked.lock,
        mode: asked.mode,
        place: entry.place,
        section: entry.entering.map(|(_, section)| section),
        since: now.saturating_duration_since(entry.since),
        granted: entry.standing() == Standing::Served,
        has_condition_false: entry.standing() == Standing::Unsatisfied,
        last_acquired: holder.and_then(Seen::place),
        last_section: holder.and_then(Seen::section),
        last_holder: records.elsewhere.holder(asked.lock),
        holding: {
            let holding = entry.held.iter().rev();
            holding
                .map(|around| held(around, records, Duration::ZERO))
                .collect()
        },
        behind: None,
        circle: None,
    }
}

fn held(around: &HeldAround, records: &LockRecords, since: Duration) -> Held {
    Held::new(
        around.name.into(),
        Some(around.lock),
        Some(around.mode),
        around.section.place,
        Some(around.section),
        since,
    )
    .of(records.elsewhere.instance(around.lock))
}

pub(crate) fn report() -> Report {
    let threshold = super::watcher::thresholds().wait;
    let now = Instant::now();
    lock().snapshot(threshold, now)
}
