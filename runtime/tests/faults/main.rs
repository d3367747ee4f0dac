//! What can go wrong around a future, for every future there is: it is dropped at
//! every poll, forgotten, polled once more, its waker panics, its executor goes
//! away. The primitive must be as new afterwards, or as its documentation says.
//!
//! ```text
//! cargo test -p async-monitor --test faults
//! ```
//!
//! A future that is forgotten (`mem::forget`) while it stands in line stays there:
//! it is pinned, so its memory is not used for anything else, which is what keeps
//! the line sound. Safe code cannot forget a future that is pinned to the stack,
//! since `pin!` gives out nothing but a reference; and an unpinned one is in no
//! line (`futures_have_to_be_pinned`). What such a future borrows may be gone, though:
//! nobody but its own poll touches that.
#![cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]

mod blocked;

mod data;
mod executors;
mod futures_of_all_kinds;
#[path = "../support/random.rs"]
mod random;
mod wakers;
