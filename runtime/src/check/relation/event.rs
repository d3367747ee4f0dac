//! `Event`.
//!
//! # State
//!
//! Whether it is set, and the waiters. `set` lets all current waiters through, whatever comes
//! next; so a `clear`, or a waiter that leaves, makes no difference to these. Of two `set`s, the
//! first one lets them through, and so happens before what they do next.
//!
//! # What conflicts
//!
//! | | wait | poll | leave | set | clear | is set |
//! |---|---|---|---|---|---|---|
//! | **wait** (first poll) | no | no | no | yes | yes | no |
//! | **poll** | | no | no | yes | no | no |
//! | **leave** | | | no | if observed | no | no |
//! | **set** | | | | yes | yes | yes |
//! | **clear** | | | | | no | yes |
//! | **is set** | | | | | | no |

use crate::checking::EventOp;

pub(super) fn conflict(a: EventOp, a_observes: bool, b: EventOp, b_observes: bool) -> bool {
    use EventOp::*;
    match (a, b) {
        (Set, Set | Wait | Poll | Clear | IsSet) | (Wait | Poll | Clear | IsSet, Set) => true,
        (Clear, Wait | IsSet) | (Wait | IsSet, Clear) => true,
        (Leave, Set) => a_observes,
        (Set, Leave) => b_observes,
        (Wait | Poll | Leave | Clear | IsSet, _) => false,
    }
}

pub(super) fn is_point(op: EventOp, polls: bool) -> bool {
    match op {
        EventOp::Wait | EventOp::Set | EventOp::Clear | EventOp::IsSet => true,
        EventOp::Poll | EventOp::Leave => polls,
    }
}
