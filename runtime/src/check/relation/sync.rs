//! The locks of `sync`.
//!
//! # State
//!
//! Who holds the lock. There is no queue: to acquire is possible while nobody holds it in a
//! conflicting mode, and then it is done in one step. What releases it makes that possible,
//! and so is never the other way round.
//!
//! Conditional waiters (`when`) take turns at a gate of their own, and what they do to it and to
//! the lock is not told apart: all of it conflicts.
//!
//! # What conflicts
//!
//! | | acquire | release | try | turn |
//! |---|---|---|---|---|
//! | **acquire** | unless both read | no | unless both read | yes |
//! | **release** | | no | yes | yes |
//! | **try** | | | unless both read | yes |
//! | **turn** | | | | yes |

use crate::checking::SyncOp;

pub(super) fn conflict(a: SyncOp, b: SyncOp) -> bool {
    use SyncOp::*;
    match (a, b) {
        (Acquire { reads: x } | Try { reads: x }, Acquire { reads: y } | Try { reads: y }) => {
            !(x && y)
        }
        (Acquire { .. }, Release) | (Release, Acquire { .. } | Release) => false,
        (Acquire { .. } | Try { .. } | Release | Turn, _) => true,
    }
}

pub(super) fn watches_releases(op: SyncOp) -> bool {
    matches!(op, SyncOp::Try { .. } | SyncOp::Turn)
}

pub(super) fn is_point(op: SyncOp, releases: bool) -> bool {
    releases || op != SyncOp::Release
}
