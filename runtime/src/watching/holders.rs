//! The holders of locks with waiters, if no section is registered as the holder.
//!
//! A section registers what it holds when it is suspended. For all other holders (guards that are
//! acquired by hand, and sections that have not been suspended), a lock records the last one to
//! acquire, and a wait copies that record when it begins. Nobody overtakes a queued waiter: so
//! while a waiter is queued, the holder is the one that the last waiter copied, or a waiter that
//! has acquired since and reported it.
//!
//! In builds with `debug_assertions`, [`all_holds`] knows the others, too.
//!
//! A sync lock may be acquired by anybody while others wait. But its waiters are threads, which
//! leak nothing, so the record in the lock itself can be read (W3).

use core::cmp::Reverse;
use std::collections::BTreeMap;
use std::string::String;
use std::time::Instant;
use std::vec::Vec;

use super::HolderCopy;
use super::all_holds;
use super::entries::{Entry, Standing};
use super::registry::{Registry, lock_name};
use super::waiting::type_name_without_paths;
use crate::LockId;
use crate::watch::{Held, Mode};

/// The locks with queued waiters, each with its waits, in order; without the locks that have been
/// granted to a waiter that has not picked the grant up.
pub(super) fn queues_by_lock(registry: &Registry) -> BTreeMap<LockId, Vec<&Entry>> {
    let mut queues: BTreeMap<LockId, Vec<&Entry>> = BTreeMap::new();
    let mut granted = Vec::new();
    for (_, entry) in registry.entries.in_order() {
        match entry.standing() {
            Standing::Queued => queues.entry(entry.asked.lock).or_default().push(entry),
            Standing::Served | Standing::Moving if entry.is_for_a_permit() => {
                granted.push(entry.asked.lock);
            }
            Standing::Served | Standing::Moving | Standing::Unsatisfied => {}
        }
    }
    queues.retain(|lock, _| !granted.contains(lock));
    queues
}

/// The lock of a queue, held by a holder that is not `listed`.
pub(super) fn held_by_others(
    registry: &Registry,
    queue: &[&Entry],
    listed: &[Held],
    now: Instant,
) -> Option<Held> {
    let last = queue.last()?;
    let lock = last.asked.lock;
    let KnownHolder {
        holder,
        mode,
        since,
    } = match last.current_sync_holder() {
        Some(holder) => of_sync_lock(queue, holder),
        None => of_queue(registry, queue)?,
    };
    let place = holder.place()?;
    let is_only_holder = matches!(
        mode,
        Some(Mode::Exclusive | Mode::Upgrade | Mode::Permits(_))
    );
    // The list of all that is held has all holders of the lock, or none.
    let lists_all = cfg!(debug_assertions) || is_only_holder;
    let is_listed = |held: &Held| held.id == Some(lock) && (lists_all || held.place == place);
    if listed.iter().any(is_listed) {
        return None;
    }
    let recorded = registry
        .records
        .last_acquisition(lock)
        .map(|last| last.sequence);
    let since = [since, registry.queue_history.since(lock, recorded)];
    let since = since.into_iter().flatten().min().unwrap_or(now);
    let since = now.saturating_duration_since(since);
    let name = name_in(queue)?;
    let section = holder.section();
    let held = Held::new(name, Some(lock), mode, place, section, since);
    Some(held.of(registry.records.elsewhere.instance(lock)))
}

/// Adds [all that is held](all_holds) to the list of what suspended sections hold.
pub(super) fn add_all(list: &mut Vec<Held>, queues: &BTreeMap<LockId, Vec<&Entry>>) {
    let mut holds = all_holds::all();
    holds.sort_by_key(|hold| Reverse(hold.since));
    for hold in holds {
        let Some(place) = hold.holder.place() else {
            continue;
        };
        let has_one_holder = hold.mode.has_one_holder();
        let is_listed = |held: &Held| {
            let may_be_another = held.mode == Some(Mode::Shared) || !has_one_holder;
            held.id == Some(hold.lock) && (!may_be_another || held.place == place)
        };
        if list.iter().any(is_listed) {
            continue;
        }
        let waiters_name = || queues.get(&hold.lock).and_then(|queue| name_in(queue));
        let name = hold
            .name
            .map(String::from)
            .or_else(waiters_name)
            .unwrap_or_else(|| type_name_without_paths((hold.type_name)()));
        let (mode, section) = (Some(hold.mode), hold.holder.section());
        list.push(Held::new(
            name,
            Some(hold.lock),
            mode,
            place,
            section,
            hold.since,
        ));
    }
}

/// The name of the lock in a queue: that of a section, if one waits.
fn name_in(queue: &[&Entry]) -> Option<String> {
    let with_name = queue.iter().find(|wait| wait.entering.is_some());
    with_name.or(queue.first()).map(|wait| lock_name(wait))
}

struct KnownHolder {
    holder: HolderCopy,
    mode: Option<Mode>,
    since: Option<Instant>,
}

fn of_queue(registry: &Registry, queue: &[&Entry]) -> Option<KnownHolder> {
    let last = queue.last()?;
    let recorded = registry.records.last_acquisition(last.asked.lock);
    let (holder, mode) = match recorded {
        // A change without an acquisition was a release.
        Some(recorded) if recorded.sequence > last.sequence => (recorded.holder, recorded.mode?),
        _ => (last.asked.holder?, last.asked.held?),
    };
    let recorded = recorded.map_or(0, |recorded| recorded.sequence);
    let since = queue.iter().find(|wait| wait.sequence > recorded);
    let mode_is_known = match mode {
        Mode::Permits(_) => last.asked.permits == Some(1),
        Mode::Exclusive | Mode::Shared | Mode::Upgradable | Mode::Upgrade => true,
    };
    (!holder.is_outdated()).then_some(KnownHolder {
        holder,
        mode: mode_is_known.then_some(mode),
        since: since.map(|wait| wait.since),
    })
}

fn of_sync_lock(queue: &[&Entry], holder: HolderCopy) -> KnownHolder {
    let has_met_it = |wait: &&&Entry| {
        wait.asked
            .holder
            .is_some_and(|copied| copied.is_same(holder))
    };
    KnownHolder {
        holder,
        mode: queue.iter().find_map(|wait| wait.asked.held),
        since: queue.iter().find(has_met_it).map(|wait| wait.since),
    }
}
