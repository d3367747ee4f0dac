//! The futures of the methods of a derive that acquire its locks.
//!
//! They are made by plain fns, not by an `async fn`: that could not tell where it was called.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::fallible::{CannotFail, infallible};

/// A future that acquires, and what it makes of the guard.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)] // nobody sees it
pub struct Acquiring<F, M> {
    future: F,
    make: M,
}

/// What `make` makes of the guard that the future acquires.
#[inline]
pub fn acquiring<F, G, E, M, R>(future: F, make: M) -> Acquiring<F, M>
where
    F: Future<Output = Result<G, E>>,
    E: CannotFail,
    M: Fn(G) -> R,
{
    Acquiring { future, make }
}

impl<F, G, E, M, R> Future for Acquiring<F, M>
where
    F: Future<Output = Result<G, E>>,
    E: CannotFail,
    M: Fn(G) -> R,
{
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // SAFETY: the future is pinned with the struct, and `make` is never pinned.
        let (future, make) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.future), &this.make)
        };
        future.poll(cx).map(|acquired| make(infallible(acquired)))
    }
}
