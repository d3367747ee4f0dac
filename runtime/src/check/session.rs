//! The interface between the code of tasks and the checker, while a schedule runs: the state that
//! both see, and how a task is suspended and ended. `hooks` has what the primitives call.
//!
//! # Invariants
//!
//! - **CS1** A session is [current](current) on a thread only between [`Session::enter`] and the
//!   drop of the returned value, which borrows the session. All tasks of a session run on that
//!   thread, each on a stack of its own.
//! - **CS2** The yielder of a task is that of its coroutine. Only code on the stack of that
//!   coroutine uses it, hence only while the task is the running one.
//! - **CS3** While a task runs, no `RefCell` of the session is borrowed. A borrow in this file
//!   and in `hooks` ends before the task is suspended.
//! - **CS4** A task that has to end is unwound by a panic in a hook, but not before an operation that
//!   [must be done](Op::must_be_done): the destructors that announce these unlink nodes and release
//!   permits after the hook.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::Context;
use std::panic;
use std::string::String;
use std::thread_local;
use std::vec::Vec;

use corosensei::Yielder;
use corosensei::stack::DefaultStack;

use super::names::Names;
use super::relation::Operation;
use super::state::{Learned, LockState, TaskCell};
use super::trace::Moment;
use crate::checking::{GateOp, Op};
use crate::watching;

/// How many tasks there can be.
pub(super) const MAX_TASKS: usize = 16;

/// No task: the code of the test outside of its tasks.
pub(super) const NO_TASK: usize = usize::MAX;

/// How often a task that catches the panic and goes on is unwound again.
const MAX_UNWINDS: u32 = 100;

/// How many permits a task that has to end may still give back to semaphores, before it is taken
/// to do so for ever.
pub(super) const MAX_LATE_RELEASES: u32 = 1_000;

/// No event.
pub(super) const NO_EVENT: u32 = u32::MAX;

/// What a task does when it goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Command {
    /// It continues.
    Go,
    /// The request must return `Pending`, and do nothing.
    Refuse,
    /// The task must drop its future.
    Cancel,
    /// The task must unwind its stack, now or soon (CS4).
    Unwind,
}

/// The payload of the panic that unwinds a stack.
pub(super) struct Unwound;

impl Drop for Unwound {
    fn drop(&mut self) {
        current(|session| {
            // Somebody may have kept it, and drop it in another run.
            if session.is_task() && session.is_passive.get() {
                session.tasks[session.running.get()].must_unwind.set(true);
            }
        });
    }
}

/// Why a task stops.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stop {
    /// It is about to do this operation.
    At(Operation),
    /// It waits to be woken.
    Suspended,
}

pub(super) type TaskYielder = Yielder<Command, Stop>;

thread_local! {
    static CURRENT: Cell<Option<NonNull<Session>>> = const { Cell::new(None) };
}

/// Whether this thread has a session.
#[inline]
pub(crate) fn is_current() -> bool {
    CURRENT.get().is_some()
}

/// Calls `f` with the session of this thread, if it has one.
#[inline]
pub(crate) fn current<R>(f: impl FnOnce(&Session) -> R) -> Option<R> {
    // SAFETY: CS1. `f` returns, or is unwound, before the session ends: it was called while
    // the session was current, on a stack that ends before the session does (CT2).
    CURRENT.get().map(|session| f(unsafe { session.as_ref() }))
}

/// The state of a check that its tasks see.
pub(crate) struct Session {
    // The tasks.
    /// The task that runs, or [`NO_TASK`].
    pub(super) running: Cell<usize>,
    pub(super) tasks: [TaskCell; MAX_TASKS],
    /// Tasks that were made by tasks, and have not been added yet.
    pub(super) spawned: RefCell<Vec<(String, Body)>>,
    /// Unused stacks, for new tasks.
    pub(super) stacks: RefCell<Vec<DefaultStack>>,
    /// How many tasks are suspended in the middle of unwinding.
    unwinding_tasks: Cell<u32>,
    /// The last operation of the test outside of its tasks.
    pub(super) op_outside: Cell<Option<Op>>,

    // The run.
    /// Its number in the process.
    pub(super) run: Cell<usize>,
    /// The test is making the objects and the tasks of the run.
    pub(super) is_setting_up: Cell<bool>,
    /// Every operation is a scheduling point.
    pub(super) is_fine: Cell<bool>,
    /// The operations are explained.
    pub(super) is_explaining: Cell<bool>,
    /// A check of `always` is being evaluated.
    pub(crate) is_evaluating_always: Cell<bool>,
    /// Nothing is a scheduling point any more: the remains of the tasks are being dropped.
    pub(super) is_passive: Cell<bool>,
    /// The message about a primitive that an earlier run has used.
    pub(super) earlier_use: RefCell<Option<String>>,
    pub(super) locks: RefCell<Vec<LockState>>,

    // The current event.
    /// Its index in the trace.
    pub(super) event: Cell<u32>,
    /// The tasks that it has woken and that observe `Pending`, by a bit for each.
    pub(super) woken: Cell<u32>,
    /// How many releases there were in it.
    pub(super) releases_in_event: Cell<u8>,
    /// Something was acquired in it.
    pub(super) has_acquired: Cell<bool>,
    /// The release that allowed the running task to acquire a lock.
    pub(super) acquired_after: Cell<Moment>,

    // All runs.
    /// A task may be cancelled.
    pub(super) may_cancel: Cell<bool>,
    pub(super) learned: RefCell<Learned>,
    pub(super) names: RefCell<Names>,
}

/// The body of a task.
pub(super) enum Body {
    /// A future that may be cancelled.
    Future(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
    /// A future that is not cancelled, and need not end.
    Background(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
    /// A future that is not cancelled.
    Uncancelled(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
    Thread(std::boxed::Box<dyn FnOnce()>),
}

/// Makes a session current until it is dropped.
pub(super) struct Entered<'s>(
    Option<NonNull<Session>>,
    core::marker::PhantomData<&'s Session>,
);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

impl Session {
    pub(super) fn new() -> Self {
        Session {
            running: Cell::new(NO_TASK),
            tasks: core::array::from_fn(TaskCell::new),
            spawned: RefCell::default(),
            stacks: RefCell::default(),
            unwinding_tasks: Cell::new(0),
            op_outside: Cell::new(None),
            run: Cell::new(0),
            is_setting_up: Cell::new(false),
            is_fine: Cell::new(false),
            is_explaining: Cell::new(false),
            is_evaluating_always: Cell::new(false),
            is_passive: Cell::new(false),
            earlier_use: RefCell::default(),
            locks: RefCell::default(),
            event: Cell::new(NO_EVENT),
            woken: Cell::new(0),
            releases_in_event: Cell::new(0),
            has_acquired: Cell::new(false),
            acquired_after: Cell::new(Moment::NEVER),
            may_cancel: Cell::new(false),
            learned: RefCell::default(),
            names: RefCell::default(),
        }
    }

    /// Makes this the current session of the thread.
    pub(super) fn enter(&self) -> Entered<'_> {
        let before = CURRENT.replace(Some(NonNull::from(self)));
        Entered(before, core::marker::PhantomData)
    }

    /// A new run begins.
    pub(super) fn begin_run(&self) {
        for task in &self.tasks {
            task.reset();
        }
        static RUNS: AtomicUsize = AtomicUsize::new(0);

        self.run.set(RUNS.fetch_add(1, Ordering::Relaxed) + 1);
        self.is_setting_up.set(true);
        self.earlier_use.take();
        self.running.set(NO_TASK);
        self.is_passive.set(false);
        self.unwinding_tasks.set(0);
        self.op_outside.set(None);
        self.event.set(NO_EVENT);
        self.names.borrow_mut().begin_run();
        for lock in self.locks.borrow_mut().iter_mut() {
            lock.holders.clear();
            lock.released = None;
        }
        self.spawned.borrow_mut().clear();
    }

    /// Called before a step, which is the event of that index: nothing has happened in it yet.
    pub(super) fn begin_event(&self, event: usize) {
        self.event.set(event as u32);
        self.woken.set(0);
        self.releases_in_event.set(0);
        self.has_acquired.set(false);
        self.acquired_after.set(Moment::NEVER);
    }

    pub(super) fn task(&self, task: usize) -> &TaskCell {
        &self.tasks[task]
    }

    /// From here on nothing is a scheduling point.
    pub(super) fn be_passive(&self) {
        self.is_passive.set(true);
    }

    #[inline]
    pub(crate) fn is_task(&self) -> bool {
        self.running.get() != NO_TASK
    }

    /// Runs the code of a task.
    pub(super) fn run_as<R>(&self, task: usize, run: impl FnOnce() -> R) -> R {
        let cell = &self.tasks[task];
        let outside = watching::exchange_list(cell.frames.get());
        self.running.set(task);
        let result = run();
        self.running.set(NO_TASK);
        cell.frames.set(watching::exchange_list(outside));
        result
    }

    /// Suspends the task that runs.
    pub(super) fn suspend(&self, task: usize, stop: Stop) -> Command {
        let cell = &self.tasks[task];
        let yielder = cell.yielder.get();
        let unwinds = self.is_unwinding(task);
        cell.is_unwinding.set(unwinds);
        self.unwinding_tasks
            .set(self.unwinding_tasks.get() + u32::from(unwinds));
        // SAFETY: CS2: the task runs, so this is its stack, and its coroutine has not ended.
        let command = unsafe { &*yielder }.suspend(stop);
        self.unwinding_tasks
            .set(self.unwinding_tasks.get() - u32::from(unwinds));
        command
    }

    /// Suspends the task that runs, and unwinds it if it is told to.
    pub(super) fn suspend_or_unwind(&self, task: usize, stop: Stop) -> Command {
        let command = self.suspend(task, stop);
        if command == Command::Unwind {
            self.unwind(task);
        }
        command
    }

    fn unwind(&self, task: usize) -> ! {
        let cell = &self.tasks[task];
        cell.unwind_count.set(cell.unwind_count.get() + 1);
        cell.must_unwind.set(false);
        cell.has_panicked.set(true);
        panic::resume_unwind(std::boxed::Box::new(Unwound))
    }

    /// The running task, which has to end, is about to do `op`: unwinds it, unless `op` must be done
    /// (CS4). Then it is unwound at its next operation.
    #[cold]
    pub(super) fn unwind_before(&self, task: usize, op: Op) {
        let cell = &self.tasks[task];
        // Any task may add permits, and never do anything else.
        let is_endless = match op {
            Op::Gate(GateOp::Release {
                is_semaphore: true, ..
            }) => {
                cell.late_releases.set(cell.late_releases.get() + 1);
                cell.late_releases.get() > MAX_LATE_RELEASES
            }
            _ => false,
        };
        if op.must_be_done() && !is_endless {
            cell.must_unwind.set(true);
        } else {
            self.unwind_again(task);
        }
    }

    /// Unwinds the running task, which may catch the panic and go on, again and again.
    fn unwind_again(&self, task: usize) -> ! {
        let cell = &self.tasks[task];
        if cell.unwind_count.get() < MAX_UNWINDS {
            self.unwind(task);
        }
        // It counts as inside a blocking call, so that it is never cancelled or taken to be at an
        // await.
        cell.blocking_calls.set(cell.blocking_calls.get() + 1);
        loop {
            self.suspend_or_unwind(task, Stop::Suspended);
        }
    }

    /// Whether the running task is unwinding its stack. `std` also says so while another task is
    /// suspended in the middle of unwinding: then only a task that has panicked counts.
    pub(super) fn is_unwinding(&self, task: usize) -> bool {
        let cell = &self.tasks[task];
        if !std::thread::panicking() {
            // If it has panicked, it has caught that.
            cell.has_panicked.set(false);
            return false;
        }
        self.unwinding_tasks.get() == 0 || cell.has_panicked.get()
    }

    /// Called when a panic begins: records that the running task panics.
    pub(super) fn on_panic(&self) {
        if self.is_task() {
            self.tasks[self.running.get()].has_panicked.set(true);
        }
    }

    /// The number of a primitive, at an operation that counts as a place (see [`Names`]).
    pub(crate) fn number_of_use(&self, address: usize) -> u32 {
        let mut names = self.names.borrow_mut();
        let id = names.of(self.running.get(), address);
        if names.has_changed() {
            let mut learned = self.learned.borrow_mut();
            learned.has_changed = true;
            if !self.is_fine.get() {
                // They were learned under the old numbers.
                learned.release_matters.clear();
            }
        }
        id
    }

    /// The same, at an operation that does not count as a place: a poll, a release, or a cancel.
    pub(super) fn number_of(&self, address: usize) -> u32 {
        let known = self.names.borrow().known(address);
        known.unwrap_or_else(|| self.number_of_use(address))
    }

    /// Calls `change` with the state of a lock.
    pub(super) fn with_lock_state<R>(
        &self,
        id: u32,
        change: impl FnOnce(&mut LockState) -> R,
    ) -> R {
        let mut locks = self.locks.borrow_mut();
        let index = id as usize;
        if locks.len() <= index {
            locks.resize(index + 1, LockState::default());
        }
        change(&mut locks[index])
    }

    /// Whether nobody holds a sync lock in a conflicting mode.
    pub(super) fn is_free(&self, id: u32, is_shared: bool) -> bool {
        let locks = self.locks.borrow();
        let lock = locks.get(id as usize);
        lock.is_none_or(|lock| {
            lock.holders
                .iter()
                .all(|holder| is_shared && holder.is_shared)
        })
    }

    /// The current moment.
    pub(super) fn now(&self) -> Moment {
        Moment::new(self.event.get(), self.releases_in_event.get())
    }

    /// The body of a task, on its stack.
    pub(super) fn run_body(&self, task: usize, body: Body) {
        match body {
            Body::Thread(run) => run(),
            Body::Future(mut future)
            | Body::Background(mut future)
            | Body::Uncancelled(mut future) => {
                let mut cx = Context::from_waker(&self.tasks[task].waker);
                while future.as_mut().poll(&mut cx).is_pending() {
                    if self.suspend_or_unwind(task, Stop::Suspended) == Command::Cancel {
                        break;
                    }
                }
            }
        }
    }
}
