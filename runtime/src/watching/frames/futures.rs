//! What polls, or runs, within a section.

use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use super::super::awaited::AwaitWithin;
use super::list::Linked;
use super::{Asker, FrameRef, OBSERVED, Section, waker_key};

impl<const N: usize> Section<'_, N> {
    /// A future that acquires the lock `index`; or, if that is a short one, does nothing
    /// yet. The section is described.
    #[inline]
    pub fn __entering<F>(&self, index: usize, is_short: bool, future: F) -> Entering<'_, F> {
        Entering {
            frame: self.frame(),
            index,
            is_short,
            future,
        }
    }

    /// The thread is about to wait for the lock `index`. If that is not a short one, the section
    /// is described.
    ///
    /// # Safety
    ///
    /// What is returned is dropped before the section is, and before the caller suspends.
    #[inline(always)]
    pub unsafe fn __wait(&self, index: usize, is_short: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, !is_short, Then::Leaves)
    }

    /// The thread is about to acquire the lock `index`, if it is a short one; the section is then
    /// described.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait).
    #[inline(always)]
    pub unsafe fn __finish(&self, index: usize, is_short: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, is_short, Then::Leaves)
    }

    /// The same, where the thread is in the section from then on, and comes to
    /// [`__inside`](Self::__inside).
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait), and the caller does not suspend.
    #[inline(always)]
    pub unsafe fn __finish_inside(&self, index: usize, is_short: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, is_short, Then::Stays)
    }

    /// The thread is in the section until this is dropped, and the section is not suspended
    /// meanwhile. It is described.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait).
    #[inline(always)]
    pub unsafe fn __inside(&self) -> Inside<'_> {
        Inside(self.frame().enter_or_stay())
    }
}

#[diagnostic::do_not_recommend]
impl<'s, F: IntoFuture, const N: usize> AwaitWithin<F> for &'s Section<'_, N> {
    type Within = WithinFuture<'s, F::IntoFuture>;

    #[inline]
    fn __await_within(self, future: F) -> Self::Within {
        WithinFuture {
            frame: self.frame(),
            future: future.into_future(),
        }
    }
}

impl FrameRef<'_> {
    /// It is about to acquire the lock `index`.
    #[inline(always)]
    fn asks(self, index: usize) {
        self.observe_if_told();
        let index = u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1));
        self.entering.set(index);
    }

    /// Polls within the section.
    #[inline]
    fn poll<F: Future>(self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.count_poll();
        let linked = self.enter(cx.waker());
        let result = future.poll(cx);
        drop(linked);
        if result.is_pending() {
            self.suspended();
        }
        result
    }
}

/// A thread is about to acquire a lock of a section.
///
/// What makes, and drops, this is inlined even where the compiler would not: around a call
/// of it, the guard would be stored in pieces and loaded as one, which takes longer than both of
/// its atomic operations.
#[allow(missing_debug_implementations)]
pub struct Asking<'s>(Option<Asks<'s>>);

struct Asks<'s> {
    linked: Linked<'s>,
    frame: FrameRef<'s>,
    index: usize,
    then: Then,
}

/// What the section does once it has acquired: it stays on the list of the thread, or leaves it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Stays,
    Leaves,
}

impl<'s> Asking<'s> {
    #[inline(always)]
    fn new(frame: FrameRef<'s>, index: usize, acquires: bool, then: Then) -> Self {
        if !acquires {
            return Asking(None);
        }
        frame.asks(index);
        let linked = match then {
            Then::Stays => frame.enter_or_stay(),
            Then::Leaves => frame.enter(ptr::null()),
        };
        Asking(Some(Asks {
            linked,
            frame,
            index,
            then,
        }))
    }

    /// It has acquired it.
    #[inline(always)]
    pub fn __acquired(mut self) {
        if let Some(asks) = &mut self.0 {
            asks.frame.acquired(asks.index, || Asker::Thread);
            if asks.then == Then::Stays {
                asks.linked.stay();
            }
        }
    }
}

impl Drop for Asks<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.frame.entering.set(0);
    }
}

/// A thread is in a section, which is not suspended.
#[allow(missing_debug_implementations)]
pub struct Inside<'s>(#[allow(dead_code)] Linked<'s>);

/// A future that acquires a lock of a section.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct Entering<'s, F> {
    frame: FrameRef<'s>,
    index: usize,
    is_short: bool,
    future: F,
}

impl<F: Future> Future for Entering<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the struct.
        let (frame, index, is_short, future) = unsafe {
            let this = self.get_unchecked_mut();
            let future = Pin::new_unchecked(&mut this.future);
            (this.frame, this.index, this.is_short, future)
        };
        // It is acquired by a call that comes later.
        if is_short {
            return future.poll(cx);
        }
        frame.asks(index);
        let result = frame.poll(future, cx);
        frame.entering.set(0);
        if result.is_ready() {
            frame.acquired(index, || Asker::Task(waker_key(cx.waker())));
        } else if frame.has(OBSERVED) {
            frame.note_wait();
        }
        result
    }
}

/// A future that is awaited in the body of a section.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct WithinFuture<'s, F> {
    frame: FrameRef<'s>,
    future: F,
}

impl<F: Future> Future for WithinFuture<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the struct.
        let (frame, future) = unsafe {
            let this = self.get_unchecked_mut();
            (this.frame, Pin::new_unchecked(&mut this.future))
        };
        frame.poll(future, cx)
    }
}
