//! Faults around every kind of future: it is dropped at
//! every poll, forgotten, polled again after completion, its waker panics, its executor goes
//! away. The primitive must be as new afterwards, or as its documentation says.
//!
//! ```text
//! cargo test -p async-monitor --test faults
//! ```
//!
//! A future that is forgotten (`mem::forget`) while it is queued stays in the queue:
//! it is pinned, so its memory is not reused, which keeps
//! the queue sound. Safe code cannot forget a future that is pinned to the stack,
//! since `pin!` gives out nothing but a reference; and an unpinned one is not
//! queued (`futures_have_to_be_pinned`). Its borrows may be gone, though:
//! only its own poll uses them.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

mod blocked;

mod data;
mod executors;
mod futures_of_all_kinds;
#[path = "../support/random.rs"]
mod random;
mod wakers;
