//! The list of the sections that a thread is in.

use core::cell::Cell;
use core::ptr;
use core::task::Waker;
use std::thread_local;

use super::{Frame, FrameRef, LINKED, LINKED_AROUND, OBSERVED, Site};
#[cfg(feature = "check")]
use crate::watch::SectionInfo;

thread_local! {
    /// The innermost section that the thread is in.
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// From the innermost on.
pub(super) struct List(*const Frame);

/// The sections that this thread is in.
pub(super) fn list() -> List {
    List(INNERMOST.get())
}

impl Iterator for List {
    /// For as long as the caller does nothing but look.
    type Item = FrameRef<'static>;

    fn next(&mut self) -> Option<FrameRef<'static>> {
        // SAFETY: W1.
        let frame = unsafe { FrameRef::from_ptr(self.0) }?;
        self.0 = frame.outer.get();
        Some(frame)
    }
}

/// The list of a stack, while the thread runs on another one.
#[cfg(feature = "check")]
#[derive(Clone, Copy)]
pub(crate) struct StackList(*const Frame);

#[cfg(feature = "check")]
impl StackList {
    pub(crate) const EMPTY: StackList = StackList(ptr::null());
}

/// The thread goes on to another stack, whose list is `list`. Returns the one that it leaves,
/// which stays what it is until the thread comes back to it (W1).
#[cfg(feature = "check")]
pub(crate) fn exchange_list(list: StackList) -> StackList {
    StackList(INNERMOST.replace(list.0))
}

/// The lock that a section acquires on this thread, if one does, and the section.
#[cfg(feature = "check")]
pub(crate) fn entered_section() -> Option<(&'static str, SectionInfo)> {
    let innermost = list().next()?;
    let index = innermost.entering.get().checked_sub(1)?;
    let lock = innermost.lock(index as usize)?;
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
    (innermost.entering.get() != 0).then_some(innermost.site)
}

/// Takes a section off the list when it is dropped, unless it was on the list before.
pub(super) struct Linked<'s>(Option<FrameRef<'s>>);

impl<'s> FrameRef<'s> {
    /// The sections further out, while it is on the list, or was a moment ago.
    pub(super) fn further_out(self) -> List {
        List(self.outer.get())
    }

    /// The thread is in the section, which is polled with that waker, or just runs (null), until
    /// what is returned is dropped. The waker exists for as long.
    #[inline]
    pub(super) fn enter(self, waker: *const Waker) -> Linked<'s> {
        let is_new = !self.has(LINKED);
        if is_new {
            self.link(waker);
        }
        let linked = Linked(is_new.then_some(self));
        if cfg!(feature = "tracing") && is_new && self.has(OBSERVED | LINKED_AROUND) {
            self.enter_spans();
        }
        linked
    }

    #[inline]
    fn link(self, waker: *const Waker) {
        if let Some(around) = self.around() {
            self.link_around(around, waker);
        }
        self.waker.set(waker);
        self.outer.set(INNERMOST.replace(self.0.as_ptr()));
        self.set(LINKED);
    }

    fn link_around(self, around: FrameRef<'s>, waker: *const Waker) {
        if !around.has(LINKED) {
            around.link(waker);
            around.count_poll();
            self.set(LINKED_AROUND);
        }
    }

    #[inline]
    fn unlink(self) {
        if ptr::eq(INNERMOST.get(), self.0.as_ptr()) {
            INNERMOST.set(self.outer.get());
        } else {
            self.unlink_from_within();
        }
        let linked_around = self.has(LINKED_AROUND);
        self.clear(LINKED | LINKED_AROUND);
        if linked_around {
            self.unlink_around();
        }
    }

    /// Wherever it is on the list: threads of users may switch stacks.
    #[cold]
    fn unlink_from_within(self) {
        let further_in = list().find(|frame| ptr::eq(frame.outer.get(), self.0.as_ptr()));
        if let Some(frame) = further_in {
            frame.outer.set(self.outer.get());
        }
    }

    fn unlink_around(self) {
        if let Some(around) = self.around() {
            around.unlink();
        }
    }
}

impl Drop for Linked<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(frame) = self.0 {
            let has_spans = cfg!(feature = "tracing") && frame.has(OBSERVED | LINKED_AROUND);
            frame.unlink();
            if has_spans {
                frame.exit_spans();
            }
        }
    }
}
