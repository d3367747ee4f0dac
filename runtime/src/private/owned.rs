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
use core::mem::MaybeUninit;

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
