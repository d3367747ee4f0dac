//! A waiter that gives up.

use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::limits::four_atomics;
use crate::tasks::Task;

/// An operation is: wait for a lock that is held, in a queue of so many, and
/// give up.
fn row<F>(name: &'static str, count: usize, lock: impl Fn() -> F + 'static) -> Row
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut holder: Task<F> = Task::new(0);
    holder.start(lock());
    let guard = holder.poll();
    holder.stop();
    let mut others: Vec<Task<F>> = (1..count).map(Task::new).collect();
    for task in &mut others {
        task.start(lock());
        assert!(task.poll().is_pending());
    }
    let mut task = Task::new(count);
    Row::repeat(name, move || {
        let _in_the_way = (&guard, &others);
        task.start(lock());
        assert!(task.poll().is_pending());
        task.stop();
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
    let mut rows = rows! {
        OURS, async_monitor::Mutex::new(0), |m| m.lock();
        TOKIO, tokio::sync::Mutex::new(0), |m| m.lock();
        ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.lock();
        FUTURES, futures::lock::Mutex::new(0), |m| m.lock();
        INTRUSIVE, futures_intrusive::sync::Mutex::new(0, true), |m| m.lock();
        MAITAKE, maitake_sync::Mutex::new(0), |m| m.lock();
        ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| m.lock();
    };
    let word = leak(AtomicBool::new(false));
    rows.push(Row::repeat(LIMIT, || four_atomics(black_box(word))));
    Workload {
        name: format!("Mutex, cancel a waiter, {count} in the queue"),
        clock: Clock::Thread,
        limit: "four atomic operations",
        target: Some(1.2),
        rows,
    }
}
