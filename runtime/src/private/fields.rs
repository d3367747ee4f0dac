//! How generated code reaches guarded fields.
//!
//! Every function here is generic over the *type of the field*. A parameter of
//! type `&Guarded<T>` would not do: a field of a type that merely derefs to a
//! `Guarded<T>` would be coerced, and safe code decides where that leads.

use crate::Guarded;

mod sealed {
    pub trait Sealed {}
    impl<T: ?Sized> Sealed for crate::Guarded<T> {}
}

/// [`Guarded<T>`](struct@Guarded), and no other type.
#[diagnostic::on_unimplemented(
    message = "a guarded field is a `Guarded<_>` of this crate, and `{Self}` is another type",
    label = "not `async_monitor::Guarded`"
)]
pub trait IsGuarded: sealed::Sealed {
    /// The `T` of `Guarded<T>`.
    type Value: ?Sized;

    #[doc(hidden)]
    fn as_guarded(&self) -> &Guarded<Self::Value>;

    #[doc(hidden)]
    fn as_guarded_mut(&mut self) -> &mut Guarded<Self::Value>;
}

impl<T: ?Sized> IsGuarded for Guarded<T> {
    type Value = T;

    #[inline]
    fn as_guarded(&self) -> &Guarded<T> {
        self
    }

    #[inline]
    fn as_guarded_mut(&mut self) -> &mut Guarded<T> {
        self
    }
}

/// Where the value of a guarded field is. `T` is named by the caller: an alias of
/// `Guarded` could otherwise lead to another type than the one that is written,
/// and a coercion from there through code of the user.
#[inline]
pub fn pointer<T: ?Sized, F: IsGuarded<Value = T> + ?Sized>(field: &F) -> *mut T {
    field.as_guarded().__pointer()
}

/// The value of a guarded field that nobody shares.
#[inline]
pub fn value_mut<F: IsGuarded + ?Sized>(field: &mut F) -> &mut F::Value {
    field.as_guarded_mut().get_mut()
}

/// Where a field is.
#[inline]
pub fn address<F: ?Sized>(field: &F) -> *const () {
    (&raw const *field).cast()
}

/// `&T` where `T: Sync`: what a read section needs of the data.
///
/// Asked for as `for<'a> &'a T: Shareable`. The compiler checks a bound with a
/// lifetime of its own where the section is entered, a plain `T: Sync` already
/// where the struct is declared.
///
/// # Safety
///
/// It is a reference to something that is `Sync`. A reference counts as a type of
/// whoever has declared what it refers to: without the `unsafe`, users could write
/// an impl for theirs.
#[diagnostic::on_unimplemented(
    message = "a read section lets several tasks have `{Self}` at a time, but what it refers to is not `Sync`",
    label = "cannot be read by several tasks",
    note = "acquire the lock for writing, or use a type that is `Sync`"
)]
pub unsafe trait Shareable {}

// SAFETY: the bound says it.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized + Sync> Shareable for &T {}
