//! A field that should be a lock, as generated code names it.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};

use super::core::{Core, ReadCore};
use super::errors::{ErrorGuard, ErrorLock};
use super::fallible::CannotFail;
use super::locks::{GuardOf, LockOf, ReadGuardOf, RwLockOf};
use crate::{AsyncLock, AsyncRwLock};

/// A field that should be a lock.
///
/// The future that acquires a lock `L` is named by `L` alone, so that the compiler need not
/// search for the lock of an object to find out whether the future is `Send`. A field that
/// is not a lock, which is reported at the impl of [`LockOf`], is replaced by `ErrorLock`,
/// and nothing more is reported.
///
/// Its methods, and those of [`LockField`], take it by value. Generated code trusts that a
/// guard from them belongs to this lock, and a user's trait method of the same name would be
/// found before an inherent method that borrows.
pub struct Field<'a, L: ?Sized>(FieldFallback<'a, L>);

#[doc(hidden)]
pub struct FieldFallback<'a, L: ?Sized>(&'a L);

/// The field.
#[inline]
pub fn field<L: ?Sized>(field: &L) -> Field<'_, L> {
    Field(FieldFallback(field))
}

impl<'a, L: ?Sized> Deref for Field<'a, L> {
    type Target = FieldFallback<'a, L>;

    #[inline]
    fn deref(&self) -> &FieldFallback<'a, L> {
        &self.0
    }
}

impl<'a, L: AsyncLock<Error: CannotFail> + ?Sized> Field<'a, L> {
    #[doc(hidden)]
    #[inline]
    pub fn __resolve(self) -> LockField<'a, L> {
        LockField(self.0.0)
    }
}

impl<'a, L: AsyncRwLock<Error: CannotFail> + ?Sized> Field<'a, L> {
    #[doc(hidden)]
    #[inline]
    pub fn __resolve_shared(self) -> LockField<'a, L> {
        LockField(self.0.0)
    }
}

impl<L: ?Sized> FieldFallback<'_, L> {
    #[doc(hidden)]
    pub fn __resolve(&self) -> NotALock {
        NotALock
    }

    #[doc(hidden)]
    pub fn __resolve_shared(&self) -> NotALock {
        NotALock
    }
}

/// A field that is a lock.
pub struct LockField<'a, L: ?Sized>(&'a L);

impl<'a, L: ?Sized> LockField<'a, L> {
    /// The lock.
    #[doc(hidden)]
    #[inline]
    pub fn __lock(self) -> &'a L {
        self.0
    }

    /// Its guard, as the guard of the object's lock.
    #[doc(hidden)]
    #[inline]
    pub fn __of<O: LockOf<M, Lock = L> + ?Sized, M>(self, guard: L::Guard<'a>) -> GuardOf<'a, O, M>
    where
        L: AsyncLock,
    {
        GuardOf::new(guard)
    }

    /// Its read guard, as the read guard of the object's lock.
    #[doc(hidden)]
    #[inline]
    pub fn __of_shared<O: RwLockOf<M, Lock = L> + ?Sized, M>(
        self,
        guard: L::ReadGuard<'a>,
    ) -> ReadGuardOf<'a, O, M>
    where
        L: AsyncRwLock,
    {
        ReadGuardOf::new(guard)
    }

    /// The data inside a lock.
    #[doc(hidden)]
    #[inline]
    pub fn __value<'g, 'b, O: LockOf<M, Lock = L> + ?Sized, M, const KEY: u128>(
        self,
        core: &'b mut Core<'g, O, GuardOf<'g, O, M>, KEY>,
    ) -> &'b mut <L::Guard<'g> as Deref>::Target
    where
        L: AsyncLock<Guard<'g>: DerefMut>,
    {
        core.value()
    }

    /// The same, for a reader.
    #[doc(hidden)]
    #[inline]
    pub fn __value_shared<'g, 'b, O: RwLockOf<M, Lock = L> + ?Sized, M, const KEY: u128>(
        self,
        core: &'b ReadCore<'g, O, ReadGuardOf<'g, O, M>, KEY>,
    ) -> &'b <L::ReadGuard<'g> as Deref>::Target
    where
        L: AsyncRwLock<ReadGuard<'g>: Deref>,
    {
        core.value()
    }

    /// The type of the lock.
    #[doc(hidden)]
    #[inline]
    pub fn __mutable(self) -> Mutable<L> {
        Mutable(PhantomData)
    }
}

/// The type of a lock field, for a `&mut` to it.
pub struct Mutable<L: ?Sized>(PhantomData<fn(&L)>);

impl<L: ?Sized> Mutable<L> {
    #[inline]
    pub(super) fn new() -> Self {
        Mutable(PhantomData)
    }

    /// The lock, which may have a `get_mut`.
    #[doc(hidden)]
    #[inline]
    pub fn __of(self, lock: &mut L) -> &mut L {
        lock
    }
}

/// A field that is not a lock, in code that never runs.
#[doc(hidden)]
pub struct NotALock;

#[doc(hidden)]
impl NotALock {
    pub fn __value<'b, C, V: ?Sized>(&self, _: &'b mut C) -> &'b mut V {
        unreachable!("the field is not a lock, which is an error")
    }

    pub fn __value_shared<'b, C, V: ?Sized>(&self, _: &'b C) -> &'b V {
        unreachable!("the field is not a lock, which is an error")
    }

    #[inline]
    pub fn __mutable(&self) -> NoMutable {
        NoMutable
    }
}

/// Has a `get_mut` that returns any type, in code that never runs.
#[doc(hidden)]
pub struct AnyMut<'b>(PhantomData<&'b mut ()>);

impl<'b> AnyMut<'b> {
    #[doc(hidden)]
    pub fn get_mut<V: ?Sized>(self) -> &'b mut V {
        unreachable!("the field is not a lock, which is an error")
    }
}

/// As [`Mutable`], for a field that is not a lock.
#[doc(hidden)]
pub struct NoMutable;

impl NoMutable {
    #[doc(hidden)]
    pub fn __of<'b, L: ?Sized>(&self, _: &'b mut L) -> AnyMut<'b> {
        AnyMut(PhantomData)
    }
}

impl NotALock {
    #[doc(hidden)]
    #[inline]
    pub fn __lock(&self) -> &'static ErrorLock {
        &ErrorLock
    }

    #[doc(hidden)]
    pub fn __of<'a, O: LockOf<M> + ?Sized, M>(&self, _: ErrorGuard) -> GuardOf<'a, O, M> {
        unreachable!("the field is not a lock, which is an error")
    }

    #[doc(hidden)]
    pub fn __of_shared<'a, O: RwLockOf<M> + ?Sized, M>(
        &self,
        _: ErrorGuard,
    ) -> ReadGuardOf<'a, O, M> {
        unreachable!("the field is not a lock, which is an error")
    }
}
