//! Diagnostics for an index of, or a loop over, a value that is not accessible yet: a guarded
//! field, a guard, or a future. The message says what to write.
//!
//! The compiler shows the message of a bound that nothing meets if that bound is the only reason
//! why the only impl does not apply. The item or element has no known type, so its use is no
//! second error. As the bound is on the impl of `Iterator`, the type's other methods, and those
//! of its traits, are still found.

/// Implements `Index` and `Iterator` for a type that has neither, with a bound that nothing meets.
/// References are listed separately.
macro_rules! misplaced {
    (index $trait:ident: $hint:ty { $($ty:ty),* $(,)? }) => {$(
        #[doc(hidden)]
        impl<T: ?Sized, I> core::ops::Index<I> for $ty
        where
            $hint: $trait,
        {
            type Output = <$hint as $trait>::Value;

            fn index(&self, _: I) -> &Self::Output {
                never()
            }
        }
    )*};
    (iterate $trait:ident: $hint:ty { $($ty:ty),* $(,)? }) => {$(
        #[doc(hidden)]
        impl<T: ?Sized> Iterator for $ty
        where
            $hint: $trait,
        {
            type Item = <$hint as $trait>::Value;

            fn next(&mut self) -> Option<Self::Item> {
                never()
            }
        }
    )*};
}

pub(crate) use misplaced;
