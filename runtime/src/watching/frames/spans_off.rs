//! The empty counterpart of [spans](super::observed) in builds without the feature `tracing`.

use core::time::Duration;
use std::time::Instant;

use super::FrameRef;

#[inline]
pub(in super::super) fn are_wanted() -> bool {
    false
}

pub(super) struct SectionSpan;

impl SectionSpan {
    pub(super) fn of(_frame: FrameRef<'_>) -> Self {
        SectionSpan
    }

    pub(super) fn waited(&mut self, _time: Duration) {}

    pub(super) fn acquired(&mut self, _frame: FrameRef<'_>, _now: Instant) {}

    pub(super) fn enter(&mut self) {}

    pub(super) fn exit(&mut self) {}

    pub(super) fn end(self, _frame: FrameRef<'_>, _now: Instant) {}
}
