//! The operations of the primitives, as a checker tells them apart.

/// An operation. Those of different primitives never conflict; which of one primitive do is a
/// table of each, in `check::relation`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    Gate(GateOp),
    Sync(SyncOp),
    Event(EventOp),
    Condition(ConditionOp),
    Barrier(BarrierOp),
}

#[cfg(feature = "check")]
impl Op {
    /// Whether the code of the task has come to it, and not the executor or the end of something.
    pub(crate) fn is_of_the_program(self) -> bool {
        match self {
            Op::Gate(op) => matches!(
                op,
                GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Try { .. } | GateOp::Look
            ),
            Op::Sync(op) => matches!(op, SyncOp::Acquire { .. } | SyncOp::Try { .. }),
            Op::Event(op) => !matches!(op, EventOp::Poll | EventOp::Leave),
            Op::Condition(op) => matches!(op, ConditionOp::Wait | ConditionOp::Notify),
            Op::Barrier(op) => matches!(
                op,
                BarrierOp::Arrive | BarrierOp::DriveOut | BarrierOp::Look
            ),
        }
    }
}

/// At a gate: `Lock`, `Mutex`, `RwLock` and the semaphores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GateOp {
    /// The first poll of a request. `alone`: at most one is admitted at a time. `reads`: it is
    /// to read, and has no condition. `counts`: at a semaphore.
    Arrive {
        alone: bool,
        reads: bool,
        counts: bool,
    },
    /// The first poll of an upgrade, which goes before all that are queued.
    Upgrade,
    /// A later poll.
    Poll,
    /// A permit is given back, or becomes another one. `counts`: of a semaphore.
    /// `alone`: of a lock that one task holds at a time.
    Release { counts: bool, alone: bool },
    /// A section gives its permit back, as its condition is false.
    Park,
    /// A queued or granted request is dropped.
    Leave { counts: bool },
    /// An attempt without waiting.
    Try { reads: bool },
    /// A question, as `is_locked`.
    Look,
}

/// At a sync lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncOp {
    /// Waits until it can acquire, and does.
    Acquire {
        reads: bool,
    },
    Release,
    Try {
        reads: bool,
    },
    /// Anything of a conditional waiter but to acquire the lock.
    Turn,
}

/// At an `Event`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EventOp {
    /// The first poll of a wait.
    Wait,
    Poll,
    Leave,
    Set,
    Clear,
    IsSet,
}

/// At a `Condition`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ConditionOp {
    /// A waiter joins, and releases its lock next.
    Wait,
    Poll,
    Leave,
    Notify,
}

/// At a `Barrier`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum BarrierOp {
    /// The first poll of a wait.
    Arrive,
    /// A later poll, which changes nothing for others.
    Poll,
    /// A later poll of a waiter that may leave with an error.
    PollLeaving,
    Leave,
    /// An abort or a reset.
    DriveOut,
    Look,
}

/// What a task waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Awaits {
    /// To be admitted.
    Permit,
    /// Until its condition is true.
    Truth,
    /// To be told.
    Signal,
}
