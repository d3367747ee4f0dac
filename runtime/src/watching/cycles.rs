//! Deadlock detection: cycles in the wait-for graph.
//!
//! A wait is *stuck* if it cannot be served before another stuck wait has ended.
//! The largest set of stuck waits is found by removing waits that may be served, until none of
//! these is left. A wait for
//!
//! - a lock is stuck if a section with a stuck wait holds the lock in a conflicting mode; or if it
//!   is queued behind a stuck wait, as nobody overtakes;
//! - permits is stuck if the permits that are not held by sections with a stuck wait are too few
//!   (the total is known only while the semaphore has the permits that it was made with);
//!   or if it is queued behind a stuck wait;
//! - a condition (`when`) is stuck if a wait for its lock would be, as it has to acquire the lock;
//! - a notification of a `Condition` is stuck if a wait for the lock that it reacquires would be.
//!
//! A *cycle* goes from a stuck wait to a section that holds the lock, to a stuck wait in that
//! section, and so on, back to where it began. A section with several
//! waits counts as stuck with the first stuck one. That is right for a `join!`; but a `select!` may
//! go on, and so may a wait with a timeout, or one that is dropped. So a cycle is reported only
//! once none of its waits has made progress for the threshold.
//!
//! A cycle is *unbreakable* if all its waits are of threads that are parked until they are served,
//! and not in a future of the user's own: nothing can end one wait before another. It is reported
//! as it closes. A cycle with a task's wait is never unbreakable: the task may drop it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use std::vec::{self, Vec};

use super::entries::{Entry, Standing};
use super::registry::{Registry, conflict};
use crate::LockId;
use crate::watch::{Behind, Mode, Resource};

/// A holder of a lock: a wait of the section that holds it, that section, and the mode.
#[derive(Clone, Copy)]
struct StuckHolder {
    index: u32,
    /// None for the upgradable guard inside an upgrading future.
    section: Option<u64>,
    mode: Mode,
}

/// The requirement of a wait: the lock, and the mode.
#[derive(Clone, Copy)]
struct Requirement {
    lock: LockId,
    mode: Mode,
    /// It is queued at the lock.
    is_queued: bool,
}

fn requirement_of(entry: &Entry) -> Option<Requirement> {
    let asked = &entry.asked;
    let standing = entry.standing();
    if !matches!(standing, Standing::Queued | Standing::Unsatisfied) {
        return None;
    }
    match asked.resource {
        Resource::Lock | Resource::Semaphore | Resource::When => Some(Requirement {
            lock: asked.lock,
            mode: asked.mode,
            is_queued: standing == Standing::Queued,
        }),
        Resource::Condition => Some(Requirement {
            lock: asked.relocks?,
            // The mode is not known: every holder that excludes a reader excludes it.
            mode: Mode::Shared,
            is_queued: false,
        }),
        Resource::Event | Resource::Barrier => None,
    }
}

/// The waits that may be stuck.
struct Waits<'r> {
    waits: BTreeMap<u32, (Requirement, &'r Entry)>,
    /// By the lock.
    holders: BTreeMap<LockId, Vec<StuckHolder>>,
}

/// All cycles of waits none of which `is_reported`.
pub(super) fn find_all(
    registry: &Registry,
    threshold: Duration,
    now: Instant,
    is_reported: impl Fn(&Entry) -> bool,
) -> Vec<Vec<u32>> {
    let mut waits = Waits::new(registry, threshold, now);
    waits.retain_stuck();
    let mut done: BTreeSet<u32> = waits.indices_where(is_reported).collect();
    let starts: Vec<u32> = waits
        .indices_where(|entry| !entry.held.is_empty())
        .collect();
    let mut cycles = Vec::new();
    for start in starts {
        // The waits of a cycle are in no later one.
        while let Some(mut cycle) =
            find_cycle(start, &mut done, |index| waits.blockers(index), |_| true)
        {
            waits.add_other_holders(&mut cycle);
            done.extend(cycle.iter().copied());
            cycles.push(cycle);
        }
    }
    cycles
}

impl<'r> Waits<'r> {
    fn new(registry: &'r Registry, threshold: Duration, now: Instant) -> Self {
        let mut waits = Waits {
            waits: BTreeMap::new(),
            holders: BTreeMap::new(),
        };
        let old = |(index, entry): (u32, &'r Entry)| {
            let requirement = requirement_of(entry).filter(|_| entry.is_old(threshold, now))?;
            Some((index, requirement, entry))
        };
        // Waits that may block others. Most do not.
        for (index, entry) in registry.entries.iter() {
            if entry.held.is_empty() && entry.asked.mode != Mode::Upgrade {
                continue;
            }
            let Some((index, requirement, entry)) = old((index, entry)) else {
                continue;
            };
            if requirement.mode == Mode::Upgrade {
                waits.add_holder(index, requirement.lock, None, Mode::Upgradable);
            }
            if registry.sections_stand_still(entry) {
                for held in &entry.held {
                    waits.add_holder(index, held.lock, Some(held.number), held.mode);
                }
            }
        }
        if waits.holders.is_empty() {
            return waits;
        }
        for (index, requirement, entry) in registry.entries.iter().filter_map(old) {
            if waits.holders.contains_key(&requirement.lock) {
                waits.waits.insert(index, (requirement, entry));
            }
        }
        waits.forget_other_holders();
        waits
    }

    /// Removes the holders whose waits are not in the set.
    fn forget_other_holders(&mut self) {
        let waits = &self.waits;
        self.holders.retain(|_, holders| {
            holders.retain(|holder| waits.contains_key(&holder.index));
            !holders.is_empty()
        });
    }

    fn add_holder(&mut self, index: u32, lock: LockId, section: Option<u64>, mode: Mode) {
        let holders = self.holders.entry(lock).or_default();
        holders.push(StuckHolder {
            index,
            section,
            mode,
        });
    }

    fn indices_where(&self, predicate: impl Fn(&Entry) -> bool) -> impl Iterator<Item = u32> {
        let waits = self.waits.iter();
        waits.filter_map(move |(index, (_, entry))| predicate(entry).then_some(*index))
    }

    /// Removes the waits that may be served.
    fn retain_stuck(&mut self) {
        loop {
            let before = self.waits.len();
            let first = self.first_blocked();
            let stuck = self.waits.iter().filter(|(index, (requirement, entry))| {
                let is_behind = || {
                    let first = first.get(&requirement.lock);
                    requirement.is_queued
                        && requirement.mode != Mode::Upgrade
                        && first.is_some_and(|first| *first < entry.sequence)
                };
                self.is_blocked_by_holders(**index) || is_behind()
            });
            let stuck: BTreeSet<u32> = stuck.map(|(index, _)| *index).collect();
            // A queue without holders in the set is blocked by somebody outside of it.
            self.waits.retain(|index, _| stuck.contains(index));
            self.forget_other_holders();
            if self.waits.len() == before {
                return;
            }
        }
    }

    /// For each lock: the first queued wait that a holder in the set blocks.
    fn first_blocked(&self) -> BTreeMap<LockId, u64> {
        let mut first = BTreeMap::new();
        for (index, (requirement, entry)) in &self.waits {
            if requirement.is_queued && self.is_blocked_by_holders(*index) {
                let earliest = first.entry(requirement.lock).or_insert(entry.sequence);
                *earliest = (*earliest).min(entry.sequence);
            }
        }
        first
    }

    fn is_blocked_by_holders(&self, index: u32) -> bool {
        let Some((requirement, entry)) = self.waits.get(&index) else {
            return false;
        };
        let holders = self
            .holders
            .get(&requirement.lock)
            .map_or(&[][..], Vec::as_slice);
        let Mode::Permits(asked) = requirement.mode else {
            return holders
                .iter()
                .any(|holder| conflict(holder.mode, requirement.mode));
        };
        // A section takes one permit. It is listed once for each of its waits.
        let sections: BTreeSet<_> = holders.iter().map(|holder| holder.section).collect();
        let total = entry.asked.permits;
        let held = sections.len();
        held > 0 && total.is_some_and(|total| asked.saturating_add(held) > total)
    }

    /// The waits of the sections that block a wait: directly, or by blocking a wait that
    /// is queued before it.
    fn blockers(&self, index: u32) -> Vec<u32> {
        let Some((requirement, _)) = self.waits.get(&index) else {
            return Vec::new();
        };
        let holders = self
            .holders
            .get(&requirement.lock)
            .map_or(&[][..], Vec::as_slice);
        let is_blocked = self.is_blocked_by_holders(index);
        let blocks = |holder: &&StuckHolder| match requirement.mode {
            Mode::Permits(_) => true,
            _ if is_blocked => conflict(holder.mode, requirement.mode),
            // It is blocked by its place in the queue: any holder may be the reason.
            _ => true,
        };
        holders
            .iter()
            .filter(blocks)
            .map(|holder| holder.index)
            .collect()
    }

    /// For a wait for permits, all holders of permits are part of the cycle.
    fn add_other_holders(&self, cycle: &mut Vec<u32>) {
        let mut visited = 0;
        while let Some(index) = cycle.get(visited).copied() {
            visited += 1;
            let Some((requirement, _)) = self.waits.get(&index) else {
                continue;
            };
            if matches!(requirement.mode, Mode::Permits(_)) {
                for other in self.blockers(index) {
                    if !cycle.contains(&other) {
                        cycle.push(other);
                    }
                }
            }
        }
    }
}

/// For a wait that the holders in its cycle would admit: the first wait ahead of it in the queue
/// that they exclude.
pub(super) fn blocking_predecessor(
    registry: &Registry,
    cycle: &[u32],
    index: u32,
) -> Option<Behind> {
    let entry = registry.entries.get(index)?;
    let lock = requirement_of(entry)
        .filter(|requirement| requirement.is_queued)?
        .lock;
    let is_blocked = |mode: Mode| {
        let mut others = cycle
            .iter()
            .filter_map(|index| registry.entries.get(*index));
        others.any(|other| {
            let mut held = other.held.iter().filter(|held| held.lock == lock);
            let upgrades = other.asked.lock == lock && other.asked.mode == Mode::Upgrade;
            held.any(|held| conflict(held.mode, mode))
                || (upgrades && conflict(Mode::Upgradable, mode))
        })
    };
    if matches!(entry.asked.mode, Mode::Permits(_) | Mode::Upgrade) || is_blocked(entry.asked.mode)
    {
        return None;
    }
    let ahead = registry.entries.iter().filter(|(_, ahead)| {
        let is_ahead =
            requirement_of(ahead).is_some_and(|ahead| ahead.is_queued && ahead.lock == lock);
        is_ahead && ahead.sequence < entry.sequence && is_blocked(ahead.asked.mode)
    });
    let (_, first) = ahead.min_by_key(|(_, ahead)| ahead.sequence)?;
    Some(Behind {
        mode: first.asked.mode,
        place: first.place,
        section: first.entering.map(|(_, section)| section),
    })
}

/// Searches depth-first for a cycle, from `start` and from each wait to the waits that block it.
/// The search ends at the first edge that leads back to a wait on the path, if the cycle
/// `may_close_at` that wait. All searches with the same `done` visit each wait once; but the waits
/// that lead to the cycle may be in another one, and can be visited again.
fn find_cycle(
    start: u32,
    done: &mut BTreeSet<u32>,
    blockers: impl Fn(u32) -> Vec<u32>,
    may_close_at: impl Fn(u32) -> bool,
) -> Option<Vec<u32>> {
    // The path, and the blockers of each wait that have not been visited.
    let mut path: Vec<(u32, vec::IntoIter<u32>)> = Vec::new();
    if done.insert(start) {
        path.push((start, blockers(start).into_iter()));
    }
    while let Some((_, remaining)) = path.last_mut() {
        let Some(next) = remaining.next() else {
            path.pop();
            continue;
        };
        let from = path.iter().position(|(on_path, _)| *on_path == next);
        if let Some(from) = from.filter(|_| may_close_at(next)) {
            for (index, _) in &path[..from] {
                done.remove(index);
            }
            return Some(path[from..].iter().map(|(index, _)| *index).collect());
        }
        if done.insert(next) {
            path.push((next, blockers(next).into_iter()));
        }
    }
    None
}

/// The unbreakable cycle of the wait at `start`.
pub(super) fn find_unbreakable(registry: &Registry, start: u32) -> Option<Vec<u32>> {
    let blockers = |index: u32| {
        let requirement = registry.entries.get(index).and_then(requirement_of);
        let is_for_a_lock = |required: &Requirement| !matches!(required.mode, Mode::Permits(_));
        let Some(requirement) = requirement.filter(is_for_a_lock) else {
            return Vec::new();
        };
        let blocks = |other: &u32| {
            registry.entries.get(*other).is_some_and(|other| {
                let mut held = other.held.iter();
                other.standing() != Standing::Served
                    && held.any(|held| {
                        held.lock == requirement.lock && conflict(held.mode, requirement.mode)
                    })
            })
        };
        registry
            .unbreakable
            .iter()
            .copied()
            .filter(blocks)
            .collect()
    };
    find_cycle(start, &mut BTreeSet::new(), blockers, |index| {
        index == start
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::vec;
    use std::vec::Vec;

    use super::find_cycle;

    #[test]
    fn cycles_of_which_one_leads_to_the_other() {
        let graph = [vec![1, 4], vec![2], vec![3], vec![2], vec![0]];
        let mut done = BTreeSet::new();
        let mut next = || {
            find_cycle(
                0,
                &mut done,
                |index| graph[index as usize].clone(),
                |_| true,
            )
        };
        assert_eq!(next(), Some(vec![2, 3]));
        assert_eq!(next(), Some(vec![0, 4]));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_cycle_that_closes_elsewhere_does_not_count() {
        let found = |graph: [Vec<u32>; 3]| {
            let blockers = |index: u32| graph[index as usize].clone();
            find_cycle(0, &mut BTreeSet::new(), blockers, |index| index == 0)
        };
        assert_eq!(found([vec![1], vec![2], vec![1]]), None);
        assert_eq!(found([vec![1], vec![2], vec![1, 0]]), Some(vec![0, 1, 2]));
    }
}
