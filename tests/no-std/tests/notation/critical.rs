//! Critical sections on a host: one re-entrant lock for all
//! threads. They check that they nest.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

use critical_section::RawRestoreState;

static LOCKED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
    static ENTERED: Cell<usize> = const { Cell::new(0) };
}

/// How many critical sections of this thread are under way.
pub(crate) fn depth() -> usize {
    DEPTH.get().into()
}

/// How many this thread has entered.
pub(crate) fn entered() -> usize {
    ENTERED.get()
}

struct OneLock;

critical_section::set_impl!(OneLock);

// SAFETY: outside of another one of its thread, a critical section has the lock from its beginning
// to its end.
unsafe impl critical_section::Impl for OneLock {
    unsafe fn acquire() -> RawRestoreState {
        let depth = DEPTH.get();
        if depth == 0 {
            while LOCKED.swap(true, Ordering::Acquire) {
                std::thread::yield_now();
            }
        }
        DEPTH.set(depth + 1);
        ENTERED.set(ENTERED.get() + 1);
        depth
    }

    unsafe fn release(before: RawRestoreState) {
        assert_eq!(
            DEPTH.get(),
            before + 1,
            "ends in the order of the beginnings"
        );
        DEPTH.set(before);
        if before == 0 {
            LOCKED.store(false, Ordering::Release);
        }
    }
}
