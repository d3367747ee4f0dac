//! A section in a method with `&mut self`.
//!
//! Nobody else has the object, so a lock of its own that guards its fields is free. A lock
//! that is reached through a pointer may be held by those who have the other pointers. The
//! two are told apart by type, as in [`dispatch`](super::dispatch): [`MutableReceiver`] has
//! `__check_lock` where the derive of the object knows the lock, and derefs to [`OfNoDerive`],
//! which has it in any case.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::marker::PhantomData;
use core::ops::Deref;

/// A pointer to a lock, which others may have too.
#[diagnostic::on_unimplemented(
    message = "`&mut self` means that nobody else has the object, so waiting for its lock is pointless",
    label = "nobody else can hold the lock of this object",
    note = "take `&self`, or remove the attribute and use the method of the struct that takes no lock: `self.ledger_mut()` for a lock `ledger`"
)]
pub trait PointsToLock {}

#[diagnostic::do_not_recommend]
impl<L: ?Sized> PointsToLock for &L {}

#[cfg(feature = "alloc")]
#[diagnostic::do_not_recommend]
impl<L: ?Sized> PointsToLock for Arc<L> {}

#[cfg(feature = "alloc")]
#[diagnostic::do_not_recommend]
impl<L: ?Sized> PointsToLock for Rc<L> {}

/// The object behind `&mut self`, and one of its locks.
pub struct MutableReceiver<O: ?Sized, const KEY: u128>(OfNoDerive<O>);

#[doc(hidden)]
pub struct OfNoDerive<O: ?Sized>(PhantomData<fn(&O)>);

/// The object behind `&mut self`, and the lock `KEY`.
#[inline]
pub fn mutable_receiver<O: ?Sized, const KEY: u128>(_object: &O) -> MutableReceiver<O, KEY> {
    MutableReceiver(OfNoDerive(PhantomData))
}

impl<O: super::HasLock<KEY> + ?Sized, const KEY: u128> MutableReceiver<O, KEY> {
    /// The lock may be held by somebody else, by its type.
    #[inline]
    pub fn __check_lock<L: PointsToLock + ?Sized>(&self, _lock: &L) {}
}

impl<O: ?Sized> OfNoDerive<O> {
    /// Nothing is known about the lock.
    #[inline]
    pub fn __check_lock<L: ?Sized>(&self, _lock: &L) {}
}

impl<O: ?Sized, const KEY: u128> Deref for MutableReceiver<O, KEY> {
    type Target = OfNoDerive<O>;

    #[inline]
    fn deref(&self) -> &OfNoDerive<O> {
        &self.0
    }
}
