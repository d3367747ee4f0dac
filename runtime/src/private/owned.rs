//! A generated guard beside the `Arc` of its object.
//!
//! # Invariants
//!
//! - **O1** The guard, or the future that acquires it, belongs to the object that the `Arc` keeps
//!   alive, and is dropped before it. Its type says `'static`; it is lent out for shorter
//!   lifetimes only.
//!
//! (Both are in a `MaybeUninit` because they have references to the object. A fn that
//! takes their owner by value drops the object before it returns, but a reference in an
//! argument must stay valid for the whole call.)

pub use alloc::sync::Arc;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use crate::gate::polled_after_completion;

/// An object, and a guard of one of its locks (O1).
pub struct OwnedCore<O: ?Sized, G> {
    guard: MaybeUninit<G>,
    _owner: Arc<O>,
}

impl<O: ?Sized, G> OwnedCore<O, G> {
    /// # Safety
    ///
    /// `guard` borrows only from the object behind `owner`.
    #[inline]
    pub unsafe fn new(owner: Arc<O>, guard: G) -> Self {
        OwnedCore {
            guard: MaybeUninit::new(guard),
            _owner: owner,
        }
    }

    /// # Safety
    ///
    /// The guard is not lent out for longer than this is borrowed (O1).
    #[inline]
    pub unsafe fn guard(&self) -> &G {
        // SAFETY: initialized by `new`.
        unsafe { self.guard.assume_init_ref() }
    }

    /// # Safety
    ///
    /// As for [`guard`](Self::guard), and the guard is not moved.
    #[inline]
    pub unsafe fn guard_mut(&mut self) -> &mut G {
        // SAFETY: initialized by `new`.
        unsafe { self.guard.assume_init_mut() }
    }
}

impl<O: ?Sized, G> Drop for OwnedCore<O, G> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: initialized by `new`, and not used again. The object is still there (O1).
        unsafe { self.guard.assume_init_drop() }
    }
}

/// The future of an [`OwnedCore`].
#[must_use = "futures do nothing unless they are awaited"]
pub struct OwnedAcquire<O: ?Sized, F> {
    /// Initialized as long as there is an owner; pinned with this.
    future: MaybeUninit<F>,
    /// Until the guard is acquired.
    owner: Option<Arc<O>>,
}

impl<O: ?Sized, F: Future> OwnedAcquire<O, F> {
    /// # Safety
    ///
    /// `future`, and the guard that it acquires, borrow nothing but the object behind `owner`.
    #[inline]
    pub unsafe fn new(owner: Arc<O>, future: F) -> Self {
        OwnedAcquire {
            future: MaybeUninit::new(future),
            owner: Some(owner),
        }
    }
}

impl<O: ?Sized, F: Future> Future for OwnedAcquire<O, F> {
    type Output = OwnedCore<O, F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is moved nowhere.
        let this = unsafe { self.get_unchecked_mut() };
        if this.owner.is_none() {
            polled_after_completion();
        }
        // SAFETY: there is an owner, and the future is pinned with this.
        let future = unsafe { Pin::new_unchecked(this.future.assume_init_mut()) };
        let guard = ready!(future.poll(cx));
        let Some(owner) = this.owner.take() else {
            unreachable!("nobody else has taken it");
        };
        // SAFETY: as `new` demands.
        let guard = unsafe { OwnedCore::new(owner, guard) };
        // SAFETY: initialized until now, and not used again, as there is no owner. The object is
        // still there, in the guard (O1).
        unsafe { this.future.assume_init_drop() };
        Poll::Ready(guard)
    }
}

impl<O: ?Sized, F> Drop for OwnedAcquire<O, F> {
    #[inline]
    fn drop(&mut self) {
        if self.owner.is_some() {
            // SAFETY: there is an owner, and the future is not used again. The object is still
            // there (O1).
            unsafe { self.future.assume_init_drop() }
        }
    }
}

/// The object of an `Arc`, for as long as the caller says.
///
/// # Safety
///
/// The caller keeps the `Arc` for that lifetime.
#[inline]
pub unsafe fn kept<'a, O: ?Sized>(owner: &Arc<O>) -> &'a O {
    // SAFETY: passed on.
    unsafe { &*Arc::as_ptr(owner) }
}
