//! The number of [`Woken`](super::State::Woken) nodes in the process (Q8): usually zero, so that no
//! poll has to search for one. Not a part of the protocol, hence not a loom type.

#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
pub(super) use self::of_model::{add, count, subtract};
#[cfg(all(feature = "check", not(any(async_monitor_loom, async_monitor_shuttle))))]
pub(crate) use self::of_process::of_run;
#[cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
pub(super) use self::of_process::{add, count, subtract};

#[cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
mod of_process {
    use crate::platform::{AtomicUsize, Ordering};

    static WOKEN: AtomicUsize = AtomicUsize::new(0);

    #[inline]
    pub(in crate::queue) fn count() -> usize {
        // A checked run must not depend on other threads. All nodes of a run are on one
        // thread.
        #[cfg(feature = "check")]
        if crate::checking::is_checked() {
            return of_run::count();
        }
        // Relaxed is enough, see `LockedQueue::woken_anywhere`.
        WOKEN.load(Ordering::Relaxed)
    }

    pub(in crate::queue) fn add() {
        WOKEN.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "check")]
        of_run::add(1);
    }

    pub(in crate::queue) fn subtract() {
        let woken = WOKEN.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(woken > 0);
        #[cfg(feature = "check")]
        of_run::add(-1);
    }

    /// The woken nodes of this thread since the current checked run began.
    #[cfg(feature = "check")]
    pub(crate) mod of_run {
        use core::cell::Cell;

        std::thread_local! {
            static WOKEN: Cell<isize> = const { Cell::new(0) };
        }

        pub(crate) fn begin() {
            WOKEN.set(0);
        }

        pub(super) fn count() -> usize {
            usize::try_from(WOKEN.get()).unwrap_or(0)
        }

        pub(super) fn add(by: isize) {
            // A thread that is ending runs no check any more.
            let _ = WOKEN.try_with(|woken| woken.set(woken.get() + by));
        }
    }
}

/// The same under a model checker, which runs all threads of a model on one: each model
/// has its own count.
#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
mod of_model {
    use core::cell::Cell;

    std::thread_local! {
        static WOKEN: Cell<usize> = Cell::new(0);
    }

    pub(in crate::queue) fn count() -> usize {
        WOKEN.with(Cell::get)
    }

    pub(in crate::queue) fn add() {
        WOKEN.with(|woken| woken.set(woken.get() + 1));
    }

    pub(in crate::queue) fn subtract() {
        WOKEN.with(|woken| woken.set(woken.get() - 1));
    }
}

#[cfg(all(
    test,
    feature = "check",
    not(any(async_monitor_loom, async_monitor_shuttle))
))]
mod tests {
    use std::thread;

    use crate::check::every_schedule;
    use crate::queue::woken;

    /// A checked run does not depend on waiters of other threads.
    #[test]
    fn a_check_counts_what_it_has_woken_itself() {
        every_schedule(|run| {
            run.spawn("task", async {
                thread::spawn(woken::add).join().unwrap();
                let count = woken::count();
                thread::spawn(woken::subtract).join().unwrap();
                assert_eq!(count, 0);
            });
        });
    }
}
