//! Waking many tasks with no lock held.

use core::mem::MaybeUninit;
use core::task::Waker;

use crate::panics;

/// The number of wakers that are taken each time a queue is locked. A loom model
/// has only a few waiters, and should check the time between two batches, too. Without
/// `std`, stacks are small, and interrupts may be off meanwhile.
pub(crate) const CAPACITY: usize = if cfg!(async_monitor_loom) {
    1
} else if cfg!(feature = "std") {
    32
} else {
    8
};

/// Wakers that were taken under a lock and are woken once it is released, in
/// the order they came.
///
/// A waker that panics does not keep the others from being woken: the first
/// panic is resumed when the batch is dropped, after all have been woken. Without
/// `std`, it ends the program.
pub(crate) struct WakeBatch {
    wakers: [MaybeUninit<Waker>; CAPACITY],
    /// `wakers[next..len]` are initialized.
    next: usize,
    len: usize,
    #[cfg(feature = "std")]
    panic: Option<panics::Payload>,
}

impl WakeBatch {
    #[inline]
    pub(crate) fn new() -> Self {
        WakeBatch {
            wakers: [const { MaybeUninit::uninit() }; CAPACITY],
            next: 0,
            len: 0,
            #[cfg(feature = "std")]
            panic: None,
        }
    }

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.len == CAPACITY
    }

    /// Adds a waker to a batch that is not full.
    #[inline]
    pub(crate) fn push(&mut self, waker: Waker) {
        self.wakers[self.len].write(waker);
        self.len += 1;
    }

    #[cfg(feature = "std")]
    #[inline]
    fn pop(&mut self) -> Option<Waker> {
        if self.next == self.len {
            self.next = 0;
            self.len = 0;
            return None;
        }
        let slot = self.next;
        self.next += 1;
        // SAFETY: slots from `next` to `len` are initialized, and `next` has
        // just passed this one, so it is read once.
        Some(unsafe { self.wakers[slot].assume_init_read() })
    }

    /// Wakes all wakers of the batch and empties it. To be called without a lock. Never
    /// unwinds: callers are in the middle of something.
    #[cfg(not(feature = "std"))]
    #[inline]
    pub(crate) fn wake_all(&mut self) {
        /// A panic cannot unwind out of an `extern "C"` fn: it aborts.
        extern "C" fn wake(waker: &mut MaybeUninit<Waker>) {
            // SAFETY: the caller says that the slot is initialized, and does not use it again.
            unsafe { waker.assume_init_read() }.wake();
        }

        while self.next != self.len {
            let slot = self.next;
            self.next += 1;
            // Slots from `next` to `len` are initialized, and `next` has just passed this one.
            wake(&mut self.wakers[slot]);
        }
        self.next = 0;
        self.len = 0;
    }

    /// Wakes all wakers of the batch and empties it. To be called without a lock. Never
    /// unwinds: callers are in the middle of something.
    #[cfg(feature = "std")]
    #[inline]
    pub(crate) fn wake_all(&mut self) {
        while self.next != self.len {
            let woken = panics::catch(|| {
                while let Some(waker) = self.pop() {
                    waker.wake();
                }
            });
            if let Err(payload) = woken {
                match self.panic {
                    None => self.panic = Some(payload),
                    Some(_) => panics::discard(payload),
                }
            }
        }
        self.next = 0;
        self.len = 0;
    }
}

/// Wakes one task; to be called without a lock.
#[inline]
pub(crate) fn wake_one(waker: Waker) {
    if panics::panicking() {
        wake_while_panicking(waker);
    } else {
        waker.wake();
    }
}

/// A second panic would end the process: a batch swallows it. (Not called without `std`.)
#[cold]
#[inline]
fn wake_while_panicking(waker: Waker) {
    WakeBatch::new().push(waker);
}

impl Drop for WakeBatch {
    #[inline]
    fn drop(&mut self) {
        self.wake_all();
        #[cfg(feature = "std")]
        if let Some(payload) = self.panic.take() {
            if !panics::panicking() {
                std::panic::resume_unwind(payload);
            }
            // Another panic is under way, and goes on.
            panics::discard(payload);
        }
    }
}
