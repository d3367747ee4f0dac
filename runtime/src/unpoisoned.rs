//! Who comes from std unwraps what it takes for a `Result`, and is told that it is none.
//!
//! The bound is one of the impl: where the value that a guard leads to has the method, an
//! `Option` for one, that is found as if there were no other.

/// Implemented for nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a lock of `async_monitor` is not poisoned by a panic: what acquires it returns the guard, and no `Result`",
    label = "no such method: remove the call"
)]
pub trait IsPoisoned {}

/// What std's guards come in, and ours do not.
macro_rules! unpoisoned {
    ($($guard:ident<$lifetime:lifetime, $T:ident>)*) => {$(
        #[doc(hidden)]
        impl<$T: ?Sized> $guard<$lifetime, $T>
        where
            Self: IsPoisoned,
        {
            pub fn unwrap(self) -> Self {
                never()
            }

            pub fn expect(self, _: &str) -> Self {
                never()
            }
        }
    )*};
}

pub(crate) use unpoisoned;
