//! The type of a section's entry: the only part of it that a section keeps while it
//! waits and while it runs. It is zero-sized, and makes no future larger.

use core::marker::PhantomData;

use super::bind::{Bind, DerivedView, OfDeref};
use super::dispatch::{Derived, DerivedReading, Plain, PlainReading, PlainSync, PlainSyncReading};
use super::enter::{AnyLock, AnySyncLock, Enter, EnterShared, HasLock};
use super::reading::{ExclusivelyPlain, ExclusivelyPlainSync, Reading, ReadingPlain, ReadingSync};
use super::suspend_mode::{Mode, ModeOf, NonSuspending, Suspending};
use crate::watching::LockType;
use crate::{AsyncLock, SyncLock};

/// The type of an entry.
pub struct EntryType<E>(PhantomData<fn() -> E>);

impl<E> EntryType<E> {
    /// For a type that is known already.
    #[inline]
    pub(super) fn known() -> Self {
        EntryType(PhantomData)
    }
}

/// An entry.
pub trait Entry {
    /// The lock, or object, that the section enters.
    type Entered: ?Sized;

    /// Whether the section may suspend.
    type Mode: Mode;

    /// The name of the lock, if a derive knows it.
    const NAME: Option<&'static str> = None;
}

impl<O: HasLock<KEY> + ?Sized, const KEY: u128> Entry for Derived<'_, O, KEY> {
    type Entered = O;
    type Mode = O::Mode;
    const NAME: Option<&'static str> = Some(O::__NAME);
}

impl<O: HasLock<KEY> + ?Sized, const READ: u128, const KEY: u128> Entry
    for DerivedReading<'_, O, READ, KEY>
{
    type Entered = O;
    type Mode = O::Mode;
    const NAME: Option<&'static str> = Some(O::__NAME);
}

impl<L: ?Sized> Entry for Plain<'_, L> {
    type Entered = AnyLock<L>;
    type Mode = Suspending;
}

impl<L: ?Sized> Entry for PlainReading<'_, L> {
    type Entered = ExclusivelyPlain<L>;
    type Mode = Suspending;
}

impl<L: ?Sized> Entry for PlainSync<'_, L> {
    type Entered = AnySyncLock<L>;
    type Mode = NonSuspending;
}

impl<L: ?Sized> Entry for PlainSyncReading<'_, L> {
    type Entered = ExclusivelyPlainSync<L>;
    type Mode = NonSuspending;
}

impl<T: Entry> EntryType<T> {
    /// The guard: *finish*, the last step of entering.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn __finish<'g, const KEY: u128>(
        &self,
        waited: <T::Entered as Enter<KEY>>::Waited<'g>,
    ) -> <T::Entered as Enter<KEY>>::Guard<'g>
    where
        T::Entered: Enter<KEY> + 'g,
    {
        T::Entered::finish(waited)
    }

    const LOCK_TYPE: &'static LockType = &LockType::of::<T::Entered>(T::NAME);

    /// The description of the lock's type, for watching.
    #[inline]
    pub fn __lock_type(&self) -> &'static LockType {
        Self::LOCK_TYPE
    }

    /// Whether the section may suspend.
    #[inline]
    pub fn __suspend_mode(&self) -> ModeOf<T::Mode> {
        ModeOf::new()
    }
}

/// The guard of a read section: as `__finish`.
#[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
#[inline]
pub fn finish_shared<'g, T, const KEY: u128>(
    _: &EntryType<T>,
    waited: <T::Entered as EnterShared<KEY>>::Waited<'g>,
) -> <T::Entered as EnterShared<KEY>>::Guard<'g>
where
    T: Entry,
    T::Entered: EnterShared<KEY> + 'g,
{
    T::Entered::finish(waited)
}

/// The type of an entry.
#[inline]
pub fn entry_type<E>(_entry: &E) -> EntryType<E> {
    EntryType(PhantomData)
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> EntryType<Derived<'a, O, KEY>> {
    /// The source of the section's binding.
    #[inline]
    pub fn __view<'v>(&self, guard: &'v mut O::Guard<'a>) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(guard))
    }
}

impl<L: ?Sized> EntryType<Plain<'_, L>> {
    /// The source of the section's binding.
    #[inline]
    pub fn __view<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<L: ?Sized> EntryType<PlainSync<'_, L>> {
    /// The source of the section's binding.
    #[inline]
    pub fn __view<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<'a, O, G, const READ: u128, const KEY: u128> EntryType<DerivedReading<'a, O, READ, KEY>>
where
    O: HasLock<KEY, Guard<'a> = G> + Enter<KEY, Guard<'a> = G> + ?Sized + 'a,
{
    /// The source of the section's binding, by `__bind_shared`.
    #[inline]
    pub fn __view<'v>(&self, guard: &'v mut Reading<'a, O, G, KEY>) -> DerivedView<O::Held<'v>> {
        DerivedView(O::view(guard.guard()))
    }
}

impl<L: AsyncLock + ?Sized> EntryType<PlainReading<'_, L>> {
    /// The source of the section's binding, by `__bind_shared`.
    #[inline]
    pub fn __view<'a, 'v>(&self, guard: &'v mut ReadingPlain<'a, L>) -> OfDeref<'v, L::Guard<'a>> {
        OfDeref::new(guard.guard())
    }
}

impl<L: SyncLock + ?Sized> EntryType<PlainSyncReading<'_, L>> {
    /// The source of the section's binding, by `__bind_shared`.
    #[inline]
    pub fn __view<'a, 'v>(&self, guard: &'v mut ReadingSync<'a, L>) -> OfDeref<'v, L::Guard<'a>> {
        OfDeref::new(guard.guard())
    }
}
