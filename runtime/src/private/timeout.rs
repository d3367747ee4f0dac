//! The bound on the wait to enter a section.

/// Bounds the wait to enter a section.
#[cfg(any(feature = "tokio", feature = "smol"))]
#[inline]
pub fn timeout<F: Future>(
    limit: core::time::Duration,
    entry: F,
) -> impl Future<Output = Result<F::Output, crate::Elapsed>> {
    crate::timeout::timeout(limit, entry)
}

/// The same for a thread, which is parked and needs no timer.
#[inline]
pub fn block_on_for<F: Future>(
    limit: core::time::Duration,
    entry: F,
) -> Result<F::Output, crate::Elapsed> {
    crate::blocking::block_on_for(limit, entry).ok_or(crate::Elapsed)
}

/// The value of a section that was not entered in time, and whose body never ends. Only the
/// closure, which is never called, determines its type.
#[inline]
pub fn late<T>(elapsed: crate::Elapsed, _never: impl FnOnce() -> T) -> Result<T, crate::Elapsed> {
    Err(elapsed)
}

#[cfg(not(any(feature = "tokio", feature = "smol")))]
pub use self::without_timer::timeout;

/// Without a timer, the macros report the option, and all other code should
/// still type-check.
#[cfg(not(any(feature = "tokio", feature = "smol")))]
mod without_timer {
    use core::pin::Pin;
    use core::task::{Context, Poll};

    use crate::Elapsed;

    /// The entry, which never elapses.
    ///
    /// A named type and not an `async fn`: with the lifetimes that one captures, the
    /// compiler would report further errors if the future has to be `Send`.
    pub struct Unbounded<F>(F);

    /// The wait to enter a section, unbounded.
    #[inline]
    pub fn timeout<F: Future>(_limit: core::time::Duration, entry: F) -> Unbounded<F> {
        Unbounded(entry)
    }

    impl<F: Future> Future for Unbounded<F> {
        type Output = Result<F::Output, Elapsed>;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            // SAFETY: the only field is pinned as we are: it is not moved from here on,
            // and dropped in place.
            let entry = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
            entry.poll(cx).map(Ok)
        }
    }
}
