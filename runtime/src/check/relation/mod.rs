//! Which operations conflict: a table for each primitive.
//!
//! Two operations of two tasks *commute* if, whichever comes first, the same state is reached
//! and both tasks see the same. Where they do not, they *conflict*, and a checker has to try
//! both orders. Operations of different primitives commute, as they share nothing.
//!
//! A wait is two steps: to *arrive*, which never waits, and to *enter*, which is possible once
//! the request is admitted. What a poll does is to arrive and, if possible, enter. So an
//! arrival commutes with a release although one of the orders waits and the other does not,
//! unless the task can tell the difference: see [`Seen::watches`].

mod barrier;
mod condition;
mod event;
mod gate;
mod sync;

use crate::checking::{GateOp, Op};

/// An operation as it is compared with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// Of the primitive.
    pub(crate) id: u32,
    pub(crate) op: Op,
    /// Of an arrival: whether it makes a difference if it waits. It does where the task goes on
    /// without the permit (`select!`, `join!`, a timeout), and where it may be cancelled
    /// meanwhile and its place in the queue matters to others. Of a request that is dropped:
    /// whether its task goes on, and makes a difference between being woken before or not.
    pub(crate) watches: bool,
    /// Whether it is a point of the schedule also where only what conflicts is one.
    pub(crate) is_point: bool,
}

impl Seen {
    /// Whether the order of the two matters.
    pub(crate) fn conflicts(self, other: Seen) -> bool {
        if self.id != other.id {
            return false;
        }
        let (a, b) = (self, other);
        match (self.op, other.op) {
            (Op::Gate(x), Op::Gate(y)) => gate::conflict(x, a.watches, y, b.watches),
            (Op::Sync(x), Op::Sync(y)) => sync::conflict(x, y),
            (Op::Event(x), Op::Event(y)) => event::conflict(x, a.watches, y, b.watches),
            (Op::Condition(x), Op::Condition(y)) => condition::conflict(x, y),
            (Op::Barrier(x), Op::Barrier(y)) => barrier::conflict(x, y),
            // An address that was used for something else before.
            _ => true,
        }
    }
}

impl Op {
    /// The kind of the primitive.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Op::Gate(
                GateOp::Arrive { counts: true, .. }
                | GateOp::Release { counts: true, .. }
                | GateOp::Leave { counts: true },
            ) => "semaphore",
            Op::Gate(_) => "lock",
            Op::Sync(_) => "sync lock",
            Op::Event(_) => "event",
            Op::Condition(_) => "condition",
            Op::Barrier(_) => "barrier",
        }
    }

    /// Whether there are others at the same primitive that conflict with releases, so that
    /// these have to be points of the schedule.
    pub(crate) fn watches_releases(self, watches: bool) -> bool {
        match self {
            Op::Gate(op) => gate::watches_releases(op, watches),
            Op::Sync(op) => sync::watches_releases(op),
            Op::Event(_) | Op::Condition(_) | Op::Barrier(_) => false,
        }
    }

    /// Whether it wakes the same tasks, of those that tell a difference, after whatever it does
    /// not conflict with and no cancel.
    pub(crate) fn wakes_the_same(self) -> bool {
        match self {
            Op::Gate(op) => gate::wakes_the_same(op),
            Op::Event(_) | Op::Condition(_) | Op::Sync(_) => true,
            Op::Barrier(_) => false,
        }
    }

    /// Whether it is a point of the schedule. `releases`: releases are, at this primitive.
    /// `polls`: later polls are, in this task.
    pub(crate) fn is_point(self, releases: bool, polls: bool) -> bool {
        match self {
            Op::Gate(op) => gate::is_point(op, releases, polls),
            Op::Sync(op) => sync::is_point(op, releases),
            Op::Event(op) => event::is_point(op, polls),
            Op::Condition(op) => condition::is_point(op, polls),
            Op::Barrier(op) => barrier::is_point(op, polls),
        }
    }
}
