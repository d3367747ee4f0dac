//! The span of a section, for those who listen by `tracing`.
//!
//! It is entered while the section is on the list of a thread, and is in the record of the
//! section: nothing of it is in a lock. Subscribers are code of users: they are called while
//! the thread is [`Busy`](super::super::waiting::Busy), so that their own sections have no spans,
//! where a panic leaves the list as it is (W1).

use core::fmt::{self, Display, Formatter};
use core::time::Duration;
use std::time::Instant;

use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};

use super::head::CANCELLED;
use super::{FrameRef, SUSPENDED, TIMED_OUT};

/// Whether somebody listens. A load and a comparison, unless somebody does at this level.
#[inline]
pub(in super::super) fn are_wanted() -> bool {
    Level::TRACE <= LevelFilter::current() && is_enabled()
}

#[cold]
fn is_enabled() -> bool {
    tracing::span_enabled!(target: "async_monitor", Level::TRACE)
}

/// What is known of a section for its span.
pub(super) struct SectionSpan {
    span: Span,
    is_entered: bool,
    /// A section that begins in a destructor, while the thread unwinds, does not panic.
    was_panicking: bool,
    waited: Duration,
    /// How many locks it has, and since when all.
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
            // The sections around are dropped with it.
            if let Some(around) = frame.around() {
                around.set(CANCELLED);
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
