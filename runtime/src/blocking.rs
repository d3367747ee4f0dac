//! Waiting by parking the thread, for code that is not async.
//!
//! A thread that parks may be the one that should poll the owner of a grant. So it
//! wakes up from time to time and polls its future [out of patience](take_impatience):
//! the gate then takes over unused grants.

#[cfg(all(feature = "std", not(any(async_monitor_loom, async_monitor_shuttle))))]
mod real {
    use core::cell::Cell;
    use core::future::Future;
    use core::hint;
    use core::pin::{Pin, pin};
    use core::sync::atomic::{AtomicBool, Ordering};
    use core::task::{Context, Poll, Waker};
    use std::sync::Arc;
    use std::task::Wake;
    use std::thread::{self, Thread};
    use std::time::{Duration, Instant};

    use crate::checking;

    /// How often a thread checks for a wake-up before it parks: for about
    /// half the time that parking and unparking take. A release on another
    /// processor is often done by then. (Competitive spinning, Karlin et al. 1991.)
    const SPINS: u32 = 300;

    /// How long a thread first parks before it is out of patience; doubled each
    /// time. (Much longer than it takes to poll a task that has been woken.)
    const PATIENCE: Duration = Duration::from_millis(1);

    /// The upper limit of that time.
    const MAX_PATIENCE: Duration = Duration::from_millis(100);

    /// After a take-over, a thread has little patience for this many waits, and checks the grants
    /// before it parks. It is most likely a thread of an executor all of whose threads wait here,
    /// and will soon be in the same situation.
    const HASTY_WAITS: u32 = 256;

    /// How long it then parks at first.
    const LITTLE_PATIENCE: Duration = Duration::from_micros(50);

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
            // Release: pairs with the Acquire of `take_wake_up`.
            if !self.woken.swap(true, Ordering::Release) {
                self.thread.unpark();
            }
        }
    }

    impl Parker {
        #[inline]
        fn take_wake_up(&self) -> bool {
            // Acquire: pairs with the Release of `wake_by_ref`.
            self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::Acquire)
        }

        /// Spins until it is woken, for a while. Returns whether it was.
        fn spin(&self) -> bool {
            for _ in 0..SPINS {
                if self.take_wake_up() {
                    return true;
                }
                hint::spin_loop();
            }
            false
        }

        /// Parks until it is woken, for as long as `patience`. Returns whether it was.
        fn park(&self, patience: Duration) -> bool {
            let begin = Instant::now();
            loop {
                if self.take_wake_up() {
                    return true;
                }
                let left = patience.saturating_sub(begin.elapsed());
                if left.is_zero() {
                    return false;
                }
                thread::park_timeout(left);
            }
        }
    }

    thread_local! {
        /// Made once for a thread, and taken out while in use: a nested `block_on`
        /// must not consume the wake-ups of the outer one.
        static PARKER: Cell<Option<(Arc<Parker>, Waker)>> = const { Cell::new(None) };

        static OUT_OF_PATIENCE: Cell<bool> = const { Cell::new(false) };

        /// The number of hasty waits that this thread has left.
        static HASTE: Cell<u32> = const { Cell::new(0) };
    }

    /// While it exists, this thread parks until a future has completed.
    #[cfg(any(debug_assertions, feature = "watch"))]
    struct Parks(parks::Waker);

    #[cfg(any(debug_assertions, feature = "watch"))]
    mod parks {
        use core::cell::Cell;
        use core::ptr;
        use core::task;
        use std::thread_local;

        use super::Parks;

        /// The data of the waker that unparks a thread, and whether it waits for a limited
        /// time.
        #[derive(Clone, Copy)]
        pub(super) struct Waker(*const (), bool);

        thread_local! {
            /// The waker of this thread.
            static WAKER: Cell<Waker> = const { Cell::new(Waker(ptr::null(), false)) };
        }

        impl Parks {
            pub(super) fn with(waker: &task::Waker, is_limited: bool) -> Self {
                Parks(WAKER.replace(Waker(waker.data(), is_limited)))
            }
        }

        impl Drop for Parks {
            fn drop(&mut self) {
                WAKER.set(self.0);
            }
        }

        /// How a thread waits for a future that is polled with a waker.
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Parked {
            /// It does not: the waker is not that of a parker.
            No,
            ForSomeTime,
            ForAsLongAsItTakes,
        }

        /// Whether the waker belongs to the parker of this thread, which then waits for the
        /// future that is polled with it.
        pub(crate) fn parked(waker: &task::Waker) -> Parked {
            let Waker(data, is_limited) = WAKER.get();
            if data.is_null() || !ptr::eq(waker.data(), data) {
                Parked::No
            } else if is_limited {
                Parked::ForSomeTime
            } else {
                Parked::ForAsLongAsItTakes
            }
        }
    }

    #[cfg(any(debug_assertions, feature = "watch"))]
    pub(crate) use self::parks::{Parked, parked};

    #[cfg(not(any(debug_assertions, feature = "watch")))]
    struct Parks;

    #[cfg(not(any(debug_assertions, feature = "watch")))]
    impl Parks {
        #[inline]
        fn with(_waker: &Waker, _is_limited: bool) -> Self {
            Parks
        }
    }

    /// The thread whose poll is under way has taken over a grant.
    pub(crate) fn took_over() {
        if HASTE.get() == 0 {
            HASTE.set(HASTY_WAITS);
        } else {
            HASTE.set(HASTE.get() - 1);
        }
    }

    /// Whether the current poll of this thread is that of a thread that has been
    /// parked for a while. True once per poll: it does not apply to other futures that the
    /// poll runs, as from a waker.
    #[inline]
    pub(crate) fn take_impatience() -> bool {
        OUT_OF_PATIENCE.get() && OUT_OF_PATIENCE.replace(false)
    }

    /// Polls a future, out of patience.
    fn poll_out_of_patience<F: Future>(
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        struct Restore(bool);

        impl Drop for Restore {
            fn drop(&mut self) {
                OUT_OF_PATIENCE.set(self.0);
            }
        }

        let _restore = Restore(OUT_OF_PATIENCE.replace(true));
        future.poll(cx)
    }

    /// Runs a future to its end on this thread, which parks while the future is
    /// pending.
    pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
        if checking::is_checked() {
            return match checking::block_on(pin!(future), None) {
                Some(output) => output,
                None => unreachable!("without a limit, it ends with the future"),
            };
        }
        match run(future, None) {
            Some(output) => output,
            None => unreachable!("without a limit, it ends with the future"),
        }
    }

    /// The same, for at most `limit`, from the first poll on. The last poll
    /// comes when the time is up.
    pub(crate) fn block_on_for<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
        if checking::is_checked() {
            return checking::block_on(pin!(future), Some(limit));
        }
        run(future, Some(limit))
    }

    #[inline]
    fn run<F: Future>(future: F, limit: Option<Duration>) -> Option<F::Output> {
        let (parker, waker) = PARKER
            .try_with(Cell::take)
            .ok()
            .flatten()
            .unwrap_or_else(|| {
                let parker = Arc::new(Parker {
                    thread: thread::current(),
                    woken: AtomicBool::new(false),
                });
                // A clone has the same parts as its clones. The waker of `Waker::from` need not, as
                // its vtable constant may have several addresses: with a waker that differs at each
                // poll, a grant would never be taken over.
                let waker = Waker::from(Arc::clone(&parker)).clone();
                (parker, waker)
            });

        let mut future = pin!(future);
        let _parks = Parks::with(&waker, limit.is_some());
        let mut cx = Context::from_waker(&waker);
        let mut polled = future.as_mut().poll(&mut cx);
        // The first check records the grants, the second one takes them over.
        let (mut hasty_looks, mut patience) = match HASTE.get() {
            0 => (0, PATIENCE),
            _ => (2, LITTLE_PATIENCE),
        };
        // A deadline beyond the range of `Instant` is none.
        let deadline = limit
            .filter(|_| polled.is_pending())
            .and_then(|limit| Instant::now().checked_add(limit));
        let output = loop {
            if let Poll::Ready(output) = polled {
                break Some(output);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                break None;
            }
            polled = if parker.spin() {
                HASTE.set(HASTE.get().saturating_sub(1));
                future.as_mut().poll(&mut cx)
            } else if hasty_looks > 0 {
                hasty_looks -= 1;
                poll_out_of_patience(future.as_mut(), &mut cx)
            } else if let Some(left) = left.filter(|left| *left <= patience) {
                parker.park(left);
                future.as_mut().poll(&mut cx)
            } else if parker.park(patience) {
                future.as_mut().poll(&mut cx)
            } else {
                patience = (patience * 2).min(MAX_PATIENCE);
                poll_out_of_patience(future.as_mut(), &mut cx)
            };
        };
        // If the thread is ending, the parker is simply dropped.
        let _ = PARKER.try_with(|slot| slot.set(Some((parker, waker))));
        output
    }

    #[cfg(test)]
    mod tests {
        use super::{HASTE, HASTY_WAITS, took_over};

        /// A thread that takes over at each of its waits has to be patient again and again: a task
        /// that is polled is not overtaken for ever.
        #[test]
        fn haste_ends() {
            for _ in 0..3 {
                assert_eq!(HASTE.get(), 0);
                took_over();
                assert_eq!(HASTE.get(), HASTY_WAITS);
                for _ in 0..HASTY_WAITS {
                    took_over();
                }
            }
        }
    }
}

#[cfg(all(feature = "std", not(any(async_monitor_loom, async_monitor_shuttle))))]
pub(crate) use self::real::{block_on, block_on_for, take_impatience, took_over};

/// Without `std`, no thread parks: the blocking forms are left out, and sections that need
/// them do not compile (`__may_park`).
#[cfg(not(feature = "std"))]
mod never {
    use core::future::Future;
    use core::time::Duration;

    pub(crate) fn block_on<F: Future>(_future: F) -> F::Output {
        unreachable!("no thread parks")
    }

    pub(crate) fn block_on_for<F: Future>(_limit: Duration, _future: F) -> Option<F::Output> {
        unreachable!("no thread parks")
    }

    #[inline]
    pub(crate) fn take_impatience() -> bool {
        false
    }

    pub(crate) fn took_over() {}
}

#[cfg(not(feature = "std"))]
pub(crate) use self::never::{block_on, block_on_for, take_impatience, took_over};

#[cfg(all(
    feature = "std",
    any(debug_assertions, feature = "watch"),
    not(any(
        async_monitor_loom,
        async_monitor_shuttle,
        all(target_family = "wasm", target_os = "unknown")
    ))
))]
pub(crate) use self::real::{Parked, parked};

#[cfg(async_monitor_loom)]
pub(crate) use loom::future::block_on;

#[cfg(all(async_monitor_shuttle, not(async_monitor_loom)))]
pub(crate) use shuttle::future::block_on;

/// In models, no time passes.
#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
pub(crate) fn block_on_for<F: core::future::Future>(
    _limit: std::time::Duration,
    future: F,
) -> Option<F::Output> {
    Some(block_on(future))
}

/// In models, patience ends when a model says so.
#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
mod modelled {
    use core::cell::Cell;
    use core::future::Future;
    use core::pin::Pin;
    use core::task::{Context, Poll};

    #[cfg(async_monitor_loom)]
    use loom::thread_local;
    #[cfg(all(async_monitor_shuttle, not(async_monitor_loom)))]
    use shuttle::thread_local;

    thread_local! {
        static OUT_OF_PATIENCE: Cell<bool> = Cell::new(false);
    }

    pub(crate) fn take_impatience() -> bool {
        OUT_OF_PATIENCE.with(|flag| flag.replace(false))
    }

    pub(crate) fn took_over() {}

    /// Polls a future like a thread that has been parked for a while.
    pub fn poll_out_of_patience<F: Future + ?Sized>(
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        OUT_OF_PATIENCE.with(|flag| flag.set(true));
        let polled = future.poll(cx);
        OUT_OF_PATIENCE.with(|flag| flag.set(false));
        polled
    }
}

#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
pub use self::modelled::poll_out_of_patience;
#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
pub(crate) use self::modelled::{take_impatience, took_over};

/// The body of a blocking form: `$attempt`, and if that fails, the thread parks for `$future`.
/// A macro, so that both calls see the caller of the form (`track_caller`). A checker would see
/// the two as two operations.
#[cfg(feature = "std")]
macro_rules! at_once_or_blocking {
    ($attempt:expr, $future:expr) => {{
        let attempt = if $crate::checking::is_task() {
            None
        } else {
            $attempt
        };
        match attempt {
            Some(guard) => guard,
            None => $crate::blocking::block_on($future),
        }
    }};
}

#[cfg(feature = "std")]
pub(crate) use at_once_or_blocking;
