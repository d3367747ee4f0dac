//! `Condition`.
//!
//! # State
//!
//! The waiters, in order, and which of them have been notified. If a notified waiter leaves, its
//! notification is passed on to the next one.
//!
//! # What conflicts
//!
//! | | wait | poll | leave | notify |
//! |---|---|---|---|---|
//! | **wait** (joins) | yes | no | yes | yes |
//! | **poll** | | no | yes | yes |
//! | **leave** | | | yes | yes |
//! | **notify** | | | | yes |

use crate::checking::ConditionOp;

pub(super) fn conflict(a: ConditionOp, b: ConditionOp) -> bool {
    use ConditionOp::*;
    !matches!((a, b), (Poll, Poll | Wait) | (Wait, Poll))
}

pub(super) fn is_point(op: ConditionOp, polls: bool) -> bool {
    polls || op != ConditionOp::Poll
}
