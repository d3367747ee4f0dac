//! What a section binds once it holds the lock.
//!
//! | lock | guard | binding |
//! |---|---|---|
//! | of a derived struct | generated | `&mut Held`; when read, `&ReadHeld` if it is `rw`, else `&Held` |
//! | any other | derefs mutably | `&mut Target`; when read, `&Target` |
//! | | derefs | `&Target`; when read, and if that is `()`, `&MarkTheLockRw` |
//! | | does neither | `&Guard` |
//!
//! Autoderef specialization selects among the last three: the method `__bind` of
//! [`Bind`] exists if the guard derefs mutably; if not, method
//! resolution derefs [`Bind`] and finds that of [`OfDeref`], and so on. (The same
//! technique selects the lock in `dispatch`, the error in `fallible`, and the
//! rollback in `atomic`.)

use core::ops::{Deref, DerefMut};

/// The view of a derived struct's lock.
pub struct DerivedView<H>(pub(super) H);

impl<H> DerivedView<H> {
    /// The binding of an exclusive section.
    #[inline]
    pub fn __bind(&mut self) -> &mut H {
        &mut self.0
    }

    /// The binding of a read section.
    #[inline]
    pub fn __bind_shared(&self) -> &H {
        &self.0
    }
}

/// A guard that no derive has made: for one that is `DerefMut`, with the fallbacks below.
pub struct Bind<'v, G>(OfDeref<'v, G>);

/// Fallback for guards that are `Deref` but not `DerefMut`.
pub struct OfDeref<'v, G>(OfGuard<'v, G>);

/// Fallback for guards that are neither: the guard itself is bound.
pub struct OfGuard<'v, G>(&'v mut G);

impl<'v, G> Bind<'v, G> {
    #[inline]
    pub(super) fn new(guard: &'v mut G) -> Self {
        Bind(OfDeref::new(guard))
    }
}

impl<G> Bind<'_, G> {
    /// The guard itself.
    #[inline]
    pub(super) fn guard(&mut self) -> &mut G {
        self.0.guard()
    }
}

impl<'v, G> OfDeref<'v, G> {
    #[inline]
    pub(super) fn new(guard: &'v mut G) -> Self {
        OfDeref(OfGuard(guard))
    }
}

impl<G> OfDeref<'_, G> {
    /// The guard itself.
    #[inline]
    pub(super) fn guard(&mut self) -> &mut G {
        self.0.guard()
    }
}

impl<G> OfGuard<'_, G> {
    /// The guard itself.
    #[inline]
    pub(super) fn guard(&mut self) -> &mut G {
        self.0
    }
}

impl<G: DerefMut> Bind<'_, G> {
    /// The binding: the guarded data.
    #[inline]
    pub fn __bind(&mut self) -> &mut G::Target {
        self.0.0.0
    }
}

/// Stands for the `()` inside a reader-writer lock without data, in a read section.
///
/// A section that uses a field of it probably reads a lock that is not marked
/// `#[lock(rw)]`: the derive then has no read sections for it, and the section treats
/// it as any other lock. The compiler's message about the missing field names this
/// type, and the name says what to do.
pub struct MarkTheLockRw;

impl Deref for MarkTheLockRw {
    type Target = ();

    #[inline]
    fn deref(&self) -> &() {
        &()
    }
}

impl<G: Deref<Target = ()>> Bind<'_, G> {
    /// The binding of a read section without data to read.
    #[inline]
    pub fn __bind_shared(&self) -> &MarkTheLockRw {
        &MarkTheLockRw
    }
}

impl<G: Deref> OfDeref<'_, G> {
    /// The binding: the guarded data, to be read.
    #[inline]
    pub fn __bind(&mut self) -> &G::Target {
        self.0.0
    }

    /// The binding of a read section.
    #[inline]
    pub fn __bind_shared(&self) -> &G::Target {
        self.0.0
    }
}

impl<G> OfGuard<'_, G> {
    /// The binding: the guard itself, as proof that the lock is held.
    #[inline]
    pub fn __bind(&mut self) -> &G {
        self.0
    }

    /// The binding of a read section.
    #[inline]
    pub fn __bind_shared(&self) -> &G {
        self.0
    }
}

impl<'v, G> Deref for Bind<'v, G> {
    type Target = OfDeref<'v, G>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<G> DerefMut for Bind<'_, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<'v, G> Deref for OfDeref<'v, G> {
    type Target = OfGuard<'v, G>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<G> DerefMut for OfDeref<'_, G> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

/// Runs a body that may not suspend: in a closure, an `.await` does not compile, even if a
/// macro hides it.
#[inline]
pub fn without_await<R>(body: impl FnOnce() -> R) -> R {
    body()
}
