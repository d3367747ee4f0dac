//! The inside of every guard.

use core::mem::ManuallyDrop;
use core::ptr;
use std::rc::Rc;
use std::sync::Arc;

use super::Gate;
use super::policy::Policy;
use crate::async_lock::LockId;
use crate::sync::Flavour;

/// A primitive with a gate.
pub(crate) trait Gated {
    /// What the word of the gate means.
    type Policy: Policy;

    /// Who shares it.
    type Flavour: Flavour;

    /// The gate.
    fn gate(&self) -> &Gate<Self::Policy, Self::Flavour>;
}

/// A way to keep a primitive alive and reach its gate: `&L`, `Rc<L>` or `Arc<L>`.
pub(crate) trait Handle {
    /// What the word of the gate means.
    type Policy: Policy;

    /// Who shares it.
    type Flavour: Flavour;

    /// The gate.
    fn gate(&self) -> &Gate<Self::Policy, Self::Flavour>;
}

impl<L: Gated + ?Sized> Handle for &L {
    type Policy = L::Policy;
    type Flavour = L::Flavour;

    #[inline]
    fn gate(&self) -> &Gate<L::Policy, L::Flavour> {
        L::gate(self)
    }
}

impl<L: Gated + ?Sized> Handle for Rc<L> {
    type Policy = L::Policy;
    type Flavour = L::Flavour;

    #[inline]
    fn gate(&self) -> &Gate<L::Policy, L::Flavour> {
        L::gate(self)
    }
}

impl<L: Gated + ?Sized> Handle for Arc<L> {
    type Policy = L::Policy;
    type Flavour = L::Flavour;

    #[inline]
    fn gate(&self) -> &Gate<L::Policy, L::Flavour> {
        L::gate(self)
    }
}

/// A place inside a gate, which is left on drop: the inside of every guard.
///
/// `C` says which request was granted, in as few bytes as the guard needs.
pub(crate) struct Inside<H: Handle, C: Claim<H>> {
    handle: H,
    claim: C,
}

/// Something small that says which request was granted.
pub(crate) trait Claim<H: Handle>: Copy + Into<<H::Policy as Policy>::Request> {}

impl<H: Handle, C: Copy + Into<<H::Policy as Policy>::Request>> Claim<H> for C {}

impl<H: Handle, C: Claim<H>> Inside<H, C> {
    /// For those to whom the gate has granted `claim`.
    #[inline]
    pub(crate) fn new(handle: H, claim: C) -> Self {
        Inside { handle, claim }
    }

    /// The primitive.
    #[inline]
    pub(crate) fn handle(&self) -> &H {
        &self.handle
    }

    /// What is held.
    #[inline]
    pub(crate) fn claim(&self) -> C {
        self.claim
    }

    /// Changes what the drop will give back.
    #[inline]
    pub(crate) fn set_claim(&mut self, claim: C) {
        self.claim = claim;
    }

    /// Keeps what was granted, and leaves it to the caller to give it back.
    #[inline]
    pub(crate) fn into_handle(self) -> H {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so the handle is
        // read out once. A claim is `Copy` and needs no drop.
        unsafe { ptr::read(&raw const this.handle) }
    }

    /// Leaves the gate.
    #[inline]
    pub(crate) fn leave(self) -> H {
        let claim = self.claim;
        let handle = self.into_handle();
        handle.gate().leave(claim.into());
        handle
    }

    /// Which lock this is.
    #[inline]
    pub(crate) fn lock_id(&self) -> LockId {
        LockId::of(self.handle.gate())
    }
}

impl<H: Handle, C: Claim<H>> Drop for Inside<H, C> {
    #[inline]
    fn drop(&mut self) {
        self.handle.gate().leave(self.claim.into());
    }
}
