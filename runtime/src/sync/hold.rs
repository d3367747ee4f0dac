//! The part of a sync lock's guard that serves the conditional waiters.
//!
//! A guard is made and dropped in a few nanoseconds, and whatever it stores has to be written
//! before the release of the lock, so it is as small as can be.
//!
//! # Invariants
//!
//! - **SH1** The raw guard is there until the hold is released, and the lock is held by it. Only a
//!   hold that was made [to evaluate](Hold::to_evaluate) has none, and it is forgotten.
//! - **SH2** The address with the turn is that of turns that outlive the hold.

use core::marker::PhantomData;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

use super::raw::{RawMutexGuard, RawReadGuard, RawWriteGuard};
use super::turns::Turns;
use crate::checking::{self, SyncOp};
use crate::queue::Object;
use crate::request::Mode;
use crate::traits::lock_id::LockId;
use crate::wake::wake_one;
use crate::watching;

/// The guard of a platform lock.
pub(super) trait RawGuard {
    /// How its holder holds the lock.
    const MODE: Mode;

    /// Whether its holder may change the guarded data.
    const MAY_MUTATE: bool = !matches!(Self::MODE, Mode::Shared);
}

impl RawGuard for RawMutexGuard<'_> {
    const MODE: Mode = Mode::Exclusive;
}

impl RawGuard for RawWriteGuard<'_> {
    const MODE: Mode = Mode::Exclusive;
}

impl RawGuard for RawReadGuard<'_> {
    const MODE: Mode = Mode::Shared;
}

/// The turns of a lock, and whether the holder has the turn: a reference whose lowest bit tells.
#[derive(Clone, Copy)]
struct WithTurn<'a>(NonNull<Turns>, PhantomData<&'a Turns>);

impl<'a> WithTurn<'a> {
    const HAS_TURN: usize = {
        assert!(
            align_of::<Turns>() > 1,
            "the lowest bit of an address is free"
        );
        1
    };

    #[inline]
    fn new(turns: &'a Turns, has_turn: bool) -> Self {
        let turn = if has_turn { Self::HAS_TURN } else { 0 };
        WithTurn(
            NonNull::from(turns).map_addr(|address| address | turn),
            PhantomData,
        )
    }

    /// The turns, and whether the holder has the turn: a branch, so that without the turn, the
    /// address is used as it is.
    #[inline(always)]
    fn parts(self) -> (&'a Turns, bool) {
        if self.0.addr().get() & Self::HAS_TURN == 0 {
            // SAFETY: the reference that `new` got, which lives for `'a` (SH2).
            return (unsafe { self.0.as_ref() }, false);
        }
        // Not `NonNull::map_addr`, whose result would have to be shown not to be null.
        let turns = self
            .0
            .as_ptr()
            .map_addr(|address| address & !Self::HAS_TURN);
        // SAFETY: the same; the lowest bit of its address was not set.
        (unsafe { &*turns }, true)
    }
}

/// A lock that is held: a part of every guard. Its drop tells the conditional waiters of
/// the change, and releases the lock.
pub(super) struct Hold<'a, R: RawGuard> {
    /// SH1.
    raw: MaybeUninit<R>,
    /// A conditional waiter has the turn until it releases.
    turns: WithTurn<'a>,
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
            raw: MaybeUninit::new(raw),
            turns: WithTurn::new(turns, has_turn),
            _not_send: PhantomData,
        }
    }

    /// A stand-in for the hold of the caller, to evaluate a condition.
    ///
    /// # Safety
    ///
    /// The caller forgets it (SH1).
    #[inline]
    pub(super) unsafe fn to_evaluate(turns: &'a Turns) -> Self {
        Hold {
            raw: MaybeUninit::uninit(),
            turns: WithTurn::new(turns, false),
            _not_send: PhantomData,
        }
    }

    #[inline]
    pub(super) fn lock_id(&self) -> LockId {
        LockId::of(self.turns.parts().0)
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
        ManuallyDrop::new(self).release(R::MAY_MUTATE, || Some(object()));
    }

    /// Releases the lock, and keeps the turn for the caller.
    #[inline]
    pub(super) fn release_without_turn(self) {
        let mut this = ManuallyDrop::new(self);
        this.turns = WithTurn::new(this.turns.parts().0, false);
        this.release(false, || None);
    }

    /// To be called once. Small enough to be inlined. The functions that it calls take parts of
    /// the guard, not its address, so that a guard stays in registers.
    #[inline(always)]
    fn release(&mut self, mutated: bool, object: impl FnOnce() -> Option<Object>) {
        let (turns, has_turn) = self.turns.parts();
        turns.announce(SyncOp::Release);
        watching::released(|| (LockId::of(turns), R::MODE));
        if R::MAY_MUTATE {
            turns.thread.releases();
        }
        let mutated = mutated && !checking::only_looks();
        // SAFETY: not used again; a hold without a raw guard is not released (SH1).
        let raw = unsafe { self.raw.assume_init_read() };
        if has_turn || mutated && turns.gate.has_conditional_waiters() {
            Self::release_and_wake(raw, turns, has_turn, mutated, object);
        }
    }

    #[cold]
    #[inline(never)]
    fn release_and_wake(
        raw: R,
        Turns { gate, .. }: &Turns,
        has_turn: bool,
        mutated: bool,
        object: impl FnOnce() -> Option<Object>,
    ) {
        let waker = if has_turn {
            gate.release_turn(mutated, object)
        } else {
            gate.on_mutation(object())
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
        self.release(R::MAY_MUTATE, || None);
    }
}
