//! The section list of a thread.

use core::cell::Cell;
use core::mem::{self, ManuallyDrop, MaybeUninit};
use core::ptr;
use core::task::Waker;
use std::thread_local;

use super::{FrameRef, HAS_COLD, Head, LINKED, LINKED_ENCLOSING, NESTED, OBSERVED, RUNS, Site};
#[cfg(feature = "check")]
use crate::watch::SectionInfo;

thread_local! {
    /// The innermost section that the thread is in.
    static INNERMOST: Cell<*const Head> = const { Cell::new(ptr::null()) };
}

/// Iterates from the innermost section on.
pub(super) struct List(*const Head);

/// The sections that this thread is in.
pub(super) fn list() -> List {
    List(INNERMOST.get())
}

impl Iterator for List {
    /// Valid only as long as the caller does not change the list.
    type Item = FrameRef<'static>;

    fn next(&mut self) -> Option<FrameRef<'static>> {
        // SAFETY: W1.
        let frame = unsafe { FrameRef::from_ptr(self.0) }?;
        self.0 = frame.outer();
        Some(frame)
    }
}

/// The list of a stack, while the thread runs on another one.
#[cfg(feature = "check")]
#[derive(Clone, Copy)]
pub(crate) struct StackList(*const Head);

#[cfg(feature = "check")]
impl StackList {
    pub(crate) const EMPTY: StackList = StackList(ptr::null());
}

/// The thread switches to another stack, whose list is `list`. Returns the previous list,
/// which does not change until the thread switches back (W1).
#[cfg(feature = "check")]
pub(crate) fn exchange_list(list: StackList) -> StackList {
    StackList(INNERMOST.replace(list.0))
}

/// The lock that a section acquires on this thread, if one does, and the section.
#[cfg(feature = "check")]
pub(crate) fn entered_section() -> Option<(&'static str, SectionInfo)> {
    let innermost = list().next()?;
    let index = innermost.head().entering()?;
    let lock = innermost.lock(index)?;
    Some((lock.name, innermost.site.info))
}

/// Whether this thread is in a section.
#[inline]
pub(super) fn is_inside() -> bool {
    !INNERMOST.get().is_null()
}

/// The section that acquires a lock on this thread, if one does.
#[inline]
pub(in super::super) fn entering() -> Option<&'static Site> {
    if is_inside() { entering_inside() } else { None }
}

#[cold]
fn entering_inside() -> Option<&'static Site> {
    let innermost = list().next()?;
    innermost.head().entering().map(|_| innermost.site)
}

/// Takes a section off the list when it is dropped, unless it was on the list before.
pub(super) struct Linked<'s>(Option<FrameRef<'s>>);

/// Flags of sections whose spans are entered and exited with them.
const HAS_SPANS: u64 = if cfg!(feature = "tracing") {
    OBSERVED
} else {
    0
};

impl<'s> FrameRef<'s> {
    /// The next section further out, or null. The section is on the list, or has just left it.
    #[inline]
    pub(super) fn outer(self) -> *const Head {
        // SAFETY: W7: it has been on the list.
        unsafe { self.outer.get().assume_init() }
    }

    /// The waker of the poll, or null. The section is on the list.
    #[inline]
    pub(super) fn waker(self) -> *const Waker {
        if self.has(RUNS) {
            return ptr::null();
        }
        // SAFETY: W7: it is on the list.
        unsafe { self.waker.get().assume_init() }
    }

    /// The sections further out. The section is on the list, or has just left it.
    pub(super) fn further_out(self) -> List {
        List(self.outer())
    }

    /// The thread is in the section, which is polled with that waker, until the returned value is
    /// dropped. The waker outlives that value.
    #[inline]
    pub(super) fn enter(self, waker: &Waker) -> Linked<'s> {
        let is_new = if self.has(LINKED | NESTED | HAS_COLD | HAS_SPANS) {
            self.enter_slowly(waker)
        } else {
            self.push(waker);
            true
        };
        Linked(is_new.then_some(self))
    }

    /// The thread is in the section, which runs without a waker, until it [leaves](Self::leave),
    /// or is dropped.
    #[inline(always)]
    pub(super) fn enter_to_run(self) {
        if self.has(LINKED | NESTED | HAS_SPANS) {
            self.enter_slowly(ptr::null());
        } else {
            self.push_to_run();
        }
    }

    /// The same, without its span: until it [pauses](Self::pause).
    #[inline(never)]
    pub(super) fn resume(self) {
        if !self.has(LINKED) {
            self.link(ptr::null());
        }
    }

    /// Takes the section off the list, if it is on it. It goes on without the requests that were
    /// polled meanwhile, as after a poll (W5).
    #[inline(never)]
    pub(super) fn pause(self) {
        if self.has(LINKED) {
            self.unlink();
            self.count_poll();
        }
    }

    /// Links the section, unless it is on the list. Returns whether it was not.
    #[inline(never)]
    pub(super) fn enter_slowly(self, waker: *const Waker) -> bool {
        if !waker.is_null() {
            self.count_poll();
        }
        let is_new = !self.has(LINKED);
        if is_new {
            self.link(waker);
            if cfg!(feature = "tracing") && self.has(OBSERVED | LINKED_ENCLOSING) {
                let linked = Linked(Some(self));
                self.enter_spans();
                mem::forget(linked);
            }
        }
        is_new
    }

    fn link(self, waker: *const Waker) {
        if let Some(enclosing) = self.enclosing() {
            self.link_enclosing(enclosing, waker);
        }
        if waker.is_null() {
            self.push_to_run();
        } else {
            self.push(waker);
        }
    }

    fn link_enclosing(self, enclosing: FrameRef<'s>, waker: *const Waker) {
        if !enclosing.has(LINKED) {
            enclosing.link(waker);
            enclosing.count_poll();
            self.set(LINKED_ENCLOSING);
        }
    }

    #[inline]
    fn push(self, waker: *const Waker) {
        let further_out = INNERMOST.replace(self.0.as_ptr());
        self.waker.set(MaybeUninit::new(waker));
        self.outer.set(MaybeUninit::new(further_out));
        self.set(LINKED);
    }

    /// It is not on the list.
    #[inline(always)]
    pub(super) fn push_to_run(self) {
        let further_out = INNERMOST.replace(self.0.as_ptr());
        self.outer.set(MaybeUninit::new(further_out));
        self.set(LINKED | RUNS);
    }

    /// Takes the section off the list.
    #[inline(always)]
    pub(super) fn leave(self) {
        let is_innermost = ptr::eq(INNERMOST.get(), self.0.as_ptr());
        if is_innermost && !self.has(LINKED_ENCLOSING | HAS_SPANS) {
            INNERMOST.set(self.outer());
            self.clear(LINKED | RUNS);
        } else {
            self.leave_slowly();
        }
    }

    /// The same, for a section that is not `NESTED`.
    #[inline(always)]
    pub(super) fn leave_alone(self) {
        let is_innermost = ptr::eq(INNERMOST.get(), self.0.as_ptr());
        if is_innermost && !self.has(HAS_SPANS) {
            INNERMOST.set(self.outer());
            self.clear(LINKED | RUNS);
        } else {
            self.leave_slowly();
        }
    }

    #[cfg(feature = "tracing")]
    #[cold]
    #[inline(never)]
    pub(super) fn leave_slowly(self) {
        self.unlink_with_spans();
    }

    /// Without user code, nothing unwinds. The ABI tells the caller so: it keeps the guard in
    /// registers, as no unwind path would have to drop it.
    #[cfg(not(feature = "tracing"))]
    #[allow(improper_ctypes_definitions)] // nobody else calls it
    #[cold]
    #[inline(never)]
    pub(super) extern "C" fn leave_slowly(self) {
        self.unlink_with_spans();
    }

    fn unlink_with_spans(self) {
        let has_spans = cfg!(feature = "tracing") && self.has(OBSERVED | LINKED_ENCLOSING);
        self.unlink();
        if has_spans {
            self.exit_spans();
        }
    }

    fn unlink(self) {
        if ptr::eq(INNERMOST.get(), self.0.as_ptr()) {
            INNERMOST.set(self.outer());
        } else {
            self.unlink_from_within();
        }
        let linked_enclosing = self.has(LINKED_ENCLOSING);
        self.clear(LINKED | LINKED_ENCLOSING | RUNS);
        if linked_enclosing {
            self.unlink_enclosing();
        }
    }

    /// From any position in the list: user code may switch stacks.
    #[cold]
    fn unlink_from_within(self) {
        let further_in = list().find(|frame| ptr::eq(frame.outer(), self.0.as_ptr()));
        if let Some(frame) = further_in {
            frame.outer.set(self.outer.get());
        }
    }

    fn unlink_enclosing(self) {
        if let Some(enclosing) = self.enclosing() {
            enclosing.unlink();
        }
    }
}

impl Linked<'_> {
    /// The drop, on the path without a panic.
    #[inline(always)]
    pub(super) fn end(self) {
        if let Some(frame) = ManuallyDrop::new(self).0 {
            frame.leave();
        }
    }
}

impl Drop for Linked<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(frame) = self.0 {
            frame.leave_slowly();
        }
    }
}
