//! The interface between the code of tasks and the checker, while a schedule runs.
//!
//! # Invariants
//!
//! - **CS1** A session is [current](current) on a thread only between [`Session::enter`] and the
//!   drop of the returned value, which borrows the session. All tasks of a session run on that
//!   thread, each on a stack of its own.
//! - **CS2** The yielder of a task is that of its coroutine. Only code on the stack of that
//!   coroutine uses it, hence only while the task is the running one.
//! - **CS3** While a task runs, no `RefCell` of the session is borrowed. A borrow in this file ends
//!   before the task is suspended.

use core::cell::{Cell, RefCell};
use core::future::Future;
use core::panic::Location;
use core::pin::Pin;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use std::format;
use std::panic;
use std::string::String;
use std::thread_local;
use std::time::Duration;
use std::vec::Vec;

use corosensei::Yielder;
use corosensei::stack::DefaultStack;

use super::names::Names;
use super::relation::Seen;
use super::state::{Learned, LockState, Note, TaskCell};
use super::trace::Moment;
use crate::checking::{Awaits, EventOp, GateOp, LastRun, Op, SyncOp};
use crate::watching;

/// How many tasks there can be.
pub(super) const MOST_TASKS: usize = 16;

/// No task: the code of the test outside of its tasks.
pub(super) const NO_TASK: usize = usize::MAX;

/// The message if the code of the test has to wait outside of its tasks.
const WAITS_OUTSIDE: &str = "a check waits, outside of its tasks, for what one of them has: nobody \
                             else runs meanwhile. The `try_` forms look without waiting";

/// How often a task that catches the panic and goes on is unwound again.
const MOST_ENDS: u32 = 100;

/// No event.
pub(super) const NONE: u32 = u32::MAX;

/// What the checker tells a task that goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum In {
    Go,
    /// The request must return `Pending`, and do nothing.
    Refuse,
    /// The task must drop its future.
    Cancel,
    /// The task must unwind its stack.
    Unwind,
}

/// The payload of the panic that unwinds a stack.
pub(super) struct Unwound;

impl Drop for Unwound {
    fn drop(&mut self) {
        current(|session| {
            if session.is_task() {
                session.tasks[session.running.get()].has_caught.set(true);
            }
        });
    }
}

/// Why a task stops.
#[derive(Clone, Copy, Debug)]
pub(super) enum Out {
    /// It is about to do this operation.
    At(Seen),
    /// It waits to be woken.
    Suspended,
}

pub(super) type TaskYielder = Yielder<In, Out>;

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
    /// The task that runs, or [`NO_TASK`].
    running: Cell<usize>,
    pub(super) tasks: [TaskCell; MOST_TASKS],
    /// The number of the run in the process.
    run: Cell<usize>,
    /// The objects and the tasks of the run are being made.
    pub(super) begins: Cell<bool>,
    /// Why a primitive is not used by this run alone.
    pub(super) escaped: RefCell<Option<String>>,
    /// Nothing is a scheduling point any more: the remains of the tasks are being dropped.
    passive: Cell<bool>,
    /// How many tasks are suspended in the middle of unwinding.
    unwinding: Cell<u32>,
    /// A check of `always` is being evaluated.
    pub(crate) looks: Cell<bool>,
    /// Every operation is a scheduling point.
    pub(super) is_fine: Cell<bool>,
    /// This run explains its operations.
    pub(super) explains: Cell<bool>,
    /// A task may be cancelled.
    pub(super) cancels: Cell<bool>,
    pub(super) learned: RefCell<Learned>,
    pub(super) names: RefCell<Names>,
    pub(super) locks: RefCell<Vec<LockState>>,
    /// The current event.
    pub(super) event: Cell<u32>,
    /// The tasks that the event has woken and that observe `Pending`, by a bit for each.
    pub(super) woken: Cell<u32>,
    /// How many releases there were in the event.
    pub(super) releases: Cell<u8>,
    /// Something was acquired in the event.
    pub(super) has_entered: Cell<bool>,
    /// The release that allowed the running task to acquire a lock.
    pub(super) entered_after: Cell<Moment>,
    /// Unused stacks, for new tasks.
    pub(super) stacks: RefCell<Vec<DefaultStack>>,
    /// Tasks that were made by tasks.
    pub(super) spawned: RefCell<Vec<(String, Body)>>,
    /// The number of tasks.
    pub(super) count: Cell<usize>,
}

/// The body of a task.
pub(super) enum Body {
    Future(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
    Background(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
    /// A future that is not cancelled.
    Lasting(Pin<std::boxed::Box<dyn Future<Output = ()>>>),
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
            run: Cell::new(0),
            begins: Cell::new(false),
            escaped: RefCell::default(),
            passive: Cell::new(false),
            unwinding: Cell::new(0),
            looks: Cell::new(false),
            is_fine: Cell::new(false),
            explains: Cell::new(false),
            cancels: Cell::new(false),
            learned: RefCell::default(),
            names: RefCell::default(),
            locks: RefCell::default(),
            event: Cell::new(NONE),
            woken: Cell::new(0),
            releases: Cell::new(0),
            has_entered: Cell::new(false),
            entered_after: Cell::new(Moment::NEVER),
            stacks: RefCell::default(),
            spawned: RefCell::default(),
            count: Cell::new(0),
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
        self.begins.set(true);
        self.escaped.take();
        self.running.set(NO_TASK);
        self.passive.set(false);
        self.unwinding.set(0);
        self.event.set(NONE);
        self.names.borrow_mut().begin_run();
        for lock in self.locks.borrow_mut().iter_mut() {
            lock.holders.clear();
            lock.released = None;
        }
        self.spawned.borrow_mut().clear();
        self.count.set(0);
    }

    pub(super) fn task(&self, task: usize) -> &TaskCell {
        &self.tasks[task]
    }

    /// From here on nothing is a scheduling point.
    pub(super) fn be_passive(&self) {
        self.passive.set(true);
    }

    #[inline]
    pub(crate) fn is_task(&self) -> bool {
        self.running.get() != NO_TASK
    }

    /// Runs the code of a task.
    pub(super) fn runs<R>(&self, task: usize, run: impl FnOnce() -> R) -> R {
        let cell = &self.tasks[task];
        let outside = watching::exchange_list(cell.frames.get());
        self.running.set(task);
        let result = run();
        self.running.set(NO_TASK);
        cell.frames.set(watching::exchange_list(outside));
        result
    }

    /// Suspends the task that runs.
    fn suspend(&self, task: usize, out: Out) -> In {
        let cell = &self.tasks[task];
        let yielder = cell.yielder.get();
        let unwinds = self.is_unwinding(task);
        cell.unwinds.set(unwinds);
        self.unwinding
            .set(self.unwinding.get() + u32::from(unwinds));
        // SAFETY: CS2: the task runs, so this is its stack, and its coroutine has not ended.
        let told = unsafe { &*yielder }.suspend(out);
        self.unwinding
            .set(self.unwinding.get() - u32::from(unwinds));
        if told == In::Unwind {
            self.unwind(task);
        }
        told
    }

    fn unwind(&self, task: usize) -> ! {
        let cell = &self.tasks[task];
        cell.ends.set(cell.ends.get() + 1);
        cell.has_caught.set(false);
        cell.has_panicked.set(true);
        panic::resume_unwind(std::boxed::Box::new(Unwound))
    }

    /// The running task has caught the panic that unwinds it, and goes on.
    #[cold]
    fn end(&self, task: usize) -> ! {
        let cell = &self.tasks[task];
        if cell.ends.get() < MOST_ENDS {
            self.unwind(task);
        }
        cell.blocks.set(cell.blocks.get() + 1);
        loop {
            self.suspend(task, Out::Suspended);
        }
    }

    /// Whether the running task is unwinding its stack. `std` also says so while another task is
    /// suspended in the middle of unwinding: then only a task that has panicked counts.
    fn is_unwinding(&self, task: usize) -> bool {
        let is_first = self.unwinding.get() == 0;
        std::thread::panicking() && (is_first || self.tasks[task].has_panicked.get())
    }

    /// A panic begins.
    pub(super) fn panics(&self) {
        if self.is_task() {
            self.tasks[self.running.get()].has_panicked.set(true);
        }
    }

    /// The number of a primitive.
    pub(crate) fn named(&self, address: usize) -> u32 {
        let mut names = self.names.borrow_mut();
        let id = names.of(self.running.get(), address);
        if names.has_changed() {
            let mut learned = self.learned.borrow_mut();
            learned.has_changed = true;
            if !self.is_fine.get() {
                // They were learned under the old numbers.
                learned.releases.clear();
            }
        }
        id
    }

    /// The same, at an operation that does not count as a place: a poll, a release, or a cancel.
    fn named_again(&self, address: usize) -> u32 {
        let known = self.names.borrow().known(address);
        known.unwrap_or_else(|| self.named(address))
    }

    fn seen(&self, task: usize, id: u32, op: Op) -> Seen {
        let index = id as usize;
        let mut learned = self.learned.borrow_mut();
        if learned.releases.len() <= index {
            learned.releases.resize(index + 1, false);
        }
        let tells = learned.tells & (1 << task) != 0;
        let watches = match op {
            Op::Gate(GateOp::Arrive { alone, .. }) => {
                tells || self.cancels.get() && (!alone || learned.releases[index])
            }
            Op::Gate(GateOp::Leave { .. }) | Op::Event(EventOp::Leave) => tells,
            _ => false,
        };
        // A later poll of a task with one wait is not a scheduling point, and reads nothing.
        let looks = match op {
            Op::Gate(GateOp::Poll) => tells,
            op => op.watches_releases(watches),
        };
        if looks && !learned.releases[index] && !self.is_fine.get() {
            learned.releases[index] = true;
            learned.has_changed = true;
        }
        let is_point = op.is_point(learned.releases[index], tells);
        Seen {
            id,
            op,
            watches,
            is_point,
        }
    }

    /// The task goes on after a request has returned `Pending`: it observes that.
    fn learn_that_it_tells(&self, task: usize) {
        let mut learned = self.learned.borrow_mut();
        if learned.tells & (1 << task) == 0 && !self.is_fine.get() {
            learned.tells |= 1 << task;
            learned.has_changed = true;
        }
    }

    /// The running task is about to do `op`. Returns whether it may.
    pub(crate) fn op(
        &self,
        address: usize,
        last_run: &LastRun,
        op: Op,
        place: Option<&'static Location<'static>>,
    ) -> bool {
        let id = if op.is_of_the_program() {
            self.named(address)
        } else {
            self.named_again(address)
        };
        if last_run.is_of_another(self.run.get()) && !self.begins.get() {
            self.escapes(id, op, place);
        }
        let task = self.running.get();
        if task == NO_TASK {
            if let Op::Sync(SyncOp::Acquire { reads }) = op {
                assert!(self.is_free(id, reads), "{WAITS_OUTSIDE}");
            }
            return true;
        }
        let cell = &self.tasks[task];
        if cell.has_caught.get() {
            self.end(task);
        }
        if self.passive.get() || self.is_unwinding(task) {
            // Not a scheduling point. But the holder of a sync lock runs on this thread, too.
            if let Op::Sync(SyncOp::Acquire { reads }) = op {
                while !self.is_free(id, reads) {
                    let seen = Seen {
                        id,
                        op,
                        watches: false,
                        is_point: true,
                    };
                    self.suspend(task, Out::At(seen));
                }
            }
        } else {
            if cell.pendings.get() > 0 || cell.refused.get() {
                self.learn_that_it_tells(task);
            }
            if self.explains.get() {
                self.explain(id, op, place);
            }
            let seen = self.seen(task, id, op);
            if (seen.is_point || self.is_fine.get())
                && self.suspend(task, Out::At(seen)) == In::Refuse
            {
                cell.refused.set(true);
                return false;
            }
            cell.arrival_pends.set(false);
            if let Op::Gate(GateOp::Arrive { alone, .. }) = op {
                cell.arrivals.set(cell.arrivals.get() + 1);
                cell.waits_in_line.set(alone && !seen.watches);
                cell.arrived.set(true);
            }
        }
        cell.op.set(Some(op));
        match op {
            Op::Gate(GateOp::Release { .. } | GateOp::Park) | Op::Sync(SyncOp::Release) => {
                self.released(task, id);
            }
            Op::Gate(GateOp::Arrive { counts, .. }) => {
                self.lock(id, |lock| lock.counts = counts);
            }
            Op::Gate(GateOp::Upgrade) => cell.upgrades.set(true),
            Op::Gate(GateOp::Leave { .. }) => {
                cell.upgrades.set(false);
                self.count_release();
                self.lock(id, |lock| lock.released = Some(self.now()));
            }
            Op::Sync(SyncOp::Acquire { reads }) => self.acquired(task, id, reads),
            _ => {}
        }
        true
    }

    /// A primitive was used by an earlier run, or by another check.
    #[cold]
    fn escapes(&self, id: u32, op: Op, place: Option<&'static Location<'static>>) {
        let section = watching::entered_section();
        let mut names = self.names.borrow_mut();
        names.is_a(id, op.kind());
        if let Some((name, _)) = section {
            names.say(id, name);
        }
        let place = match (section, place) {
            (Some((_, section)), _) => format!(" ({})", section.place),
            (None, Some(place)) => format!(" ({}:{})", place.file(), place.line()),
            (None, None) => String::new(),
        };
        self.escaped.replace(Some(format!(
            "{}{place} was used by another run before: a task sees what that has left in it. Make \
             it in the closure of the test, or use it there before the tasks do, to put it back",
            super::table::name(&names, id)
        )));
    }

    fn lock<R>(&self, id: u32, change: impl FnOnce(&mut LockState) -> R) -> R {
        let mut locks = self.locks.borrow_mut();
        let index = id as usize;
        if locks.len() <= index {
            locks.resize(index + 1, LockState::default());
        }
        change(&mut locks[index])
    }

    /// Whether nobody holds a sync lock in a conflicting mode.
    pub(super) fn is_free(&self, id: u32, reads: bool) -> bool {
        let locks = self.locks.borrow();
        let lock = locks.get(id as usize);
        lock.is_none_or(|lock| lock.holders.iter().all(|holder| reads && holder.1))
    }

    pub(super) fn now(&self) -> Moment {
        Moment::new(self.event.get(), self.releases.get())
    }

    fn count_release(&self) {
        self.releases.set(self.releases.get().saturating_add(1));
    }

    fn released(&self, task: usize, id: u32) {
        self.count_release();
        self.lock(id, |lock| {
            // A guard may have been sent to another task.
            let own = lock.holders.iter().rposition(|holder| holder.0 == task);
            if let Some(index) = own.or(lock.holders.len().checked_sub(1)) {
                lock.holders.remove(index);
            }
            lock.released = Some(self.now());
        });
    }

    fn acquired(&self, task: usize, id: u32, reads: bool) {
        self.lock(id, |lock| {
            lock.holders.push((task, reads));
            if !reads {
                self.entered_after
                    .set(lock.released.unwrap_or(Moment::NEVER));
            }
        });
    }

    /// The running task has acquired.
    pub(crate) fn entered(&self, address: usize) {
        let id = self.named_again(address);
        let task = self.running.get();
        if task == NO_TASK {
            return;
        }
        self.has_entered.set(true);
        let cell = &self.tasks[task];
        match cell.op.get() {
            // It held the lock before.
            _ if cell.upgrades.replace(false) => {}
            Some(Op::Sync(SyncOp::Try { reads })) => self.acquired(task, id, reads),
            Some(Op::Gate(GateOp::Arrive { alone: true, .. })) if cell.arrived.get() => {
                // All previous holders have released.
                self.acquired(task, id, false);
            }
            _ => self.lock(id, |lock| lock.holders.push((task, false))),
        }
        cell.arrived.set(false);
        cell.waits_in_line.set(false);
    }

    /// A poll of the running task is about to return `Pending`.
    pub(crate) fn pending(&self, address: usize, awaits: Awaits) {
        let id = self.named_again(address);
        let task = self.running.get();
        if task == NO_TASK {
            return;
        }
        let cell = &self.tasks[task];
        cell.arrival_pends.set(cell.arrived.replace(false));
        if awaits != Awaits::Permit {
            cell.waits_in_line.set(false);
        }
        cell.waits.set(Some((id, awaits)));
        cell.pendings.set(cell.pendings.get() + 1);
        if cell.pendings.get() > 1 && !self.passive.get() {
            self.learn_that_it_tells(task);
        }
    }

    /// The poll of a task begins.
    pub(super) fn begin_poll(&self, task: usize) {
        let cell = &self.tasks[task];
        cell.pendings.set(0);
        cell.refused.set(false);
        cell.arrival_pends.set(false);
        cell.timers.borrow_mut().clear();
        cell.waits.set(None);
        cell.waits_in_line.set(false);
        cell.flag.woken.store(false, Ordering::Relaxed);
        cell.woken_by.set(Moment::NEVER);
    }

    /// The task is suspended, or has `ended`.
    pub(super) fn stopped(&self, task: usize, ended: bool) {
        let cell = &self.tasks[task];
        if self.passive.get() {
            // It did not end by itself.
        } else if ended {
            if cell.pendings.get() > 0 || cell.refused.get() {
                self.learn_that_it_tells(task);
            }
        } else if cell.arrival_pends.get() && cell.pendings.get() == 1 {
            self.learn_that_it_suspends(task, cell.arrivals.get() - 1);
        }
    }

    /// The task suspends after its arrival of that number returns `Pending`.
    pub(super) fn learn_that_it_suspends(&self, task: usize, arrival: u32) {
        let arrivals = &mut self.learned.borrow_mut().suspends[task];
        let index = arrival as usize;
        if arrivals.len() <= index {
            arrivals.resize(index + 1, false);
        }
        arrivals[index] = true;
    }

    pub(super) fn wakes(&self, task: usize, was_woken: bool) {
        let running = self.running.get();
        let cell = &self.tasks[task];
        if running == task {
            // It would go on in any case.
            cell.woken_by.set(Moment::NEVER);
        } else {
            if !was_woken {
                cell.woken_by.set(self.now());
            }
            if self.learned.borrow().tells & (1 << task) != 0 {
                self.woken.set(self.woken.get() | 1 << task);
            }
        }
    }

    #[cold]
    fn explain(&self, id: u32, op: Op, place: Option<&'static Location<'static>>) {
        self.names.borrow_mut().is_a(id, op.kind());
        let entered = watching::entered_section();
        if let Some((name, _)) = entered {
            self.names.borrow_mut().say(id, name);
        }
        self.tasks[self.running.get()].note.set(Note {
            section: entered.map(|(_, section)| section),
            place,
        });
    }

    /// The body of a task, on its stack.
    pub(super) fn run_body(&self, task: usize, body: Body) {
        match body {
            Body::Thread(run) => run(),
            Body::Future(mut future) | Body::Background(mut future) | Body::Lasting(mut future) => {
                let mut cx = Context::from_waker(&self.tasks[task].waker);
                while future.as_mut().poll(&mut cx).is_pending() {
                    if self.suspend(task, Out::Suspended) == In::Cancel {
                        break;
                    }
                }
            }
        }
    }

    pub(crate) fn suspends<F: Future>(
        &self,
        mut future: Pin<&mut F>,
        limit: Option<Duration>,
    ) -> Option<F::Output> {
        struct Blocks<'c>(&'c Cell<u32>);

        impl Drop for Blocks<'_> {
            fn drop(&mut self) {
                self.0.set(self.0.get() - 1);
            }
        }

        let task = self.running.get();
        if task == NO_TASK {
            let polled = future.poll(&mut Context::from_waker(Waker::noop()));
            return match polled {
                Poll::Ready(output) => Some(output),
                Poll::Pending if limit.is_some() => None,
                Poll::Pending => panic!("{WAITS_OUTSIDE}"),
            };
        }
        let cell = &self.tasks[task];
        cell.blocks.set(cell.blocks.get() + 1);
        let blocks = Blocks(&cell.blocks);
        let timer = (&raw const blocks).addr();
        let mut cx = Context::from_waker(&cell.waker);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return Some(output);
            }
            match limit {
                Some(limit)
                    if limit.is_zero()
                        || self.passive.get()
                        || self.poll_timer(timer).is_ready() =>
                {
                    return None;
                }
                _ => {}
            }
            self.suspend(task, Out::Suspended);
        }
    }

    pub(crate) fn poll_timer(&self, timer: usize) -> Poll<()> {
        let task = self.running.get();
        if task == NO_TASK {
            return Poll::Pending;
        }
        let cell = &self.tasks[task];
        if cell.expired.get() == timer {
            cell.expired.set(0);
            return Poll::Ready(());
        }
        self.learn_that_it_tells(task);
        cell.timers.borrow_mut().push(timer);
        Poll::Pending
    }

    /// The timer with that index expires; the task polls it next.
    pub(super) fn expire(&self, task: usize, index: usize) {
        let cell = &self.tasks[task];
        let timer = cell.timers.borrow().get(index).copied();
        cell.expired.set(timer.unwrap_or(0));
    }
}
