//! A generated guard beside the `Arc` of its object.
//!
//! # Invariants
//!
//! - **O1** The guard is one of the object that the `Arc` keeps alive, and is dropped before
//!   it. Its type says `'static`; it is shown for shorter only.
//!
//! (The guard is in a `MaybeUninit` because it has references to the object, and a fn that
//! takes an owned guard by value drops the object before it returns: what is an argument
//! must outlast the call.)

pub use alloc::sync::Arc;
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::gate::polled_after_completion;

/// An object, and a guard of one of its locks (O1).
pub struct OwnedCore<O: ?Sized, G> {
    guard: MaybeUninit<G>,
    _owner: Arc<O>,
}

impl<O: ?Sized, G> OwnedCore<O, G> {
    /// # Safety
    ///
    /// `guard` borrows nothing but the object behind `owner`.
    #[inline]
    pub unsafe fn new(owner: Arc<O>, guard: G) -> Self {
        OwnedCore {
            guard: MaybeUninit::new(guard),
            _owner: owner,
        }
    }

    /// # Safety
    ///
    /// The guard is not shown for longer than this is borrowed (O1).
    #[inline]
    pub unsafe fn guard(&self) -> &G {
        // SAFETY: initialized by `new`.
        unsafe { self.guard.assume_init_ref() }
    }

    /// # Safety
    ///
    /// As for [`guard`](Self::guard), and the guard stays where it is.
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

/// The object of an `Arc`, for as long as the caller says.
///
/// # Safety
///
/// The caller keeps the `Arc` for as long.
#[inline]
pub unsafe fn kept<'a, O: ?Sized>(owner: &Arc<O>) -> &'a O {
    // SAFETY: passed on.
    unsafe { &*Arc::as_ptr(owner) }
}

/// A future that acquires from an object, which it keeps and drops last, and what it makes of both.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)] // nobody sees it
pub struct AcquiringOwned<F, O: ?Sized, M> {
    future: F,
    make: M,
    /// Until the future is done.
    owner: Option<Arc<O>>,
}

/// What `make` makes of the owner and the guard that the future acquires.
#[inline]
pub fn acquiring_owned<F, O, M, R>(owner: Arc<O>, future: F, make: M) -> AcquiringOwned<F, O, M>
where
    F: Future,
    O: ?Sized,
    M: Fn(Arc<O>, F::Output) -> R,
{
    AcquiringOwned {
        future,
        make,
        owner: Some(owner),
    }
}

impl<F, O, M, R> Future for AcquiringOwned<F, O, M>
where
    F: Future,
    O: ?Sized,
    M: Fn(Arc<O>, F::Output) -> R,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // SAFETY: the future is pinned with the struct, and the rest is never pinned.
        let (future, make, owner) = unsafe {
            let this = self.get_unchecked_mut();
            let future = Pin::new_unchecked(&mut this.future);
            (future, &this.make, &mut this.owner)
        };
        future.poll(cx).map(|guard| match owner.take() {
            Some(owner) => make(owner, guard),
            None => polled_after_completion(),
        })
    }
}
