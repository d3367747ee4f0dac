//! The rollback of a section that is `atomic`.
//!
//! At entry, a section takes a snapshot of the data of each lock. A [`Rollback`] borrows the
//! guard and the snapshot. Its drop exchanges data and snapshot, unless the section has
//! committed. It accesses the data through the guard. The body gets a separate view: whatever
//! it does to the references in that view, the rollback does not use them.
//!
//! The locals of a section are dropped in this order: first the views, then the
//! rollbacks, then the guards, which release the locks, and then, with no lock held, the
//! discarded data of the body.
//!
//! The method `__rollback` is found by autoderef specialization, as `__bind` is: see
//! [`bind`](super::bind).

use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

use super::bind::{Bind, OfDeref, OfGuard};
use super::{Derived, EntryType, HasLock, Plain, PlainSync};

/// A copy of guarded data.
///
/// The lifetime exists only so that the bound can be higher-ranked: with
/// `for<'a> Kept<'a, T>: Sized`, the compiler reports an unsized `T` where a
/// section is `atomic`, not at the derive.
pub struct Kept<'a, T: ?Sized>(PhantomData<fn() -> &'a ()>, T);

/// `&T` where `T: Clone`: a value that can be rolled back.
///
/// The bound is `for<'a> &'a T: Restorable<T>`. The compiler checks a higher-ranked
/// bound where a section is `atomic`; a plain `T: Clone` would
/// reject structs with other types at the derive.
#[diagnostic::on_unimplemented(
    message = "`atomic` keeps a copy of what the lock guards, and `{T}` is not `Clone`",
    label = "what this guards cannot be put back",
    note = "implement `Clone` for it, or put it behind an `Arc` (what is in there is not put back), or remove `atomic`"
)]
pub trait Restorable<T: ?Sized> {
    #[doc(hidden)]
    fn copied(self) -> Kept<'static, T>
    where
        Kept<'static, T>: Sized;

    #[doc(hidden)]
    fn exchange(target: &mut T, kept: &mut Kept<'static, T>);
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Restorable<T> for &T {
    #[inline]
    fn copied(self) -> Kept<'static, T> {
        Kept(PhantomData, self.clone())
    }

    #[inline]
    fn exchange(target: &mut T, kept: &mut Kept<'static, T>) {
        mem::swap(target, &mut kept.1);
    }
}

/// Implemented by the derive: the data of the lock `KEY` can be copied and rolled back.
#[diagnostic::on_unimplemented(
    message = "`atomic` keeps a copy of what the lock guards, and a part of `{Self}` that it guards has no size that is known",
    label = "what this guards cannot be put back",
    note = "put what is unsized behind a `Box` that is `Clone`, or remove `atomic`"
)]
pub trait Restore<const KEY: u128>: HasLock<KEY> {
    /// A copy of what the lock guards.
    type Saved;

    /// Makes the copy.
    fn save(guard: &mut Self::Guard<'_>) -> Self::Saved;

    /// Exchanges the guarded data and the copy.
    fn exchange(guard: &mut Self::Guard<'_>, snapshot: &mut Self::Saved);
}

/// Implemented by the derive: the data of a view can be copied and rolled back.
pub trait RestoreView {
    /// A copy of what the lock guards.
    type Saved;

    /// Makes the copy.
    fn save(&mut self) -> Self::Saved;

    /// Exchanges the data of the view and the copy.
    fn exchange(&mut self, snapshot: &mut Self::Saved);
}

/// Takes a snapshot of the data of a view: for a section within a section.
#[inline]
pub fn roll_back_view<'v, H: RestoreView<Saved = S>, S>(
    view: &'v mut H,
    snapshot: &'v mut Option<S>,
    committed: &'v Committed,
) -> Rollback<'v, H, S> {
    Rollback::new(view, snapshot, committed, H::save, H::exchange)
}

/// Restores the guarded data when it is dropped, unless the section has committed.
pub struct Rollback<'v, G, S> {
    guard: &'v mut G,
    /// Outlives the guard, so that the discarded data is dropped without a lock.
    snapshot: &'v mut Option<S>,
    exchange: fn(&mut G, &mut S),
    committed: &'v Committed,
}

impl<'v, G, S> Rollback<'v, G, S> {
    #[inline]
    fn new(
        guard: &'v mut G,
        snapshot: &'v mut Option<S>,
        committed: &'v Committed,
        save: fn(&mut G) -> S,
        exchange: fn(&mut G, &mut S),
    ) -> Self {
        *snapshot = Some(save(guard));
        Rollback {
            guard,
            snapshot,
            exchange,
            committed,
        }
    }

    /// The guard, for the section's binding.
    #[inline]
    pub fn __guard(&mut self) -> &mut G {
        self.guard
    }
}

impl<G, S> Drop for Rollback<'_, G, S> {
    #[inline]
    fn drop(&mut self) {
        if !self.committed.is_committed() {
            if let Some(snapshot) = self.snapshot {
                (self.exchange)(self.guard, snapshot);
            }
        }
    }
}

/// Whether a section has committed, and is not rolled back.
pub struct Committed(AtomicBool);

impl Committed {
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        Committed(AtomicBool::new(false))
    }

    // One task at a time reads and writes it: no ordering is needed. It is atomic so
    // that futures with a reference to it can be `Send`.
    #[inline]
    fn is_committed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The guard of a lock that a derive knows, and how to copy and restore its data.
///
/// Futures hold it, and whether they are `Send` must not depend on the impls of the
/// object: so these types mention no trait.
pub struct DerivedGuard<'v, G, S> {
    guard: &'v mut G,
    save: fn(&mut G) -> S,
    exchange: fn(&mut G, &mut S),
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> EntryType<Derived<'a, O, KEY>> {
    /// The value with the method `__rollback`.
    #[inline]
    pub fn __restorable<'v, S>(
        &self,
        guard: &'v mut O::Guard<'a>,
    ) -> DerivedGuard<'v, O::Guard<'a>, S>
    where
        O: Restore<KEY, Saved = S>,
    {
        DerivedGuard {
            guard,
            save: O::save,
            exchange: O::exchange,
        }
    }
}

impl<G, S> DerivedGuard<'_, G, S> {
    /// Takes a snapshot of what the lock guards.
    #[inline]
    pub fn __rollback<'v>(
        &'v mut self,
        snapshot: &'v mut Option<S>,
        committed: &'v Committed,
    ) -> Rollback<'v, G, S> {
        Rollback::new(self.guard, snapshot, committed, self.save, self.exchange)
    }
}

impl<L: ?Sized> EntryType<Plain<'_, L>> {
    /// The value with the method `__rollback`.
    #[inline]
    pub fn __restorable<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<L: ?Sized> EntryType<PlainSync<'_, L>> {
    /// The value with the method `__rollback`.
    #[inline]
    pub fn __restorable<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<G: DerefMut> Bind<'_, G> {
    /// Takes a snapshot of the guarded data.
    #[inline]
    pub fn __rollback<'v>(
        &'v mut self,
        snapshot: &'v mut Option<G::Target>,
        committed: &'v Committed,
    ) -> Rollback<'v, G, G::Target>
    where
        G::Target: Sized,
        for<'a> &'a G::Target: Restorable<G::Target>,
    {
        Rollback::new(
            self.guard(),
            snapshot,
            committed,
            |guard| Restorable::copied(&**guard).1,
            |guard, snapshot| mem::swap(&mut **guard, snapshot),
        )
    }
}

impl<G: Deref> OfDeref<'_, G> {
    /// Data that is only read needs no rollback.
    #[inline]
    pub fn __rollback<'v>(
        &'v mut self,
        snapshot: &'v mut Option<()>,
        committed: &'v Committed,
    ) -> Rollback<'v, G, ()> {
        Rollback::new(self.guard(), snapshot, committed, |_| (), |_, _| ())
    }
}

impl<G> OfGuard<'_, G> {
    /// The guard has no data.
    #[inline]
    pub fn __rollback<'v>(
        &'v mut self,
        snapshot: &'v mut Option<()>,
        committed: &'v Committed,
    ) -> Rollback<'v, G, ()> {
        Rollback::new(self.guard(), snapshot, committed, |_| (), |_, _| ())
    }
}

/// The value of a section, which commits if the value is a success.
#[inline]
pub fn commit<T>(value: T, committed: &Committed, is_success: impl FnOnce(&T) -> bool) -> T {
    committed.0.store(is_success(&value), Ordering::Relaxed);
    value
}

/// Whether a section has succeeded, by the type of its value.
#[inline]
pub fn outcome<T>(value: &T) -> Outcome<'_, T> {
    Outcome(OfAnyType(value))
}

/// The value of a section, perhaps a `Result`.
pub struct Outcome<'v, T>(OfAnyType<'v, T>);

#[doc(hidden)]
pub struct OfAnyType<'v, T>(&'v T);

impl<T, E> Outcome<'_, Result<T, E>> {
    /// An `Err` rolls the section back.
    #[inline]
    pub fn __is_success(&self) -> bool {
        self.0.0.is_ok()
    }
}

impl<T> OfAnyType<'_, T> {
    /// Any other value is a success.
    #[inline]
    pub fn __is_success(&self) -> bool {
        true
    }
}

impl<'v, T> Deref for Outcome<'v, T> {
    type Target = OfAnyType<'v, T>;

    #[inline]
    fn deref(&self) -> &OfAnyType<'v, T> {
        &self.0
    }
}
