//! Futures and calls that run within a section.

use core::future::{Future, IntoFuture};
#[cfg(debug_assertions)]
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
#[cfg(debug_assertions)]
use core::panic::{RefUnwindSafe, UnwindSafe};
use core::pin::Pin;
use core::ptr;
use core::task::{Context, Poll};

use super::super::awaited::AwaitWithin;
use super::super::events;
use super::{Asker, FrameRef, LINKED, NESTED, OBSERVED, Section, waker_key};

impl<const N: usize> Section<'_, N> {
    /// A future that acquires the lock `index`; or, if that is a sync lock, does nothing
    /// yet. The section is described.
    #[inline]
    pub fn __entering<F>(&self, index: usize, acquires_last: bool, future: F) -> Entering<'_, F> {
        Entering {
            frame: self.frame(),
            index,
            acquires_last,
            future,
        }
    }

    /// The thread is about to wait for the lock `index`. If that is not a sync lock, the section
    /// is described.
    ///
    /// # Safety
    ///
    /// The returned value is dropped before the section is, and before the caller suspends.
    #[inline(always)]
    pub unsafe fn __wait(&self, index: usize, acquires_last: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, !acquires_last, Then::Leaves)
    }

    /// The thread is about to acquire the lock `index`, if it is a sync lock; the section is then
    /// described.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait).
    #[inline(always)]
    pub unsafe fn __finish(&self, index: usize, acquires_last: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, acquires_last, Then::Leaves)
    }

    /// The same, but the thread is in the section from then on, until it drops the value that
    /// [`__inside`](Self::__inside) returns.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait), and the section is dropped before the caller suspends.
    #[inline(always)]
    pub unsafe fn __finish_inside(&self, index: usize, acquires_last: bool) -> Asking<'_> {
        Asking::new(self.frame(), index, acquires_last, Then::Stays)
    }

    /// The thread is in the section until this is dropped, and the section does not suspend
    /// meanwhile. It is described. If one of its locks is a sync lock, the thread has been in it
    /// since it acquired that.
    ///
    /// # Safety
    ///
    /// As for [`__finish_inside`](Self::__finish_inside).
    #[inline(always)]
    pub unsafe fn __inside(&self, acquires_last: bool) -> Inside<'_> {
        let frame = self.frame();
        if !acquires_last {
            frame.enter_to_run();
        }
        Inside(frame)
    }

    /// The same, of a section that may be suspended elsewhere, or is a block. A section of async
    /// locks is on the list only if it `parks`, or is
    /// [described early](Self::__is_described_early): the list costs more than uncontended locks.
    ///
    /// # Safety
    ///
    /// As for [`__finish_inside`](Self::__finish_inside).
    #[inline(always)]
    pub unsafe fn __inside_body(&self, acquires_last: bool, parks: bool) -> InsideBody<'_> {
        let frame = self.frame();
        let runs = if acquires_last || parks {
            Runs::Listed
        } else if self.__is_described_early() {
            Runs::Resumed
        } else {
            Runs::Unlisted
        };
        match runs {
            Runs::Listed if acquires_last => {}
            Runs::Listed => frame.enter_to_run(),
            Runs::Resumed => frame.resume(),
            Runs::Unlisted => {}
        }
        InsideBody(frame, runs)
    }

    /// The thread will be in the section in some parts of its body, from [`InParts::__resume`] to
    /// [`InParts::__pause`], if the section is [described early](Self::__is_described_early). It is
    /// described.
    ///
    /// # Safety
    ///
    /// The returned value is dropped before the section is, and while nobody else has the section.
    #[inline(always)]
    pub unsafe fn __in_parts(&self) -> InParts {
        InParts::new(self.frame())
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
    /// The section polls the future that acquires the lock `index`.
    #[inline]
    fn asks(self, index: usize) {
        self.note_request();
        self.head().enters(index);
    }

    /// The section calls the function that acquires the lock `index`.
    #[inline(always)]
    fn calls(self, index: usize) {
        if self.has(LINKED | NESTED | OBSERVED) || events::has_observer() {
            self.calls_slowly(index);
        } else {
            self.head().enters(index);
            self.push_to_run();
        }
    }

    #[cold]
    #[inline(never)]
    fn calls_slowly(self, index: usize) {
        self.asks(index);
        self.enter_slowly(ptr::null());
    }

    /// Polls within the section.
    #[inline]
    fn poll<F: Future>(self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let linked = self.enter(cx.waker());
        let result = future.poll(cx);
        linked.end();
        if result.is_pending() {
            self.suspended();
        }
        result
    }
}

/// A thread is about to acquire a lock of a section.
///
/// Its functions are `inline(always)`: around a call, the guard would be stored in pieces and
/// then loaded as one word, which takes longer than both of the lock's atomic operations. For
/// the same reason, no function that could unwind gets a reference to this.
#[must_use = "it says that the lock has been acquired"]
#[allow(missing_debug_implementations)]
pub struct Asking<'s> {
    /// Present if the lock is acquired by a call.
    frame: Option<FrameRef<'s>>,
    index: usize,
    then: Then,
}

/// Whether a section that has acquired stays on the list of the thread, or leaves it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Stays,
    Leaves,
}

impl<'s> Asking<'s> {
    #[inline(always)]
    fn new(frame: FrameRef<'s>, index: usize, acquires: bool, then: Then) -> Self {
        if acquires {
            frame.calls(index);
        }
        Asking {
            frame: acquires.then_some(frame),
            index,
            then,
        }
    }

    /// The lock has been acquired.
    #[inline(always)]
    pub fn __acquired(self) {
        let this = ManuallyDrop::new(self);
        if let Some(frame) = this.frame {
            frame.acquired(this.index, || Asker::Thread);
            if this.then == Then::Leaves {
                frame.leave();
            }
        }
    }
}

impl Drop for Asking<'_> {
    /// The acquisition has panicked.
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(frame) = self.frame {
            frame.has_not_acquired();
        }
    }
}

impl FrameRef<'_> {
    #[cold]
    #[inline(never)]
    fn has_not_acquired(self) {
        self.head().enters_nothing();
        self.leave_slowly();
    }
}

/// A thread is in a section, which is not suspended.
#[allow(missing_debug_implementations)]
pub struct Inside<'s>(FrameRef<'s>);

impl Drop for Inside<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.leave_alone();
    }
}

/// A thread is in the body of a section, which does not suspend.
#[allow(missing_debug_implementations)]
pub struct InsideBody<'s>(FrameRef<'s>, Runs);

/// Whether a section whose body runs is on the list.
#[derive(Clone, Copy)]
enum Runs {
    Listed,
    /// Without its span.
    Resumed,
    Unlisted,
}

impl Drop for InsideBody<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        match self.1 {
            Runs::Listed => self.0.leave(),
            Runs::Resumed => self.0.pause(),
            Runs::Unlisted => {}
        }
    }
}

/// A thread is in a section in some parts of its body. Its drop ends the last part.
///
/// It borrows nothing, as others may borrow the section mutably between two parts. And it goes by
/// no local that a macro may get, as two of those may change places (W8).
#[cfg(debug_assertions)]
#[allow(missing_debug_implementations)]
pub struct InParts(FrameRef<'static>);

/// The counterpart if no section is [described early](Section::__is_described_early).
#[cfg(not(debug_assertions))]
#[allow(missing_debug_implementations)]
pub struct InParts;

#[cfg(debug_assertions)]
impl InParts {
    fn new(frame: FrameRef<'_>) -> Self {
        InParts(FrameRef(frame.0, PhantomData))
    }

    /// The thread is in the section, until it [pauses](Self::__pause), or drops this.
    ///
    /// # Safety
    ///
    /// Until then, nothing suspends, and nobody else has the section: of which `_local` is the
    /// local, that is what its borrow says.
    #[inline(always)]
    pub unsafe fn __resume<T>(&self, _local: &T) {
        self.0.resume();
    }

    /// The thread is not in the section any more.
    ///
    /// # Safety
    ///
    /// As for [`__resume`](Self::__resume).
    #[inline(always)]
    pub unsafe fn __pause<T>(&self, _local: &T) {
        self.0.pause();
    }
}

#[cfg(not(debug_assertions))]
impl InParts {
    #[inline]
    fn new(_frame: FrameRef<'_>) -> Self {
        InParts
    }

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __resume<T>(&self, _local: &T) {}

    /// Nothing.
    ///
    /// # Safety
    ///
    /// None.
    #[inline]
    pub unsafe fn __pause<T>(&self, _local: &T) {}
}

// The future of a body that may suspend has the same auto traits as without this.
#[cfg(debug_assertions)]
impl UnwindSafe for InParts {}
#[cfg(debug_assertions)]
impl RefUnwindSafe for InParts {}

#[cfg(debug_assertions)]
impl Drop for InParts {
    fn drop(&mut self) {
        self.0.pause();
    }
}

/// A future that acquires a lock of a section.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct Entering<'s, F> {
    frame: FrameRef<'s>,
    index: usize,
    acquires_last: bool,
    future: F,
}

impl<F: Future> Future for Entering<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the struct.
        let (frame, index, acquires_last, future) = unsafe {
            let this = self.get_unchecked_mut();
            let future = Pin::new_unchecked(&mut this.future);
            (this.frame, this.index, this.acquires_last, future)
        };
        // A later call acquires it.
        if acquires_last {
            return future.poll(cx);
        }
        frame.asks(index);
        let result = frame.poll(future, cx);
        frame.head().enters_nothing();
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
