//! Runs a test in every schedule, for your own code that uses the primitives of this crate.
//!
//! A test of concurrent code runs one schedule, and another one the next day. A check runs the same
//! test in *every* schedule that matters, one after the other, on one thread, and drops each task
//! wherever it may be cancelled. Nothing is replaced: the test runs the types, futures and
//! primitives that you ship. It needs the feature `check`, in a dev-dependency.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_monitor::Mutex;
//! use async_monitor::check::Check;
//!
//! let failure = Check::new()
//!     .cancels(0)
//!     .run(|run| {
//!         let sum = Arc::new(Mutex::new(0));
//!         for name in ["ada", "bob"] {
//!             let sum = Arc::clone(&sum);
//!             run.spawn(name, async move {
//!                 let seen = *sum.lock().await;   // two sections,
//!                 *sum.lock().await = seen + 10;  // where one is needed
//!             });
//!         }
//!         run.finally(move || assert_eq!(*sum.try_lock().unwrap(), 20));
//!     })
//!     .unwrap_err();
//! println!("{failure}");
//! assert!(failure.what().starts_with("finally: "));
//! ```
//!
//! The failure is the shortest failing schedule found, as a table, with a line that replays it:
//!
//! ```text
//! step  task  what                            where
//!    1  ada   holds lock #0, and releases it  bank.rs:14
//!    2  bob   holds lock #0, and releases it  bank.rs:14
//!    3  bob   holds lock #0, and releases it  bank.rs:15
//!    4  ada   holds lock #0, and releases it  bank.rs:15
//!
//! => finally: assertion `left == right` failed ..
//!
//! ASYNC_MONITOR_REPLAY=0*3.1*5.0*2
//! ```
//!
//! [`every_schedule`] does the same with the default bounds, and panics with the table. With the
//! feature `macros`, `#[async_monitor::check]` makes a test of an `async fn`, in which [`spawn`]
//! creates the tasks.
//!
//! # What a check runs
//!
//! A check switches tasks at the operations of the primitives: acquisitions, releases that make a
//! difference, attempts, queries such as `is_locked`, `set`, `clear`, notifications, permits,
//! barriers, conditions (`when`) and timeouts. Because each task has a stack of its own, this
//! includes operations between two awaits. Schedules that differ only in the order of operations
//! that do not conflict have the same result, and one of them is run. Each primitive has a table of
//! conflicts, which is tested against a search that tries everything.
//!
//! - **Cancels.** A task may be dropped at each await at which it waits, or would wait in an
//!   equivalent schedule: [one in each run](Check::cancels), unless you ask for more. If tasks then
//!   wait for something that the cancelled one would have done (`when`, an `Event`, a `Condition`),
//!   this is not a failure, unless you [say so](Check::cancels_may_starve). Waiting for ever for a
//!   lock that is held is always a failure.
//! - **Timeouts** expire when the schedule says so, whatever their duration. Of those that a task
//!   awaits at one time, the first six can.
//! - **Several locks** are acquired in the same order in all runs, independent of their addresses.
//! - **Threads** ([`Run::thread`]) are for code that uses `*_blocking` methods and the locks of
//!   [`sync`](crate::sync). They run on the thread of the test as well.
//!
//! # What a check proves
//!
//! If the check ends within its bounds ([`Outcome::is_proof`]), then no schedule of these tasks,
//! within the bounds for cancels and timeouts, deadlocks, panics, or fails a check of
//! [`finally`](Run::finally). The premise is that **tasks share state only through the primitives
//! of this crate**: through guarded data and the results of operations. For guarded fields, the
//! compiler ensures that. A check does not see
//!
//! - atomics, `Cell`s and `static`s that tasks share besides the primitives, and channels of other
//!   crates: all code between two operations is one step. (For memory orderings, use loom.)
//! - a future of your own whose behaviour depends on how often it was polled, or on whether it has
//!   waited. `select!`, `join!` and timeouts are handled correctly;
//! - states of data behind several locks that occur only in schedules that are not run:
//!   [`always`](Run::always) does not see them;
//! - the random choice of the `select!` of tokio and futures: use the biased form. A test that
//!   behaves differently in the same schedule is a failure, if the check notices;
//! - parked threads that take over a grant, which only happens with time.
//!
//! A wait for something outside of this crate that no task brings about is a failure, which says
//! so: sockets, timers and tasks of a runtime cannot be part of a check.
//!
//! # How long it takes
//!
//! Three tasks of four sections over two locks have 3,606 classes of schedules, and 8,298 with a
//! cancel: about a second in a debug build. Each further task or section multiplies that. Test two
//! or three tasks, and give them little to do: most bugs need no more. For larger tests,
//! [`Check::sample`] runs random schedules, which proves nothing.

mod class;
mod engine;
mod failure;
mod hooks;
mod minimize;
mod names;
mod options;
mod quiet;
mod random;
mod relation;
mod report;
mod run;
mod running;
pub(crate) mod session;
mod spawn;
mod state;
mod table;
mod tasks;
mod trace;

pub use self::failure::Failure;
pub use self::report::{Check, Outcome, every_schedule};
pub use self::run::Run;
pub use self::spawn::{Cancelled, Joined, spawn};
