//! Conditions that a release evaluates on behalf of their waiters: which ones, and when.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};

use async_monitor::{Guarded, Lock, Mutex, RwLock, local, synchronized};
use futures::executor::block_on;

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
    state: Lock,
    #[guarded_by(state)]
    count: Guarded<usize>,
    #[guarded_by(state)]
    text: Guarded<Box<usize>>,
}

impl Shared {
    #[synchronized(state)]
    async fn set(&self, count: usize) {
        *state.count = count;
        **state.text = count;
    }

    #[synchronized(state, when = { evaluated(); *state.count == 1 && **state.text == 1 })]
    async fn is_one(&self) {}

    #[synchronized(state, when = *state.count == 2)]
    async fn is_two(&self) {}

    #[synchronized(state, when = *state.count == count)]
    async fn is(&self, count: usize) {}
}

#[test]
fn a_condition_that_stays_false_wakes_nobody() {
    let shared = Shared::default();
    let (mut one, task) = waiting(shared.is_one());
    EVALUATIONS.set(0);
    for _ in 0..3 {
        block_on(shared.set(0));
    }
    assert_eq!((task.wakes(), EVALUATIONS.get()), (0, 3));
    block_on(shared.set(1));
    assert_eq!(task.wakes(), 1);
    assert!(is_ready(&task, one.as_mut()));
}

/// Its borrows may be gone if its future is leaked.
#[test]
fn a_condition_that_has_captured_something_is_left_to_its_waiter() {
    let shared = Shared::default();
    let (mut waiter, task) = waiting(shared.is(3));
    block_on(shared.set(0));
    assert_eq!(task.wakes(), 1);
    assert!(!is_ready(&task, waiter.as_mut()));
    block_on(shared.set(3));
    assert!(is_ready(&task, waiter.as_mut()));
}

/// From the first condition on that is true or left to its waiter, all are left to their waiters.
#[test]
fn many_conditions_are_evaluated_in_their_order() {
    let shared = Shared::default();
    let mut ones: Vec<_> = (0..40).map(|_| waiting(shared.is_one())).collect();
    let (mut two, task) = waiting(shared.is_two());
    let (behind, task_behind) = waiting(shared.is_one());
    block_on(shared.set(2));
    assert!(ones.iter().all(|(_, task)| task.wakes() == 0));
    assert_eq!((task.wakes(), task_behind.wakes()), (1, 0));
    assert!(is_ready(&task, two.as_mut()));
    // It is queued, and now its turn.
    assert_eq!(task_behind.wakes(), 1);
    drop(behind);
    block_on(shared.set(1));
    for (one, task) in &mut ones {
        assert_eq!(task.wakes(), 1);
        assert!(is_ready(task, one.as_mut()));
    }
    assert!(shared.try_acquire_state().is_some());
}

/// A release evaluates some hundred conditions, and leaves the others to their waiters.
#[test]
fn a_crowd_of_conditions_is_left_to_its_waiters() {
    let shared = Shared::default();
    let mut ones: Vec<_> = (0..300).map(|_| waiting(shared.is_one())).collect();
    block_on(shared.set(2));
    let mut woken = 0;
    for (one, task) in &mut ones {
        woken += task.wakes();
        assert!(!is_ready(task, one.as_mut()));
    }
    assert!((1..100).contains(&woken), "{woken}");
    block_on(shared.set(1));
    assert!(
        ones.iter_mut()
            .all(|(one, task)| is_ready(task, one.as_mut()))
    );
}

#[test]
fn the_waiter_has_the_panic_of_its_condition() {
    let shared = Shared::default();
    let (mut one, task) = waiting(shared.is_one());
    PANICS.set(true);
    block_on(shared.set(1));
    assert_eq!(task.wakes(), 1);
    assert!(catch_unwind(AssertUnwindSafe(|| is_ready(&task, one.as_mut()))).is_err());
    PANICS.set(false);
    assert!(shared.try_acquire_state().is_some());
}

/// A panic that unwinds through a section leaves the conditions to their waiters.
#[test]
fn a_panic_in_a_section_wakes_those_that_wait() {
    let shared = Shared::default();
    let (mut one, task) = waiting(shared.is_one());
    let mut guard = shared.try_acquire_state().unwrap();
    EVALUATIONS.set(0);
    let result = catch_unwind(AssertUnwindSafe(move || {
        *guard.fields().count = 5;
        panic!("in a section");
    }));
    assert!(result.is_err());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (1, 0));
    assert!(!is_ready(&task, one.as_mut()));
}

/// A leaked waiter belonged to an object that is gone. Its condition is evaluated for the
/// releaser's object.
#[test]
fn a_waiter_that_is_leaked_is_not_evaluated_for_what_is_gone() {
    let mut gone = Box::new(Shared::default());
    let (waiter, task) = waiting(gone.is_one());
    mem::forget(waiter);
    let mut shared = Shared::default();
    mem::swap(&mut gone.state, &mut shared.state);
    drop(gone);
    EVALUATIONS.set(0);
    block_on(shared.set(0));
    assert_eq!((task.wakes(), EVALUATIONS.get()), (1, 0));
}

/// An object of the same type at the address of the first will do.
#[test]
fn a_waiter_that_is_leaked_may_be_evaluated_for_what_took_the_place() {
    let mut shared = Shared::default();
    let (waiter, task) = waiting(shared.is_one());
    mem::forget(waiter);
    let mut first = mem::take(&mut shared);
    mem::swap(&mut first.state, &mut shared.state);
    drop(first);
    EVALUATIONS.set(0);
    block_on(shared.set(0));
    assert_eq!((task.wakes(), EVALUATIONS.get()), (0, 1));
}

#[derive(Guarded, Default)]
struct Other {
    state: Lock,
    #[guarded_by(state)]
    numbers: Guarded<[usize; 2]>,
}

impl Other {
    #[synchronized(state)]
    async fn set(&self) {
        *state.numbers = [1; 2];
    }
}

/// An object of another type at the address of the first will not.
#[test]
fn a_waiter_that_is_leaked_is_not_evaluated_for_another_type() {
    enum Either {
        One(Shared),
        Two(Other),
    }

    let mut either = Either::One(Shared::default());
    let Either::One(shared) = &either else { return };
    let (waiter, task) = waiting(shared.is_one());
    mem::forget(waiter);
    let Either::One(shared) = &mut either else {
        return;
    };
    let mut other = Other::default();
    mem::swap(&mut other.state, &mut shared.state);
    either = Either::Two(other);
    let Either::Two(other) = &either else { return };
    EVALUATIONS.set(0);
    block_on(other.set());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (1, 0));
}

/// One lock by two names: the data of the other name is not the data of the condition.
#[test]
fn a_condition_is_evaluated_under_its_own_lock_only() {
    #[derive(Guarded)]
    struct Pair {
        #[lock]
        a: Arc<Lock>,
        #[lock]
        b: Arc<Lock>,
        #[guarded_by(a)]
        left: Guarded<usize>,
        #[guarded_by(b)]
        right: Guarded<usize>,
    }

    impl Pair {
        #[synchronized(a, when = { evaluated(); *a.left == 1 })]
        async fn is_one(&self) {}

        #[synchronized(a)]
        async fn left(&self) {
            *a.left = 0;
        }

        #[synchronized(b)]
        async fn right(&self) {
            *b.right = 1;
        }
    }

    let lock = Arc::new(Lock::new());
    let pair = |lock: &Arc<Lock>| Pair {
        a: Arc::clone(lock),
        b: Arc::clone(lock),
        left: Guarded::new(0),
        right: Guarded::new(0),
    };
    let (first, second) = (pair(&lock), pair(&lock));
    let (mut waiter, task) = waiting(first.is_one());
    EVALUATIONS.set(0);
    block_on(first.left());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (0, 1));
    block_on(first.right());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (1, 1));
    assert!(!is_ready(&task, waiter.as_mut()));
    // Another object with the same lock.
    block_on(second.left());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (2, 2));
    // A guard of the lock itself has no object.
    assert!(!is_ready(&task, waiter.as_mut()));
    drop(lock.try_acquire());
    assert_eq!((task.wakes(), EVALUATIONS.get()), (3, 3));
}

/// Locks with data, reader-writer locks, and those of one thread.
#[test]
fn locks_of_all_kinds() {
    #[derive(Guarded, Default)]
    struct All {
        #[lock]
        data: Mutex<usize>,
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        size: Guarded<usize>,
    }

    impl All {
        #[synchronized(data, when = *data.value == 1)]
        async fn data_is_one(&self) {}

        #[synchronized(read(data), when = *data.value == 1)]
        async fn data_reads_one(&self) {}

        #[synchronized(read(cfg), when = *cfg.size == 1)]
        async fn size_is_one(&self) {}

        #[synchronized(data, write(cfg))]
        async fn set(&self, value: usize) {
            (*data.value, *cfg.size) = (value, value);
        }
    }

    #[derive(Guarded, Default)]
    struct OfOneThread {
        state: local::Lock,
        #[guarded_by(state)]
        count: Guarded<usize>,
    }

    impl OfOneThread {
        #[synchronized(state, when = *state.count == 1)]
        async fn is_one(&self) {}

        #[synchronized(state)]
        async fn set(&self, count: usize) {
            *state.count = count;
        }
    }

    let (all, one) = (All::default(), OfOneThread::default());
    let mut data = waiting(all.data_is_one());
    let mut reads = waiting(all.data_reads_one());
    let mut size = waiting(all.size_is_one());
    let mut local = waiting(one.is_one());
    block_on(all.set(2));
    block_on(one.set(2));
    let wakes = [&data.1, &reads.1, &size.1, &local.1].map(|task| task.wakes());
    assert_eq!(wakes, [0; 4]);
    block_on(all.set(1));
    block_on(one.set(1));
    assert!(is_ready(&data.1, data.0.as_mut()));
    assert!(is_ready(&reads.1, reads.0.as_mut()));
    assert!(is_ready(&size.1, size.0.as_mut()));
    assert!(is_ready(&local.1, local.0.as_mut()));
}
