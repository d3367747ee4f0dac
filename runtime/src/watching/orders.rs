//! In which order sections acquire locks within each other, by class.
//!
//! A class is a lock of a struct that a derive knows (`Account.ledger`), of all its instances.
//! A section that acquires a lock within the section of another adds an *order*: the pair of
//! their classes, how each is held, and the *gates*: what else is held meanwhile. Two orders are
//! *inverse* if each could keep the other waiting, were they to run at the same time:
//!
//! - the pairs are opposite, and the modes in which both hold each class exclude each other;
//! - no gate of the one excludes a gate of the other: under a common outer lock, they never
//!   run at the same time. Gates are compared by their class (of locks that no derive knows, by
//!   their type), not by instance: rather none is reported than a false one.
//!
//! What adds no order:
//!
//! - the locks of one section among each other: it acquires them in the order of their ids;
//! - two instances of one class: whether a program has an order among instances, as from a parent
//!   to its child, cannot be told by their addresses;
//! - an acquisition that does not wait (`try_*`), or by hand, as the later one;
//! - locks that no derive knows, as there is no telling which of them are alike.
//!
//! Memory is bounded, and it is said once when that is met. Each thread remembers what it has
//! added lately, so that nothing is locked for what is known.

use core::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use super::frames::print;
use super::registry::{self, conflict};
use super::waiting::Busy;
use crate::watch::{Kind, Mode, Order, OrderedLock, Report, SectionInfo};

/// How many classes, and pairs of them, are remembered.
const CLASSES: usize = 1024;
const PAIRS: usize = 4096;

/// How many orders of a pair, which differ in their modes or gates.
const ORDERS: usize = 8;

/// What a lock is of.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// The type of what is entered.
    pub(super) entered: fn() -> &'static str,
    /// As its derive, or the section, calls the lock.
    pub(super) name: &'static str,
}

/// A lock that a section has acquired.
#[derive(Clone, Copy)]
pub(super) struct Acquired {
    pub(super) class: Class,
    pub(super) mode: Mode,
    pub(super) section: SectionInfo,
    /// Another lock of the section that acquires, which is a gate and nothing more.
    pub(super) is_own: bool,
}

/// A class, by its number; known to a derive or not.
type ClassNumber = usize;

/// See the module.
struct Pair {
    first: Acquired,
    then: Acquired,
    gates: Vec<(ClassNumber, Mode)>,
}

struct Orders {
    /// By the types that are entered, and the names.
    classes: BTreeMap<(&'static str, &'static str), ClassNumber>,
    pairs: BTreeMap<(ClassNumber, ClassNumber), Vec<Pair>>,
    count: usize,
    /// With the smaller number first.
    reported: BTreeSet<(ClassNumber, ClassNumber)>,
    is_full: bool,
}

static KNOWN: Mutex<Orders> = Mutex::new(Orders {
    classes: BTreeMap::new(),
    pairs: BTreeMap::new(),
    count: 0,
    reported: BTreeSet::new(),
    is_full: false,
});

const REMEMBERED: usize = 64;

std::thread_local! {
    /// Hashes of what this thread has added lately.
    static ADDED: RefCell<[u64; REMEMBERED]> = const { RefCell::new([0; REMEMBERED]) };
}

/// A section has acquired `then`, within those that hold `held`, from the innermost on.
pub(super) fn acquired(held: &[Acquired], then: Acquired) {
    if !then.class.is_known() {
        return;
    }
    // An allocator of the user's could have sections in its turn.
    let Some(_busy) = Busy::new() else {
        return;
    };
    let mut reports = Vec::new();
    let mut orders = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    orders.add_all(held, then, &mut reports);
    drop(orders);
    if !reports.is_empty() {
        registry::tell(reports);
    }
}

/// Whether this thread has not added lately what the hash is of.
pub(super) fn is_new(hash: u64) -> bool {
    let added = ADDED.try_with(|added| {
        let mut added = added.borrow_mut();
        let slot = hash as usize % REMEMBERED;
        core::mem::replace(&mut added[slot], hash) == hash
    });
    added.is_ok_and(|added| !added)
}

impl Class {
    /// The hash of a lock of the class, behind others of that hash.
    pub(super) fn hash(self, before: u64, mode: Mode) -> u64 {
        let mode = match mode {
            Mode::Exclusive => 1,
            Mode::Shared => 2,
            Mode::Upgradable => 3,
            Mode::Upgrade => 4,
            Mode::Permits(_) => 5,
        };
        let name = self.name.as_ptr().addr() as u64;
        let class = print(self.entered as usize as u64, name);
        print(before ^ class, mode)
    }

    /// Its name, and the type, as they are shown.
    pub(super) fn shown(self) -> (&'static str, &'static str) {
        let entered = (self.entered)();
        // Around a lock that no derive knows, there is one of our own types.
        let lock = entered.split_once('<').filter(|_| !self.is_known());
        let lock = lock.and_then(|(_, lock)| lock.strip_suffix('>'));
        (self.name, lock.unwrap_or(entered))
    }

    /// Whether a derive knows it.
    fn is_known(self) -> bool {
        // What sections enter else is one of our own types, around the lock.
        !(self.entered)().starts_with("async_monitor::__private::")
    }

    fn key(self) -> (&'static str, &'static str) {
        let name = if self.is_known() { self.name } else { "" };
        ((self.entered)(), name)
    }
}

impl Orders {
    fn add_all(&mut self, held: &[Acquired], then: Acquired, reports: &mut Vec<Report>) {
        let was_full = self.is_full;
        let numbers: Vec<_> = held.iter().map(|held| self.number(held.class)).collect();
        let Some(to) = self.number(then.class) else {
            return self.say_if_full(was_full, reports);
        };
        for (first, from) in held.iter().zip(&numbers) {
            let Some(from) = from.filter(|from| *from != to) else {
                continue;
            };
            if first.is_own || !first.class.is_known() {
                continue;
            }
            let others = held.iter().zip(&numbers);
            let gates = others.filter_map(|(gate, number)| {
                number
                    .filter(|number| *number != from && *number != to)
                    .map(|number| (number, gate.mode))
            });
            let pair = Pair {
                first: *first,
                then,
                gates: gates.collect(),
            };
            reports.extend(self.add(from, to, pair));
        }
        self.say_if_full(was_full, reports);
    }

    /// Adds an order, and returns a report if there is an inverse one, for the first time.
    fn add(&mut self, from: ClassNumber, to: ClassNumber, pair: Pair) -> Option<Report> {
        let unordered = (from.min(to), from.max(to));
        let known = self.pairs.get(&(from, to)).map_or(&[][..], Vec::as_slice);
        if self.reported.contains(&unordered) || known.iter().any(|known| known.covers(&pair)) {
            return None;
        }
        let opposite = self.pairs.get(&(to, from)).map_or(&[][..], Vec::as_slice);
        let report = opposite.iter().find(|other| pair.is_inverse_of(other));
        let report = report.map(|other| {
            let mut report = Report::new(Kind::OrderInversion, Vec::new(), Vec::new());
            report.orders = [other, &pair].map(Pair::shown).into();
            report
        });
        if report.is_some() {
            self.reported.insert(unordered);
        } else if self.count < PAIRS && known.len() < ORDERS {
            self.count += 1;
            self.pairs.entry((from, to)).or_default().push(pair);
        } else {
            self.is_full = true;
        }
        report
    }

    fn number(&mut self, class: Class) -> Option<ClassNumber> {
        let next = self.classes.len();
        let key = class.key();
        if let Some(number) = self.classes.get(&key) {
            return Some(*number);
        }
        if next == CLASSES {
            self.is_full = true;
            return None;
        }
        self.classes.insert(key, next);
        Some(next)
    }

    fn say_if_full(&self, was_full: bool, reports: &mut Vec<Report>) {
        if self.is_full && !was_full {
            reports.push(Report::new(Kind::OrdersFull, Vec::new(), Vec::new()));
        }
    }
}

impl Pair {
    /// Whether what is inverse to `other` is inverse to this.
    fn covers(&self, other: &Pair) -> bool {
        self.first.mode == other.first.mode
            && self.then.mode == other.then.mode
            && self.gates.iter().all(|gate| other.gates.contains(gate))
    }

    /// For a pair of the opposite classes. See the module.
    fn is_inverse_of(&self, other: &Pair) -> bool {
        let excludes = |one: Mode, other: Mode| conflict(one, other) || conflict(other, one);
        let have_a_gate = self.gates.iter().any(|(class, mode)| {
            let common = other.gates.iter().filter(|(other, _)| class == other);
            common.into_iter().any(|(_, other)| excludes(*mode, *other))
        });
        conflict(self.first.mode, other.then.mode)
            && conflict(other.first.mode, self.then.mode)
            && !have_a_gate
    }

    fn shown(&self) -> Order {
        let lock = |acquired: Acquired| OrderedLock {
            lock: acquired.class.name,
            mode: acquired.mode,
            section: acquired.section,
        };
        Order {
            first: lock(self.first),
            then: lock(self.then),
        }
    }
}
