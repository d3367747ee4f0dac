//! Reports, for people and for programs.
//!
//! With the feature `serde`, all types implement `Serialize`: each field has its name, except that
//! times are in milliseconds and their names end in `_ms`.

use core::fmt;
use core::panic::Location;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::vec::Vec;

use super::{Mode, Resource};
use crate::LockId;

/// The result of [`report`](super::report), and the argument of the hook.
///
/// ```
/// # use async_monitor::Lock;
/// # use std::{future::Future, pin::pin, task::{Context, Waker}};
/// # let lock = Lock::new();
/// # let _guard = lock.try_acquire();
/// # let mut waiting = pin!(lock.acquire());
/// # let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// use async_monitor::watch;
///
/// let report = watch::report();
/// for wait in &report.waits {
///     println!("{} has waited for {} for {:?}", wait.place, wait.name, wait.since);
/// }
/// # assert_eq!(watch::IS_ON, report.waits.iter().any(|wait| wait.place.file() == file!()));
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The reason for the report.
    pub kind: Kind,
    /// The waits. In a [`Kind::Deadlock`], each waits for a lock that the next one holds, and the
    /// last for a lock of the first.
    pub waits: Vec<Wait>,
    /// The locks that are held: those of sections that are suspended or whose threads wait, and all
    /// other locks that somebody waits for. A guard that was acquired by hand is not known unless
    /// somebody waits for its lock.
    pub held: Vec<Held>,
    /// The orders of a [`Kind::OrderInversion`]: each begins with the lock that the previous one
    /// acquires, and the first with the lock that the last one acquires.
    pub orders: Vec<Order>,
}

/// The reason for a [`Report`].
///
/// ```
/// use async_monitor::watch::{self, Kind};
///
/// watch::set_hook(|report| match report.kind {
///     Kind::Deadlock => panic!("{report}"),
///     _ => eprintln!("{report}"),
/// });
/// assert_eq!(watch::report().kind, Kind::Snapshot);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Kind {
    /// The report was requested.
    Snapshot,
    /// Sections wait for each other in a cycle.
    Deadlock,
    /// A request was granted, but its future has not been polled since.
    Unpolled,
    /// A request waits for a lock that an enclosing section holds, and that section polls the
    /// request through an executor of its own (a `FuturesUnordered`, a `LocalSet`, a `block_on`).
    /// Neither goes on, unless the section can do without the request.
    WaitsWithin,
    /// Nested sections acquired locks of two classes in both orders, or of three and more in orders
    /// that form a cycle. If such sections run at the same time, they may wait for each other for
    /// ever. Reported once for the same classes.
    OrderInversion,
    /// The memory for orders is full: new orders are neither remembered nor checked, and further
    /// inversions may not be found. Reported once.
    OrdersFull,
    /// Sections acquired locks of so many classes that all further classes are
    /// [counted](super::metrics) as one. Reported once.
    MetricsFull,
    /// A lock has been held for [long](super::set_long_hold).
    LongHold,
}

/// A section.
///
/// ```
/// use async_monitor::watch;
///
/// for held in watch::report().held {
///     let section = held.section.map_or("a guard", |section| section.name);
///     println!("{section} at {} holds {}", held.place, held.lock);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SectionInfo {
    /// The name of the fn, or `with_lock!`.
    pub name: &'static str,
    /// Its place in the source.
    pub place: Place,
    /// The source text of the condition that it waits for, or empty.
    #[cfg_attr(feature = "serde", serde(serialize_with = "super::json::or_null"))]
    pub condition: &'static str,
}

/// A place in the source.
///
/// ```
/// use async_monitor::watch;
///
/// for wait in watch::report().waits {
///     let place = wait.place;
///     assert_eq!(place.to_string(), format!("{}:{}:{}", place.file(), place.line(), place.column()));
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
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
    ///
    /// ```
    /// use async_monitor::watch::Place;
    /// use std::panic::Location;
    ///
    /// let place = Place::from(Location::caller());
    /// assert_eq!(place.file(), file!());
    /// ```
    pub fn file(&self) -> &'static str {
        self.file
    }

    /// The line, from 1.
    ///
    /// ```
    /// use async_monitor::watch::Place;
    /// use std::panic::Location;
    ///
    /// let (place, line) = (Place::from(Location::caller()), line!());
    /// assert_eq!(place.line(), line);
    /// ```
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, from 1.
    ///
    /// ```
    /// use async_monitor::watch::Place;
    /// use std::panic::Location;
    ///
    /// let location = Location::caller();
    /// assert_eq!(Place::from(location).column(), location.column());
    /// ```
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl From<&'static Location<'static>> for Place {
    fn from(location: &'static Location<'static>) -> Self {
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

/// A lock that is held.
///
/// ```
/// use async_monitor::watch;
///
/// for held in watch::report().held {
///     println!("{} has been held ({:?}) for {:?}", held.lock, held.mode, held.since);
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Held {
    /// The name of the lock: `Account.ledger` if it is in a derive, else its name in the section,
    /// or its type.
    pub lock: String,
    /// The instance, for a lock outside of this process: `"billing/42" on postgres`.
    pub instance: Option<String>,
    /// The id, which tells it from other locks with the same name. Unknown for your own
    /// implementations of `AsyncLock`.
    pub id: Option<LockId>,
    /// How it is held, if that is known: of readers, by one or more; of permits, how many in all. In
    /// optimized builds, it is unknown for a semaphore of several permits, and for a
    /// [`sync::RwLock`](crate::sync::RwLock) that a writer waits for.
    pub mode: Option<Mode>,
    /// Where it was acquired. If it can have several holders, where the last of them acquired it,
    /// which may have released it since.
    pub place: Place,
    /// The section that acquired it. `None` for a guard that was acquired by hand, and for a
    /// section of a lock of [`sync`](crate::sync) of which only the place is known.
    pub section: Option<SectionInfo>,
    /// How long it has been held, counted from the acquisition (in builds with `debug_assertions`),
    /// from when its section was first suspended, or from when somebody began to wait for the lock.
    /// In optimized builds, a lock of [`sync`](crate::sync) may have been released meanwhile, and
    /// acquired again at the same place: that is not seen.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "since_ms", serialize_with = "super::json::millis")
    )]
    pub since: Duration,
}

/// A lock order: a section acquired a lock inside of a section that holds another lock.
///
/// ```
/// use async_monitor::watch::{self, Kind};
///
/// watch::set_hook(|report| {
///     if report.kind == Kind::OrderInversion {
///         for order in &report.orders {
///             eprintln!("{}, and then {}", order.first.lock, order.then.lock);
///         }
///     }
/// });
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Order {
    /// The lock that was held.
    pub first: OrderedLock,
    /// The lock that was acquired while the first was held.
    pub then: OrderedLock,
}

/// A lock of an [`Order`]: any instance.
///
/// ```
/// use async_monitor::watch::OrderedLock;
///
/// fn explain(lock: &OrderedLock) -> String {
///     format!("{}, acquired at {}", lock.lock, lock.section.place)
/// }
/// # let _ = explain;
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct OrderedLock {
    /// Its name: `Account.ledger`.
    pub lock: &'static str,
    /// How it was acquired.
    pub mode: Mode,
    /// The section that acquired it.
    pub section: SectionInfo,
}

/// A wait: a request that has not been granted, or not picked up.
///
/// ```
/// # use async_monitor::Lock;
/// # use std::{future::Future, pin::pin, task::{Context, Waker}};
/// # let lock = Lock::new();
/// # let _guard = lock.try_acquire();
/// # let mut waiting = pin!(lock.acquire());
/// # let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// use async_monitor::watch;
///
/// for wait in watch::report().waits {
///     if let Some(holder) = wait.last_acquired {
///         println!("{} waits for {}, which was acquired at {holder}", wait.place, wait.name);
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Wait {
    /// The kind of resource that is waited for.
    pub resource: Resource,
    /// Its name: `Account.ledger` if it is in a derive, else its name in the section, or its type.
    pub name: String,
    /// The instance, for a lock outside of this process: `"billing/42" on postgres`.
    pub instance: Option<String>,
    /// The id, which tells it from others with the same name.
    pub id: LockId,
    /// The access that is requested.
    pub mode: Mode,
    /// The place of the request.
    pub place: Place,
    /// The section, if there is one.
    pub section: Option<SectionInfo>,
    /// How long it has waited.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "since_ms", serialize_with = "super::json::millis")
    )]
    pub since: Duration,
    /// Whether the request has been granted, and its future not been polled since.
    pub granted: bool,
    /// Whether the condition was false, and the guarded data has not changed since.
    pub has_condition_false: bool,
    /// Where the lock was last acquired, by its current or its last holder.
    pub last_acquired: Option<Place>,
    /// The section, if there is one.
    pub last_section: Option<SectionInfo>,
    /// The last known holder of a lock outside of this process: a host and the id of a process
    /// there.
    pub last_holder: Option<String>,
    /// The locks that the enclosing sections hold, from the outermost on.
    pub holding: Vec<Held>,
    /// In a cycle, the request that is queued before this one, if this wait is only for its turn:
    /// the current holders would admit it.
    pub behind: Option<Behind>,
    /// In a [`Kind::Snapshot`], the number of the cycle that this wait is in, if nothing in the
    /// cycle has moved for the [threshold](super::set_threshold). The cycles of a report are
    /// numbered from 1.
    pub circle: Option<usize>,
}

/// The request that a [`Wait`] is queued behind.
///
/// ```
/// use async_monitor::watch;
///
/// for wait in watch::report().waits {
///     if let Some(behind) = wait.behind {
///         println!("{} is queued behind {}", wait.place, behind.place);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Behind {
    /// The access that it requests.
    pub mode: Mode,
    /// The place of the request.
    pub place: Place,
    /// The section, if there is one.
    pub section: Option<SectionInfo>,
}

impl Report {
    pub(crate) fn new(kind: Kind, waits: Vec<Wait>, held: Vec<Held>) -> Self {
        let mut report = Report {
            kind,
            waits,
            held,
            orders: Vec::new(),
        };
        report.name_by_sections();
        report
    }

    /// A request by hand knows the type of its lock only; a section of the same lock, its name.
    fn name_by_sections(&mut self) {
        let of_waits = self.waits.iter().filter(|wait| wait.section.is_some());
        let enclosing = self.waits.iter().flat_map(|wait| &wait.holding);
        let of_held = self.held.iter().chain(enclosing);
        let names: BTreeMap<LockId, String> = of_held
            .filter(|held| held.section.is_some())
            .filter_map(|held| Some((held.id?, held.lock.clone())))
            .chain(of_waits.map(|wait| (wait.id, wait.name.clone())))
            .collect();
        for wait in self.waits.iter_mut().filter(|wait| wait.section.is_none()) {
            if let Some(name) = names.get(&wait.id) {
                wait.name.clone_from(name);
            }
        }
        for held in self.held.iter_mut().filter(|held| held.section.is_none()) {
            if let Some(name) = held.id.and_then(|id| names.get(&id)) {
                held.lock.clone_from(name);
            }
        }
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

impl Held {
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn new(
        lock: String,
        id: Option<LockId>,
        mode: Option<Mode>,
        place: Place,
        section: Option<SectionInfo>,
        since: Duration,
    ) -> Self {
        Held {
            lock,
            instance: None,
            id,
            mode,
            place,
            section,
            since,
        }
    }

    /// That instance of the lock.
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn of(self, instance: Option<String>) -> Self {
        Held { instance, ..self }
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
    /// Those that a name does not tell.
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

/// How many of those who wait for a lock that is held for long are shown.
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
        match self.kind {
            Kind::Snapshot => writeln!(
                f,
                "async-monitor: {} waiting, {} held",
                self.waits.len(),
                self.held.len()
            )?,
            Kind::Deadlock => f.write_str(
                "async-monitor: deadlock: each of these waits for a lock that the next one holds\n",
            )?,
            Kind::Unpolled => {
                f.write_str("async-monitor: a lock was granted to a future that nobody polls\n")?
            }
            Kind::WaitsWithin => f.write_str(
                "async-monitor: a lock is asked for within a section that holds it: unless the \
                 section can go on without, neither ever will\n",
            )?,
            Kind::OrderInversion if self.orders.len() > 2 => writeln!(
                f,
                "async-monitor: {} locks are acquired in orders that form a cycle: sections that \
                 do so at a time may wait for each other",
                self.orders.len()
            )?,
            Kind::OrderInversion => f.write_str(
                "async-monitor: two locks are acquired in both orders: sections that do so at a \
                 time may wait for each other\n",
            )?,
            Kind::OrdersFull => f.write_str(
                "async-monitor: sections acquire locks within each other in more orders than are \
                 remembered, or looked at: further inversions may not be found\n",
            )?,
            Kind::MetricsFull => f.write_str(
                "async-monitor: there are more classes of locks than are counted: further ones \
                 are counted together\n",
            )?,
            Kind::LongHold => f.write_str("async-monitor: a lock has been held for long\n")?,
        }
        let labels = Labels::new(self);
        let shown = match self.kind {
            Kind::LongHold => LONG_HOLD_WAITS,
            _ => usize::MAX,
        };
        for wait in self.waits.iter().take(shown) {
            f.write_str("  ")?;
            wait.write(f, &labels)?;
            f.write_str("\n")?;
            if let Some(cycle) = wait.circle {
                writeln!(f, "    deadlock: it waits in cycle {cycle}")?;
            }
        }
        if self.waits.len() > shown {
            writeln!(f, "  and {} more", self.waits.len() - shown)?;
        }
        for order in &self.orders {
            writeln!(f, "  {order}")?;
        }
        for held in &self.held {
            let is_list = matches!(self.kind, Kind::Snapshot | Kind::LongHold);
            f.write_str(if is_list { "  " } else { "  it holds " })?;
            held.write(f, &labels)?;
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
