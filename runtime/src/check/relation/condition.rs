//! `Condition`.
//!
//! # State
//!
//! Who waits, in order, and to whom a notification has been given. One that is given to a
//! waiter which leaves goes on to the next.
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
