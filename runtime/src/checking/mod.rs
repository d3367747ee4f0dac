//! Where the primitives tell a [checker](crate::check) what they are about to do.
//!
//! `off.rs` has the same names for builds without the feature `check`, as functions without
//! code. Here, each asks for the session of this thread first, and there is one only while a
//! check runs.
//!
//! Each operation is told *before* it is done, and before any internal lock is taken: where it
//! is a point of the schedule, the task is suspended in here, and others run.

mod op;

use core::pin::Pin;
use core::task::{Context, Poll};
use std::time::Duration;

pub(crate) use self::op::*;
use crate::LockId;
use crate::check::session;
use crate::watching::Caller;

/// Whether this build can check.
pub(crate) const IS_ON: bool = true;

fn address<T: ?Sized>(primitive: &T) -> usize {
    (&raw const *primitive).addr()
}

/// The task is about to do `op`.
#[inline]
pub(crate) fn op<T: ?Sized>(primitive: &T, op: Op) {
    if let Some(session) = session::current() {
        session.op(address(primitive), op, None);
    }
}

/// The same, by a call of the user at `place`.
#[inline]
pub(crate) fn op_at<T: ?Sized>(primitive: &T, op: Op, place: Caller) {
    if let Some(session) = session::current() {
        session.op(address(primitive), op, Some(place.location()));
    }
}

/// The task is about to poll a request for the first time. If not so, it has to
/// answer `Pending` and do nothing: the task is dropped next.
#[inline]
#[must_use]
pub(crate) fn arrives<T: ?Sized>(primitive: &T, op: Op, place: Caller) -> bool {
    match session::current() {
        Some(session) => session.op(address(primitive), op, Some(place.location())),
        None => true,
    }
}

/// The task has acquired.
#[inline]
pub(crate) fn entered<T: ?Sized>(primitive: &T) {
    if let Some(session) = session::current() {
        session.entered(address(primitive));
    }
}

/// The poll of a request is about to answer `Pending`.
#[inline]
pub(crate) fn pending<T: ?Sized>(primitive: &T, awaits: Awaits) {
    if let Some(session) = session::current() {
        session.pending(address(primitive), awaits);
    }
}

/// Whether this thread runs a check.
#[inline]
pub(crate) fn is_checked() -> bool {
    session::current().is_some()
}

/// Whether this is the code of a task that is checked.
#[inline]
pub(crate) fn is_task() -> bool {
    session::current().is_some_and(|session| session.is_task())
}

/// Runs a future to its end in a task that is checked, as a thread that parks does. `None`
/// where a `limit` has expired, which the schedule decides.
pub(crate) fn suspends<F: Future>(
    future: Pin<&mut F>,
    limit: Option<Duration>,
) -> Option<F::Output> {
    match session::current() {
        Some(session) => session.suspends(future, limit),
        None => unreachable!("a task runs within a session"),
    }
}

/// Whether the time of a `timeout` is up, which the schedule decides. For tasks that are
/// checked.
#[allow(dead_code)] // without a timer
pub(crate) fn poll_timer<T: ?Sized>(timer: &T, _cx: &mut Context<'_>) -> Poll<()> {
    match session::current() {
        Some(session) => session.poll_timer(address(timer)),
        None => Poll::Pending,
    }
}

/// An id that does not depend on where the lock is, for the order in which several are
/// acquired.
#[inline]
pub(crate) fn in_fixed_order(id: LockId) -> LockId {
    match (session::current(), id.address()) {
        (Some(session), Some(address)) => LockId::from_key(session.named(address).into()),
        _ => id,
    }
}
