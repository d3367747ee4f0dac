//! Who holds what is waited for, where no section is known to.
//!
//! A section says what it holds when it is suspended. Of all others (guards that are acquired by
//! hand, and sections that have not been suspended) a lock knows which of them has acquired it
//! last, and a wait knows what the lock knew when it began. Nobody overtakes those in the line of
//! a lock: so while one is in it, the lock is held by whom the last of them found, or by one who
//! has waited since, and told of that.
//!
//! A short lock may be acquired by anybody while others wait. But they are threads, which leak
//! nothing, so that the lock can be asked (W3).

use std::collections::BTreeMap;
use std::time::Instant;
use std::vec::Vec;

use super::Seen;
use super::entries::{Entry, Standing};
use super::registry::{Registry, name};
use crate::LockId;
use crate::watch::{Held, Mode};

/// The locks that somebody waits for, each with those in its line, in order; but for those that
/// have been granted to somebody who has not picked them up.
pub(super) fn lines(registry: &Registry) -> BTreeMap<LockId, Vec<&Entry>> {
    let mut lines: BTreeMap<LockId, Vec<&Entry>> = BTreeMap::new();
    let mut granted = Vec::new();
    for (_, entry) in registry.entries.in_order() {
        match entry.standing() {
            Standing::Queued => lines.entry(entry.asked.lock).or_default().push(entry),
            Standing::Served | Standing::Moving if entry.is_for_a_permit() => {
                granted.push(entry.asked.lock);
            }
            Standing::Served | Standing::Moving | Standing::Unsatisfied => {}
        }
    }
    lines.retain(|lock, _| !granted.contains(lock));
    lines
}

/// The lock of a line, as it is held by somebody who is none of the `sections`.
pub(super) fn held_by_others(
    registry: &Registry,
    line: &[&Entry],
    sections: &[Held],
    now: Instant,
) -> Option<Held> {
    let (first, last) = (line.first()?, line.last()?);
    let lock = last.asked.lock;
    let Holding { seen, mode, since } = match last.short_holder() {
        Some(seen) => of_short(line, seen),
        None => of_line(registry, line)?,
    };
    let place = seen.place()?;
    let is_alone = matches!(
        mode,
        Some(Mode::Exclusive | Mode::Upgrade | Mode::Permits(_))
    );
    let is_known = |held: &Held| held.id == Some(lock) && (is_alone || held.place == place);
    if sections.iter().any(is_known) {
        return None;
    }
    let with_name = line.iter().find(|wait| wait.entering.is_some());
    let told = registry.told.of(lock).map(|told| told.sequence);
    let since = [since, registry.lines.since(lock, told)];
    let since = since.into_iter().flatten().min().unwrap_or(now);
    let since = now.saturating_duration_since(since);
    let name = name(with_name.unwrap_or(first));
    let section = seen.section();
    let held = Held::new(name, Some(lock), mode, place, section, since);
    Some(held.of(registry.told.elsewhere.instance(lock)))
}

struct Holding {
    seen: Seen,
    mode: Option<Mode>,
    since: Option<Instant>,
}

fn of_line(registry: &Registry, line: &[&Entry]) -> Option<Holding> {
    let last = line.last()?;
    let told = registry.told.of(last.asked.lock);
    let (seen, mode) = match told {
        // If it was not acquired, but changed, it was released then.
        Some(told) if told.sequence > last.sequence => (told.holder, told.mode?),
        _ => (last.asked.holder?, last.asked.held?),
    };
    let told = told.map_or(0, |told| told.sequence);
    let since = line.iter().find(|wait| wait.sequence > told);
    let is_known = match mode {
        Mode::Permits(_) => last.asked.permits == Some(1),
        Mode::Exclusive | Mode::Shared | Mode::Upgradable | Mode::Upgrade => true,
    };
    (!seen.was_handed_on()).then_some(Holding {
        seen,
        mode: is_known.then_some(mode),
        since: since.map(|wait| wait.since),
    })
}

fn of_short(line: &[&Entry], seen: Seen) -> Holding {
    let found_it = |wait: &&&Entry| wait.asked.holder.is_some_and(|holder| holder.is(seen));
    Holding {
        seen,
        mode: line.iter().find_map(|wait| wait.asked.held),
        since: line.iter().find(found_it).map(|wait| wait.since),
    }
}
