//! The permit inside every guard.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::mem::ManuallyDrop;
use core::ptr;

use super::Gate;
use super::policy::Policy;
use crate::platform::Flavour;
use crate::queue::Object;
use crate::traits::lock_id::LockId;
use crate::watching::{self, Permits};

/// A primitive with a gate, or a pointer that keeps one alive: `&L`, `Rc<L>` or
/// `Arc<L>`.
pub(crate) trait Gated {
    /// The meaning of the gate's word.
    type Policy: Policy;

    /// The flavour of the primitive.
    type Flavour: Flavour;

    /// The gate.
    fn gate(&self) -> &Gate<Self::Policy, Self::Flavour>;

    /// Of a semaphore: the total number of permits, for watching.
    #[inline]
    fn permits(&self) -> Option<&Permits> {
        None
    }
}

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        impl<L: Gated + ?Sized> Gated for $pointer {
            type Policy = L::Policy;
            type Flavour = L::Flavour;

            #[inline]
            fn gate(&self) -> &Gate<L::Policy, L::Flavour> {
                L::gate(self)
            }

            #[inline]
            fn permits(&self) -> Option<&Permits> {
                L::permits(self)
            }
        }
    )*};
}

through_pointer!(&L);
#[cfg(feature = "alloc")]
through_pointer!(Rc<L>, Arc<L>);

/// A permit of a gate, released on drop. Every guard contains one.
///
/// `C` says which request was granted, in as few bytes as the guard needs.
pub(crate) struct GatePermit<H: Gated, C: Claim<H>> {
    handle: H,
    claim: C,
}

/// A small value that says which request was granted.
pub(crate) trait Claim<H: Gated>: Copy + Into<<H::Policy as Policy>::Request> {}

impl<H: Gated, C: Copy + Into<<H::Policy as Policy>::Request>> Claim<H> for C {}

impl<H: Gated, C: Claim<H>> GatePermit<H, C> {
    /// The gate has granted `claim` to the caller.
    #[inline]
    pub(crate) fn new(handle: H, claim: C) -> Self {
        GatePermit { handle, claim }
    }

    /// The primitive.
    #[inline]
    pub(crate) fn handle(&self) -> &H {
        &self.handle
    }

    /// The request that was granted.
    #[inline]
    pub(crate) fn claim(&self) -> C {
        self.claim
    }

    /// Changes the request that the drop releases.
    #[inline]
    pub(crate) fn set_claim(&mut self, claim: C) {
        self.claim = claim;
    }

    /// Keeps the permit without a release: the caller accounts for it from here on.
    #[inline]
    pub(crate) fn into_handle(self) -> H {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so the handle is
        // read out once. A claim is `Copy` and needs no drop.
        unsafe { ptr::read(&raw const this.handle) }
    }

    /// For watching: the permit is about to be released.
    #[inline]
    fn ends(&self) {
        watching::released(|| (self.lock_id(), H::Policy::mode(self.claim.into())));
    }

    /// Releases the permit.
    #[inline]
    pub(crate) fn release(self) -> H {
        self.ends();
        let claim = self.claim;
        let handle = self.into_handle();
        handle.gate().release(claim.into());
        handle
    }

    /// Releases the permit of a holder that has changed nothing.
    #[inline]
    pub(crate) fn release_unchanged(self) {
        self.ends();
        let claim = self.claim;
        self.into_handle().gate().release_unchanged(claim.into());
    }

    /// Releases the permit of a holder of a lock of `object`.
    ///
    /// # Safety
    ///
    /// The gate belongs to the lock of the object that its kind stands for, and nothing
    /// borrows from the data that this lock guards.
    #[inline]
    pub(crate) unsafe fn release_object(self, object: impl FnOnce() -> Object) {
        self.ends();
        let claim = self.claim;
        // SAFETY: passed on; the call releases the permit.
        unsafe {
            self.into_handle()
                .gate()
                .release_object(claim.into(), object)
        }
    }

    /// Which lock this is.
    #[inline]
    pub(crate) fn lock_id(&self) -> LockId {
        LockId::of(self.handle.gate())
    }
}

impl<H: Gated, C: Claim<H>> Drop for GatePermit<H, C> {
    #[inline]
    fn drop(&mut self) {
        self.ends();
        self.handle.gate().release(self.claim.into());
    }
}

/// Implements `Deref`, `Debug` and `Display` for guards that lead to a value and, after
/// `mut:`, `DerefMut`.
///
/// `Guard[generics]<parameters>, |guard| pointer;` with a pointer to a value that stays
/// where it is while the guard exists. It may be read for as long as the guard is
/// borrowed and, after `mut:`, written; the invocation names the invariant.
macro_rules! guard_traits {
    (mut: $(
        $guard:ident[$($generics:tt)*]<$($params:tt),*>, |$this:ident| $pointer:expr;
    )*) => {
        guard_traits! { $($guard[$($generics)*]<$($params),*>, |$this| $pointer;)* }

        $(
            impl<$($generics)*> ::core::ops::DerefMut for $guard<$($params),*> {
                #[inline]
                fn deref_mut(&mut self) -> &mut T {
                    let $this = self;
                    // SAFETY: by the invariant that the invocation names, nobody
                    // else reads or writes; the guard is borrowed for as long as
                    // the value.
                    unsafe { &mut *$pointer }
                }
            }
        )*
    };
    ($(
        $guard:ident[$($generics:tt)*]<$($params:tt),*>, |$this:ident| $pointer:expr;
    )*) => {$(
        impl<$($generics)*> ::core::ops::Deref for $guard<$($params),*> {
            type Target = T;

            #[inline]
            fn deref(&self) -> &T {
                let $this = self;
                // SAFETY: by the invariant that the invocation names, nobody
                // writes; the guard is borrowed for as long as the value.
                unsafe { &*$pointer }
            }
        }

        impl<$($generics)* + ::core::fmt::Debug> ::core::fmt::Debug for $guard<$($params),*> {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($generics)* + ::core::fmt::Display> ::core::fmt::Display for $guard<$($params),*> {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&**self, f)
            }
        }
    )*};
}

pub(crate) use guard_traits;
