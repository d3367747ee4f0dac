//! The primitives for one thread take the same random schedules beside the same
//! models as those for many: see `tests/model`, whose files these are.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
// The files are those of another test on purpose.
#![allow(clippy::duplicate_mod)]

mod flavour {
    pub(crate) use async_monitor::local::*;
    pub(crate) use std::rc::Rc;
}

mod behaviours;

#[path = "../model/condition.rs"]
mod condition;
#[path = "../model/driver.rs"]
mod driver;
#[path = "../model/event.rs"]
mod event;
#[path = "../model/gate.rs"]
mod gate;
#[path = "../model/line.rs"]
mod line;
#[path = "../model/lock.rs"]
mod lock;
#[path = "../model/mutex.rs"]
mod mutex;
#[path = "../model/rwlock.rs"]
mod rwlock;
#[path = "../model/semaphore.rs"]
mod semaphore;
#[path = "../model/tasks.rs"]
mod tasks;
