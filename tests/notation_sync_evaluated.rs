//! Conditions at sync locks that a release evaluates on behalf of their waiters.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use async_monitor::{Guarded, sync, synchronized};

#[derive(Default)]
struct Task(AtomicUsize);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn is_ready<F: Future + ?Sized>(task: &Arc<Task>, future: Pin<&mut F>) -> bool {
    let waker = Waker::from(Arc::clone(task));
    future.poll(&mut Context::from_waker(&waker)).is_ready()
}

/// A future that has begun to wait, and its task.
fn waiting<F: Future>(future: F) -> (Pin<Box<F>>, Arc<Task>) {
    let (mut future, task) = (Box::pin(future), Arc::default());
    assert!(!is_ready(&task, future.as_mut()));
    (future, task)
}

thread_local! {
    static EVALUATIONS: Cell<usize> = const { Cell::new(0) };
    static PANICS: Cell<bool> = const { Cell::new(false) };
}

fn evaluated() {
    EVALUATIONS.set(EVALUATIONS.get() + 1);
    assert!(!PANICS.get(), "the condition panics");
}

#[derive(Guarded, Default)]
struct Shared {
    state: sync::Lock,
    #[guarded_by(state)]
    count: Guarded<usize>,
    #[guarded_by(state)]
    text: Guarded<Box<usize>>,
    #[lock]
    value: sync::Mutex<Box<usize>>,
    #[lock(rw)]
    config: sync::RwLock<()>,
    #[guarded_by(config)]
    limit: Guarded<Box<usize>>,
}

impl Shared {
    #[synchronized(state)]
    fn set(&self, count: usize) {
        *state.count = count;
        **state.text = count;
    }

    #[synchronized(state, when = { evaluated(); *state.count == 1 && **state.text == 1 })]
    async fn is_one(&self) {}

    #[synchronized(read(state), when = { evaluated(); **state.text == 1 })]
    async fn reads_one(&self) {}

    #[synchronized(state, when = *state.count == count)]
    async fn is(&self, count: usize) {}

    #[synchronized(state, when = { evaluated(); *state.count > 0 })]
    async fn takes_one(&self) -> usize {
        *state.count -= 1;
        *state.count
    }

    #[synchronized(value)]
    fn set_value(&self, to: usize) {
        **value.value = to;
    }

    #[synchronized(value, when = { evaluated(); **value.value == 1 })]
    async fn value_is_one(&self) {}

    #[synchronized(write(config))]
    fn set_limit(&self, to: usize) {
        **config.limit = to;
    }

    #[synchronized(read(config), when = { evaluated(); **config.limit == 1 })]
    async fn limit_is_one(&self) {}

    #[synchronized(write(config), when = { evaluated(); **config.limit == 1 })]
    async fn unlimited(&self) {
        **config.limit = 0;
    }
}

#[test]
fn a_condition_that_stays_false_wakes_nobody() {
    let shared = Shared::default();
    let (mut one, task) = waiting(shared.is_one());
    EVALUATIONS.set(0);
    for _ in 0..3 {
        shared.set(0);
    }
    assert_eq!((task.wakes(), EVALUATIONS.get()), (0, 3));
    shared.set(1);
    assert_eq!(task.wakes(), 1);
    assert!(is_ready(&task, one.as_mut()));
}

#[test]
fn whatever_kind_of_lock_and_section() {
    let shared = Shared::default();
    let (mut reads, reads_task) = waiting(shared.reads_one());
    let (mut value, value_task) = waiting(shared.value_is_one());
    let (mut limit, limit_task) = waiting(shared.limit_is_one());
    let (mut writes, writes_task) = waiting(shared.unlimited());
    let set = |to| {
        shared.set(to);
        shared.set_value(to);
        shared.set_limit(to);
    };
    EVALUATIONS.set(0);
    set(7);
    assert_eq!(EVALUATIONS.get(), 4);
    for task in [&reads_task, &value_task, &limit_task, &writes_task] {
        assert_eq!(task.wakes(), 0);
    }
    set(1);
    assert!(is_ready(&reads_task, reads.as_mut()));
    assert!(is_ready(&value_task, value.as_mut()));
    assert!(is_ready(&limit_task, limit.as_mut()));
    assert!(is_ready(&writes_task, writes.as_mut()));
}

/// It borrows what may be gone if its future is leaked.
#[test]
fn a_condition_that_has_captured_something_is_left_to_its_waiter() {
    let shared = Shared::default();
    let (mut waiter, task) = waiting(shared.is(3));
    shared.set(0);
    assert_eq!(task.wakes(), 1);
    assert!(!is_ready(&task, waiter.as_mut()));
    shared.set(3);
    assert!(is_ready(&task, waiter.as_mut()));
}

/// A section that was entered by a condition changes what others wait for.
#[test]
fn those_behind_one_that_is_served_take_their_turns() {
    let shared = Shared::default();
    let mut takers: Vec<_> = (0..20).map(|_| waiting(shared.takes_one())).collect();
    shared.set(2);
    let mut served = 0;
    for (taker, task) in &mut takers {
        served += usize::from(task.wakes() > 0 && is_ready(task, taker.as_mut()));
    }
    assert_eq!(served, 2);
    EVALUATIONS.set(0);
    shared.set(0);
    assert_eq!(EVALUATIONS.get(), 18);
}

#[test]
fn a_condition_that_panics_does_so_in_its_own_task() {
    let shared = Shared::default();
    let (mut one, task) = waiting(shared.is_one());
    PANICS.set(true);
    shared.set(0);
    assert_eq!(task.wakes(), 1);
    let polled = catch_unwind(AssertUnwindSafe(|| is_ready(&task, one.as_mut())));
    PANICS.set(false);
    assert!(polled.is_err());
    shared.set(1);
    let (mut again, task) = (Box::pin(shared.is_one()), Arc::default());
    assert!(is_ready(&task, again.as_mut()));
}

/// The waiter of one object, whose future is leaked, is not evaluated for another at its
/// address.
#[test]
fn a_leaked_waiter_is_not_evaluated_for_another_object() {
    let mut place = Box::new(Shared::default());
    let moved = {
        let shared: &Shared = &place;
        let (one, _task) = waiting(shared.is_one());
        mem::forget(one);
        EVALUATIONS.set(0);
        mem::take(&mut *place)
    };
    // The lock that has the waiter is elsewhere now; the object here has another.
    moved.set(0);
    place.set(0);
    assert_eq!(EVALUATIONS.get(), 0);
    mem::forget(moved);
}
