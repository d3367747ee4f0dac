//! The operations of the primitives, as far as a checker distinguishes them.

/// An operation. Operations of different primitives never conflict; for those of one primitive,
/// `check::relation` has a table.
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
    /// Whether the code of the task calls it, as opposed to a poll, or a destructor.
    pub(crate) fn is_of_the_program(self) -> bool {
        match self {
            // A task may add permits without having acquired any.
            Op::Gate(op) => matches!(
                op,
                GateOp::Arrive { .. }
                    | GateOp::Upgrade
                    | GateOp::Try { .. }
                    | GateOp::Look
                    | GateOp::Release {
                        is_semaphore: true,
                        ..
                    }
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

    /// Whether it must be done once it is announced, even if its task has to end. Otherwise a
    /// request would be freed and stay in its queue, or a permit would never be released.
    pub(crate) fn must_be_done(self) -> bool {
        matches!(
            self,
            Op::Gate(GateOp::Release { .. } | GateOp::Park | GateOp::Leave { .. })
                | Op::Sync(SyncOp::Release | SyncOp::Leave)
                | Op::Event(EventOp::Leave)
                | Op::Condition(ConditionOp::Leave)
                | Op::Barrier(BarrierOp::Leave)
        )
    }
}

/// At a gate: `Lock`, `Mutex`, `RwLock` and the semaphores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum GateOp {
    /// The first poll of a request. `is_exclusive`: at most one is admitted at a time.
    /// `is_shared`: it is to read, and has no condition. `is_semaphore`: at a semaphore.
    Arrive {
        is_exclusive: bool,
        is_shared: bool,
        is_semaphore: bool,
    },
    /// The first poll of an upgrade, which goes before all queued requests.
    Upgrade,
    /// A later poll.
    Poll,
    /// A permit is released, or converted. `is_semaphore`: of a semaphore.
    /// `is_exclusive`: of an exclusive lock.
    Release {
        is_semaphore: bool,
        is_exclusive: bool,
    },
    /// A section gives its permit back, as its condition is false.
    Park,
    /// A queued or granted request is dropped.
    Leave { is_semaphore: bool },
    /// An attempt without waiting.
    Try { is_shared: bool },
    /// A query, such as `is_locked`.
    Look,
}

/// At a sync lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SyncOp {
    /// Waits until it can acquire, and does.
    Acquire {
        is_shared: bool,
    },
    Release,
    Try {
        is_shared: bool,
    },
    /// Any operation of a conditional waiter except acquiring the lock, and the next one.
    Turn,
    /// A conditional waiter is dropped.
    Leave,
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

/// The kind of a task's wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Awaits {
    /// For its request to be admitted.
    Permit,
    /// For its condition to be true.
    Truth,
    /// For a signal.
    Signal,
}
