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
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll};
use std::time::Duration;

pub(crate) use self::op::*;
use crate::LockId;
use crate::check::session::{self, Session};
use crate::watching::Caller;

/// Whether this build can check.
pub(crate) const IS_ON: bool = true;

/// The run of a check that has used a primitive last, of all runs of the process.
pub(crate) struct Stamp(AtomicUsize);

impl Stamp {
    pub(crate) const fn new() -> Self {
        Stamp(AtomicUsize::new(0))
    }

    /// `run` uses it. Whether another one has used it last.
    #[inline]
    pub(crate) fn is_of_another(&self, run: usize) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        if last != run {
            self.0.store(run, Ordering::Relaxed);
        }
        last != run && last != 0
    }
}

/// A primitive of whose operations a checker is told.
pub(crate) trait Checked {
    fn stamp(&self) -> &Stamp;
}

fn address<T: ?Sized>(primitive: &T) -> usize {
    (&raw const *primitive).addr()
}

/// The task is about to do `op`.
#[inline]
pub(crate) fn op<T: Checked>(primitive: &T, op: Op) {
    session::current(|session| session.op(address(primitive), primitive.stamp(), op, None));
}

/// The same, by a call of the user at `place`.
#[inline]
pub(crate) fn op_at<T: Checked>(primitive: &T, op: Op, place: Caller) {
    let place = Some(place.location());
    session::current(|session| session.op(address(primitive), primitive.stamp(), op, place));
}

/// The task is about to poll a request for the first time. If not so, it has to
/// answer `Pending` and do nothing: the task is dropped next.
#[inline]
#[must_use]
pub(crate) fn arrives<T: Checked>(primitive: &T, op: Op, place: Caller) -> bool {
    let place = Some(place.location());
    session::current(|session| session.op(address(primitive), primitive.stamp(), op, place))
        .unwrap_or(true)
}

/// The task has acquired.
#[inline]
pub(crate) fn entered<T: Checked>(primitive: &T) {
    session::current(|session| session.entered(address(primitive)));
}

/// The poll of a request is about to answer `Pending`.
#[inline]
pub(crate) fn pending<T: Checked>(primitive: &T, awaits: Awaits) {
    session::current(|session| session.pending(address(primitive), awaits));
}

/// Whether this thread runs a check.
#[inline]
pub(crate) fn is_checked() -> bool {
    session::is_current()
}

/// Whether this is the code of a task that is checked.
#[inline]
pub(crate) fn is_task() -> bool {
    session::current(Session::is_task).unwrap_or(false)
}

/// Runs a future to its end on a thread that is checked, as a thread that parks does. `None`
/// where a `limit` has expired, which the schedule decides.
pub(crate) fn suspends<F: Future>(
    future: Pin<&mut F>,
    limit: Option<Duration>,
) -> Option<F::Output> {
    match session::current(|session| session.suspends(future, limit)) {
        Some(output) => output,
        None => unreachable!("the thread is checked"),
    }
}

/// Whether this is a check of what is always true, which changes nothing that it looks at.
#[inline]
pub(crate) fn only_looks() -> bool {
    session::current(|session| session.looks.get()).unwrap_or(false)
}

/// Whether the time of a `timeout` is up, which the schedule decides. For tasks that are
/// checked.
#[allow(dead_code)] // without a timer
pub(crate) fn poll_timer<T: ?Sized>(timer: &T, _cx: &mut Context<'_>) -> Poll<()> {
    session::current(|session| session.poll_timer(address(timer))).unwrap_or(Poll::Pending)
}

/// An id that does not depend on where the lock is, for the order in which several are
/// acquired.
#[inline]
pub(crate) fn in_fixed_order(id: LockId) -> LockId {
    let named = |address| session::current(|session| session.named(address));
    match id.address().and_then(named) {
        Some(number) => LockId::from_key(number.into()),
        None => id,
    }
}
