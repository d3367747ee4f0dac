//! The state of the tasks and locks of a run, and what was learned in previous runs.

use core::cell::{Cell, RefCell};
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::Waker;
use std::sync::Arc;
use std::task::Wake;
use std::vec::Vec;

use super::session::{MAX_TASKS, TaskYielder, current};
use super::trace::Moment;
use crate::checking::{Awaits, Op};
use crate::watch::SectionInfo;
use crate::watching::StackList;

/// The waker of a task.
pub(super) struct Flag {
    pub(super) woken: AtomicBool,
    pub(super) task: usize,
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let was_woken = self.woken.swap(true, Ordering::Relaxed);
        // Another thread has no session, or that of another check.
        current(|session| {
            if Arc::ptr_eq(&session.tasks[self.task].flag, self) {
                session.on_wake(self.task, was_woken);
            }
        });
    }
}

/// The state of a task, as its code sees it.
pub(super) struct TaskCell {
    pub(super) yielder: Cell<*const TaskYielder>,
    pub(super) flag: Arc<Flag>,
    pub(super) waker: Waker,
    /// It is suspended in the middle of unwinding.
    pub(super) is_unwinding: Cell<bool>,
    /// It has panicked in this run.
    pub(super) has_panicked: Cell<bool>,
    /// How often it was unwound in order to end.
    pub(super) unwind_count: Cell<u32>,
    /// It has to end, and has caught that panic or had to go on: it is unwound at its next operation.
    pub(super) must_unwind: Cell<bool>,
    /// How many permits it has given back to semaphores meanwhile.
    pub(super) late_releases: Cell<u32>,
    /// When another task has woken it; never, if it has woken itself.
    pub(super) woken_by: Cell<Moment>,
    /// Its section list, while another task runs.
    pub(super) frames: Cell<StackList>,
    /// How many polls of requests have returned `Pending` since its poll began.
    pub(super) pending_count: Cell<u32>,
    /// A request was refused since its poll began.
    pub(super) was_refused: Cell<bool>,
    /// How often it has arrived.
    pub(super) arrivals: Cell<u32>,
    /// What it waits for, if it is suspended.
    pub(super) waits_for: Cell<Option<(u32, Awaits)>>,
    /// It waits in the queue of a lock: its cancel is tried at the arrival.
    pub(super) waits_in_queue: Cell<bool>,
    /// It waits to upgrade its guard.
    pub(super) is_upgrading: Cell<bool>,
    /// It has arrived, and has not acquired yet.
    pub(super) has_arrived: Cell<bool>,
    /// That arrival has returned `Pending`, with no operation since.
    pub(super) arrival_is_pending: Cell<bool>,
    /// The current operation.
    pub(super) op: Cell<Option<Op>>,
    /// How many blocking calls are under way.
    pub(super) blocking_calls: Cell<u32>,
    /// The timers that it waits for.
    pub(super) timers: RefCell<Vec<usize>>,
    pub(super) expired_timer: Cell<usize>,
    /// The next operation.
    pub(super) note: Cell<Note>,
}

impl TaskCell {
    pub(super) fn new(task: usize) -> Self {
        let flag = Arc::new(Flag {
            woken: AtomicBool::new(false),
            task,
        });
        TaskCell {
            yielder: Cell::new(ptr::null()),
            waker: Waker::from(Arc::clone(&flag)),
            flag,
            is_unwinding: Cell::new(false),
            has_panicked: Cell::new(false),
            unwind_count: Cell::new(0),
            must_unwind: Cell::new(false),
            late_releases: Cell::new(0),
            woken_by: Cell::new(Moment::NEVER),
            frames: Cell::new(StackList::EMPTY),
            pending_count: Cell::new(0),
            was_refused: Cell::new(false),
            arrivals: Cell::new(0),
            waits_for: Cell::new(None),
            waits_in_queue: Cell::new(false),
            is_upgrading: Cell::new(false),
            has_arrived: Cell::new(false),
            arrival_is_pending: Cell::new(false),
            op: Cell::new(None),
            blocking_calls: Cell::new(0),
            timers: RefCell::default(),
            expired_timer: Cell::new(0),
            note: Cell::default(),
        }
    }

    pub(super) fn reset(&self) {
        self.yielder.set(ptr::null());
        self.is_unwinding.set(false);
        self.has_panicked.set(false);
        self.unwind_count.set(0);
        self.must_unwind.set(false);
        self.late_releases.set(0);
        self.flag.woken.store(false, Ordering::Relaxed);
        self.woken_by.set(Moment::NEVER);
        self.frames.set(StackList::EMPTY);
        self.pending_count.set(0);
        self.was_refused.set(false);
        self.arrivals.set(0);
        self.waits_for.set(None);
        self.waits_in_queue.set(false);
        self.is_upgrading.set(false);
        self.has_arrived.set(false);
        self.arrival_is_pending.set(false);
        self.op.set(None);
        self.blocking_calls.set(0);
        self.timers.borrow_mut().clear();
        self.expired_timer.set(0);
    }

    pub(super) fn is_woken(&self) -> bool {
        self.flag.woken.load(Ordering::Relaxed)
    }

    /// Whether its last poll has done nothing with the primitive that it waits for.
    pub(super) fn waits_for_others(&self) -> bool {
        self.waits_for.get().is_none()
    }
}

/// What was learned about a test in its runs so far. Each addition restarts the search, as it
/// decides which operations conflict.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// The tasks that go on after `Pending`, by a bit for each.
    pub(super) observes_pending: u32,
    /// The primitives at which releases conflict with something.
    pub(super) release_matters: Vec<bool>,
    /// For each task: the arrivals after whose `Pending` it suspends.
    pub(super) suspends: [Vec<bool>; MAX_TASKS],
    /// Something was added.
    pub(super) has_changed: bool,
}

impl Learned {
    pub(super) fn suspends(&self, task: usize, arrival: u32) -> bool {
        let arrivals = &self.suspends[task];
        arrivals.get(arrival as usize).copied().unwrap_or(false)
    }
}

/// The state of a lock in a run.
#[derive(Clone, Default)]
pub(super) struct LockState {
    pub(super) holders: Vec<LockHolder>,
    /// It is a semaphore, which several hold and anybody may add permits to.
    pub(super) is_semaphore: bool,
    /// The last release.
    pub(super) released: Option<Moment>,
}

/// A task that holds a lock, or [`NO_TASK`](super::session::NO_TASK).
#[derive(Clone, Copy)]
pub(super) struct LockHolder {
    pub(super) task: usize,
    /// It holds a sync lock to read.
    pub(super) is_shared: bool,
}

/// The explanation of an operation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Note {
    pub(super) section: Option<SectionInfo>,
    pub(super) place: Option<&'static Location<'static>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::session::Session;

    /// Waking a task of another check, on its thread or not, is not an event of this one.
    #[test]
    fn a_waker_is_of_its_session() {
        let (other, session) = (Session::new(), Session::new());
        let _entered = session.enter();
        session.event.set(3);
        other.task(0).waker.wake_by_ref();
        assert!(other.task(0).is_woken());
        assert_eq!(session.task(0).woken_by.get(), Moment::NEVER);
        session.task(0).waker.wake_by_ref();
        assert_eq!(session.task(0).woken_by.get(), Moment::new(3, 0));
    }
}
