//! The thread that holds a sync lock exclusively.
//!
//! No guard of a sync lock is sent to another thread, so a thread that waits for a lock that
//! it holds itself waits for ever, whatever code made the guard or hides it. The thread is
//! recorded at each acquisition and release, only in builds with `debug_assertions`, which need
//! not be fast.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread_local;

thread_local! {
    /// Its address is unique among the live threads.
    static HERE: Cell<u8> = const { Cell::new(0) };
}

/// The thread that holds a lock, or zero.
///
/// A thread finds itself here only if it holds the lock: it stores its address after it has
/// acquired the lock, and clears it before it releases the lock, both in program order.
pub(crate) struct HoldingThread(AtomicUsize);

impl HoldingThread {
    pub(crate) const fn new() -> Self {
        HoldingThread(AtomicUsize::new(0))
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
