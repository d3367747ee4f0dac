//! Waiting by parking the thread: the way in from code that is not async.

use core::future::Future;

/// Runs a future to its end on this thread, which is parked while there is
/// nothing to do.
#[cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    use core::cell::Cell;
    use core::hint;
    use core::pin::pin;
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{Context, Poll, Waker};
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{self, Thread};

    /// How often a thread looks whether it has been woken before it parks: for about
    /// half the time that it takes to park and to be unparked. Who is about to release
    /// on another processor is often done by then. (Competitive spinning, Karlin et al.
    /// 1991.)
    const SPINS: u32 = 300;

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
        let mut spins = 0;
        // Acquire: pairs with the Release of `wake_by_ref`.
        while !(parker.woken.load(Ordering::Relaxed) && parker.woken.swap(false, Ordering::Acquire))
        {
            if spins < SPINS {
                spins += 1;
                hint::spin_loop();
            } else {
                thread::park();
            }
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
