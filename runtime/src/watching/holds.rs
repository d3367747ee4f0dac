//! Locks that are held for a long time.
//!
//! The time of an acquisition is not stored: that would be a cost on the fast path. But nobody
//! overtakes a queued waiter. So while no waiter leaves the queue, and no waiter reports an
//! acquisition, the holder has not changed, and the lock is known to be held since then. (This
//! does not apply to sync locks, which others may acquire before the waiters, nor to permits,
//! which have many holders.) A section that was suspended is registered with its own times.

use core::time::Duration;
use std::collections::BTreeMap;
use std::time::Instant;
use std::vec::Vec;

use super::entries::{Entry, Standing};
use super::holders;
use super::registry::{HeldSince, Registry, describe_wait};
use super::watcher::Thresholds;
use crate::LockId;
use crate::watch::{Kind, Mode, Report};

/// The queues of locks with waiters, as of the last check.
pub(super) struct QueueHistory(BTreeMap<LockId, QueueSeen>);

struct QueueSeen {
    /// The numbers of the waits.
    waits: Vec<u64>,
    /// The number of the last reported acquisition.
    acquired: u64,
    since: Instant,
    is_reported: bool,
}

impl QueueHistory {
    pub(super) const fn new() -> Self {
        QueueHistory(BTreeMap::new())
    }

    /// Since when a lock is known to be held by its last holder, if the last reported acquisition
    /// has that number.
    pub(super) fn since(&self, lock: LockId, acquired: Option<u64>) -> Option<Instant> {
        let queue = self.0.get(&lock)?;
        (queue.acquired == acquired.unwrap_or(0)).then_some(queue.since)
    }

    /// Reports locks that have been held for a long time.
    pub(super) fn find_long_holds(
        &mut self,
        registry: &mut Registry,
        thresholds: &Thresholds,
        now: Instant,
        reports: &mut Vec<Report>,
    ) {
        self.report_queues(registry, thresholds, now, reports);
        if let Some(limit) = thresholds.hold {
            report_sections(registry, limit, now, reports);
        }
    }

    /// Checks all queues, and reports locks that others have been waiting for.
    fn report_queues(
        &mut self,
        registry: &mut Registry,
        thresholds: &Thresholds,
        now: Instant,
        reports: &mut Vec<Report>,
    ) {
        let mut queues: BTreeMap<LockId, Vec<(u64, u32)>> = BTreeMap::new();
        for (index, entry) in registry.entries.iter() {
            let asked = &entry.asked;
            let has_queue = asked.holder.is_some()
                && entry.sync_holder.is_none()
                && !matches!(asked.mode, Mode::Permits(_));
            if has_queue && entry.standing() == Standing::Queued {
                let waits = queues.entry(asked.lock).or_default();
                waits.push((entry.sequence, index));
            }
        }
        self.0.retain(|lock, _| queues.contains_key(lock));
        for (lock, mut waits) in queues {
            let acquired = registry
                .records
                .last_acquisition(lock)
                .map_or(0, |last| last.sequence);
            waits.sort_unstable();
            let numbers: Vec<u64> = waits.iter().map(|(sequence, _)| *sequence).collect();
            let queue = self.0.entry(lock).or_insert_with(|| QueueSeen {
                waits: Vec::new(),
                acquired,
                since: now,
                is_reported: false,
            });
            let has_left = |wait: &u64| numbers.binary_search(wait).is_err();
            if queue.acquired != acquired || queue.waits.iter().any(has_left) {
                queue.acquired = acquired;
                queue.since = now;
                queue.is_reported = false;
            }
            queue.waits = numbers;
            let is_long = now.saturating_duration_since(queue.since) >= thresholds.hold_waited_for;
            if is_long && !queue.is_reported {
                queue.is_reported = true;
                let waits = waits.iter().map(|(_, index)| *index);
                let since = queue.since;
                reports.extend(long_hold(registry, lock, waits, since, now));
            }
        }
    }
}

/// Checks the sections that hold locks, and reports those that have held one for the limit.
fn report_sections(
    registry: &mut Registry,
    limit: Duration,
    now: Instant,
    reports: &mut Vec<Report>,
) {
    let Registry {
        entries,
        sections,
        records,
        ..
    } = registry;
    for holding in sections.values_mut() {
        let mut held = holding.held.iter();
        let is_long = |held: &HeldSince| now.saturating_duration_since(held.since) >= limit;
        if holding.is_reported || !held.any(is_long) {
            continue;
        }
        holding.is_reported = true;
        let held: Vec<_> = holding.held(records, now).collect();
        let is_for_one = |entry: &Entry| {
            let is_queued = entry.standing() == Standing::Queued;
            is_queued && held.iter().any(|held| held.id == Some(entry.asked.lock))
        };
        let in_order = entries.in_order().into_iter();
        let waits = in_order
            .filter(|(_, entry)| is_for_one(entry))
            .map(|(_, entry)| describe_wait(entry, records, now))
            .collect();
        reports.push(Report::new(Kind::LongHold, waits, held));
    }
}

fn long_hold(
    registry: &mut Registry,
    lock: LockId,
    waits: impl Iterator<Item = u32>,
    since: Instant,
    now: Instant,
) -> Option<Report> {
    let waits: Vec<_> = waits
        .filter_map(|index| registry.entries.get(index))
        .collect();
    // The reason has been reported.
    if waits.iter().any(|entry| entry.reported.in_a_cycle) {
        return None;
    }
    let waits: Vec<_> = waits
        .into_iter()
        .map(|entry| describe_wait(entry, &registry.records, now))
        .collect();
    let mut held = Vec::new();
    let mut was_reported = false;
    for holding in registry.sections.values_mut() {
        let before = held.len();
        held.extend(
            holding
                .held(&registry.records, now)
                .filter(|held| held.id == Some(lock)),
        );
        if held.len() > before {
            was_reported |= core::mem::replace(&mut holding.is_reported, true);
        }
    }
    if held.is_empty() {
        let queues = holders::queues_by_lock(registry);
        let queue = queues.get(&lock).map_or(&[][..], Vec::as_slice);
        held.extend(holders::held_by_others(registry, queue, &[], now));
        for held in &mut held {
            held.since = held.since.max(now.saturating_duration_since(since));
        }
    }
    (!was_reported).then(|| Report::new(Kind::LongHold, waits, held))
}
