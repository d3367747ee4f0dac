//! Models of the races that the invariants of the primitives rule out. Loom runs
//! each of them under every schedule of its threads (up to a bound on
//! pre-emptions), and checks every access to shared memory.
//!
//! ```text
//! RUSTFLAGS="--cfg async_monitor_loom" cargo test -p async-monitor \
//!     --no-default-features --features __schedules,macros --release --test loom
//! ```
//!
//! A model states how many pre-emptions it is run with. The environment may ask
//! for more than stated, as `ASYNC_MONITOR_MORE_PREEMPTIONS`, or for a number, as
//! `LOOM_MAX_PREEMPTIONS`.
#![cfg(async_monitor_loom)]

mod barrier;
mod condition;
mod evaluation;
mod event;
mod lock;
mod rwlock;
mod semaphore;
mod sync;
mod task_grants;
mod when;

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Arc;

/// The number of pre-emptions. Races that need more than three are not known;
/// each one more multiplies the time.
const PREEMPTIONS: usize = 3;

/// Runs a model under all schedules with up to [`PREEMPTIONS`].
fn model(body: impl Fn() + Sync + Send + 'static) {
    model_within(PREEMPTIONS, body);
}

/// Runs a model with too many steps for that number of pre-emptions.
fn model_within(preemptions: usize, body: impl Fn() + Sync + Send + 'static) {
    let more = env::var("ASYNC_MONITOR_MORE_PREEMPTIONS");
    let more = more.map_or(0, |more| more.parse().expect("a number"));
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(preemptions + more);
    builder.check(body);
}

/// Polls once with a waker that does nothing.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A task: a waker of its own, that counts. The counts are not part of the model.
#[derive(Clone)]
struct Task(std::sync::Arc<Wakes>);

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    fn new() -> Self {
        Task(std::sync::Arc::default())
    }

    fn waker(&self) -> Waker {
        Waker::from(std::sync::Arc::clone(&self.0))
    }

    fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker()))
    }

    /// How often it was woken.
    fn wakes(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Nobody has a waker of it any more.
    fn is_forgotten(&self) -> bool {
        std::sync::Arc::strong_count(&self.0) == 1
    }
}

/// A task that runs something when it is woken, such as the poll of another.
#[derive(Clone)]
struct PollsAnother(std::sync::Arc<OnWake>);

#[derive(Default)]
struct OnWake {
    wakes: AtomicUsize,
    run: std::sync::Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Wake for OnWake {
    fn wake(self: std::sync::Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::SeqCst);
        let run = self.run.lock().unwrap().take();
        run.into_iter().for_each(|run| run());
    }
}

impl PollsAnother {
    fn new() -> Self {
        PollsAnother(std::sync::Arc::default())
    }

    fn on_wake(&self, run: impl FnOnce() + Send + 'static) {
        *self.0.run.lock().unwrap() = Some(Box::new(run));
    }

    fn waker(&self) -> Waker {
        Waker::from(std::sync::Arc::clone(&self.0))
    }

    fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker()))
    }

    fn is_woken(&self) -> bool {
        self.0.wakes.load(Ordering::SeqCst) > 0
    }
}

/// A future in a box, which may be sent.
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that a task has begun to wait for.
fn queued<F: Future + Send + 'static>(task: &Task, future: F) -> Boxed<F::Output> {
    let mut future: Boxed<F::Output> = Box::pin(future);
    assert!(task.poll(future.as_mut()).is_pending());
    future
}

/// A number that loom reports if two threads access it at the same time.
#[derive(Clone)]
struct Exclusive(Arc<UnsafeCell<usize>>);

impl Exclusive {
    fn new() -> Self {
        Exclusive(Arc::new(UnsafeCell::new(0)))
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

/// A primitive without an owned form, for futures that may be sent. It is leaked,
/// which loom accepts.
fn leak<T>(primitive: T) -> &'static T {
    Box::leak(Box::new(primitive))
}
