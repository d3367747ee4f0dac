//! Every schedule of a test: for your own code that uses the primitives of this crate.
//!
//! A test of concurrent code runs one schedule, and another one the next day. A check runs the
//! same test in *every* schedule that matters, one after the other, on one thread, and drops each
//! task wherever it may be cancelled. Nothing is replaced: your types, your futures and the
//! primitives are those that you ship. It takes the feature `check`, as a dev-dependency.
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
//! The failure is the shortest schedule that was found, as a table, and a line that runs it again:
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
//! [`every_schedule`] does the same with the usual bounds, and panics with the table. With the
//! macros, `#[async_monitor::check]` on an `async fn` makes a test of it, in which [`spawn`]
//! makes the tasks.
//!
//! # What is tried
//!
//! The points at which tasks are switched are the operations of the primitives: acquisitions,
//! releases that make a difference, attempts, questions such as `is_locked`, `set`, `clear`,
//! notifications, permits, barriers, conditions (`when`) and timeouts, also those in code between
//! two awaits, as each task has a stack of its own. Schedules that differ only in the order of
//! operations which do not conflict end alike, and one of them is run. What conflicts is a table
//! of each primitive, and is tested against trying everything.
//!
//! - **Cancels.** A task may be dropped at each await at which it waits, or would wait in a schedule
//!   that is as good: [one in each run](Check::cancels), unless you ask for more. Where tasks then
//!   wait for what the cancelled one would have done (`when`, an `Event`, a `Condition`), that is
//!   no failure, unless you [say so](Check::cancels_may_starve). To wait for a lock that is held is
//!   one always.
//! - **Timeouts** expire when the schedule says so, whatever their durations.
//! - **Several locks** are acquired in one order in all runs, which does not depend on where they
//!   are in memory.
//! - **Threads** ([`Run::thread`]) are for code with the blocking forms and the locks of
//!   [`sync`](crate::sync). They run on the thread of the test as well.
//!
//! # What is proved, and under which premise
//!
//! If the check ends within its bounds ([`Outcome::is_proof`]), then no schedule of these tasks,
//! with up to so many cancels and timeouts, deadlocks, panics, or ends in a state in which a check
//! of [`finally`](Run::finally) fails. The premise is that **tasks share state through the
//! primitives of this crate alone**: what a lock guards, and what an operation returns. For guarded
//! fields the compiler sees to that. Not seen are
//!
//! - atomics, `Cell`s and `static`s that tasks share beside the primitives, and channels of
//!   others: what is done between two operations is one step. (Orderings of atomics are the
//!   business of loom.)
//! - a future of your own that remembers how often it was polled, or that has waited, and goes
//!   by it. `select!`, `join!` and timeouts are seen for what they are;
//! - what [`always`](Run::always) would find in states between those of the schedules that are run,
//!   where it looks at what several locks guard;
//! - the choice that `select!` of tokio or futures makes at random: use the biased form. A test
//!   that does not do the same in the same schedule is a failure, if it shows;
//! - parked threads that take over a grant, which only time could bring about.
//!
//! A wait for something that is not of this crate, and that no task brings about, is a failure that
//! says so: sockets, timers and tasks of a runtime are no part of a check.
//!
//! # How long it takes
//!
//! Three tasks of four sections over two locks have 3,606 classes of schedules, and 8,298 with a
//! cancel: about a second in a debug build. Each task and each section multiplies that. Test two or
//! three tasks, and give them little to do: most bugs need no more. Beyond, [`Check::sample`] runs
//! schedules at random, and proves nothing.

mod class;
mod engine;
mod failure;
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
