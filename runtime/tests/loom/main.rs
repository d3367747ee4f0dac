//! Models of the races that the headers of the primitives speak of. Loom runs
//! each of them under every schedule of its threads (up to a bound on
//! pre-emptions), and watches every access to shared memory.
//!
//! ```text
//! RUSTFLAGS="--cfg async_monitor_loom" cargo test -p async-monitor --test loom --release
//! ```
//!
//! A `LOOM_MAX_PREEMPTIONS` in the environment takes precedence over the bound
//! here.
#![cfg(async_monitor_loom)]

mod barrier;
mod condition;
mod event;
mod lock;
mod rwlock;
mod semaphore;
mod when;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Arc;

/// How often a thread may lose its processor where it could go on. Races that
/// need more than three are not known; each one more multiplies the time.
const PREEMPTIONS: usize = 3;

/// Runs a model under all schedules.
fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(PREEMPTIONS);
    builder.check(body);
}

/// Polls once with a waker that nobody hears.
fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A number that loom reports if two threads reach it at the same time.
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
