//! Threads that meet at a lock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;

use async_monitor::sync;
use futures::executor::block_on;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use tokio::runtime::{Builder, Runtime};

use super::*;

const TASKS: u64 = 64;

/// How often the task that was luckiest got the lock for each time that the
/// unluckiest did.
fn spread(counts: &[u64]) -> f64 {
    let most = counts.iter().max().copied().unwrap_or(0);
    let least = counts.iter().min().copied().unwrap_or(0);
    most as f64 / least as f64
}

/// Takes the lock until, together, all have had it as often as they should.
/// Counts how often this one had it.
macro_rules! until_enough {
    ($lock:expr, $operations:expr) => {{
        let mut count = 0;
        loop {
            let mut guard = $lock;
            if *guard >= $operations {
                break count;
            }
            *guard += 1;
            count += 1;
        }
    }};
}

/// On tokio's runtime, with two workers.
macro_rules! tasks {
    ($runtime:expr; $($name:expr, $new:expr, |$m:ident| $lock:expr;)*) => {
        vec![$({
            let runtime = Arc::clone(&$runtime);
            Row {
                name: $name,
                run: Box::new(move |operations| {
                    let mutex = Arc::new($new);
                    let waiting = Arc::new(AtomicU64::new(0));
                    let counts: Vec<u64> = runtime.block_on(async {
                        // All are in line before it begins: who is started first
                        // would have the lock to itself for a while.
                        let $m = &mutex;
                        let first = $lock;
                        let handles: Vec<_> = (0..TASKS)
                            .map(|_| {
                                let ($m, waiting) = (Arc::clone(&mutex), Arc::clone(&waiting));
                                runtime.spawn(async move {
                                    waiting.fetch_add(1, Ordering::Relaxed);
                                    until_enough!($lock, operations)
                                })
                            })
                            .collect();
                        while waiting.load(Ordering::Relaxed) < TASKS {
                            tokio::task::yield_now().await;
                        }
                        drop(first);
                        let mut counts = Vec::new();
                        for handle in handles {
                            counts.push(handle.await.expect("no task panics"));
                        }
                        counts
                    });
                    Some(spread(&counts))
                }),
            }
        }),*]
    };
}

/// Keeps this thread on one processor: that of the given number, of those that there
/// are. Where the system moved both threads to one, they would hardly ever meet.
fn pin(number: usize) {
    let Ok(all) = sched_getaffinity(None) else {
        return;
    };
    let mut processors = (0..CpuSet::MAX_CPU).filter(|processor| all.is_set(*processor));
    if let Some(processor) = processors.nth(number) {
        let mut own = CpuSet::new();
        own.set(processor);
        // Where it may not be done, the figures are worse.
        let _ = sched_setaffinity(None, &own);
    }
}

/// On two threads of the system.
macro_rules! threads {
    ($($name:expr, $new:expr, |$m:ident| $lock:expr;)*) => {
        vec![$(
            Row {
                name: $name,
                run: Box::new(move |operations| {
                    let $m = $new;
                    let counts = [const { AtomicU64::new(0) }; 2];
                    let start = Barrier::new(counts.len());
                    thread::scope(|scope| {
                        for (number, count) in counts.iter().enumerate() {
                            let ($m, start) = (&$m, &start);
                            scope.spawn(move || {
                                pin(number);
                                start.wait();
                                let had: u64 = until_enough!($lock, operations);
                                count.store(had, Ordering::Relaxed);
                            });
                        }
                    });
                    Some(spread(&counts.map(AtomicU64::into_inner)))
                }),
            }
        ),*]
    };
}

pub(super) fn workloads() -> Vec<Workload> {
    let runtime = Builder::new_multi_thread().worker_threads(2).build();
    let runtime: Arc<Runtime> = Arc::new(runtime.expect("two threads can be started"));
    let tasks = tasks! {
        runtime;
        OURS, async_monitor::Mutex::new(0), |m| m.lock().await;
        TOKIO, tokio::sync::Mutex::new(0), |m| m.lock().await;
        ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.lock().await;
        FUTURES, futures::lock::Mutex::new(0), |m| m.lock().await;
        INTRUSIVE, futures_intrusive::sync::Mutex::new(0, true), |m| m.lock().await;
        MAITAKE, maitake_sync::Mutex::new(0), |m| m.lock().await;
        ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| m.lock().await;
    };
    let threads = threads! {
        OURS, async_monitor::Mutex::new(0), |m| block_on(m.lock());
        TOKIO, tokio::sync::Mutex::new(0), |m| block_on(m.lock());
        ASYNC_LOCK, async_lock::Mutex::new(0), |m| block_on(m.lock());
        FUTURES, futures::lock::Mutex::new(0), |m| block_on(m.lock());
        INTRUSIVE, futures_intrusive::sync::Mutex::new(0, true), |m| block_on(m.lock());
        MAITAKE, maitake_sync::Mutex::new(0), |m| block_on(m.lock());
        ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| block_on(m.lock());
        STD, std::sync::Mutex::new(0), |m| m.lock().expect("no thread panics");
        PARKING_LOT, parking_lot::Mutex::new(0), |m| m.lock();
    };
    let blocking = threads! {
        OURS, async_monitor::Mutex::new(0), |m| m.lock_blocking();
        TOKIO, tokio::sync::Mutex::new(0), |m| m.blocking_lock();
        ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.lock_blocking();
        STD, std::sync::Mutex::new(0), |m| m.lock().expect("no thread panics");
        PARKING_LOT, parking_lot::Mutex::new(0), |m| m.lock();
    };
    let mut all = vec![
        Workload {
            name: format!("Mutex, {TASKS} tasks on tokio's runtime, 2 workers, increment"),
            clock: Clock::Wall,
            limit: "none",
            target: None,
            rows: tasks,
        },
        Workload {
            name: "Mutex, 2 threads with block_on, increment".to_owned(),
            clock: Clock::Wall,
            limit: "none",
            target: None,
            rows: threads,
        },
        Workload {
            name: "Mutex, 2 threads, blocking form, increment".to_owned(),
            clock: Clock::Wall,
            limit: "none",
            target: None,
            rows: blocking,
        },
    ];
    all.extend(short());
    all
}

/// What the locks beneath return: with a poison, or without.
#[cfg(feature = "parking_lot")]
fn unpoisoned<T>(guard: T) -> T {
    guard
}

#[cfg(not(feature = "parking_lot"))]
fn unpoisoned<T>(result: std::sync::LockResult<T>) -> T {
    result.expect("no thread panics")
}

/// Locks for sections that never suspend.
fn short() -> Vec<Workload> {
    let mutex = threads! {
        OURS, sync::Mutex::new(0), |m| m.lock();
        STD, std::sync::Mutex::new(0), |m| m.lock().expect("no thread panics");
        PARKING_LOT, parking_lot::Mutex::new(0), |m| m.lock();
        LIMIT, bare::Mutex::new(0), |m| unpoisoned(m.lock());
    };
    let write = threads! {
        OURS, sync::RwLock::new(0), |l| l.write();
        STD, std::sync::RwLock::new(0), |l| l.write().expect("no thread panics");
        PARKING_LOT, parking_lot::RwLock::new(0), |l| l.write();
        LIMIT, bare::RwLock::new(0), |l| unpoisoned(l.write());
    };
    [("sync::Mutex", mutex), ("sync::RwLock, write", write)]
        .map(|(name, rows)| Workload {
            name: format!("{name}, 2 threads, increment"),
            clock: Clock::Wall,
            limit: BENEATH,
            target: Some(1.3),
            rows,
        })
        .into()
}
