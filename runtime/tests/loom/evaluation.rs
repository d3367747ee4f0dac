//! Conditions that a release evaluates on behalf of their waiters: G8 of the gate.

use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized};
use loom::cell::UnsafeCell;
use loom::future::block_on;
use loom::thread;

use crate::{Boxed, Task, model, model_within, queued};

/// A number that loom watches.
struct Number(UnsafeCell<usize>);

impl Number {
    fn new() -> Self {
        Number(UnsafeCell::new(0))
    }

    fn add_one(&self) {
        // SAFETY: that nobody else is here is what the model checks.
        self.0.with_mut(|value| unsafe { *value += 1 });
    }

    fn get(&self) -> usize {
        // SAFETY: as above.
        self.0.with(|value| unsafe { *value })
    }
}

#[derive(Guarded)]
struct Shared {
    lock: Lock,
    #[guarded_by(lock)]
    count: Guarded<Number>,
    #[guarded_by(lock)]
    other: Guarded<Number>,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Shared {
            lock: Lock::new(),
            count: Guarded::new(Number::new()),
            other: Guarded::new(Number::new()),
        })
    }

    #[synchronized(lock)]
    async fn add(&self) {
        lock.count.add_one();
    }

    #[synchronized(lock)]
    async fn add_other(&self) {
        lock.other.add_one();
    }

    #[synchronized(read(lock))]
    async fn count(&self) -> usize {
        lock.count.get()
    }

    #[synchronized(lock, when = lock.count.get() > 0)]
    async fn is_counted(self: Arc<Self>) {}

    #[synchronized(lock, when = lock.other.get() > 0)]
    async fn is_other(self: Arc<Self>) {}

    fn is_free(&self) -> bool {
        self.try_acquire_lock().is_some()
    }
}

fn waiting(shared: &Arc<Shared>, task: &Task) -> Boxed<()> {
    queued(task, Arc::clone(shared).is_counted())
}

/// A change that makes no condition true wakes nobody.
#[test]
fn evaluation_against_cancel() {
    model(|| {
        let shared = Shared::new();
        let task = Task::new();
        let waiter = waiting(&shared, &task);
        let canceller = thread::spawn(move || drop(waiter));
        block_on(shared.add_other());
        canceller.join().unwrap();
        assert_eq!(task.wakes(), 0);
        assert!(task.is_forgotten() && shared.is_free());
    });
}

#[test]
fn evaluation_against_a_poll_with_another_waker() {
    model(|| {
        let shared = Shared::new();
        let (first, last) = (Task::new(), Task::new());
        let mut waiter = waiting(&shared, &first);
        let changer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || block_on(shared.add()))
        };
        let ready = last.poll(waiter.as_mut()).is_ready();
        changer.join().unwrap();
        let wakes = (first.wakes(), last.wakes());
        assert_eq!(wakes, if ready { (1, 0) } else { (0, 1) });
        assert!(ready || last.poll(waiter.as_mut()).is_ready());
        assert!(first.is_forgotten() && last.is_forgotten() && shared.is_free());
    });
}

/// The condition of the second waiter becomes true while the first is dropped.
#[test]
fn evaluation_against_cancel_of_another() {
    for first_is_dropped in [true, false] {
        model(move || {
            let shared = Shared::new();
            let (one, two) = (Task::new(), Task::new());
            let first = waiting(&shared, &one);
            let mut second = queued(&two, Arc::clone(&shared).is_other());
            let changer = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || block_on(shared.add_other()))
            };
            let first = (!first_is_dropped).then_some(first);
            changer.join().unwrap();
            assert_eq!((one.wakes(), two.wakes()), (0, 1));
            assert!(two.poll(second.as_mut()).is_ready());
            drop(first);
            assert!(one.is_forgotten() && shared.is_free());
        });
    }
}

/// A waiter joins while others' conditions are evaluated.
#[test]
fn evaluation_against_a_newcomer() {
    model_within(2, || {
        let shared = Shared::new();
        let task = Task::new();
        let mut waiter = waiting(&shared, &task);
        let newcomer = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || block_on(shared.is_other()))
        };
        block_on(shared.add_other());
        newcomer.join().unwrap();
        assert_eq!(task.wakes(), 0);
        block_on(shared.add());
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(waiter.as_mut()).is_ready());
        assert!(shared.is_free());
    });
}

/// A read section releases without a change, and hides no change of others.
#[test]
fn release_without_a_change_against_a_change() {
    model(|| {
        let shared = Shared::new();
        let task = Task::new();
        let mut waiter = waiting(&shared, &task);
        let reader = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || block_on(shared.count()))
        };
        block_on(shared.add());
        // It is granted before the reader, who may wait behind it.
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(waiter.as_mut()).is_ready());
        assert!(reader.join().unwrap() <= 1);
        assert!(task.is_forgotten() && shared.is_free());
    });
}
