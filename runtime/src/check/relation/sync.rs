//! The locks of `sync`.
//!
//! # State
//!
//! The holders of the lock. There is no queue: an acquisition is possible while nobody holds it
//! in a conflicting mode, and is then one step. A release that makes it possible always comes
//! first, so the order of the two is never reversed.
//!
//! Conditional waiters (`when`) take turns at a gate of their own. Their operations on the gate and
//! on the lock are not distinguished: all of them conflict.
//!
//! # What conflicts
//!
//! | | acquire | release | try | turn, leave |
//! |---|---|---|---|---|
//! | **acquire** | unless both read | no | unless both read | yes |
//! | **release** | | no | yes | yes |
//! | **try** | | | unless both read | yes |
//! | **turn, leave** | | | | yes |

use crate::checking::SyncOp;

pub(super) fn conflict(a: SyncOp, b: SyncOp) -> bool {
    use SyncOp::*;
    match (a, b) {
        (
            Acquire { is_shared: x } | Try { is_shared: x },
            Acquire { is_shared: y } | Try { is_shared: y },
        ) => !(x && y),
        (Acquire { .. }, Release) | (Release, Acquire { .. } | Release) => false,
        (Acquire { .. } | Try { .. } | Release | Turn | Leave, _) => true,
    }
}

pub(super) fn conflicts_with_releases(op: SyncOp) -> bool {
    matches!(op, SyncOp::Try { .. } | SyncOp::Turn | SyncOp::Leave)
}

pub(super) fn is_point(op: SyncOp, releases: bool) -> bool {
    releases || op != SyncOp::Release
}
