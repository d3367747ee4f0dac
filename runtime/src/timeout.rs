//! A bound for the wait to enter a section: the option `timeout`.

use core::error::Error;
use core::fmt;

/// The error of a section that was not entered within its `timeout`.
///
/// Its body has not run, and it has given up its place in the queue.
///
/// ```
/// use async_monitor::Elapsed;
///
/// #[derive(Debug)]
/// enum Failed {
///     Busy,
/// }
///
/// impl From<Elapsed> for Failed {
///     fn from(_: Elapsed) -> Self {
///         Failed::Busy
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the section was not entered in time")
    }
}

impl Error for Elapsed {}

#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use self::bounded::timeout;

#[cfg(any(feature = "tokio", feature = "smol"))]
mod bounded {
    use core::future::Future;
    use core::pin::Pin;
    use core::task::{Context, Poll};
    use core::time::Duration;

    use super::Elapsed;
    use crate::checking;

    /// Waits for `entry`, for at most `limit`. See [`timeout`].
    #[must_use = "futures do nothing unless they are awaited"]
    pub(crate) struct Timeout<F> {
        entry: F,
        limit: Duration,
        timer: Option<Timer>,
    }

    /// Waits for `entry`, for at most `limit`: the time runs from the first
    /// poll. If both are ready, `entry` is. Without a wait there is no timer.
    #[inline]
    pub(crate) fn timeout<F: Future>(limit: Duration, entry: F) -> Timeout<F> {
        Timeout {
            entry,
            limit,
            timer: None,
        }
    }

    impl<F: Future> Future for Timeout<F> {
        type Output = Result<F::Output, Elapsed>;

        #[inline]
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
            // SAFETY: `entry` and `timer` are pinned as we are: neither is moved
            // from here on, and they are dropped where they are.
            let (entry, timer, limit) = unsafe {
                let this = self.get_unchecked_mut();
                (
                    Pin::new_unchecked(&mut this.entry),
                    Pin::new_unchecked(&mut this.timer),
                    this.limit,
                )
            };
            if let Poll::Ready(entered) = entry.poll(cx) {
                return Poll::Ready(Ok(entered));
            }
            if checking::is_task() && !limit.is_zero() {
                return checking::poll_timer(&*timer, cx).map(|()| Err(Elapsed));
            }
            poll_timer(timer, limit, cx).map(|()| Err(Elapsed))
        }
    }

    /// The timer of one of the runtimes.
    enum Timer {
        #[cfg(feature = "tokio")]
        Tokio(tokio::time::Sleep),
        #[cfg(feature = "smol")]
        Smol(async_io::Timer),
    }

    impl Timer {
        /// tokio's, where its runtime is running.
        #[inline]
        fn after(limit: Duration) -> Timer {
            #[cfg(feature = "tokio")]
            if tokio::runtime::Handle::try_current().is_ok() {
                return Timer::Tokio(tokio::time::sleep(limit));
            }
            #[cfg(feature = "smol")]
            return Timer::Smol(async_io::Timer::after(limit));
            #[cfg(not(feature = "smol"))]
            panic!(
                "`timeout` takes its timer from tokio, whose runtime is not running here: run the \
                 section on it, or enable the feature `smol` of async-monitor, whose timers run \
                 anywhere"
            )
        }
    }

    #[cold]
    #[inline]
    fn poll_timer(
        mut timer: Pin<&mut Option<Timer>>,
        limit: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if limit.is_zero() {
            return Poll::Ready(());
        }
        if timer.is_none() {
            timer.set(Some(Timer::after(limit)));
        }
        // SAFETY: the timer is pinned with the option, as in `Timeout::poll`.
        let timer = unsafe { timer.get_unchecked_mut() };
        match timer {
            #[cfg(feature = "tokio")]
            // SAFETY: as above.
            Some(Timer::Tokio(sleep)) => unsafe { Pin::new_unchecked(sleep) }.poll(cx),
            #[cfg(feature = "smol")]
            Some(Timer::Smol(timer)) => Pin::new(timer).poll(cx).map(|_| ()),
            None => Poll::Ready(()),
        }
    }
}
