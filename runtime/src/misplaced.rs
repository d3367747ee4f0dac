//! An index of, and a loop over, what only leads to a value once something else is written: for
//! these, too, the compiler says what that is.
//!
//! A condition that nothing meets is reported with its own message if it is the only reason why
//! the one impl that there is does not apply. What comes of it has a type that is not known, so
//! that its use is no second mistake. Where a type is an iterator only if something is true that
//! is not, its other methods, and those of its traits, are found as if it were none.

/// Implements `Index` and `Iterator` for a type that has neither, with a bound that nothing meets.
/// A reference is listed apart.
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
