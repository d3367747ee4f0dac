//! A wait for a lock of another crate.

#![allow(dead_code)] // without a feature that has adapters

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::ask::Ask;
use super::waiting::Watch;

/// A future that acquires a lock of another crate, or one outside of this process.
///
/// Its queue is not ours: only its polls show whether it waits.
#[allow(missing_debug_implementations)] // nobody sees it
#[must_use = "futures do nothing unless they are awaited"]
pub struct Foreign<F> {
    /// Dropped before the entry of its wait is removed.
    future: F,
    ask: Ask<'static>,
    watch: Watch,
}

/// The future, watched.
#[track_caller]
#[inline]
pub(crate) fn foreign<F: Future>(future: F, ask: impl FnOnce() -> Ask<'static>) -> Foreign<F> {
    Foreign {
        future,
        ask: ask(),
        watch: Watch::new(),
    }
}

impl<F: Future> Future for Foreign<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future and `watch` are not moved out of the pinned struct.
        let (future, ask, watch) = unsafe {
            let this = self.get_unchecked_mut();
            let future = Pin::new_unchecked(&mut this.future);
            (future, &this.ask, &this.watch)
        };
        let result = future.poll(cx);
        if result.is_ready() {
            watch.over();
        } else {
            watch.ask(|| *ask, cx.waker());
            // SAFETY: it is pinned with the struct.
            unsafe { watch.wait_elsewhere(ask, cx.waker()) };
        }
        result
    }
}
