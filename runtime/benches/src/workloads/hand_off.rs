//! A lock that passes from task to task.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use super::*;
use crate::limits::LocalFifo;
use crate::tasks::{Executor, yield_now};

/// So many tasks share a lock, on an executor of one thread. An operation is a
/// section: the lock is released and handed over, the task that had it waits
/// again, and the next one gives up its turn once while it has the lock, so that
/// all others wait.
fn row<F>(name: &'static str, count: usize, lock: impl Fn() -> F + Clone + 'static) -> Row
where
    F: Future + 'static,
{
    let sections = Rc::new(Cell::new(0));
    let tasks: Vec<Pin<Box<_>>> = (0..count)
        .map(|_| {
            let (lock, sections) = (lock.clone(), Rc::clone(&sections));
            Box::pin(async move {
                loop {
                    let guard = lock().await;
                    yield_now().await;
                    sections.set(sections.get() + 1);
                    drop(guard);
                }
            })
        })
        .collect();
    let mut executor = Executor::new(tasks);
    Row::new(name, move |operations| {
        let until = sections.get() + operations;
        executor.run_while(|| sections.get() < until);
    })
}

pub(super) fn workload(count: usize) -> Workload {
    macro_rules! rows {
        ($($name:expr, $lock:expr, |$l:ident| $future:expr;)*) => {
            vec![$({
                let $l = leak($lock);
                row($name, count, move || $future)
            }),*]
        };
    }
    Workload {
        name: format!("Mutex, hand-off among {count} tasks, per section"),
        clock: Clock::Thread,
        limit: "hand-written local FIFO, no cancellation",
        target: Some(1.6),
        rows: rows! {
            OURS, async_monitor::Mutex::new(0), |m| m.lock();
            TOKIO, tokio::sync::Mutex::new(0), |m| m.lock();
            ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.lock();
            FUTURES, futures::lock::Mutex::new(0), |m| m.lock();
            INTRUSIVE, futures_intrusive::sync::Mutex::new(0, true), |m| m.lock();
            MAITAKE, maitake_sync::Mutex::new(0), |m| m.lock();
            ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| m.lock();
            LIMIT, LocalFifo::<false>::default(), |m| m.lock();
        },
    }
}

/// The flavour for one thread, which does without atomic operations as the limit
/// does.
pub(super) fn local(count: usize) -> Workload {
    let lock = leak(async_monitor::local::Mutex::new(0));
    let limit = leak(LocalFifo::<false>::default());
    Workload {
        name: format!("local::Mutex, hand-off among {count} tasks, per section"),
        clock: Clock::Thread,
        limit: "hand-written local FIFO, no cancellation",
        target: None,
        rows: vec![
            row(OURS, count, || lock.lock()),
            row(LIMIT, count, || limit.lock()),
        ],
    }
}

/// The same, beside what threads can share.
pub(super) fn locked(count: usize) -> Workload {
    let (ours, limit) = (
        leak(async_monitor::Mutex::new(0)),
        leak(LocalFifo::<true>::default()),
    );
    Workload {
        name: format!("Mutex, hand-off among {count} tasks, beside one with locks"),
        clock: Clock::Thread,
        limit: "the same FIFO, and one compare-exchange for each: join, hand over, take over",
        target: None,
        rows: vec![
            row(OURS, count, || ours.lock()),
            row(LIMIT, count, || limit.lock()),
        ],
    }
}
