//! What held forms need from a view.
//!
//! # Invariants
//!
//! - **VW1** A view is shortened to the lifetime of a [`Body`], which is a local of the code that
//!   uses it, and is dropped before an [`Outlived`] of the view, which is a local, too. So until
//!   the shortened view has ended, the view is borrowed: for all of its own lifetime, hence nobody
//!   uses it any more, or drops it where that would be a use, whatever is put there with a lifetime
//!   that is shorter. Both locals have names that are `__view_in`'s own: nobody else can move,
//!   leak or forget them.
//! - **VW2** What a [`ShortenedView`] names is the view itself with another lifetime in place of
//!   its own, which may be shortened.

use core::marker::PhantomData;
use core::ptr;

/// Implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`#[monitor]` is for the methods of structs with `#[derive(Guarded)]`, and `{Self}` has none",
    label = "write `#[derive(Guarded)]` above this struct, or `#[monitor(plain)]`",
    note = "without a derive, `#[monitor(plain)]` looks for deadlocks alone",
    note = "a macro with the name of the struct, which the compiler may not find, comes with the derive"
)]
pub trait IsDerived {}

/// Stands for a struct, to find out whether it has a derive: an inherent method is found before
/// that of a trait.
pub struct DeriveOf<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> DeriveOf<T> {
    /// For that struct.
    #[must_use]
    pub fn of() -> Self {
        DeriveOf(PhantomData)
    }
}

impl<T: IsDerived + ?Sized> DeriveOf<T> {
    /// The struct has a derive.
    #[must_use]
    pub fn __answer(&self) -> HasDerive {
        HasDerive
    }
}

/// The answer for structs without a derive.
pub trait AnswerOfOthers {
    /// The struct has no derive.
    fn __answer(&self) -> HasNoDerive {
        HasNoDerive
    }
}

impl<T: ?Sized> AnswerOfOthers for DeriveOf<T> {}

/// The struct has a derive.
pub struct HasDerive;

/// The struct has no derive.
pub struct HasNoDerive;

/// A view that writes.
pub trait ReborrowView {
    /// The view with references of its own.
    type View<'v>
    where
        Self: 'v;

    /// A view for the body of a method.
    fn reborrow(&mut self) -> Self::View<'_>;
}

/// Implemented by the derive: the view, whose lifetime is `'s`, with the lifetime of a body.
///
/// # Safety
///
/// VW2.
pub unsafe trait ShortenedView<'s, O: ?Sized> {
    /// The view of such an object.
    type In<'v>
    where
        O: 'v;
}

/// A local of a body: what is borrowed from it ends with the body. It takes no space.
pub struct Body(());

impl Body {
    /// In the body.
    #[inline]
    #[must_use]
    pub fn begin() -> Self {
        Body(())
    }
}

/// Lives no longer than the lifetimes in `V`, and as its drop might use them, the compiler knows
/// that they are alive until then. It takes no space.
pub struct Outlived<V>(PhantomData<fn(V) -> V>);

impl<V> Outlived<V> {
    /// For a view that writes.
    #[inline]
    #[must_use]
    pub fn by(_: &&mut V) -> Self {
        Outlived(PhantomData)
    }

    /// For a view that reads.
    #[inline]
    #[must_use]
    pub fn by_shared(_: &&V) -> Self {
        Outlived(PhantomData)
    }
}

impl<V> Drop for Outlived<V> {
    #[inline]
    fn drop(&mut self) {}
}

/// Binds the view of a body, which ends with the body, to a name.
///
/// The macro of a struct, which may be one of a user's, gets this call: so it is safe wherever it
/// stands, and has no `unsafe` in its own tokens. (If the lifetime of the result were related to that
/// of the view, the compiler would compare both with those of the signature, report each by
/// itself, and name them.)
#[doc(hidden)]
#[macro_export]
macro_rules! __view_in {
    ($view:ident => mut $binding:ident) => {
        let outlived = $crate::__private::Outlived::by(&$view);
        let tied = ($view, &mut $crate::__private::Body::begin());
        // SAFETY: the body is a local that ends before `outlived` does, and nobody else can name
        // either of them (VW1).
        let $binding = unsafe { $crate::__private::view_in(tied.0, &outlived, tied.1) };
    };
    ($view:ident => $binding:ident) => {
        let outlived = $crate::__private::Outlived::by_shared(&$view);
        let tied = ($view, &$crate::__private::Body::begin());
        // SAFETY: as above.
        let ref $binding = *unsafe { $crate::__private::shared_view_in(tied.0, &outlived, tied.1) };
    };
}

/// See `__view_in`.
///
/// # Safety
///
/// VW1.
#[inline]
pub unsafe fn view_in<'s, 'v, O, V>(
    view: &'s mut V,
    _: &Outlived<V>,
    _: &'v mut Body,
) -> &'v mut V::In<'v>
where
    O: ?Sized + 'v,
    V: ShortenedView<'s, O>,
{
    // SAFETY: the same type (VW2), which is borrowed for longer than there is a result. What may be
    // put there, with a shorter lifetime, nobody reads (VW1).
    unsafe { &mut *ptr::from_mut(view).cast() }
}

/// See `__view_in`.
///
/// # Safety
///
/// VW1.
#[inline]
pub unsafe fn shared_view_in<'s, 'v, O, V>(
    view: &'s V,
    _: &Outlived<V>,
    _: &'v Body,
) -> &'v V::In<'v>
where
    O: ?Sized + 'v,
    V: ShortenedView<'s, O>,
{
    // SAFETY: the same type, with a shorter lifetime (VW2), borrowed for longer than there is a
    // result (VW1).
    unsafe { &*ptr::from_ref(view).cast() }
}

/// The structs that `#[monitor(plain)]` is for.
#[diagnostic::on_unimplemented(
    message = "`#[monitor(plain)]` is for structs without a derive, and this one has \
               `#[derive(Guarded)]`",
    label = "write `#[monitor]`",
    note = "`plain` would hide the locks that the derive knows, and their views"
)]
pub trait IsPlain {}

#[diagnostic::do_not_recommend]
impl IsPlain for HasNoDerive {}

/// Reports a struct with a derive.
pub fn plain<A: IsPlain>(_: A) {}

/// Implemented by the derive: the struct is `Sized`, if its parameters are.
pub trait HasSize: Sized {}

/// Reports a struct without a derive.
pub fn derived<T: IsDerived + ?Sized>() {}

/// Implemented by the derive: the view of a lock, which is held for all of `'g`.
pub trait ViewOf<'g> {
    /// The struct.
    type Object: ?Sized;

    /// The object whose lock is held.
    fn object(&self) -> &'g Self::Object;
}

/// Implemented by the derive for write views: data that is held for writing may
/// be read.
pub trait AsRead {
    /// The view that reads.
    type Read<'v>
    where
        Self: 'v;

    /// Borrows the data of the view.
    fn as_read(&self) -> Self::Read<'_>;
}
