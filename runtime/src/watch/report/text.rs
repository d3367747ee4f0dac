//! Reports as text, for people.

use core::fmt;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::{Held, Kind, Mode, Order, Place, Report, Resource, SectionInfo, Wait};
use crate::LockId;

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Exclusive => f.write_str("exclusively"),
            Mode::Shared => f.write_str("to read"),
            Mode::Upgradable => f.write_str("to read and upgrade"),
            Mode::Upgrade => f.write_str("to upgrade"),
            Mode::Permits(1) => f.write_str("1 permit"),
            Mode::Permits(permits) => write!(f, "{permits} permits"),
        }
    }
}

impl fmt::Display for SectionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name, self.place)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &Labels::default())
    }
}

impl Held {
    fn write(&self, f: &mut fmt::Formatter<'_>, labels: &Labels<'_>) -> fmt::Result {
        let label = labels.of(&self.lock, self.instance.as_deref(), self.id);
        write!(f, "{label}, ")?;
        match (self.section, self.mode) {
            (Some(section), _) => write!(f, "acquired by {section}")?,
            (None, Some(Mode::Exclusive | Mode::Permits(_))) => {
                write!(f, "acquired at {}", self.place)?;
            }
            // There may be others.
            (None, _) => write!(f, "last acquired at {}", self.place)?,
        }
        match self.mode {
            None | Some(Mode::Permits(_)) => Ok(()),
            Some(mode) => mode.write_unless_exclusive(f),
        }
    }
}

/// Tells locks with one name apart within a report, and shows that several names are of one lock.
#[derive(Default)]
struct Labels<'r> {
    /// The number of each, in the order in which they are met, and its first name.
    locks: BTreeMap<LockId, (usize, &'r str)>,
    /// The first lock of each name.
    names: BTreeMap<&'r str, LockId>,
    /// Those that the name alone does not identify.
    numbered: BTreeSet<LockId>,
}

impl<'r> Labels<'r> {
    fn new(report: &'r Report) -> Self {
        let mut labels = Labels::default();
        for wait in &report.waits {
            if wait.instance.is_none() {
                labels.add(&wait.name, Some(wait.id));
            }
            wait.holding
                .iter()
                .rev()
                .for_each(|held| labels.add_held(held));
        }
        report.held.iter().for_each(|held| labels.add_held(held));
        labels
    }

    fn add_held(&mut self, held: &'r Held) {
        if held.instance.is_none() {
            self.add(&held.lock, held.id);
        }
    }

    fn add(&mut self, name: &'r str, id: Option<LockId>) {
        let Some(id) = id else { return };
        let number = self.locks.len() + 1;
        let (_, first_name) = *self.locks.entry(id).or_insert((number, name));
        let first = *self.names.entry(name).or_insert(id);
        if first != id || first_name != name {
            self.numbered.extend([first, id]);
        }
    }

    fn of<'n>(&self, name: &'n str, instance: Option<&'n str>, id: Option<LockId>) -> Label<'n> {
        let numbered = id.filter(|id| self.numbered.contains(id));
        let number = numbered.and_then(|id| Some(self.locks.get(&id)?.0));
        Label {
            name,
            instance,
            number,
        }
    }
}

struct Label<'n> {
    name: &'n str,
    instance: Option<&'n str>,
    number: Option<usize>,
}

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.instance, self.number) {
            (Some(instance), _) => write!(f, "`{}` {instance}", self.name),
            (None, Some(number)) => write!(f, "`{}` #{number}", self.name),
            (None, None) => write!(f, "`{}`", self.name),
        }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Order { first, then } = self;
        write!(f, "`{}`, by {}", then.lock, then.section)?;
        then.mode.write_unless_exclusive(f)?;
        write!(f, "\n    within `{}`, by {}", first.lock, first.section)?;
        first.mode.write_unless_exclusive(f)
    }
}

impl Mode {
    fn write_unless_exclusive(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Exclusive => Ok(()),
            _ => write!(f, " {self}"),
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, &Labels::default())
    }
}

impl Wait {
    fn write(&self, f: &mut fmt::Formatter<'_>, labels: &Labels<'_>) -> fmt::Result {
        match self.section {
            Some(section) => write!(f, "{section}")?,
            None => write!(f, "{}", self.place)?,
        }
        let name = labels.of(&self.name, self.instance.as_deref(), Some(self.id));
        if self.granted && self.is_notified() {
            write!(f, " was notified by {name} and has not been polled since")?;
        } else if self.granted {
            write!(f, " was granted {name} and has not been polled since")?;
        } else {
            write!(f, " has waited for {} for ", Since(self.since))?;
            match (self.resource, self.section) {
                (Resource::When, Some(section)) if !section.condition.is_empty() => {
                    write!(f, "`{}` of {name}", section.condition)?;
                }
                (Resource::When, _) => write!(f, "a condition of {name}")?,
                (Resource::Condition, _) => write!(f, "a notification of {name}")?,
                (Resource::Barrier, _) => write!(f, "others at {name}")?,
                (Resource::Semaphore, _) => write!(f, "{} of {name}", self.mode)?,
                (Resource::Lock | Resource::Event, _) => write!(f, "{name}")?,
            }
            if self.resource == Resource::Lock {
                self.mode.write_unless_exclusive(f)?;
            }
            if self.has_condition_false {
                f.write_str(", which was false")?;
            }
        }
        for held in self.holding.iter().rev() {
            f.write_str("\n    while it holds ")?;
            held.write(f, labels)?;
        }
        if let Some(behind) = &self.behind {
            write!(f, "\n    queued behind ")?;
            match behind.section {
                Some(section) => write!(f, "{section}")?,
                None => write!(f, "{}", behind.place)?,
            }
            write!(f, ", which waits {}", behind.mode)?;
        }
        if let Some(holder) = &self.last_holder {
            write!(f, "\n    {name} was last known to be held by {holder}")?;
        }
        match (self.last_section, self.last_acquired) {
            (Some(section), _) => write!(f, "\n    {name} was last acquired by {section}"),
            (None, Some(place)) => write!(f, "\n    {name} was last acquired at {place}"),
            (None, None) => Ok(()),
        }
    }

    /// Whether it was let through, if it is `granted`.
    fn is_notified(&self) -> bool {
        match self.resource {
            Resource::Event | Resource::Condition | Resource::Barrier => true,
            Resource::Lock | Resource::Semaphore | Resource::When => false,
        }
    }
}

/// How many of those who wait for a lock that is held for a long time are shown.
const LONG_HOLD_WAITS: usize = 5;

struct Since(Duration);

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} ms", self.0.as_millis()),
            seconds => write!(f, "{seconds} s"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels = Labels::new(self);
        self.write_headline(f)?;
        self.write_waits(f, &labels)?;
        for order in &self.orders {
            writeln!(f, "  {order}")?;
        }
        self.write_held(f, &labels)?;
        if self.has_advice() {
            f.write_str(
                "  One section of all these locks, `#[synchronized(a, b)]` or \
                 `with_lock!(x.a, y.b, ..)`, acquires them in an order that is the same \
                 everywhere. Or end the outer section first\n",
            )?;
        }
        Ok(())
    }
}

impl Report {
    fn write_headline(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("async-monitor: ")?;
        match self.kind {
            Kind::Snapshot => write!(f, "{} waiting, {} held", self.waits.len(), self.held.len())?,
            Kind::Deadlock => {
                f.write_str("deadlock: each of these waits for a lock that the next one holds")?;
            }
            Kind::Unpolled => f.write_str("a lock was granted to a future that nobody polls")?,
            Kind::WaitsWithin => f.write_str(
                "a lock is asked for within a section that holds it: unless the section can go on \
                 without, neither ever will",
            )?,
            Kind::OrderInversion if self.orders.len() > 2 => write!(
                f,
                "{} locks are acquired in orders that form a cycle: sections that do so at the same time \
                 may wait for each other",
                self.orders.len()
            )?,
            Kind::OrderInversion => f.write_str(
                "two locks are acquired in both orders: sections that do so at the same time may wait for \
                 each other",
            )?,
            Kind::OrdersFull => f.write_str(
                "sections acquire locks within each other in more orders than are remembered, or \
                 looked at: further inversions may not be found",
            )?,
            Kind::MetricsFull => f.write_str(
                "there are more classes of locks than are counted: further ones are counted \
                 together",
            )?,
            Kind::LongHold => f.write_str("a lock has been held for a long time")?,
        }
        f.write_str("\n")
    }

    fn write_waits(&self, f: &mut fmt::Formatter<'_>, labels: &Labels<'_>) -> fmt::Result {
        let shown = match self.kind {
            Kind::LongHold => LONG_HOLD_WAITS,
            _ => usize::MAX,
        };
        for wait in self.waits.iter().take(shown) {
            f.write_str("  ")?;
            wait.write(f, labels)?;
            f.write_str("\n")?;
            if let Some(cycle) = wait.circle {
                writeln!(f, "    deadlock: it waits in cycle {cycle}")?;
            }
        }
        if self.waits.len() > shown {
            writeln!(f, "  and {} more", self.waits.len() - shown)?;
        }
        Ok(())
    }

    fn write_held(&self, f: &mut fmt::Formatter<'_>, labels: &Labels<'_>) -> fmt::Result {
        for held in &self.held {
            let is_list = matches!(self.kind, Kind::Snapshot | Kind::LongHold);
            f.write_str(if is_list { "  " } else { "  it holds " })?;
            held.write(f, labels)?;
            match held.since.is_zero() {
                _ if is_list => writeln!(f, ", held for {} or more", Since(held.since))?,
                true => f.write_str("\n")?,
                false => writeln!(f, ", for {} or more", Since(held.since))?,
            }
            if self.kind == Kind::LongHold && held.section.is_none() {
                f.write_str(
                    "  It is kept by a guard. If what waits is called while that guard is kept, \
                     neither will go on: drop the guard first\n",
                )?;
            }
        }
        Ok(())
    }

    /// Whether its locks could be acquired together.
    fn has_advice(&self) -> bool {
        match self.kind {
            Kind::OrderInversion => true,
            Kind::Deadlock => {
                let of_locks =
                    |wait: &&Wait| wait.resource == Resource::Lock && !wait.holding.is_empty();
                let waits = self.waits.iter().filter(of_locks);
                let locks: BTreeSet<LockId> = waits.map(|wait| wait.id).collect();
                locks.len() > 1
            }
            _ => false,
        }
    }
}
