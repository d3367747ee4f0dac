//! Which operations conflict: a table for each primitive.
//!
//! Two operations of two tasks *commute* if both orders reach the same state
//! and both tasks observe the same. Otherwise they *conflict*, and a checker has to try
//! both orders. Operations of different primitives commute, as they share nothing.
//!
//! A wait is two steps: *arrive*, which never waits, and *enter*, which is possible once
//! the request is admitted. A first poll arrives and, if possible, enters. So an
//! arrival commutes with a release although one of the two orders has to wait,
//! unless the task observes the difference: see [`Operation::observes_wait`].

mod barrier;
mod condition;
mod event;
mod gate;
mod sync;

use crate::checking::{GateOp, Op};

/// An operation as it is compared with others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Operation {
    /// The number of the primitive.
    pub(crate) id: u32,
    pub(crate) op: Op,
    /// Of an arrival: whether a wait makes a difference. It does if the task goes on
    /// without the permit (`select!`, `join!`, a timeout), or if it may be cancelled
    /// meanwhile and its place in the queue matters to others. Of a request that is dropped:
    /// whether its task goes on, and observes whether it was woken before.
    pub(crate) observes_wait: bool,
    /// Whether it is a scheduling point even if only conflicting operations are.
    pub(crate) is_point: bool,
}

impl Operation {
    /// Whether the order of the two matters.
    pub(crate) fn conflicts(self, other: Operation) -> bool {
        if self.id != other.id {
            return false;
        }
        let (a, b) = (self, other);
        match (self.op, other.op) {
            (Op::Gate(x), Op::Gate(y)) => gate::conflict(x, a.observes_wait, y, b.observes_wait),
            (Op::Sync(x), Op::Sync(y)) => sync::conflict(x, y),
            (Op::Event(x), Op::Event(y)) => event::conflict(x, a.observes_wait, y, b.observes_wait),
            (Op::Condition(x), Op::Condition(y)) => condition::conflict(x, y),
            (Op::Barrier(x), Op::Barrier(y)) => barrier::conflict(x, y),
            // The address was used for another primitive before.
            _ => true,
        }
    }
}

impl Op {
    /// The kind of the primitive.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Op::Gate(
                GateOp::Arrive {
                    is_semaphore: true, ..
                }
                | GateOp::Release {
                    is_semaphore: true, ..
                }
                | GateOp::Leave { is_semaphore: true },
            ) => "semaphore",
            Op::Gate(_) => "lock",
            Op::Sync(_) => "sync lock",
            Op::Event(_) => "event",
            Op::Condition(_) => "condition",
            Op::Barrier(_) => "barrier",
        }
    }

    /// Whether it conflicts with releases at the same primitive, so that these have to be
    /// scheduling points.
    pub(crate) fn conflicts_with_releases(self, observes_wait: bool) -> bool {
        match self {
            Op::Gate(op) => gate::conflicts_with_releases(op, observes_wait),
            Op::Sync(op) => sync::conflicts_with_releases(op),
            Op::Event(_) | Op::Condition(_) | Op::Barrier(_) => false,
        }
    }

    /// Whether, of the tasks that observe `Pending`, it wakes the same ones before and after any
    /// operation that it does not conflict with and that is not a cancel.
    pub(crate) fn wakes_the_same(self) -> bool {
        match self {
            Op::Gate(op) => gate::wakes_the_same(op),
            Op::Event(_) | Op::Condition(_) | Op::Sync(_) => true,
            Op::Barrier(_) => false,
        }
    }

    /// Whether it is a scheduling point. `releases`: releases at this primitive are.
    /// `polls`: later polls of this task are.
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
