//! Waiting by parking the thread: the way in from code that is not async.

use core::future::Future;

/// Runs a future to its end on this thread, which is parked while there is
/// nothing to do.
#[cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    use core::cell::Cell;
    use core::pin::pin;
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{Context, Poll, Waker};
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{self, Thread};

    /// Unparks a thread that waits for it to be set.
    struct Parker {
        thread: Thread,
        woken: AtomicBool,
    }

    impl Wake for Parker {
        #[inline]
        fn wake(self: Arc<Self>) {
            self.wake_by_ref();
        }

        #[inline]
        fn wake_by_ref(self: &Arc<Self>) {
            // Release: pairs with the Acquire of the loop below.
            if !self.woken.swap(true, Ordering::Release) {
                self.thread.unpark();
            }
        }
    }

    thread_local! {
        /// Made once for a thread, and taken while it is in use: a `block_on`
        /// within another must not consume the other's wake-ups.
        static PARKER: Cell<Option<(Arc<Parker>, Waker)>> = const { Cell::new(None) };
    }

    let (parker, waker) = PARKER
        .try_with(Cell::take)
        .ok()
        .flatten()
        .unwrap_or_else(|| {
            let parker = Arc::new(Parker {
                thread: thread::current(),
                woken: AtomicBool::new(false),
            });
            let waker = Waker::from(Arc::clone(&parker));
            (parker, waker)
        });

    let mut future = pin!(future);
    let mut cx = Context::from_waker(&waker);
    let output = loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            break output;
        }
        // Acquire: pairs with the Release of `wake_by_ref`.
        while !parker.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
    };
    // Where the thread is ending, the parker is simply dropped.
    let _ = PARKER.try_with(|slot| slot.set(Some((parker, waker))));
    output
}

#[cfg(async_monitor_loom)]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    loom::future::block_on(future)
}

#[cfg(async_monitor_shuttle)]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    shuttle::future::block_on(future)
}
