//! The times of an observed section.
//!
//! A section is observed once it requests a lock while there is an observer ([`events`]).
//! It then has a record on the heap. In other sections, the pointer to the record is null.

use std::boxed::Box;
use std::time::Instant;
use std::vec::Vec;

use super::super::events::{self, Counts};
use super::super::waiting::Busy;
use super::list::list;
use super::spans::SectionSpan;
use super::{FrameRef, LINKED, LINKED_ENCLOSING, OBSERVED, SUSPENDED};

/// The record of an observed section.
pub(super) struct Observed {
    /// The time of the request that has not been granted yet.
    asked: Option<Instant>,
    /// It has had to wait since that time.
    has_waited: bool,
    /// For each lock that it holds and counts: since when.
    counted: Vec<(&'static Counts, Instant)>,
    span: SectionSpan,
}

// As a section is `Send`.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Observed>();
};

/// This thread waits: the section that acquires, if one does, has not done so at once.
#[cold]
pub(in super::super) fn thread_waits() {
    let innermost = list()
        .next()
        .filter(|frame| frame.head().entering().is_some());
    if let Some(frame) = innermost {
        frame.note_wait();
    }
}

impl FrameRef<'_> {
    /// Called for each poll or call that requests a lock: if there is an observer, the section is
    /// observed from now on.
    #[inline]
    pub(super) fn note_request(self) {
        if events::has_observer() {
            self.observe();
        }
    }

    #[cold]
    #[inline(never)]
    fn observe(self) {
        // An allocator of the user's could be in a section.
        let Some(_busy) = Busy::new() else {
            return;
        };
        if !self.has(OBSERVED) {
            let span = self.new_span();
            self.cold().observed.set(Some(Box::new(Observed {
                asked: None,
                has_waited: false,
                counted: Vec::new(),
                span,
            })));
            self.set(OBSERVED);
        }
        self.record(|observed| {
            if observed.asked.is_none() {
                observed.asked = Some(Instant::now());
                observed.has_waited = false;
            }
        });
    }

    /// Only the section touches its record, and `with` does not call this again.
    fn record(self, with: impl FnOnce(&mut Observed)) {
        if let Some(mut observed) = self.cold().observed.take() {
            with(&mut observed);
            self.cold().observed.set(Some(observed));
        }
    }

    /// It has had to wait.
    #[cold]
    pub(super) fn note_wait(self) {
        self.record(|observed| observed.has_waited = true);
    }

    /// It has acquired the lock `index`.
    #[cold]
    pub(super) fn note_acquired(self, index: usize) {
        let Some((_busy, lock)) = Busy::new().zip(self.lock(index)) else {
            return;
        };
        self.record(|observed| {
            let now = Instant::now();
            let waited = observed.asked.take().filter(|_| observed.has_waited);
            let waited = waited.map(|asked| now.duration_since(asked));
            observed.span.waited(waited.unwrap_or_default());
            observed.span.acquired(self, now);
            if events::is_counted() {
                let counts = Counts::of(lock.class());
                counts.acquired(waited);
                observed.counted.push((counts, now));
            }
        });
    }

    /// It has ended.
    pub(super) fn note_end(self) {
        let _busy = Busy::new();
        let Some(observed) = self.cold().observed.take() else {
            return;
        };
        let mut observed = *observed;
        let now = Instant::now();
        if let Some(asked) = observed.asked.filter(|_| observed.has_waited) {
            observed.span.waited(now.duration_since(asked));
        }
        for (counts, since) in &observed.counted {
            counts.held(now.duration_since(*since));
        }
        observed.span.end(self, now);
    }

    /// A new span, inside the span of the enclosing section.
    fn new_span(self) -> SectionSpan {
        let enclosing = self.enclosing().filter(|enclosing| !enclosing.has(LINKED));
        if let Some(enclosing) = enclosing {
            enclosing.record(|observed| observed.span.enter());
        }
        let span = SectionSpan::of(self);
        if let Some(enclosing) = enclosing {
            enclosing.record(|observed| observed.span.exit());
        }
        span
    }

    /// The section was linked, and perhaps the enclosing section, too.
    #[cold]
    pub(super) fn enter_spans(self) {
        if self.has(LINKED_ENCLOSING) {
            if let Some(enclosing) = self.enclosing() {
                enclosing.enter_spans();
            }
        }
        self.clear(SUSPENDED);
        if let Some(_busy) = Busy::new() {
            self.record(|observed| observed.span.enter());
        }
    }

    /// The section was unlinked, and perhaps the enclosing section, too.
    #[cold]
    pub(super) fn exit_spans(self) {
        let busy = Busy::new();
        self.record(|observed| observed.span.exit());
        drop(busy);
        if let Some(enclosing) = self.enclosing().filter(|enclosing| !enclosing.has(LINKED)) {
            enclosing.exit_spans();
        }
    }
}
