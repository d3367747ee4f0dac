//! What is reported, for people and for programs.

use core::fmt;
use core::panic::Location;
use core::time::Duration;
use std::string::String;
use std::vec::Vec;

/// What [`report`](super::report) returns, and what the hook is called with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// Why there is a report.
    pub kind: Kind,
    /// Who waits, and for what. In a [`Kind::Deadlock`], each waits for a lock that the next
    /// one holds, and the last for one of the first.
    pub waits: Vec<Wait>,
    /// The locks that sections hold which are suspended.
    pub held: Vec<Held>,
}

/// Why there is a [`Report`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// It was asked for.
    Snapshot,
    /// Sections wait for each other in a circle.
    Deadlock,
    /// A request was granted, and its future has not been polled since.
    Unpolled,
}

/// How a lock is held, or asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Alone: a `Lock`, a `Mutex`, or a `RwLock` to write.
    Exclusive,
    /// To read.
    Shared,
    /// To read, and perhaps to write later.
    Upgradable,
    /// So many permits of a semaphore.
    Permits(usize),
}

/// What can be waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// A lock.
    Lock,
    /// The permits of a semaphore.
    Semaphore,
    /// A lock, and then a condition of what it guards (`when`).
    When,
    /// An `Event`.
    Event,
    /// A notification of a `Condition`.
    Condition,
    /// The others at a `Barrier`.
    Barrier,
}

/// A section.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct SectionInfo {
    /// The name of the fn, or `with_lock!`.
    pub name: &'static str,
    /// Where it is written.
    pub place: Place,
    /// The condition that it waits for, as it is written, or empty.
    pub condition: &'static str,
}

/// A place in the source.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    file: &'static str,
    line: u32,
    column: u32,
}

impl Place {
    pub(crate) const fn new(file: &'static str, line: u32, column: u32) -> Self {
        Place { file, line, column }
    }

    /// The file.
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line, from 1.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl From<&Location<'static>> for Place {
    fn from(location: &Location<'static>) -> Self {
        Place::new(location.file(), location.line(), location.column())
    }
}

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

/// A lock that a section holds.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Held {
    /// The lock: `Account.ledger` where a derive knows it, else as the section names it.
    pub lock: &'static str,
    /// How it is held.
    pub mode: Mode,
    /// By which section.
    pub section: SectionInfo,
    /// For how long the section has been suspended.
    pub since: Duration,
}

/// Somebody who waits.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wait {
    /// What is waited for.
    pub resource: Resource,
    /// Its name: `Account.ledger` where a derive knows it, else as the section names it, or
    /// its type.
    pub name: String,
    /// What is asked for.
    pub mode: Mode,
    /// Where.
    pub place: Place,
    /// By which section, if by one.
    pub section: Option<SectionInfo>,
    /// For how long.
    pub since: Duration,
    /// The request has been granted, and the future not been polled since.
    pub granted: bool,
    /// Where the lock was acquired last: by its holder, or by who had it last.
    pub last_acquired: Option<Place>,
    /// The locks that are held by the sections around, from the outermost on.
    pub holding: Vec<Held>,
}

impl Report {
    pub(crate) fn new(kind: Kind, waits: Vec<Wait>, held: Vec<Held>) -> Self {
        Report { kind, waits, held }
    }
}

impl Held {
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn new(
        lock: &'static str,
        mode: Mode,
        section: SectionInfo,
        since: Duration,
    ) -> Self {
        Held {
            lock,
            mode,
            section,
            since,
        }
    }
}

impl SectionInfo {
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) const fn new(name: &'static str, place: Place, condition: &'static str) -> Self {
        SectionInfo {
            name,
            place,
            condition,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Mode::Exclusive => f.write_str("exclusively"),
            Mode::Shared => f.write_str("to read"),
            Mode::Upgradable => f.write_str("to read and upgrade"),
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
        write!(f, "`{}`, acquired by {}", self.lock, self.section)?;
        if self.mode != Mode::Exclusive {
            write!(f, " {}", self.mode)?;
        }
        Ok(())
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.section {
            Some(section) => write!(f, "{section}")?,
            None => write!(f, "{}", self.place)?,
        }
        let since = Since(self.since);
        if self.granted {
            write!(
                f,
                " was granted `{}` and has not been polled since",
                self.name
            )?;
        } else {
            match (self.resource, self.section) {
                (Resource::When, Some(section)) if !section.condition.is_empty() => write!(
                    f,
                    " has waited for {since} for `{}` of `{}`",
                    section.condition, self.name
                )?,
                _ => write!(f, " has waited for {since} for `{}`", self.name)?,
            }
            if self.mode != Mode::Exclusive && self.resource <= Resource::Semaphore {
                write!(f, " {}", self.mode)?;
            }
        }
        for held in self.holding.iter().rev() {
            write!(f, "\n    while it holds {held}")?;
        }
        if let Some(place) = self.last_acquired {
            write!(f, "\n    `{}` was last acquired at {place}", self.name)?;
        }
        Ok(())
    }
}

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
        match self.kind {
            Kind::Snapshot => writeln!(
                f,
                "async-monitor: {} waiting, {} held by suspended sections",
                self.waits.len(),
                self.held.len()
            )?,
            Kind::Deadlock => f.write_str(
                "async-monitor: deadlock: each of these waits for a lock that the next one holds\n",
            )?,
            Kind::Unpolled => {
                f.write_str("async-monitor: a lock was granted to a future that nobody polls\n")?
            }
        }
        for wait in &self.waits {
            writeln!(f, "  {wait}")?;
        }
        if self.kind == Kind::Snapshot {
            for held in &self.held {
                writeln!(f, "  {held}, suspended for {}", Since(held.since))?;
            }
        }
        Ok(())
    }
}
