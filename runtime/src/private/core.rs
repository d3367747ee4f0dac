//! The contents of a generated guard and of a generated view.
//!
//! A guard is a newtype over a [`Core`] or a [`ReadCore`]: the object and the
//! guard of its lock, in one value. Safe code can neither make that value nor take it
//! apart, not even in the module of the object's struct, where the fields of
//! the newtype are visible.
//!
//! # Invariants
//!
//! - **K1** The lock guard in a core belongs to the lock of `owner` whose
//!   name hashes to `KEY` (for a read core: whose name with the prefix `read:` does), and
//!   it stays there until the core is dropped. `KEY` is part of the type so that
//!   the core of one lock cannot be moved into the guard of another.
//! - **K2** While an [`Owner`] exists, that lock is held. It borrows, by the
//!   lifetime it was made with, the core it was made from.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::locks::{GuardOf, LockOf};

/// An object and the exclusive guard of one of its locks (K1). The object is stored in the guard.
pub struct Core<'g, O: ?Sized, G, const KEY: u128> {
    guard: G,
    _owner: PhantomData<&'g O>,
}

/// An object and the shared guard of one of its locks (K1).
pub struct ReadCore<'g, O: ?Sized, G, const KEY: u128> {
    guard: G,
    owner: &'g O,
}

// The auto traits are written out for futures that hold a guard
// over a generic type. Derived from the field, they would require that the object
// has the lock for all lifetimes in its type, which the compiler cannot prove
// there (rust-lang/rust#100013).
//
// SAFETY: `O: Sync` makes the reference `Send` and, as the lock is a field of
// the object or behind one, the lock `Sync`. `ExclusiveLock` promises that a
// guard of a `Sync` lock may then be dropped on another thread. The
// `PhantomData<&mut T>` of the newtype accounts for the guarded data.
unsafe impl<O: ?Sized + Sync, G, const KEY: u128> Send for Core<'_, O, G, KEY> {}
// SAFETY: a shared core gives access to the owner, which is `Sync`, and to nothing else.
unsafe impl<O: ?Sized + Sync, G, const KEY: u128> Sync for Core<'_, O, G, KEY> {}
// SAFETY: as for `Core`.
unsafe impl<O: ?Sized + Sync, G, const KEY: u128> Send for ReadCore<'_, O, G, KEY> {}
// SAFETY: a shared core gives access to the owner, which is `Sync`, and to the
// guarded data by `&T`, which the `PhantomData<&T>` of the newtype allows on
// several threads only if `T: Sync`; `ExclusiveRwLock` promises that no more
// is needed.
unsafe impl<O: ?Sized + Sync, G, const KEY: u128> Sync for ReadCore<'_, O, G, KEY> {}

impl<'g, O: LockOf<M> + ?Sized, M, const KEY: u128> Core<'g, O, GuardOf<'g, O, M>, KEY> {
    /// # Safety
    ///
    /// `guard` belongs to the lock of `owner` that `KEY` stands for.
    #[inline]
    pub unsafe fn new(owner: &'g O, guard: GuardOf<'g, O, M>) -> Self {
        Core {
            guard: guard.owned_by(owner),
            _owner: PhantomData,
        }
    }

    /// The object whose lock is held.
    #[inline]
    pub fn owner(&self) -> &'g O {
        // SAFETY: `new` has stored the owner in the guard.
        unsafe { self.guard.owner().unwrap_unchecked() }
    }

    /// The object, once the lock has been released.
    ///
    /// An associated function: otherwise, for `guard.release()` the compiler would suggest
    /// `guard.0.release()`.
    #[inline]
    pub fn release(core: Self) -> &'g O {
        core.owner()
    }
}

impl<O: ?Sized, G, const KEY: u128> Core<'_, O, G, KEY> {
    /// The guard of the lock.
    #[inline]
    pub(super) fn into_guard(self) -> G {
        self.guard
    }

    /// The data inside the lock, if it has any.
    #[inline]
    pub fn value(&mut self) -> &mut G::Target
    where
        G: DerefMut,
    {
        &mut self.guard
    }
}

impl<'g, O: ?Sized, G, const KEY: u128> ReadCore<'g, O, G, KEY> {
    /// # Safety
    ///
    /// `guard` is a read guard of the lock of `owner` that `KEY` stands for.
    #[inline]
    pub unsafe fn new(owner: &'g O, guard: G) -> Self {
        ReadCore { guard, owner }
    }

    /// The object whose lock is held.
    #[inline]
    pub fn owner(&self) -> &'g O {
        self.owner
    }

    /// The data inside the lock, if it has any.
    #[inline]
    pub fn value(&self) -> &G::Target
    where
        G: Deref,
    {
        &self.guard
    }
}

/// The object behind a view: proof that its lock is held (K2).
///
/// It is neither `Clone` nor `Copy`, and cannot be made by safe code: so neither can a
/// view.
pub struct Owner<'g, O: ?Sized, const KEY: u128>(&'g O);

impl<'g, O: ?Sized, const KEY: u128> Owner<'g, O, KEY> {
    /// # Safety
    ///
    /// The caller holds the lock of `owner` that `KEY` stands for, for all of `'g`.
    #[inline]
    pub unsafe fn new(owner: &'g O) -> Self {
        Owner(owner)
    }

    /// The object.
    #[inline]
    pub fn get(&self) -> &'g O {
        self.0
    }
}
