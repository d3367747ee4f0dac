//! Reports, for people and for programs.
//!
//! With the feature `serde`, all types implement `Serialize`: each field has its name, except that
//! times are in milliseconds and their names end in `_ms`.

mod text;

use core::panic::Location;
use core::time::Duration;
use std::collections::BTreeMap;
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
    /// The id, which distinguishes it from other locks with the same name. Unknown for your own
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
    /// The id, which distinguishes it from others with the same name.
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
