//! What a section that is `atomic` puts back.
//!
//! At entry, a copy of what each lock guards is kept. An [`Undo`] borrows the
//! guard and the copy, and its drop exchanges them, unless the section has
//! succeeded. It finds the places anew through the guard: the body gets a view of
//! its own, and whatever it does to the references in there, they are not used.
//!
//! The order in which a section declares its locals is the order of what happens
//! when it is left: views go first, then all is put back, then the locks are
//! released, and then, with no lock held, what was put back is dropped.
//!
//! The method `__undo` is found by method resolution, as `__bind` is: see
//! [`bind`](super::bind).

use core::marker::PhantomData;
use core::mem;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{AtomicBool, Ordering};

use super::bind::{Bind, OfDeref, OfGuard};
use super::{Derived, HasLock, Kind, Plain};

/// A copy of what is guarded.
///
/// The lifetime is good for nothing but to be quantified over: asked for as
/// `for<'a> Kept<'a, T>: Sized`, the size of a `T` that has none is missed where a
/// section is `atomic`, not at the derive.
pub struct Kept<'a, T: ?Sized>(PhantomData<fn() -> &'a ()>, T);

/// `&T` where `T: Clone`: what can be put back.
///
/// Asked for as `for<'a> &'a T: Restorable<T>`. The compiler checks a bound with
/// a lifetime of its own where a section is `atomic`; a plain `T: Clone` would
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
    fn exchange(place: &mut T, kept: &mut Kept<'static, T>);
}

#[diagnostic::do_not_recommend]
impl<T: Clone> Restorable<T> for &T {
    #[inline]
    fn copied(self) -> Kept<'static, T> {
        Kept(PhantomData, self.clone())
    }

    #[inline]
    fn exchange(place: &mut T, kept: &mut Kept<'static, T>) {
        mem::swap(place, &mut kept.1);
    }
}

/// Implemented by the derive: what the lock `KEY` guards can be kept and put back.
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

    /// Exchanges what the lock guards with the copy.
    fn exchange(guard: &mut Self::Guard<'_>, saved: &mut Self::Saved);
}

/// Implemented by the derive: what a view leads to can be kept and put back.
pub trait RestoreView {
    /// A copy of what the lock guards.
    type Saved;

    /// The view with references of its own.
    type View<'v>
    where
        Self: 'v;

    /// Makes the copy.
    fn save(&mut self) -> Self::Saved;

    /// Exchanges what the view leads to with the copy.
    fn exchange(&mut self, saved: &mut Self::Saved);

    /// A view for the body.
    fn reborrow(&mut self) -> Self::View<'_>;
}

/// Keeps a copy of what a view leads to: for a section within a section.
#[inline]
pub fn undo_view<'v, H: RestoreView<Saved = S>, S>(
    view: &'v mut H,
    saved: &'v mut Option<S>,
    armed: &'v Armed,
) -> Undo<'v, H, S> {
    Undo::new(view, saved, armed, H::save, H::exchange)
}

/// Puts back what the lock guards when it is dropped, if it is still to.
pub struct Undo<'v, G, S> {
    guard: &'v mut G,
    /// Outlives the guard, so that what was put back is dropped without a lock.
    saved: &'v mut Option<S>,
    exchange: fn(&mut G, &mut S),
    armed: &'v Armed,
}

impl<'v, G, S> Undo<'v, G, S> {
    #[inline]
    fn new(
        guard: &'v mut G,
        saved: &'v mut Option<S>,
        armed: &'v Armed,
        save: fn(&mut G) -> S,
        exchange: fn(&mut G, &mut S),
    ) -> Self {
        *saved = Some(save(guard));
        Undo {
            guard,
            saved,
            exchange,
            armed,
        }
    }

    /// What the section sees of the guard.
    #[inline]
    pub fn __guard(&mut self) -> &mut G {
        self.guard
    }
}

impl<G, S> Drop for Undo<'_, G, S> {
    #[inline]
    fn drop(&mut self) {
        if self.armed.is_armed() {
            if let Some(saved) = self.saved {
                (self.exchange)(self.guard, saved);
            }
        }
    }
}

/// Whether a section is to be undone: until it has succeeded.
pub struct Armed(AtomicBool);

impl Armed {
    #[allow(clippy::new_without_default)]
    #[inline]
    pub const fn new() -> Self {
        Armed(AtomicBool::new(true))
    }

    // One task at a time asks and says it: no ordering is needed. It is atomic for
    // the sake of futures, which are to be `Send` with a reference to it.
    #[inline]
    fn is_armed(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The guard of a lock that a derive knows, and how to keep and put back what it
/// leads to.
///
/// Futures hold it, and whether they are `Send` must not depend on what is
/// implemented for the object: there is no trait in these types.
pub struct DerivedGuard<'v, G, S> {
    guard: &'v mut G,
    save: fn(&mut G) -> S,
    exchange: fn(&mut G, &mut S),
}

impl<'a, O: HasLock<KEY> + ?Sized, const KEY: u128> Kind<Derived<'a, O, KEY>> {
    /// What has the method `__undo`.
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
    /// Keeps a copy of what the lock guards.
    #[inline]
    pub fn __undo<'v>(&'v mut self, saved: &'v mut Option<S>, armed: &'v Armed) -> Undo<'v, G, S> {
        Undo::new(self.guard, saved, armed, self.save, self.exchange)
    }
}

impl<L: ?Sized> Kind<Plain<'_, L>> {
    /// What has the method `__undo`.
    #[inline]
    pub fn __restorable<'v, G>(&self, guard: &'v mut G) -> Bind<'v, G> {
        Bind::new(guard)
    }
}

impl<G: DerefMut> Bind<'_, G> {
    /// Keeps a copy of what the guard leads to.
    #[inline]
    pub fn __undo<'v>(
        &'v mut self,
        saved: &'v mut Option<G::Target>,
        armed: &'v Armed,
    ) -> Undo<'v, G, G::Target>
    where
        G::Target: Sized,
        for<'a> &'a G::Target: Restorable<G::Target>,
    {
        Undo::new(
            self.guard(),
            saved,
            armed,
            |guard| Restorable::copied(&**guard).1,
            |guard, saved| mem::swap(&mut **guard, saved),
        )
    }
}

impl<G: Deref> OfDeref<'_, G> {
    /// What is only read needs not be put back.
    #[inline]
    pub fn __undo<'v>(
        &'v mut self,
        saved: &'v mut Option<()>,
        armed: &'v Armed,
    ) -> Undo<'v, G, ()> {
        Undo::new(self.guard(), saved, armed, |_| (), |_, _| ())
    }
}

impl<G> OfGuard<'_, G> {
    /// Nothing is behind the guard.
    #[inline]
    pub fn __undo<'v>(
        &'v mut self,
        saved: &'v mut Option<()>,
        armed: &'v Armed,
    ) -> Undo<'v, G, ()> {
        Undo::new(self.guard(), saved, armed, |_| (), |_, _| ())
    }
}

/// The value of a section, which undoes it if it says so.
#[inline]
pub fn settled<T>(value: T, armed: &Armed, has_failed: impl FnOnce(&T) -> bool) -> T {
    armed.0.store(has_failed(&value), Ordering::Relaxed);
    value
}

/// Finds out whether a section has failed, by the type of its value.
#[inline]
pub fn verdict<T>(value: &T) -> Verdict<'_, T> {
    Verdict(OfAnyType(value))
}

/// The value of a section, perhaps a `Result`.
pub struct Verdict<'v, T>(OfAnyType<'v, T>);

#[doc(hidden)]
pub struct OfAnyType<'v, T>(&'v T);

impl<T, E> Verdict<'_, Result<T, E>> {
    /// An `Err` undoes the section.
    #[inline]
    pub fn __has_failed(&self) -> bool {
        self.0.0.is_err()
    }
}

impl<T> OfAnyType<'_, T> {
    /// Another value is a success.
    #[inline]
    pub fn __has_failed(&self) -> bool {
        false
    }
}

impl<'v, T> Deref for Verdict<'v, T> {
    type Target = OfAnyType<'v, T>;

    #[inline]
    fn deref(&self) -> &OfAnyType<'v, T> {
        &self.0
    }
}
