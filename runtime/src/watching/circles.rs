//! Deadlock detection: cycles in the wait-for graph. Identifiers and reports call them circles.
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
//! A cycle is *certain* if all its waits are of threads that are parked until they are served, and
//! not in a future of the user's own: nothing can end one wait before another. It is reported
//! as it closes. A cycle with a task's wait is never certain: the task may drop it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;
use std::vec::{self, Vec};

use super::entries::{Entry, Standing};
use super::registry::{Registry, conflict};
use crate::LockId;
use crate::watch::{Behind, Mode, Resource};

/// A lock, a section that holds it, how, and a wait in that section.
#[derive(Clone, Copy)]
struct HeldBy {
    at: u32,
    /// None for the upgradable guard inside an upgrading future.
    section: Option<u64>,
    mode: Mode,
}

/// The requirement of a wait: the lock, and the mode.
#[derive(Clone, Copy)]
struct Need {
    lock: LockId,
    mode: Mode,
    /// It is queued at the lock.
    is_queued: bool,
}

fn need(entry: &Entry) -> Option<Need> {
    let asked = &entry.asked;
    let standing = entry.standing();
    if !matches!(standing, Standing::Queued | Standing::Unsatisfied) {
        return None;
    }
    match asked.resource {
        Resource::Lock | Resource::Semaphore | Resource::When => Some(Need {
            lock: asked.lock,
            mode: asked.mode,
            is_queued: standing == Standing::Queued,
        }),
        Resource::Condition => Some(Need {
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
    waits: BTreeMap<u32, (Need, &'r Entry)>,
    /// By the lock.
    holders: BTreeMap<LockId, Vec<HeldBy>>,
}

/// All cycles of waits none of which `is_known`.
pub(super) fn find_all(
    registry: &Registry,
    threshold: Duration,
    now: Instant,
    is_known: impl Fn(&Entry) -> bool,
) -> Vec<Vec<u32>> {
    let mut waits = Waits::new(registry, threshold, now);
    waits.keep_stuck();
    let mut done: BTreeSet<u32> = waits.with(is_known).collect();
    let starts: Vec<u32> = waits.with(|entry| !entry.held.is_empty()).collect();
    let mut circles = Vec::new();
    for start in starts {
        // The waits of a cycle are in no later one.
        while let Some(mut circle) = circle(start, &mut done, |at| waits.followers(at), |_| true) {
            waits.add_other_holders(&mut circle);
            done.extend(circle.iter().copied());
            circles.push(circle);
        }
    }
    circles
}

impl<'r> Waits<'r> {
    fn new(registry: &'r Registry, threshold: Duration, now: Instant) -> Self {
        let mut waits = Waits {
            waits: BTreeMap::new(),
            holders: BTreeMap::new(),
        };
        let old = |(at, entry): (u32, &'r Entry)| {
            let need = need(entry).filter(|_| entry.is_old(threshold, now))?;
            Some((at, need, entry))
        };
        // Waits that may block others. Most do not.
        for (at, entry) in registry.entries.iter() {
            if entry.held.is_empty() && entry.asked.mode != Mode::Upgrade {
                continue;
            }
            let Some((at, need, entry)) = old((at, entry)) else {
                continue;
            };
            if need.mode == Mode::Upgrade {
                waits.add_holder(at, need.lock, None, Mode::Upgradable);
            }
            if registry.sections_stand_still(entry) {
                for held in &entry.held {
                    waits.add_holder(at, held.lock, Some(held.number), held.mode);
                }
            }
        }
        if waits.holders.is_empty() {
            return waits;
        }
        for (at, need, entry) in registry.entries.iter().filter_map(old) {
            if waits.holders.contains_key(&need.lock) {
                waits.waits.insert(at, (need, entry));
            }
        }
        waits.forget_other_holders();
        waits
    }

    /// Removes the holders whose waits are not in the set.
    fn forget_other_holders(&mut self) {
        let waits = &self.waits;
        self.holders.retain(|_, holders| {
            holders.retain(|holder| waits.contains_key(&holder.at));
            !holders.is_empty()
        });
    }

    fn add_holder(&mut self, at: u32, lock: LockId, section: Option<u64>, mode: Mode) {
        let holders = self.holders.entry(lock).or_default();
        holders.push(HeldBy { at, section, mode });
    }

    fn with(&self, condition: impl Fn(&Entry) -> bool) -> impl Iterator<Item = u32> {
        let waits = self.waits.iter();
        waits.filter_map(move |(at, (_, entry))| condition(entry).then_some(*at))
    }

    /// Removes the waits that may be served.
    fn keep_stuck(&mut self) {
        loop {
            let before = self.waits.len();
            let first = self.first_in_line();
            let stuck = self.waits.iter().filter(|(at, (need, entry))| {
                let is_behind = || {
                    let first = first.get(&need.lock);
                    need.is_queued
                        && need.mode != Mode::Upgrade
                        && first.is_some_and(|first| *first < entry.sequence)
                };
                self.is_kept_by_holders(**at) || is_behind()
            });
            let stuck: BTreeSet<u32> = stuck.map(|(at, _)| *at).collect();
            // A queue without holders in the set is blocked by somebody outside of it.
            self.waits.retain(|at, _| stuck.contains(at));
            self.forget_other_holders();
            if self.waits.len() == before {
                return;
            }
        }
    }

    /// For each lock: the first queued wait that a holder in the set blocks.
    fn first_in_line(&self) -> BTreeMap<LockId, u64> {
        let mut first = BTreeMap::new();
        for (at, (need, entry)) in &self.waits {
            if need.is_queued && self.is_kept_by_holders(*at) {
                let earliest = first.entry(need.lock).or_insert(entry.sequence);
                *earliest = (*earliest).min(entry.sequence);
            }
        }
        first
    }

    fn is_kept_by_holders(&self, at: u32) -> bool {
        let Some((need, entry)) = self.waits.get(&at) else {
            return false;
        };
        let holders = self.holders.get(&need.lock).map_or(&[][..], Vec::as_slice);
        let Mode::Permits(asked) = need.mode else {
            return holders
                .iter()
                .any(|holder| conflict(holder.mode, need.mode));
        };
        let sections: BTreeSet<_> = holders.iter().map(|holder| holder.section).collect();
        let total = entry.asked.permits;
        let held = sections.len();
        held > 0 && total.is_some_and(|total| asked.saturating_add(held) > total)
    }

    /// The waits of the sections that block a wait: directly, or by blocking a wait that
    /// is queued before it.
    fn followers(&self, at: u32) -> Vec<u32> {
        let Some((need, _)) = self.waits.get(&at) else {
            return Vec::new();
        };
        let holders = self.holders.get(&need.lock).map_or(&[][..], Vec::as_slice);
        let is_kept = self.is_kept_by_holders(at);
        let keeps = |holder: &&HeldBy| match need.mode {
            Mode::Permits(_) => true,
            _ if is_kept => conflict(holder.mode, need.mode),
            _ => true,
        };
        holders.iter().filter(keeps).map(|held| held.at).collect()
    }

    /// For a wait for permits, all holders of permits are part of the cycle.
    fn add_other_holders(&self, circle: &mut Vec<u32>) {
        let mut index = 0;
        while let Some(at) = circle.get(index).copied() {
            index += 1;
            let Some((need, _)) = self.waits.get(&at) else {
                continue;
            };
            if matches!(need.mode, Mode::Permits(_)) {
                for other in self.followers(at) {
                    if !circle.contains(&other) {
                        circle.push(other);
                    }
                }
            }
        }
    }
}

/// The wait that blocks the wait at `at` in the queue, if the holders in its cycle would admit
/// `at`: the first queued wait that these holders exclude.
pub(super) fn behind(registry: &Registry, circle: &[u32], at: u32) -> Option<Behind> {
    let entry = registry.entries.get(at)?;
    let lock = need(entry).filter(|need| need.is_queued)?.lock;
    let is_kept = |mode: Mode| {
        let mut others = circle.iter().filter_map(|at| registry.entries.get(*at));
        others.any(|other| {
            let mut held = other.held.iter().filter(|held| held.lock == lock);
            let upgrades = other.asked.lock == lock && other.asked.mode == Mode::Upgrade;
            held.any(|held| conflict(held.mode, mode))
                || (upgrades && conflict(Mode::Upgradable, mode))
        })
    };
    if matches!(entry.asked.mode, Mode::Permits(_) | Mode::Upgrade) || is_kept(entry.asked.mode) {
        return None;
    }
    let ahead = registry.entries.iter().filter(|(_, ahead)| {
        let needs = need(ahead).is_some_and(|need| need.is_queued && need.lock == lock);
        needs && ahead.sequence < entry.sequence && is_kept(ahead.asked.mode)
    });
    let (_, first) = ahead.min_by_key(|(_, ahead)| ahead.sequence)?;
    Some(Behind {
        mode: first.asked.mode,
        place: first.place,
        section: first.entering.map(|(_, section)| section),
    })
}

/// Depth-first search from `start`, from each wait to the waits that block it, visiting each wait
/// once, until an edge leads back to a wait on the path, if a cycle that closes there counts.
/// The waits before the cycle may be in another one, and can be visited again.
fn circle(
    start: u32,
    done: &mut BTreeSet<u32>,
    followers: impl Fn(u32) -> Vec<u32>,
    counts: impl Fn(u32) -> bool,
) -> Option<Vec<u32>> {
    // The path, and the followers of each wait that have not been visited.
    let mut path: Vec<(u32, vec::IntoIter<u32>)> = Vec::new();
    if done.insert(start) {
        path.push((start, followers(start).into_iter()));
    }
    while let Some((_, left)) = path.last_mut() {
        let Some(next) = left.next() else {
            path.pop();
            continue;
        };
        let from = path.iter().position(|(on_path, _)| *on_path == next);
        if let Some(from) = from.filter(|_| counts(next)) {
            for (at, _) in &path[..from] {
                done.remove(at);
            }
            return Some(path[from..].iter().map(|(at, _)| *at).collect());
        }
        if done.insert(next) {
            path.push((next, followers(next).into_iter()));
        }
    }
    None
}

/// The certain cycle of the wait at `start`.
pub(super) fn find_certain(registry: &Registry, start: u32) -> Option<Vec<u32>> {
    let followers = |at: u32| {
        let need = registry.entries.get(at).and_then(need);
        let Some(need) = need.filter(|need| !matches!(need.mode, Mode::Permits(_))) else {
            return Vec::new();
        };
        let keeps = |other: &u32| {
            registry.entries.get(*other).is_some_and(|other| {
                let mut held = other.held.iter();
                other.standing() != Standing::Served
                    && held.any(|held| held.lock == need.lock && conflict(held.mode, need.mode))
            })
        };
        registry.certain.iter().copied().filter(keeps).collect()
    };
    circle(start, &mut BTreeSet::new(), followers, |at| at == start)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::vec;
    use std::vec::Vec;

    use super::circle;

    #[test]
    fn circles_of_which_one_leads_to_the_other() {
        let graph = [vec![1, 4], vec![2], vec![3], vec![2], vec![0]];
        let mut done = BTreeSet::new();
        let mut next = || circle(0, &mut done, |at| graph[at as usize].clone(), |_| true);
        assert_eq!(next(), Some(vec![2, 3]));
        assert_eq!(next(), Some(vec![0, 4]));
        assert_eq!(next(), None);
    }

    #[test]
    fn a_circle_that_closes_elsewhere_does_not_count() {
        let found = |graph: [Vec<u32>; 3]| {
            let followers = |at: u32| graph[at as usize].clone();
            circle(0, &mut BTreeSet::new(), followers, |at| at == 0)
        };
        assert_eq!(found([vec![1], vec![2], vec![1]]), None);
        assert_eq!(found([vec![1], vec![2], vec![1, 0]]), Some(vec![0, 1, 2]));
    }
}
