//! The empty counterparts of the hooks of [checking](crate::checking), in builds without the
//! feature `check`.

#![allow(dead_code)]

#[path = "op.rs"]
mod op;

use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

pub(crate) use self::op::*;
use crate::LockId;
use crate::watching::Caller;

/// Whether this build can check.
pub(crate) const IS_ON: bool = false;

pub(crate) struct LastRun;

impl LastRun {
    pub(crate) const fn new() -> Self {
        LastRun
    }
}

pub(crate) trait Checked {
    fn last_run(&self) -> &LastRun;
}

#[inline]
pub(crate) fn op<T: Checked>(_primitive: &T, _op: Op) {}

#[inline]
pub(crate) fn op_at<T: Checked>(_primitive: &T, _op: Op, _place: Caller) {}

#[inline]
pub(crate) fn arrives<T: Checked>(_primitive: &T, _op: Op, _place: Caller) -> bool {
    true
}

#[inline]
pub(crate) fn entered<T: Checked>(_primitive: &T) {}

#[inline]
pub(crate) fn pending<T: Checked>(_primitive: &T, _awaits: Awaits) {}

#[inline]
pub(crate) fn is_task() -> bool {
    false
}

#[inline]
pub(crate) fn block_on<F: Future>(
    _future: Pin<&mut F>,
    _limit: Option<Duration>,
) -> Option<F::Output> {
    unreachable!("no thread is checked")
}

#[inline]
pub(crate) fn poll_timer<T: ?Sized>(_timer: &T, _cx: &mut Context<'_>) -> Poll<()> {
    Poll::Pending
}

#[inline]
pub(crate) fn in_fixed_order(id: LockId) -> LockId {
    id
}

#[inline]
pub(crate) fn is_checked() -> bool {
    false
}

#[inline]
pub(crate) fn only_looks() -> bool {
    false
}
