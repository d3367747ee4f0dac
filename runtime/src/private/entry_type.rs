//! The type of a section's entry: all that a section has to remember of it while it
//! waits and while it runs. A value of it has no size, and makes no future larger.

use core::marker::PhantomData;

use super::bind::{Bind, DerivedView, OfDeref};
use super::dispatch::{Derived, DerivedReading, Enter, HasLock, Plain, PlainReading};
use super::reading::{Reading, ReadingPlain};
use crate::AsyncLock;

/// The type of what has been selected.
pub struct EntryType<E>(PhantomData<fn() -> E>);

impl<E> EntryType<E> {
    /// One of a type that is known already.
    #[inline]
    pub(super) fn known() -> Self {
        EntryType(PhantomData)
    }
}

/// The type of an entry.
#[inline]
pub fn entry_type<E>(_entry: &E) -> EntryType<E> {
    EntryType(PhantomData)
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> EntryType<Derived<'a, O, KEY>> {
    /// What the section sees.
    #[inline]
    pub fn __view<'v>(&self, guard: &'v mut O::Guard<'a>) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(guard))
    }
}

impl<L: ?Sized> EntryType<Plain<'_, L>> {
    /// What the section sees.
    #[inline]
    pub fn __view<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<'a, O, G, const READ: u128, const KEY: u128> EntryType<DerivedReading<'a, O, READ, KEY>>
where
    O: HasLock<KEY, Guard<'a> = G> + Enter<KEY, Guard<'a> = G> + ?Sized + 'a,
{
    /// What the section sees, by `__bind_shared`.
    #[inline]
    pub fn __view<'v>(&self, guard: &'v mut Reading<'a, O, G, KEY>) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(guard.guard()))
    }
}

impl<L: AsyncLock + ?Sized> EntryType<PlainReading<'_, L>> {
    /// What the section sees, by `__bind_shared`.
    #[inline]
    pub fn __view<'a, 'v>(&self, guard: &'v mut ReadingPlain<'a, L>) -> OfDeref<'v, L::Guard<'a>> {
        OfDeref::new(guard.guard())
    }
}
