//! Numbers for primitives that are the same in every run, wherever they are in memory.
//!
//! A *place*, in this file, is a task and the count of primitives that it has named before, by
//! operations whose count does not depend on the order of wake-ups. The place of the first use of
//! an address in a run decides its number: the first such place in any run. If one run numbers a
//! primitive by a place, and another run numbered it by another place, the two numbers are
//! merged, and the search starts again. So the numbers do not depend on the schedule,
//! unless a place names different primitives in different schedules. Nothing is missed even then:
//! within a run, a primitive always has one number.

use std::string::{String, ToString};
use std::vec::Vec;

use super::session::{MAX_TASKS, NO_TASK};

/// How often numbers are merged.
const MAX_MERGES: u32 = 32;

#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    /// The number that each place named first; the last list is that of the test itself.
    places: [Vec<u32>; MAX_TASKS + 1],
    /// Further numbers of places that name different primitives: a place, and the number.
    others: Vec<(usize, usize, u32)>,
    next: u32,
    merges: u32,
    changed: bool,
    /// Of this run: an address, its number, and the place that numbered it.
    run: Vec<(usize, u32, (usize, usize))>,
    /// How often each task has named something in this run.
    counts: [usize; MAX_TASKS + 1],
    /// The names of primitives.
    said: Vec<Option<String>>,
    /// The kinds of primitives.
    kinds: Vec<&'static str>,
    /// Values with a name: address, size and name.
    given: Vec<(usize, usize, String)>,
}

impl Names {
    pub(super) fn begin_run(&mut self) {
        self.run.clear();
        self.counts = [0; MAX_TASKS + 1];
        self.given.clear();
    }

    /// Whether every numbered primitive had the same number before.
    pub(super) fn is_like(&self, before: &Names) -> bool {
        self.places == before.places && self.others == before.others
    }

    /// The number of the primitive at `address`, which has been named in this run.
    pub(super) fn known(&self, address: usize) -> Option<u32> {
        let mut index = 0;
        while index < self.run.len() {
            if self.run[index].0 == address {
                return Some(self.run[index].1);
            }
            index += 1;
        }
        None
    }

    /// The number of the primitive at `address`, for the task that names it.
    pub(super) fn of(&mut self, task: usize, address: usize) -> u32 {
        let who = if task == NO_TASK { MAX_TASKS } else { task };
        let count = self.counts[who];
        self.counts[who] += 1;
        let mut known = None;
        let mut index = 0;
        while index < self.run.len() {
            if self.run[index].0 == address {
                known = Some((self.run[index].1, self.run[index].2));
                break;
            }
            index += 1;
        }
        let place = self.places[who].get(count).copied();
        match (known, place) {
            (Some((id, by)), Some(named)) => {
                if id != named {
                    self.merge(id, by, named);
                }
                id
            }
            (Some((id, _)), None) => {
                self.places[who].push(id);
                id
            }
            (None, place) => {
                let id = self.first(who, count, place);
                self.run.push((address, id, (who, count)));
                id
            }
        }
    }

    fn is_used(&self, id: u32) -> bool {
        self.run.iter().any(|used| used.1 == id)
    }

    /// The number of a primitive that is named for the first time in this run.
    fn first(&mut self, who: usize, count: usize, place: Option<u32>) -> u32 {
        let Some(named) = place else {
            let id = self.new_id();
            self.places[who].push(id);
            return id;
        };
        if !self.is_used(named) {
            return named;
        }
        let other = self
            .others
            .iter()
            .find(|other| (other.0, other.1) == (who, count) && !self.is_used(other.2));
        match other {
            Some(other) => other.2,
            None => {
                let id = self.new_id();
                self.others.push((who, count, id));
                id
            }
        }
    }

    fn new_id(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }

    /// Merges the number `id`, assigned by the place `by`, with the number `named` of another run.
    fn merge(&mut self, id: u32, by: (usize, usize), named: u32) {
        if self.is_used(named) || self.merges == MAX_MERGES {
            return;
        }
        if self.places[by.0].get(by.1) == Some(&id) {
            self.places[by.0][by.1] = named;
            self.merges += 1;
            self.changed = true;
        }
    }

    /// Whether numbers have changed since the last call.
    pub(super) fn has_changed(&mut self) -> bool {
        core::mem::take(&mut self.changed)
    }

    /// Sets the name of a primitive.
    pub(super) fn say(&mut self, id: u32, name: &str) {
        let index = id as usize;
        if self.said.len() <= index {
            self.said.resize(index + 1, None);
        }
        self.said[index].get_or_insert_with(|| name.to_string());
    }

    /// Sets the kind of a primitive.
    pub(super) fn is_a(&mut self, id: u32, kind: &'static str) {
        let index = id as usize;
        if self.kinds.len() <= index {
            self.kinds.resize(index + 1, "");
        }
        // "lock" is also the kind of a semaphore's operations, and says less.
        if self.kinds[index].is_empty() || kind != "lock" {
            self.kinds[index] = kind;
        }
    }

    /// The kind of a primitive.
    pub(super) fn kind(&self, id: u32) -> &'static str {
        self.kinds.get(id as usize).copied().unwrap_or("")
    }

    /// Sets the name of the primitives in a value of `size` bytes at `address`.
    pub(super) fn give(&mut self, address: usize, size: usize, name: &str) {
        self.given.push((address, size, name.to_string()));
    }

    /// Whether another primitive of this run has the same name.
    pub(super) fn is_said_of_another(&self, id: u32) -> bool {
        let name = self.said(id);
        let mut others = self.run.iter().filter(|other| other.1 != id);
        others.any(|other| self.said(other.1) == name)
    }

    /// The name of a primitive.
    pub(super) fn said(&self, id: u32) -> Option<&str> {
        let at = self.run.iter().find(|used| used.1 == id);
        let given = at.and_then(|used| {
            let within = |given: &&(usize, usize, String)| {
                given.0 <= used.0 && used.0 < given.0 + given.1.max(1)
            };
            self.given.iter().find(within)
        });
        match given {
            Some(given) => Some(&given.2),
            None => self.said.get(id as usize)?.as_deref(),
        }
    }
}
