//! How generated code accesses guarded fields.
//!
//! Every function here is generic over the *type of the field*. A parameter of
//! type `&Guarded<T>` would be unsound: a field of a type that merely derefs to a
//! `Guarded<T>` would be coerced, and safe code decides which value that is.

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

/// A pointer to the value of a guarded field. The caller names `T`: otherwise an alias of
/// `Guarded` could yield another type than the one in the source, and a coercion from
/// that type could run user code.
#[inline]
pub fn pointer<T: ?Sized, F: IsGuarded<Value = T> + ?Sized>(field: &F) -> *mut T {
    field.as_guarded().__pointer()
}

/// The value of a guarded field, by exclusive access.
#[inline]
pub fn value_mut<F: IsGuarded + ?Sized>(field: &mut F) -> &mut F::Value {
    field.as_guarded_mut().get_mut()
}

/// The address of a field.
#[inline]
pub fn address<F: ?Sized>(field: &F) -> *const () {
    (&raw const *field).cast()
}

/// `&T` where `T: Sync`: the requirement of a read section on the data.
///
/// The bound is `for<'a> &'a T: Shareable`. The compiler checks a higher-ranked bound
/// where the section is entered, but a plain `T: Sync` already
/// where the struct is declared.
///
/// # Safety
///
/// It is a reference to a type that is `Sync`. By the orphan rules, a reference counts as
/// local to the crate of its target: without the `unsafe`, users could write an impl for
/// references to their types.
#[diagnostic::on_unimplemented(
    message = "a read section lets several tasks have `{Self}` at a time, but what it refers to is not `Sync`",
    label = "cannot be read by several tasks",
    note = "acquire the lock for writing, or use a type that is `Sync`"
)]
pub unsafe trait Shareable {}

// SAFETY: by the bound.
#[diagnostic::do_not_recommend]
unsafe impl<T: ?Sized + Sync> Shareable for &T {}
