//! Lock-order checking: the order in which nested sections acquire locks, by class.
//!
//! A class is a lock of a struct that a derive knows (`Account.ledger`), of all its instances.
//! A section that acquires a lock within a section of another lock adds an *order*: the pair of
//! their classes, the mode in which each is held, and the *gates*, the other locks that are held
//! meanwhile. Two or more orders form a *cycle* if, running concurrently, each could block the
//! one before it, and the first the last:
//!
//! - each begins with the class that the one before it acquires, and the modes in which the two
//!   hold that class exclude each other;
//! - no gate or lock that one holds excludes one that another holds: under a common outer lock,
//!   they never run at the same time. These are compared by class (of locks that no derive knows,
//!   by their type), not by instance: a missed report is better than a false one.
//!
//! A new order is searched for cycles that it closes, from the shortest on, up to a length and a
//! number of steps.
//!
//! No order is added for
//!
//! - the locks of one section among each other: it acquires them in the order of their ids;
//! - two instances of one class: a program may order its instances, such as a parent before
//!   its child, which addresses do not show;
//! - an acquisition that does not wait (`try_*`), or by hand, as the later one;
//! - locks that no derive knows, as nothing says which of them belong together.
//!
//! Memory and steps are bounded, and reaching a bound is reported once. Each thread remembers
//! the orders that it has added lately, so that nothing is locked for a known order.

use core::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;

use super::frames::hash_pair;
use super::registry::{self, conflict};
use super::waiting::Busy;
use crate::watch::{Kind, Mode, Order, OrderedLock, Report, SectionInfo};

/// How many classes, and pairs of them, are remembered.
const CLASSES: usize = 1024;
const PAIRS: usize = 4096;

/// How many orders of a pair are remembered, with different modes or gates.
const ORDERS: usize = 8;

/// The most orders in a cycle.
const MAX_CYCLE: usize = 5;

/// How many orders are visited in the search for the cycles of one.
const STEPS: usize = 10_000;

/// The class of a lock.
#[derive(Clone, Copy)]
pub(super) struct Class {
    /// The type that a section enters.
    pub(super) entered: fn() -> &'static str,
    /// The name of the lock in its derive, or in the section.
    pub(super) name: &'static str,
}

/// A lock that a section has acquired.
#[derive(Clone, Copy)]
pub(super) struct Acquired {
    pub(super) class: Class,
    pub(super) mode: Mode,
    pub(super) section: SectionInfo,
    /// Another lock of the acquiring section, which is only a gate.
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
    /// The classes of reported cycles, in order of their numbers.
    reported: BTreeSet<Vec<ClassNumber>>,
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
    /// Hashes of the orders that this thread has added lately.
    static ADDED: RefCell<[u64; REMEMBERED]> = const { RefCell::new([0; REMEMBERED]) };
}

/// A section has acquired `then`, within sections that hold `held`, from the innermost on.
pub(super) fn acquired(held: &[Acquired], then: Acquired) {
    if !then.class.is_known() {
        return;
    }
    // The user's allocator could enter sections itself.
    let Some(_busy) = Busy::new() else {
        return;
    };
    let mut reports = Vec::new();
    let mut orders = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    orders.add_all(held, then, &mut reports);
    drop(orders);
    if !reports.is_empty() {
        registry::report_urgently(reports);
    }
}

/// Whether this thread has not lately added the order with that hash.
pub(super) fn is_new(hash: u64) -> bool {
    let added = ADDED.try_with(|added| {
        let mut added = added.borrow_mut();
        let slot = hash as usize % REMEMBERED;
        core::mem::replace(&mut added[slot], hash) == hash
    });
    added.is_ok_and(|added| !added)
}

impl Class {
    /// The hash of a lock of the class, after other locks with the hash `before`.
    pub(super) fn hash(self, before: u64, mode: Mode) -> u64 {
        let mode = match mode {
            Mode::Exclusive => 1,
            Mode::Shared => 2,
            Mode::Upgradable => 3,
            Mode::Upgrade => 4,
            Mode::Permits(_) => 5,
        };
        let name = self.name.as_ptr().addr() as u64;
        let class = hash_pair(self.entered as usize as u64, name);
        hash_pair(before ^ class, mode)
    }

    /// Its name and type, for a report.
    pub(super) fn shown(self) -> (&'static str, &'static str) {
        let entered = (self.entered)();
        // A lock that no derive knows is wrapped in one of our own types.
        let lock = entered.split_once('<').filter(|_| !self.is_known());
        let lock = lock.and_then(|(_, lock)| lock.strip_suffix('>'));
        (self.name, lock.unwrap_or(entered))
    }

    /// Whether a derive knows it.
    fn is_known(self) -> bool {
        // Otherwise, sections enter one of our own types, around the lock.
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

    /// Adds an order, and returns a report if it closes a cycle that was not reported before.
    fn add(&mut self, from: ClassNumber, to: ClassNumber, pair: Pair) -> Option<Report> {
        let known = self.pairs.get(&(from, to)).map_or(&[][..], Vec::as_slice);
        if known.iter().any(|known| known.covers(&pair)) {
            return None;
        }
        let mut search = Search {
            orders: self,
            steps: STEPS,
            path: [(from, &pair)].into(),
        };
        let is_found =
            self.leads_to(to, from) && (2..=MAX_CYCLE).any(|length| search.closes(to, length));
        let path = is_found.then_some(search.path);
        let is_cut_off = search.steps == 0;
        let found = path.map(|path| {
            let mut report = Report::new(Kind::OrderInversion, Vec::new(), Vec::new());
            report.orders = path[1..]
                .iter()
                .chain(&path[..1])
                .map(|(_, pair)| pair.shown())
                .collect();
            (classes_of(&path), report)
        });
        let has_room = self.count < PAIRS && known.len() < ORDERS;
        self.is_full |= is_cut_off || !has_room;
        if has_room {
            self.count += 1;
            self.pairs.entry((from, to)).or_default().push(pair);
        }
        let (classes, report) = found?;
        self.reported.insert(classes);
        Some(report)
    }

    /// Whether orders lead from one class to another. For most new orders, none leads back.
    fn leads_to(&self, from: ClassNumber, to: ClassNumber) -> bool {
        let mut visited = BTreeSet::from([from]);
        let mut unvisited = Vec::from([from]);
        while let Some(class) = unvisited.pop() {
            if class == to {
                return true;
            }
            let next = self.pairs.range((class, 0)..=(class, ClassNumber::MAX));
            unvisited.extend(
                next.map(|((_, next), _)| *next)
                    .filter(|next| visited.insert(*next)),
            );
        }
        false
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
    /// Whether every cycle with `other` is also one with this order.
    fn covers(&self, other: &Pair) -> bool {
        self.first.mode == other.first.mode
            && self.then.mode == other.then.mode
            && self.gates.iter().all(|gate| other.gates.contains(gate))
    }

    /// Whether `next`, which holds the class that this order acquires, can block this one.
    fn is_blocked_by(&self, next: &Pair) -> bool {
        conflict(next.first.mode, self.then.mode)
    }

    /// The locks that it holds, if it begins with the class `from`.
    fn held(&self, from: ClassNumber) -> impl Iterator<Item = (ClassNumber, Mode)> + '_ {
        let first = [(from, self.first.mode)].into_iter();
        first.chain(self.gates.iter().copied())
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

/// A search for the cycles of an order.
struct Search<'o> {
    orders: &'o Orders,
    /// How many more orders may be visited.
    steps: usize,
    /// The path, beginning with the new order; each order with the class that it begins with.
    path: Vec<(ClassNumber, &'o Pair)>,
}

impl<'o> Search<'o> {
    /// Whether orders that begin with the class `class` extend the path to an unreported cycle of
    /// `length` orders. Then the path is that cycle.
    fn closes(&mut self, class: ClassNumber, length: usize) -> bool {
        let (start, first) = self.path[0];
        let Some((_, last)) = self.path.last().copied() else {
            return false;
        };
        for ((from, to), orders) in self
            .orders
            .pairs
            .range((class, 0)..=(class, ClassNumber::MAX))
        {
            let is_last = self.path.len() + 1 == length;
            let comes_back = *to == start;
            if comes_back != is_last || self.path.iter().any(|(class, _)| class == to) != is_last {
                continue;
            }
            for next in orders {
                if self.steps == 0 {
                    return false;
                }
                self.steps -= 1;
                let fits = last.is_blocked_by(next)
                    && (!is_last || next.is_blocked_by(first))
                    && self.may_run_with(*from, next);
                if !fits {
                    continue;
                }
                self.path.push((*from, next));
                let is_one = if is_last {
                    !self.orders.reported.contains(&classes_of(&self.path))
                } else {
                    self.closes(*to, length)
                };
                if is_one {
                    return true;
                }
                self.path.pop();
            }
        }
        false
    }

    /// Whether no lock that an order of the path holds excludes one that `next` holds, which
    /// begins with the class `from`.
    fn may_run_with(&self, from: ClassNumber, next: &Pair) -> bool {
        let excludes = |one: Mode, other: Mode| conflict(one, other) || conflict(other, one);
        self.path.iter().all(|(class, pair)| {
            pair.held(*class).all(|(class, mode)| {
                let mut same = next.held(from).filter(|(other, _)| *other == class);
                !same.any(|(_, other)| excludes(mode, other))
            })
        })
    }
}

/// The classes of a cycle, in order of their numbers.
fn classes_of(path: &[(ClassNumber, &Pair)]) -> Vec<ClassNumber> {
    let mut classes: Vec<_> = path.iter().map(|(class, _)| *class).collect();
    classes.sort_unstable();
    classes
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::vec::Vec;

    use super::{Acquired, Class, ClassNumber, MAX_CYCLE, Orders, Pair};
    use crate::watch::{Mode, Place, Report, SectionInfo};

    fn orders() -> Orders {
        Orders {
            classes: BTreeMap::new(),
            pairs: BTreeMap::new(),
            count: 0,
            reported: BTreeSet::new(),
            is_full: false,
        }
    }

    impl Orders {
        /// How many orders are reported, once there is one from a class to another, in these modes.
        fn adds(
            &mut self,
            (from, first): (ClassNumber, Mode),
            (to, then): (ClassNumber, Mode),
            gates: &[(ClassNumber, Mode)],
        ) -> usize {
            let acquired = |mode| Acquired {
                class: Class {
                    entered: core::any::type_name::<Orders>,
                    name: "a class",
                },
                mode,
                section: SectionInfo::new("a section", Place::new("", 0, 0), ""),
                is_own: false,
            };
            let pair = Pair {
                first: acquired(first),
                then: acquired(then),
                gates: Vec::from(gates),
            };
            let count = |report: Report| report.orders.len();
            self.add(from, to, pair).map_or(0, count)
        }
    }

    use Mode::{Exclusive, Shared};

    #[test]
    fn a_cycle_of_three() {
        let mut orders = orders();
        assert_eq!(orders.adds((1, Exclusive), (2, Exclusive), &[]), 0);
        assert_eq!(orders.adds((2, Exclusive), (3, Exclusive), &[]), 0);
        assert_eq!(orders.adds((3, Exclusive), (1, Exclusive), &[]), 3);
        // Once, in other modes, too. A shorter one is another.
        assert_eq!(orders.adds((3, Shared), (1, Exclusive), &[]), 0);
        assert_eq!(orders.adds((2, Exclusive), (1, Exclusive), &[]), 2);
    }

    #[test]
    fn modes_that_let_both_in() {
        let mut orders = orders();
        assert_eq!(orders.adds((1, Exclusive), (2, Shared), &[]), 0);
        assert_eq!(orders.adds((2, Shared), (3, Exclusive), &[]), 0);
        assert_eq!(orders.adds((3, Exclusive), (1, Exclusive), &[]), 0);
        assert_eq!(orders.adds((1, Exclusive), (2, Exclusive), &[]), 3);
    }

    #[test]
    fn what_two_of_them_hold_keeps_them_apart() {
        // A common lock outside of the cycle, and one that is part of it.
        for gate in [4, 3] {
            let mut orders = orders();
            assert_eq!(
                orders.adds((1, Exclusive), (2, Exclusive), &[(gate, Exclusive)]),
                0
            );
            assert_eq!(orders.adds((2, Exclusive), (3, Exclusive), &[]), 0);
            let outer = [(4, Exclusive)];
            assert_eq!(orders.adds((3, Exclusive), (1, Exclusive), &outer), 0);
            assert_eq!(orders.adds((1, Exclusive), (2, Exclusive), &[]), 3);
        }
    }

    #[test]
    fn a_cycle_of_many_and_one_that_is_too_long() {
        for length in [MAX_CYCLE, MAX_CYCLE + 1] {
            let mut orders = orders();
            for class in 1..length {
                let next = (class + 1, Exclusive);
                assert_eq!(orders.adds((class, Exclusive), next, &[]), 0);
            }
            let found = orders.adds((length, Exclusive), (1, Exclusive), &[]);
            assert_eq!(found, if length == MAX_CYCLE { length } else { 0 });
        }
    }

    /// As many orders as there can be from each class to those behind it: none is looked at.
    #[test]
    fn one_direction_takes_no_steps() {
        let mut orders = orders();
        for from in 0..80 {
            for to in from + 1..80 {
                assert_eq!(orders.adds((from, Exclusive), (to, Exclusive), &[]), 0);
            }
        }
        assert!(!orders.is_full);
    }

    /// All paths lead to the class 0, and none is a cycle with the orders that begin there.
    #[test]
    fn a_search_that_takes_too_long_is_cut_off() {
        let mut orders = orders();
        for from in 1..30 {
            for to in (1..30).filter(|to| *to != from) {
                orders.adds((from, Exclusive), (to, Exclusive), &[]);
            }
            orders.adds((from, Exclusive), (0, Shared), &[]);
        }
        assert!(!orders.is_full);
        assert_eq!(orders.adds((0, Shared), (1, Exclusive), &[]), 0);
        assert!(orders.is_full);
    }
}
