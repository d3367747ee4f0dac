//! `Lock`, `Mutex`, `RwLock`, `Semaphore`, `BoundedSemaphore`.
//!
//! # State
//!
//! A list of requests, in the order of their arrival. Those that hold a permit are a part of
//! it: the longest beginning of the list that the policy admits together (one, if it is
//! exclusive; readers; as many as there are permits for). Hence
//!
//! - to arrive is to be put at the end,
//! - to release, or to leave, is to be taken out, wherever one stands, and
//! - who has entered follows from the list alone.
//!
//! To be put at the end and to take another one out commute. To put two at the end does not,
//! unless both are to read. That two are taken out commutes where who waits needs *both* of them
//! gone, as at a lock. At a semaphore *either* may be enough, and which of them lets a waiter
//! enter decides what comes before what it does next: there, they conflict. A conditional waiter (`when`) whose
//! condition is false gives its permit back and keeps its place; only the releases that it
//! waits for look at it again, each before anything else is admitted.
//!
//! An upgrade changes an element in place, and conflicts with all that is admitted or refused
//! because of it. Where futures of one task share its grants, a later poll may give a grant
//! back, and conflicts with what that admits; a task that awaits one thing at a time has none.
//!
//! # What conflicts
//!
//! | | arrive | release, park | leave | poll | try | look | upgrade |
//! |---|---|---|---|---|---|---|---|
//! | **arrive** | unless both read | if watched | if watched | if watched | unless both read | yes | yes |
//! | **release, park** | | of permits | of permits, or if watched | yes | yes | yes | yes |
//! | **leave** | | | of permits, or if watched | yes | yes | yes | yes |
//! | **poll** | | | | yes | yes | yes | yes |
//! | **try** | | | | | unless both read | yes | yes |
//! | **look** | | | | | | no | yes |
//! | **upgrade** | | | | | | | yes |

use crate::checking::GateOp;

pub(super) fn conflict(a: GateOp, a_watches: bool, b: GateOp, b_watches: bool) -> bool {
    use GateOp::*;
    match (a, b) {
        (
            Arrive { reads: x, .. } | Try { reads: x },
            Arrive { reads: y, .. } | Try { reads: y },
        ) => !(x && y),
        (Arrive { .. }, Release { .. } | Park | Leave { .. } | Poll) => a_watches,
        (Release { .. } | Park | Leave { .. } | Poll, Arrive { .. }) => b_watches,
        (Release { .. } | Park | Leave { .. }, Release { .. } | Park | Leave { .. }) => {
            counts(a) || counts(b) || a_watches || b_watches
        }
        (Look, Look) => false,
        (Arrive { .. } | Try { .. } | Release { .. } | Park | Leave { .. }, _) => true,
        (Poll | Look | Upgrade, _) => true,
    }
}

fn counts(op: GateOp) -> bool {
    matches!(
        op,
        GateOp::Release { counts: true, .. } | GateOp::Leave { counts: true }
    )
}

pub(super) fn watches_releases(op: GateOp, watches: bool) -> bool {
    match op {
        GateOp::Arrive { .. } => watches,
        GateOp::Poll | GateOp::Try { .. } | GateOp::Look | GateOp::Upgrade => true,
        GateOp::Leave { .. } => watches,
        GateOp::Release { .. } | GateOp::Park => false,
    }
}

pub(super) fn is_point(op: GateOp, releases: bool, polls: bool) -> bool {
    match op {
        GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Try { .. } | GateOp::Look => true,
        GateOp::Release { .. } | GateOp::Park | GateOp::Leave { .. } => releases || counts(op),
        // The only wait of its task has been granted: it enters.
        GateOp::Poll => polls,
    }
}

/// A release of what one task holds at a time wakes the next in line, and who arrives or leaves
/// before it conflicts with it, if it tells a difference. To arrive wakes nobody.
pub(super) fn wakes_the_same(op: GateOp) -> bool {
    matches!(
        op,
        GateOp::Arrive { .. }
            | GateOp::Try { .. }
            | GateOp::Look
            | GateOp::Release { alone: true, .. }
    )
}
