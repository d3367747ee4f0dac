//! The part of a sync lock's guard that serves the conditional waiters.

use core::marker::PhantomData;
use core::mem::ManuallyDrop;

use super::raw::{RawMutexGuard, RawReadGuard, RawWriteGuard};
use super::turns::Turns;
use crate::checking::{self, SyncOp};
use crate::queue::Object;
use crate::traits::lock::LockId;
use crate::wake::wake_one;

/// The guard of a platform lock.
pub(super) trait RawGuard {
    /// Whether its holder may change the guarded data.
    const MAY_CHANGE: bool;
}

impl RawGuard for RawMutexGuard<'_> {
    const MAY_CHANGE: bool = true;
}

impl RawGuard for RawWriteGuard<'_> {
    const MAY_CHANGE: bool = true;
}

impl RawGuard for RawReadGuard<'_> {
    const MAY_CHANGE: bool = false;
}

/// A lock that is held: a part of every guard. Its drop tells the conditional waiters of
/// the change, and releases the lock.
pub(super) struct Hold<'a, R: RawGuard> {
    /// `None` in a hold that was made to [evaluate](Self::to_evaluate).
    raw: ManuallyDrop<Option<R>>,
    turns: &'a Turns,
    /// The holder is a conditional waiter, and has the turn until it releases.
    has_turn: bool,
    /// No guard is sent to another thread, whatever the platform lock.
    _not_send: PhantomData<*const ()>,
}

// SAFETY: a shared reference to a hold gives access to the id of its lock only.
unsafe impl<R: RawGuard> Sync for Hold<'_, R> {}

impl<'a, R: RawGuard> Hold<'a, R> {
    #[inline]
    pub(super) fn new(raw: R, turns: &'a Turns) -> Self {
        Hold::with_turn(raw, turns, false)
    }

    /// `has_turn`: the caller has the turn, and passes it to the hold.
    #[inline]
    pub(super) fn with_turn(raw: R, turns: &'a Turns, has_turn: bool) -> Self {
        Hold {
            raw: ManuallyDrop::new(Some(raw)),
            turns,
            has_turn,
            _not_send: PhantomData,
        }
    }

    /// A stand-in for the hold of the caller, to evaluate a condition.
    ///
    /// # Safety
    ///
    /// The caller forgets it.
    #[inline]
    pub(super) unsafe fn to_evaluate(turns: &'a Turns) -> Self {
        Hold {
            raw: ManuallyDrop::new(None),
            turns,
            has_turn: false,
            _not_send: PhantomData,
        }
    }

    #[inline]
    pub(super) fn lock_id(&self) -> LockId {
        LockId::of(self.turns)
    }

    /// Releases the lock after a section that has changed nothing.
    #[inline]
    pub(super) fn release_unchanged(self) {
        ManuallyDrop::new(self).release(false, || None);
    }

    /// Releases the lock of `object`.
    ///
    /// # Safety
    ///
    /// As for [`GatePermit::release_object`](crate::gate::GatePermit::release_object).
    #[inline]
    pub(super) unsafe fn release_object(self, object: impl FnOnce() -> Object) {
        ManuallyDrop::new(self).release(R::MAY_CHANGE, || Some(object()));
    }

    /// Releases the lock, and keeps the turn for the caller.
    #[inline]
    pub(super) fn release_without_turn(self) {
        let mut this = ManuallyDrop::new(self);
        this.has_turn = false;
        this.release(false, || None);
    }

    /// To be called once. Small enough to be inlined. The functions that it calls take parts of
    /// the guard, not its address, so that a guard stays in registers.
    #[inline(always)]
    fn release(&mut self, changed: bool, object: impl FnOnce() -> Option<Object>) {
        self.turns.does(SyncOp::Release);
        if R::MAY_CHANGE {
            self.turns.1.releases();
        }
        let changed = changed && !checking::only_looks();
        let (turns, has_turn) = (self.turns, self.has_turn);
        // SAFETY: not used again.
        let raw = unsafe { ManuallyDrop::take(&mut self.raw) };
        if has_turn || changed && turns.0.has_unsatisfied() {
            Self::release_and_wake(raw, turns, has_turn, changed, object);
        }
    }

    #[cold]
    #[inline(never)]
    fn release_and_wake(
        raw: Option<R>,
        Turns(gate, _): &Turns,
        has_turn: bool,
        changed: bool,
        object: impl FnOnce() -> Option<Object>,
    ) {
        let waker = if has_turn {
            gate.release_turn(changed, object)
        } else {
            gate.changed(object())
        };
        drop(raw);
        // The lock is free, as a waker may poll a task that acquires it (T3). A section of
        // several locks may still hold the others.
        if let Some(waker) = waker {
            wake_one(waker);
        }
    }
}

impl<R: RawGuard> Drop for Hold<'_, R> {
    #[inline]
    fn drop(&mut self) {
        self.release(R::MAY_CHANGE, || None);
    }
}
