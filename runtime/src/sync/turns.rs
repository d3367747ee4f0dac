//! What a sync lock has beside the platform lock.

use crate::checking::{self, Checked, LastRun, Op, SyncOp};
use crate::gate::{Exclusive, Gate};
use crate::platform::const_unless_loom;
use crate::request::Mode;
use crate::traits::lock_id::LockId;
use crate::watching::{Acquisition, Caller, HoldingThread, SyncAsk};

/// What a sync lock has beside the platform lock: the gate of its conditional waiters (see
/// `gate::turn`), and what watching and checking need.
#[allow(missing_debug_implementations)]
pub struct Turns {
    /// The permit is a turn. Its record of a holder is that of the lock, not of the turn.
    pub(super) gate: Gate<Exclusive>,
    /// The thread that holds the lock exclusively, for watching.
    pub(super) thread: HoldingThread,
}

impl Turns {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Turns { gate: Gate::new(0), thread: HoldingThread::new() }
        }
    }
}

impl Checked for Turns {
    fn last_run(&self) -> &LastRun {
        self.gate.last_run()
    }
}

impl Turns {
    /// Announces an operation to the checker.
    #[inline]
    pub(super) fn announce(&self, op: SyncOp) {
        checking::op(self, Op::Sync(op));
    }

    /// Called when an attempt has acquired the lock: records the caller as the holder.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(super) fn on_acquired(&self, mode: Mode) {
        self.gate
            .holder()
            .set_place(Caller::here(), || self.acquired(mode));
        if mode == Mode::Exclusive {
            self.thread.acquired();
        }
        checking::entered(self);
    }

    /// What a holder of the lock has acquired, for watching.
    #[inline]
    pub(super) fn acquired(&self, mode: Mode) -> Acquisition {
        Acquisition {
            lock: LockId::of(self),
            mode,
            type_name: || "a lock of `sync`",
        }
    }

    /// The description of a request for the lock, for watching. `held` is the mode of the holder if
    /// the request has to wait.
    #[inline]
    pub(super) fn describe_request(&self, mode: Mode, held: Option<Mode>) -> SyncAsk<'_> {
        SyncAsk {
            lock: LockId::of(self),
            mode,
            holder: self.gate.holder(),
            thread: &self.thread,
            held,
        }
    }

    /// Announces a call of a public method to the checker.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(super) fn announce_call(&self, op: SyncOp) {
        checking::op_at(self, Op::Sync(op), Caller::here());
    }
}
