//! A section in a method with `&mut self`.
//!
//! Nobody else has the object, so a lock that is a field of it is free. A lock
//! behind a pointer may be held through another pointer. The type of the lock distinguishes
//! the two, as in [`dispatch`](super::dispatch): [`MutableReceiver`] has
//! `__check_lock` if the derive of the object knows the lock, and derefs to [`OfNoDerive`],
//! which has it in any case.

#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::marker::PhantomData;
use core::ops::Deref;

/// A pointer to a lock, of which others may have a copy.
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
    /// By its type, the lock may be held through another pointer.
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
