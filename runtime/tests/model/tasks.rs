//! Wakers that count their clones, log their wakes, and panic on demand.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

use crate::random::Random;

/// How many tasks there are. Few, so that futures share them.
pub(crate) const TASKS: usize = 5;

/// A task, by its number.
pub(crate) type Task = u8;

/// Some task.
pub(crate) fn some_task(random: &mut Random) -> Task {
    random.below(TASKS) as Task
}

/// The user code that panics in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Panics {
    /// The wake of this task.
    Wake(Task),
    /// The clone of this task's waker.
    Clone(Task),
    /// The condition or predicate.
    Look,
}

/// Now and then something that panics.
pub(crate) fn some_panic(random: &mut Random) -> Option<Panics> {
    let task = some_task(random);
    match random.below(200) {
        0..=2 => Some(Panics::Wake(task)),
        3 | 4 => Some(Panics::Clone(task)),
        5 => Some(Panics::Look),
        _ => None,
    }
}

/// The payload of our panics.
struct OnDemand;

/// Panics, as user code would, without a message.
pub(crate) fn panic_on_demand() -> ! {
    resume_unwind(Box::new(OnDemand))
}

/// What `call` returns, or `None` if it passes on a panic that we made.
pub(crate) fn attempt<T>(call: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => Some(value),
        Err(payload) if payload.is::<OnDemand>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

thread_local! {
    /// The tasks of a test's thread. They are never dropped: a future that was
    /// forgotten keeps their wakers.
    static STATES: &'static [State; TASKS] = Box::leak(Box::new(
        [const { AtomicUsize::new(0) }; TASKS].map(State)
    ));
    static LOG: RefCell<Vec<Task>> = const { RefCell::new(Vec::new()) };
    static PANICS: Cell<Option<Panics>> = const { Cell::new(None) };
}

/// How many clones of a task's waker there are.
struct State(AtomicUsize);

/// The tasks of a schedule.
pub(crate) struct Tasks {
    states: &'static [State; TASKS],
}

impl Tasks {
    /// Nobody has a waker of theirs.
    pub(crate) fn new() -> Self {
        let states = STATES.with(|states| *states);
        states
            .iter()
            .for_each(|state| state.0.store(0, Ordering::Relaxed));
        LOG.with_borrow_mut(Vec::clear);
        PANICS.set(None);
        Tasks { states }
    }

    /// Calls `poll` as a task.
    pub(crate) fn poll<T>(&self, task: Task, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let state: &'static State = &self.states[usize::from(task)];
        // Not one of those that count.
        state.0.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the table does what a waker's must, from any thread that has
        // one; the state is never dropped.
        let waker = unsafe { Waker::from_raw(raw(state)) };
        poll(&mut Context::from_waker(&waker))
    }

    /// From here on, this panics.
    pub(crate) fn arm(&self, panics: Option<Panics>) {
        PANICS.set(panics);
    }

    /// Nothing panics any more. Returns the tasks that were woken since the last call.
    #[allow(dead_code)] // for locks that only threads have
    pub(crate) fn disarm(&self) -> Vec<Task> {
        PANICS.set(None);
        LOG.with_borrow_mut(std::mem::take)
    }

    /// How many wakers of each task are kept.
    #[allow(dead_code)] // as above
    pub(crate) fn kept(&self) -> [usize; TASKS] {
        self.states
            .each_ref()
            .map(|state| state.0.load(Ordering::Relaxed))
    }

    /// Nothing panics any more. These tasks were woken since the last call, in this
    /// order, and that many wakers of each task are kept.
    #[track_caller]
    pub(crate) fn disarm_and_check(&self, woken: &[Task], kept: &[usize; TASKS]) {
        PANICS.set(None);
        LOG.with_borrow_mut(|log| {
            assert_eq!(log, woken, "who was woken (left), and who should have been");
            log.clear();
        });
        let mut clones = [0; TASKS];
        for (clones, state) in clones.iter_mut().zip(self.states) {
            *clones = state.0.load(Ordering::Relaxed);
        }
        assert_eq!(
            &clones, kept,
            "wakers kept of each task (left), and how many should be"
        );
    }
}

/// Whether an evaluation has to panic in this step.
pub(crate) fn look_panics() -> bool {
    PANICS.get() == Some(Panics::Look)
}

fn raw(state: &'static State) -> RawWaker {
    RawWaker::new((&raw const *state).cast(), &VTABLE)
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        let state = state(data);
        if PANICS.get() == Some(Panics::Clone(task(state))) {
            panic_on_demand()
        }
        state.0.fetch_add(1, Ordering::Relaxed);
        raw(state)
    },
    |data| {
        let state = state(data);
        state.0.fetch_sub(1, Ordering::Relaxed);
        wake(state)
    },
    |data| wake(state(data)),
    |data| {
        state(data).0.fetch_sub(1, Ordering::Relaxed);
    },
);

fn state(data: *const ()) -> &'static State {
    // SAFETY: only the table calls this, with the data of `raw`.
    unsafe { &*data.cast() }
}

fn task(state: &'static State) -> Task {
    let first = STATES.with(|states| states.as_ptr());
    // SAFETY: the state is one of the thread's.
    let index = unsafe { (&raw const *state).offset_from(first) };
    index as Task
}

fn wake(state: &'static State) {
    let task = task(state);
    LOG.with_borrow_mut(|log| log.push(task));
    if PANICS.get() == Some(Panics::Wake(task)) {
        panic_on_demand()
    }
}
