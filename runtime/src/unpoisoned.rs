//! Diagnostics for `unwrap` on a guard, as on the `Result` of a lock of std.
//!
//! The bound is on the impl: if the guarded value has the method, as an `Option` does, that
//! method is found instead.

/// Implemented by nothing.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a lock of `async_monitor` is not poisoned by a panic: what acquires it returns the guard, and no `Result`",
    label = "no such method: remove the call"
)]
pub trait IsPoisoned {}

/// The methods of the `Result` in which std's locks return a guard, and ours do not.
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
