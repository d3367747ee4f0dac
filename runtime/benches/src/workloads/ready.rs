//! What is ready at once: nobody is in the way.

use std::cell::RefCell;
use std::hint::black_box;
use std::task::{Context, Waker};

use async_monitor::sync;

use super::*;
use crate::limits::{CasSwap, Count};
use crate::tasks::ready;

/// An operation on a lock that nobody else has.
macro_rules! operation {
    ($name:expr, $lock:expr, |$l:ident| $code:expr) => {{
        let lock = leak($lock);
        Row::repeat($name, move || {
            let $l = black_box(lock);
            black_box(&$code);
        })
    }};
}

/// An acquisition that is polled once, as by `.await`.
macro_rules! polled {
    ($name:expr, $lock:expr, |$l:ident| $future:expr) => {{
        let lock = leak($lock);
        let mut cx = Context::from_waker(Waker::noop());
        Row::repeat($name, move || {
            let $l = black_box(lock);
            black_box(&ready($future, &mut cx));
        })
    }};
}

fn workload(name: &str, limit: &'static str, target: f64, rows: Vec<Row>) -> Workload {
    Workload {
        name: name.to_owned(),
        clock: Clock::Thread,
        limit,
        target: Some(target),
        rows,
    }
}

pub(super) fn workloads() -> Vec<Workload> {
    let cas_swap = || operation!(LIMIT, CasSwap::default(), |lock| lock.try_lock());
    let mutex = workload(
        "Mutex, lock and unlock, polled",
        "one CAS, one swap",
        1.15,
        vec![
            polled!(OURS, async_monitor::Mutex::new(0), |m| m.lock()),
            polled!(TOKIO, tokio::sync::Mutex::new(0), |m| m.lock()),
            polled!(ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.lock()),
            polled!(FUTURES, futures::lock::Mutex::new(0), |m| m.lock()),
            polled!(
                INTRUSIVE,
                futures_intrusive::sync::Mutex::new(0, true),
                |m| m.lock()
            ),
            polled!(MAITAKE, maitake_sync::Mutex::new(0), |m| m.lock()),
            polled!(ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| m.lock()),
            operation!(STD, std::sync::Mutex::new(0), |m| m.lock()),
            operation!(PARKING_LOT, parking_lot::Mutex::new(0), |m| m.lock()),
            cas_swap(),
        ],
    );
    let lock = workload(
        "Lock, acquire and release, polled",
        "one CAS, one swap",
        1.15,
        vec![
            polled!(OURS, async_monitor::Lock::new(), |m| m.acquire()),
            cas_swap(),
        ],
    );
    let try_lock = workload(
        "Mutex, try_lock and unlock",
        "one CAS, one swap",
        1.1,
        vec![
            operation!(OURS, async_monitor::Mutex::new(0), |m| m.try_lock()),
            operation!(TOKIO, tokio::sync::Mutex::new(0), |m| m.try_lock()),
            operation!(ASYNC_LOCK, async_lock::Mutex::new(0), |m| m.try_lock()),
            operation!(FUTURES, futures::lock::Mutex::new(0), |m| m.try_lock()),
            operation!(
                INTRUSIVE,
                futures_intrusive::sync::Mutex::new(0, true),
                |m| m.try_lock()
            ),
            operation!(MAITAKE, maitake_sync::Mutex::new(0), |m| m.try_lock()),
            operation!(ASYNCBAND, asyncband::mutex::Mutex::new(0), |m| m.try_lock()),
            operation!(STD, std::sync::Mutex::new(0), |m| m.try_lock()),
            operation!(PARKING_LOT, parking_lot::Mutex::new(0), |m| m.try_lock()),
            cas_swap(),
        ],
    );
    let mut all = vec![
        mutex,
        lock,
        try_lock,
        read(),
        write(),
        semaphore(),
        bounded_semaphore(),
        local(),
        event(),
    ];
    all.extend(short());
    all
}

/// Locks for sections that never suspend.
fn short() -> Vec<Workload> {
    let beneath = |name: &str, rows| workload(name, BENEATH, 1.05, rows);
    vec![
        beneath(
            "sync::Lock, acquire and release",
            vec![
                operation!(OURS, sync::Lock::new(), |l| l.acquire()),
                operation!(STD, std::sync::Mutex::new(()), |m| m.lock()),
                operation!(PARKING_LOT, parking_lot::Mutex::new(()), |m| m.lock()),
                operation!(LIMIT, bare::Mutex::new(()), |m| m.lock()),
            ],
        ),
        beneath(
            "sync::Mutex, lock and unlock",
            vec![
                operation!(OURS, sync::Mutex::new(0), |m| m.lock()),
                operation!(STD, std::sync::Mutex::new(0), |m| m.lock()),
                operation!(PARKING_LOT, parking_lot::Mutex::new(0), |m| m.lock()),
                operation!(LIMIT, bare::Mutex::new(0), |m| m.lock()),
            ],
        ),
        beneath(
            "sync::RwLock, read",
            vec![
                operation!(OURS, sync::RwLock::new(0), |l| l.read()),
                operation!(STD, std::sync::RwLock::new(0), |l| l.read()),
                operation!(PARKING_LOT, parking_lot::RwLock::new(0), |l| l.read()),
                operation!(LIMIT, bare::RwLock::new(0), |l| l.read()),
            ],
        ),
        beneath(
            "sync::RwLock, write",
            vec![
                operation!(OURS, sync::RwLock::new(0), |l| l.write()),
                operation!(STD, std::sync::RwLock::new(0), |l| l.write()),
                operation!(PARKING_LOT, parking_lot::RwLock::new(0), |l| l.write()),
                operation!(LIMIT, bare::RwLock::new(0), |l| l.write()),
            ],
        ),
    ]
}

/// The flavour for one thread.
fn local() -> Workload {
    workload(
        "local::Mutex, lock and unlock, polled",
        "`RefCell::borrow_mut` and drop",
        2.0,
        vec![
            polled!(OURS, async_monitor::local::Mutex::new(0), |m| m.lock()),
            operation!(LIMIT, RefCell::new(0), |cell| cell.borrow_mut()),
        ],
    )
}

fn read() -> Workload {
    workload(
        "RwLock, read, polled",
        "one CAS, one addition",
        1.3,
        vec![
            polled!(OURS, async_monitor::RwLock::new(0), |l| l.read()),
            polled!(TOKIO, tokio::sync::RwLock::new(0), |l| l.read()),
            polled!(ASYNC_LOCK, async_lock::RwLock::new(0), |l| l.read()),
            polled!(MAITAKE, maitake_sync::RwLock::new(0), |l| l.read()),
            polled!(ASYNCBAND, asyncband::rwlock::RwLock::new(0), |l| l.read()),
            operation!(STD, std::sync::RwLock::new(0), |l| l.read()),
            operation!(PARKING_LOT, parking_lot::RwLock::new(0), |l| l.read()),
            operation!(LIMIT, Count::new(9), |l| l.try_take()),
        ],
    )
}

fn write() -> Workload {
    workload(
        "RwLock, write, polled",
        "one CAS, one swap",
        1.3,
        vec![
            polled!(OURS, async_monitor::RwLock::new(0), |l| l.write()),
            polled!(TOKIO, tokio::sync::RwLock::new(0), |l| l.write()),
            polled!(ASYNC_LOCK, async_lock::RwLock::new(0), |l| l.write()),
            polled!(MAITAKE, maitake_sync::RwLock::new(0), |l| l.write()),
            polled!(ASYNCBAND, asyncband::rwlock::RwLock::new(0), |l| l.write()),
            operation!(STD, std::sync::RwLock::new(0), |l| l.write()),
            operation!(PARKING_LOT, parking_lot::RwLock::new(0), |l| l.write()),
            operation!(LIMIT, CasSwap::default(), |l| l.try_lock()),
        ],
    )
}

fn semaphore() -> Workload {
    workload(
        "Semaphore, acquire and release, polled",
        "one CAS, one addition",
        1.3,
        vec![
            polled!(OURS, async_monitor::Semaphore::new(1), |s| s.acquire()),
            polled!(TOKIO, tokio::sync::Semaphore::new(1), |s| s.acquire()),
            polled!(ASYNC_LOCK, async_lock::Semaphore::new(1), |s| s.acquire()),
            polled!(
                INTRUSIVE,
                futures_intrusive::sync::Semaphore::new(true, 1),
                |s| s.acquire(1)
            ),
            polled!(MAITAKE, maitake_sync::Semaphore::new(1), |s| s.acquire(1)),
            polled!(ASYNCBAND, asyncband::semaphore::Semaphore::new(1), |s| s
                .acquire(1)),
            operation!(LIMIT, Count::new(1), |s| s.try_take()),
        ],
    )
}

fn bounded_semaphore() -> Workload {
    workload(
        "BoundedSemaphore, acquire and release, polled",
        "one CAS, one addition",
        1.3,
        vec![
            polled!(OURS, async_monitor::BoundedSemaphore::new(1), |s| s
                .acquire()),
            operation!(LIMIT, Count::new(1), |s| s.try_take()),
        ],
    )
}

fn event() -> Workload {
    let ours = {
        let event = async_monitor::Event::new();
        event.set();
        polled!(OURS, event, |e| e.wait())
    };
    let intrusive = polled!(
        INTRUSIVE,
        futures_intrusive::sync::ManualResetEvent::new(true),
        |e| e.wait()
    );
    let asyncband = polled!(
        ASYNCBAND,
        asyncband::event::ManualResetEvent::with_state(true),
        |e| e.wait()
    );
    Workload {
        target: None,
        ..workload(
            "Event, wait for one that is set, polled",
            "none: a load",
            1.0,
            vec![ours, intrusive, asyncband],
        )
    }
}
