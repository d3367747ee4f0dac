//! `Barrier`.
//!
//! # State
//!
//! The number of waiters, the number that leave with an error, and whether it is broken. Each
//! arrival has a number; the last one lets the others through, whose polls then change nothing.
//!
//! # What conflicts
//!
//! | | arrive | poll | poll that may leave | leave | abort, reset | look |
//! |---|---|---|---|---|---|---|
//! | **arrive** | yes | no | yes | yes | yes | yes |
//! | **poll** | | no | no | no | no | no |
//! | **poll that may leave** | | | yes | yes | yes | yes |
//! | **leave** | | | | yes | yes | yes |
//! | **abort, reset** | | | | | yes | yes |
//! | **look** | | | | | | no |

use crate::checking::BarrierOp;

pub(super) fn conflict(a: BarrierOp, b: BarrierOp) -> bool {
    use BarrierOp::*;
    !matches!((a, b), (Look, Look) | (Poll, _) | (_, Poll))
}

pub(super) fn is_point(op: BarrierOp, polls: bool) -> bool {
    polls || op != BarrierOp::Poll
}
