//! How what is awaited in the body of a section comes within it: the code of the macros calls
//! these, whether the build watches or not.

use core::future::IntoFuture;

use super::{Lent, Section};

/// What puts a future within a section, which is described: of a reference to one.
///
/// The future is an argument, not the receiver, so that its type need not be known before it
/// is awaited, as by hand.
#[diagnostic::on_unimplemented(
    message = "`{F}` is not a future",
    label = "`{F}` is not a future",
    note = "`{F}` must be a future or must implement `IntoFuture` to be awaited: otherwise, remove \
            the `.await`"
)]
pub trait AwaitWithin<F> {
    /// The future within the section; where nothing is watched, the future.
    type Within;

    #[doc(hidden)]
    fn __await_within(self, future: F) -> Self::Within;
}

/// What is awaited in the body of a section, where it is the receiver.
pub trait Awaited: Sized {
    /// As [`__await_within`](AwaitWithin::__await_within).
    #[doc(hidden)]
    #[inline]
    fn __within<'s, 'o, const N: usize>(
        self,
        section: &'s mut Lent<'_, 'o, N>,
    ) -> <&'s Section<'o, N> as AwaitWithin<Self>>::Within
    where
        Self: IntoFuture,
    {
        section.get().__await_within(self)
    }
}

impl<F> Awaited for F {}
