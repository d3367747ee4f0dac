//! The hooks by which the primitives announce operations to a [checker](crate::check).
//!
//! `off.rs` has the same names for builds without the feature `check`, as empty functions.
//! Here, each function first looks up the session of this thread, which exists only while a
//! check runs.
//!
//! An operation is announced *before* it is done, and before any internal lock is taken: if it
//! is a scheduling point, the task is suspended in the hook, and others run.

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

/// The run that last used a primitive, by its number in the process; 0 if none has.
pub(crate) struct LastRun(AtomicUsize);

impl LastRun {
    pub(crate) const fn new() -> Self {
        LastRun(AtomicUsize::new(0))
    }

    /// Records that `run` uses it. Returns whether another run has used it last.
    #[inline]
    pub(crate) fn is_of_another(&self, run: usize) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        if last != run {
            self.0.store(run, Ordering::Relaxed);
        }
        last != run && last != 0
    }
}

/// A primitive whose operations are announced to the checker.
pub(crate) trait Checked {
    fn last_run(&self) -> &LastRun;
}

fn address<T: ?Sized>(primitive: &T) -> usize {
    (&raw const *primitive).addr()
}

/// The task is about to do `op`.
#[inline]
pub(crate) fn op<T: Checked>(primitive: &T, op: Op) {
    session::current(|session| {
        session.announce(address(primitive), primitive.last_run(), op, None)
    });
}

/// The same, by a call of a public method at `place`.
#[inline]
pub(crate) fn op_at<T: Checked>(primitive: &T, op: Op, place: Caller) {
    let place = Some(place.location());
    session::current(|session| {
        session.announce(address(primitive), primitive.last_run(), op, place)
    });
}

/// The task is about to poll a request for the first time. If this returns false, the poll
/// must return `Pending` and do nothing: the task is dropped next.
#[inline]
#[must_use]
pub(crate) fn arrives<T: Checked>(primitive: &T, op: Op, place: Caller) -> bool {
    let place = Some(place.location());
    session::current(|session| {
        session.announce(address(primitive), primitive.last_run(), op, place)
    })
    .unwrap_or(true)
}

/// The task has acquired.
#[inline]
pub(crate) fn entered<T: Checked>(primitive: &T) {
    session::current(|session| session.on_acquired(address(primitive)));
}

/// The poll of a request is about to return `Pending`.
#[inline]
pub(crate) fn pending<T: Checked>(primitive: &T, awaits: Awaits) {
    session::current(|session| session.on_pending(address(primitive), awaits));
}

/// Whether this thread runs a check.
#[inline]
pub(crate) fn is_checked() -> bool {
    session::is_current()
}

/// Whether this is the code of a checked task.
#[inline]
pub(crate) fn is_task() -> bool {
    session::current(Session::is_task).unwrap_or(false)
}

/// Runs a future to its end in a checked thread, in place of parking. `None`
/// if a `limit` has expired, which the schedule decides.
pub(crate) fn block_on<F: Future>(
    future: Pin<&mut F>,
    limit: Option<Duration>,
) -> Option<F::Output> {
    match session::current(|session| session.block_on(future, limit)) {
        Some(output) => output,
        None => unreachable!("the thread is checked"),
    }
}

/// Whether this is a check of `always`, which changes no guarded data.
#[inline]
pub(crate) fn only_looks() -> bool {
    session::current(|session| session.is_evaluating_always.get()).unwrap_or(false)
}

/// Whether the time of a `timeout` is up, which the schedule decides. For checked tasks.
#[allow(dead_code)] // without a timer
pub(crate) fn poll_timer<T: ?Sized>(timer: &T, _cx: &mut Context<'_>) -> Poll<()> {
    session::current(|session| session.poll_timer(address(timer))).unwrap_or(Poll::Pending)
}

/// An id that does not depend on the address of the lock, for the order in which a section
/// acquires several.
#[inline]
pub(crate) fn in_fixed_order(id: LockId) -> LockId {
    let number = |address| session::current(|session| session.number_of_use(address));
    match id.address().and_then(number) {
        Some(number) => LockId::from_key(number.into()),
        None => id,
    }
}
