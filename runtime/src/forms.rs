//! The parts of generated code that need `std` or `alloc`.

/// Items that need a thread to park.
#[cfg(feature = "std")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => { $($items)* };
}

/// Items that need a thread to park: none.
#[cfg(not(feature = "std"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_std {
    ($($items:tt)*) => {};
}

/// Items that need an `Arc`.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($items:tt)*) => { $($items)* };
}

/// Items that need an `Arc`: none.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __with_alloc {
    ($($items:tt)*) => {};
}

/// Replaces `Arc` and `Rc` without `alloc`. It is uninhabited: the guards and futures of the
/// owned forms exist as types in every build, but not as values.
#[cfg(not(feature = "alloc"))]
#[allow(missing_debug_implementations)] // nobody has one
pub struct NoPointer<T: ?Sized>(core::convert::Infallible, core::marker::PhantomData<T>);

#[cfg(not(feature = "alloc"))]
mod no_pointer {
    use core::ops::Deref;

    use super::NoPointer;
    use crate::gate::{Gate, Gated};

    impl<T: ?Sized> Clone for NoPointer<T> {
        fn clone(&self) -> Self {
            match self.0 {}
        }
    }

    impl<T: ?Sized> Deref for NoPointer<T> {
        type Target = T;

        fn deref(&self) -> &T {
            match self.0 {}
        }
    }

    impl<T: Gated + ?Sized> Gated for NoPointer<T> {
        type Policy = T::Policy;
        type Flavour = T::Flavour;

        fn gate(&self) -> &Gate<T::Policy, T::Flavour> {
            match self.0 {}
        }
    }
}
