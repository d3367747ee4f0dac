//! The class of a run, as a number: the same for all schedules that differ in the order of
//! steps which do not conflict. For tests of the search itself.

use core::hash::{Hash, Hasher};
use std::collections::hash_map::DefaultHasher;
use std::vec::Vec;

use super::relation::Operation;
use super::trace::{Choice, Event};

struct Kept {
    choice: Choice,
    operation: Option<Operation>,
    woken: u32,
    number: u32,
}

/// Events that conflict with nothing, such as going on after a wake-up, are left out. A cancel in
/// the queue of a lock counts as a cancel at the arrival.
pub(super) fn of(events: &[Event]) -> u64 {
    let mut kept: Vec<Kept> = Vec::new();
    for event in events {
        let task = event.choice.task();
        let is_point = event.operation.is_some_and(|operation| operation.is_point);
        if event.choice.is_cancel() {
            let last = kept.iter().rposition(|kept| kept.choice.task() == task);
            if let (Some(last), true) = (last, event.leaves_queue) {
                kept.remove(last);
            }
        }
        if event.choice.is_go() && !is_point && event.woken == 0 {
            continue;
        }
        let number = kept
            .iter()
            .filter(|kept| kept.choice.task() == task)
            .count() as u32;
        kept.push(Kept {
            choice: event.choice,
            operation: event.operation.filter(|_| is_point),
            woken: event.woken,
            number,
        });
    }
    let mut parts: Vec<u64> = kept
        .iter()
        .enumerate()
        .map(|(index, this)| {
            let mut before: Vec<(usize, u32)> = kept[..index]
                .iter()
                .filter(|other| {
                    let at_one = match (other.operation, this.operation) {
                        (Some(a), Some(b)) => a.conflicts(b),
                        _ => false,
                    };
                    other.choice.task() != this.choice.task()
                        && (at_one || other.woken & this.woken != 0)
                })
                .map(|other| (other.choice.task(), other.number))
                .collect();
            before.sort_unstable();
            let mut hasher = DefaultHasher::new();
            (this.choice.task(), this.number, this.choice.bit()).hash(&mut hasher);
            std::format!("{:?}", this.operation.map(|operation| operation.op)).hash(&mut hasher);
            before.hash(&mut hasher);
            hasher.finish()
        })
        .collect();
    parts.sort_unstable();
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}
