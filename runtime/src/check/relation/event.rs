//! `Event`.
//!
//! # State
//!
//! Whether it is set, and who waits. `set` lets all through who wait then, whatever comes
//! next; so to clear, and to leave, make no difference to those that are through. Of two that
//! set it, the first one lets them through, which decides what comes before what they do next.
//!
//! # What conflicts
//!
//! | | wait | poll | leave | set | clear | is set |
//! |---|---|---|---|---|---|---|
//! | **wait** (first poll) | no | no | no | yes | yes | no |
//! | **poll** | | no | no | yes | no | no |
//! | **leave** | | | no | if watched | no | no |
//! | **set** | | | | yes | yes | yes |
//! | **clear** | | | | | no | yes |
//! | **is set** | | | | | | no |

use crate::checking::EventOp;

pub(super) fn conflict(a: EventOp, a_watches: bool, b: EventOp, b_watches: bool) -> bool {
    use EventOp::*;
    match (a, b) {
        (Set, Set | Wait | Poll | Clear | IsSet) | (Wait | Poll | Clear | IsSet, Set) => true,
        (Clear, Wait | IsSet) | (Wait | IsSet, Clear) => true,
        (Leave, Set) => a_watches,
        (Set, Leave) => b_watches,
        (Wait | Poll | Leave | Clear | IsSet, _) => false,
    }
}

pub(super) fn is_point(op: EventOp, polls: bool) -> bool {
    match op {
        EventOp::Wait | EventOp::Set | EventOp::Clear | EventOp::IsSet => true,
        EventOp::Poll | EventOp::Leave => polls,
    }
}
