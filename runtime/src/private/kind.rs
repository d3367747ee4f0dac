//! What a section remembers of its entry while it waits and while it runs: no
//! more than the type, so that its future is no larger for it.

use core::marker::PhantomData;

use super::bind::{Bind, DerivedView};
use super::dispatch::{Derived, HasLock, Nothing, Plain};

/// What kind of lock has been selected. A value without a size.
pub struct Kind<E>(PhantomData<fn() -> E>);

/// The kind of an entry.
#[inline]
pub fn kind<E>(_entry: &E) -> Kind<E> {
    Kind(PhantomData)
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> Kind<Derived<'a, O, KEY>> {
    /// What the section sees.
    #[inline]
    pub fn __view<'v>(&self, guard: &'v mut O::Guard<'a>) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(guard))
    }
}

impl<L: ?Sized> Kind<Plain<'_, L>> {
    /// What the section sees.
    #[inline]
    pub fn __view<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

/// Of what is no lock, in code that never runs.
#[doc(hidden)]
impl Kind<Nothing> {
    pub fn __view<G>(&self, _: &mut G) -> Nothing {
        Nothing
    }

    pub fn __restorable<G>(&self, _: &mut G) -> Nothing {
        Nothing
    }
}
