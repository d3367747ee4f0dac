//! `Lock`, `Mutex`, `RwLock`, `Semaphore`, `BoundedSemaphore`.
//!
//! # State
//!
//! A list of requests, in the order of their arrival. The requests that hold a permit are the
//! longest prefix of the list that the policy admits together (one, if it is
//! exclusive; readers; as many as there are permits for). Hence
//!
//! - an arrival appends a request,
//! - a release or a leave removes a request, from any position, and
//! - the list alone determines which requests have entered.
//!
//! An append and a removal of another request commute. Two appends do not,
//! unless both are to read. Two removals commute if a waiter needs *both* of them, as at a lock.
//! At a semaphore *either* may be enough, and the one that lets a waiter
//! enter happens before what the waiter does next: there, they conflict. A conditional waiter
//! (`when`) whose condition is false gives its permit back and keeps its place; only the releases
//! that it waits for evaluate it again, each before anything else is admitted.
//!
//! An upgrade changes a request in place, and conflicts with all requests that are admitted or
//! refused because of it. If futures of one task share its grants, a later poll may give a grant
//! back, and conflicts with the requests that this admits; a task that awaits one future at a time
//! has no such polls.
//!
//! # What conflicts
//!
//! | | arrive | release, park | leave | poll | try | look | upgrade |
//! |---|---|---|---|---|---|---|---|
//! | **arrive** | unless both read | if observed | if observed | if observed | unless both read | yes | yes |
//! | **release, park** | | of permits | of permits, or if observed | yes | yes | yes | yes |
//! | **leave** | | | of permits, or if observed | yes | yes | yes | yes |
//! | **poll** | | | | yes | yes | yes | yes |
//! | **try** | | | | | unless both read | yes | yes |
//! | **look** | | | | | | no | yes |
//! | **upgrade** | | | | | | | yes |

use crate::checking::GateOp;

pub(super) fn conflict(a: GateOp, a_observes: bool, b: GateOp, b_observes: bool) -> bool {
    use GateOp::*;
    match (a, b) {
        (
            Arrive { is_shared: x, .. } | Try { is_shared: x },
            Arrive { is_shared: y, .. } | Try { is_shared: y },
        ) => !(x && y),
        (Arrive { .. }, Release { .. } | Park | Leave { .. } | Poll) => a_observes,
        (Release { .. } | Park | Leave { .. } | Poll, Arrive { .. }) => b_observes,
        (Release { .. } | Park | Leave { .. }, Release { .. } | Park | Leave { .. }) => {
            is_of_permits(a) || is_of_permits(b) || a_observes || b_observes
        }
        (Look, Look) => false,
        (Arrive { .. } | Try { .. } | Release { .. } | Park | Leave { .. }, _) => true,
        (Poll | Look | Upgrade, _) => true,
    }
}

fn is_of_permits(op: GateOp) -> bool {
    matches!(
        op,
        GateOp::Release {
            is_semaphore: true,
            ..
        } | GateOp::Leave { is_semaphore: true }
    )
}

pub(super) fn conflicts_with_releases(op: GateOp, observes_wait: bool) -> bool {
    match op {
        GateOp::Arrive { .. } => observes_wait,
        GateOp::Poll | GateOp::Try { .. } | GateOp::Look | GateOp::Upgrade => true,
        GateOp::Leave { .. } => observes_wait,
        GateOp::Release { .. } | GateOp::Park => false,
    }
}

pub(super) fn is_point(op: GateOp, releases: bool, polls: bool) -> bool {
    match op {
        GateOp::Arrive { .. } | GateOp::Upgrade | GateOp::Try { .. } | GateOp::Look => true,
        GateOp::Release { .. } | GateOp::Park | GateOp::Leave { .. } => {
            releases || is_of_permits(op)
        }
        // Without `polls`, it is the only wait of its task, has been granted, and enters.
        GateOp::Poll => polls,
    }
}

/// A release at an exclusive gate wakes the next waiter, and an arrival or a leave before it
/// conflicts with it, if its task observes `Pending`. An arrival wakes nobody.
pub(super) fn wakes_the_same(op: GateOp) -> bool {
    matches!(
        op,
        GateOp::Arrive { .. }
            | GateOp::Try { .. }
            | GateOp::Look
            | GateOp::Release {
                is_exclusive: true,
                ..
            }
    )
}
