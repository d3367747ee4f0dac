//! The local primitives run the same random schedules beside the same
//! models as the others, and have the same behaviours: see `tests/model` and
//! `tests/behaviours`, whose files these are.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
// The files are those of other tests on purpose, and some of them need more.
#![allow(clippy::duplicate_mod, dead_code, unused_imports, unused_macros)]

#[macro_use]
mod flavour {
    pub(crate) use async_monitor::local::*;
    pub(crate) use async_monitor::{Barrier, HoldsLock, LockId, Relock, View};
    pub(crate) use std::rc::Rc;

    /// The bounds on everything that is used together with a primitive: none.
    pub(crate) trait Anywhere {}

    impl<T: ?Sized> Anywhere for T {}

    /// Tests that need several threads: none here.
    macro_rules! threads_only {
        ($($code:tt)*) => {};
    }
}

/// One test for each behaviour: see `tests/behaviours`, whose files these are.
#[path = "../behaviours"]
mod behaviours {
    mod condition;
    mod cross;
    mod event;
    mod lock;
    mod rwlock;
    mod semaphore;
    mod when;
}

mod tasks_of_one_thread;

#[path = "../support/random.rs"]
mod random;
#[path = "../behaviours/scheduled.rs"]
mod scheduled;
#[path = "../support/shown.rs"]
mod shown;
#[path = "../behaviours/support.rs"]
mod support;
#[path = "../support/wakers.rs"]
mod wakers;

#[path = "../model/condition.rs"]
mod condition;
#[path = "../model/driver.rs"]
mod driver;
#[path = "../model/event.rs"]
mod event;
#[path = "../model/gate.rs"]
mod gate;
#[path = "../model/lock.rs"]
mod lock;
#[path = "../model/mutex.rs"]
mod mutex;
#[path = "../model/reference.rs"]
mod reference;
#[path = "../model/rwlock.rs"]
mod rwlock;
#[path = "../model/semaphore.rs"]
mod semaphore;
#[path = "../model/tasks.rs"]
mod tasks;
