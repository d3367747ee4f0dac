//! Polling the futures that a section's body awaits within the section: generated code calls
//! these methods, whether the build watches or not.

use core::future::IntoFuture;

use super::{Lent, Section};

/// Puts a future within a described section. Implemented for references to sections.
///
/// The future is an argument, not the receiver, so that its type need not be known before it
/// is awaited, as with a plain `.await`.
#[diagnostic::on_unimplemented(
    message = "`{F}` is not a future",
    label = "`{F}` is not a future",
    note = "`{F}` must be a future or must implement `IntoFuture` to be awaited: otherwise, remove \
            the `.await`"
)]
pub trait AwaitWithin<F> {
    /// The future within the section; if nothing is watched, the future itself.
    type Within;

    #[doc(hidden)]
    fn __await_within(self, future: F) -> Self::Within;
}

/// A future that is awaited in the body of a section, as the receiver.
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
