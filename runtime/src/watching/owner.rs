//! Which thread holds a sync lock by a guard that excludes others.
//!
//! No guard of a sync lock is sent to another thread, so a thread that waits for a lock which
//! it holds itself waits for ever: whoever made the guard, and whatever hides it. What holds a
//! lock says so at each acquisition and release, which is done only where it need not be fast:
//! in builds with `debug_assertions`.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread_local;

thread_local! {
    /// Its address is that of no other thread that is alive.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// The thread that holds a lock, or zero.
///
/// A thread finds itself here only if it holds the lock: it says so after it has acquired it, and
/// takes that back before it releases it, both in its own order.
pub(crate) struct Owner(AtomicUsize);

impl Owner {
    pub(crate) const fn new() -> Self {
        Owner(AtomicUsize::new(0))
    }

    /// This thread has acquired the lock, and excludes others.
    pub(crate) fn acquired(&self) {
        self.0.store(here(), Ordering::Relaxed);
    }

    /// This thread is about to release the lock.
    pub(crate) fn releases(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Whether this thread holds the lock.
    pub(super) fn is_this_thread(&self) -> bool {
        self.0.load(Ordering::Relaxed) == here()
    }
}

fn here() -> usize {
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
