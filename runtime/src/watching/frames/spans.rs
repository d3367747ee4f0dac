//! The span of a section, for `tracing` subscribers.
//!
//! It is entered while the section is on the list of a thread, and stored in the record of the
//! section, not in a lock. Subscribers are user code. They are called while
//! the thread is [`Busy`](super::super::waiting::Busy), so that their own sections have no spans,
//! and only where a panic leaves the list consistent (W1).

use core::fmt::{self, Display, Formatter};
use core::time::Duration;
use std::time::Instant;

use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use super::head::CANCELLED;
use super::{FrameRef, SUSPENDED, TIMED_OUT};

/// Whether a subscriber wants spans. A load and a comparison, unless one does at this level.
#[inline]
pub(in super::super) fn are_wanted() -> bool {
    Level::TRACE <= LevelFilter::current() && is_enabled()
}

#[cold]
fn is_enabled() -> bool {
    tracing::span_enabled!(target: "async_monitor", Level::TRACE)
}

/// The span of a section, and the data for its fields.
pub(super) struct SectionSpan {
    span: Span,
    is_entered: bool,
    /// A section that begins in a destructor, during unwinding, did not panic itself.
    was_panicking: bool,
    waited: Duration,
    /// The number of locks that it has acquired. Once it has all, `entered` is the time.
    acquired: usize,
    entered: Option<Instant>,
}

impl SectionSpan {
    pub(super) fn of(frame: FrameRef<'_>) -> Self {
        let span = tracing::span!(
            target: "async_monitor",
            Level::TRACE,
            "section",
            lock = display(Locks(frame)),
            section = frame.site.info.name,
            place = display(frame.site.info.place),
            wait_us = Empty,
            held_us = Empty,
            outcome = Empty,
        );
        SectionSpan {
            span,
            is_entered: false,
            was_panicking: std::thread::panicking(),
            waited: Duration::ZERO,
            acquired: 0,
            entered: None,
        }
    }

    /// It has waited for one of its locks, acquired or not.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    /// It has acquired one of its locks.
    pub(super) fn acquired(&mut self, frame: FrameRef<'_>, now: Instant) {
        self.acquired += 1;
        if self.acquired == frame.site.locks.len() {
            self.entered = Some(now);
        }
    }

    pub(super) fn enter(&mut self) {
        if !self.is_entered {
            self.span
                .with_subscriber(|(id, subscriber)| subscriber.enter(id));
            self.is_entered = true;
        }
    }

    pub(super) fn exit(&mut self) {
        if self.is_entered {
            self.is_entered = false;
            self.span
                .with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    /// The section has ended.
    pub(super) fn end(self, frame: FrameRef<'_>, now: Instant) {
        let outcome = if std::thread::panicking() && !self.was_panicking {
            "panicked"
        } else if frame.has(TIMED_OUT) {
            "timed_out"
        } else if frame.has(SUSPENDED | CANCELLED) || self.entered.is_none() {
            // The enclosing sections are dropped with it.
            if let Some(enclosing) = frame.enclosing() {
                enclosing.set(CANCELLED);
            }
            "cancelled"
        } else {
            "entered"
        };
        self.span.record("wait_us", micros(self.waited));
        if let Some(entered) = self.entered {
            self.span
                .record("held_us", micros(now.duration_since(entered)));
        }
        self.span.record("outcome", outcome);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// The names of the locks of a section.
struct Locks<'s>(FrameRef<'s>);

impl Display for Locks<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, lock) in self.0.locks().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            f.write_str(lock.name)?;
        }
        Ok(())
    }
}
