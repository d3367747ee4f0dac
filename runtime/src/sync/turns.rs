//! The conditional waiters of a sync lock.

use crate::checking::{self, Checked, Op, Stamp, SyncOp};
use crate::gate::{Exclusive, Gate};
use crate::platform::const_unless_loom;
use crate::request::Mode;
use crate::traits::lock::LockId;
use crate::watching::{Acquisition, Caller, HoldingThread, SyncAsk};

/// The gate of the turns of a lock's conditional waiters: see `gate::turn`.
#[allow(missing_debug_implementations)]
pub struct Turns(pub(super) Gate<Exclusive>, pub(super) HoldingThread);

impl Turns {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Turns(Gate::new(0), HoldingThread::new())
        }
    }
}

impl Checked for Turns {
    fn stamp(&self) -> &Stamp {
        self.0.stamp()
    }
}

impl Turns {
    /// Announces an operation to the checker.
    #[inline]
    pub(super) fn does(&self, op: SyncOp) {
        checking::op(self, Op::Sync(op));
    }

    /// An attempt of the caller has acquired the lock, in that mode.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(super) fn entered(&self, mode: Mode) {
        self.0
            .holder()
            .set_place(Caller::here(), || self.acquired(mode));
        if mode == Mode::Exclusive {
            self.1.acquired();
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
    pub(super) fn asked(&self, mode: Mode, held: Option<Mode>) -> SyncAsk<'_> {
        SyncAsk {
            lock: LockId::of(self),
            mode,
            holder: self.0.holder(),
            thread: &self.1,
            held,
        }
    }

    /// Announces a call of a public method to the checker.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(super) fn called(&self, op: SyncOp) {
        checking::op_at(self, Op::Sync(op), Caller::here());
    }
}
