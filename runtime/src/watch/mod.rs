//! Watching at run time: what a lock hangs on.
//!
//! In builds with `debug_assertions`, and in others with the feature `watch`, the locks of
//! this crate know who holds them and who waits for them:
//!
//! - A section that asks for a lock which a section around it holds can never be granted. It
//!   **panics** at once, and names the lock and both places. It does so also where the request
//!   would be given up, as in `timeout(d, lock.acquire()).await`, and the section go on after
//!   that time in a build that does not watch. (`try_acquire` asks for what may be held.)
//! - Sections that wait for each other in a circle, and requests that were granted and not
//!   picked up, are **reported** once nothing has moved for [a second](set_threshold): to the
//!   hook of [`set_hook`], or else to stderr. Threads that are parked in a circle are reported
//!   when it closes.
//! - Locks that sections acquire within each other **in both orders**, or in orders that make a
//!   circle of up to five, are reported when that is seen, before anything hangs: by their class
//!   (`Account.ledger`), once for the same classes.
//! - Locks that are **held for [long](set_long_hold)** while others wait for them are reported.
//! - [`report`] lists, at any time, what is waited for and by whom, and [the locks that are
//!   held](Report::held) meanwhile: all that somebody waits for, however they were acquired, and
//!   those of sections that are suspended, or whose threads wait.
//! - Locks that live **outside of this process** (`async-monitor-distributed`) are named with
//!   their key, and who was last known to hold them, on which host.
//! - [`metrics`] counts, once it is [switched on](set_metrics), what sections do with the locks
//!   of each class: how often they acquire and wait, and for how long.
//! - `Debug` of a lock shows the section that holds it, and the place of a guard in the
//!   alternate form (`{:#?}`).
//!
//! [`IS_ON`] says whether it is so in this build. (On `wasm32-unknown-unknown`, where there is
//! no time, it never is.) Where it is not, all this costs nothing: no
//! instruction, no byte, no dependency; [`report`] is empty. Where it is, a wait is noted behind a
//! mutex of the process, and the first one starts a thread.
//!
//! # What is known
//!
//! A *section* (`#[synchronized]`, `with_lock!`) knows its fn, its locks, and the sections
//! that it runs in: each is on a list of its thread while an `.await` in its body is polled,
//! and while what cannot suspend runs. That is all of a plain fn and of an async one with
//! `no_await`; elsewhere, a body without an `.await` or a macro, and in builds with
//! `debug_assertions` also those statements of any other body that have neither.
//! (Of a body that only awaits its async locks, only in those builds.) A guard that is
//! acquired by hand is known by the place at which it was acquired, and belongs to no section: it
//! is listed once somebody waits for its lock. But a thread that waits for a sync lock which it
//! holds by a guard panics, too, in builds with `debug_assertions`, as no such guard is sent
//! away. An `.await` that a macro hides (`select!`) is not seen: a section that waits there is
//! listed once somebody waits for its lock, but not taken for the cause of a deadlock.
//!
//! Nothing is known of tasks, and nothing has to be.
//!
//! # Spans
//!
//! With the feature `tracing`, each section has a span, named `section`, of the target
//! `async_monitor` and the level `TRACE`, if somebody listens when it asks for its lock. Where
//! nobody does, nothing is done but a test. Its fields:
//!
//! | field | |
//! |---|---|
//! | `lock` | the names of its locks: `Account.ledger` |
//! | `section`, `place` | the name of its fn, or `with_lock!`; where it is written |
//! | `wait_us` | how long it waited for its locks, in microseconds: recorded at its end, as all that follow |
//! | `held_us` | how long it held all of them, if it did, in microseconds |
//! | `outcome` | `entered`, `timed_out`, `cancelled` (it was dropped at an `.await`, or before it had its locks), `panicked` |
//!
//! The span is entered while the section is polled: while it acquires, and while an `.await` in its
//! body is polled, as above, or the body of a plain fn runs, or one of a sync lock without a macro.
//! What its own statements log between two `.await`s is not in it, nor does it know of an `.await` that a macro hides. It belongs to
//! the section, never to the lock: a guard that is kept keeps no span. Sections of the
//! subscriber itself have none.
//!
//! # From outside
//!
//! With the feature `watch-signal`, on Unix, a process that has called `watch::on_signal` can
//! be asked while it hangs, also when all threads of its executors are blocked:
//! `kill -USR1 PID` makes it print the report, and `async-monitor ps PID`
//! (`cargo install async-monitor-cli`) shows it as a table, or as JSON.
//!
//! # As JSON
//!
//! With the feature `serde`, a [`Report`] serializes. The names of the fields are those here,
//! and part of the interface; times are in milliseconds, and named so:
//!
//! ```json
//! {
//!   "kind": "snapshot",
//!   "waits": [{
//!     "resource": "lock",
//!     "name": "Account.ledger",
//!     "instance": null,
//!     "id": "0x7ffd0a30",
//!     "mode": "exclusive",
//!     "place": { "file": "src/bank.rs", "line": 30, "column": 5 },
//!     "section": {
//!       "name": "deposit",
//!       "place": { "file": "src/bank.rs", "line": 30, "column": 5 },
//!       "condition": null
//!     },
//!     "since_ms": 1250,
//!     "granted": false,
//!     "has_condition_false": false,
//!     "last_acquired": { "file": "src/bank.rs", "line": 43, "column": 5 },
//!     "last_section": null,
//!     "last_holder": null,
//!     "holding": [],
//!     "behind": null,
//!     "circle": null
//!   }],
//!   "held": [],
//!   "orders": []
//! }
//! ```
//!
//! In `held` and `holding` are the `lock` (its name), `instance`, `id`, `mode`, `place`,
//! `section` and `since_ms`; in `behind`, `mode`, `place` and `section`. In `held`, the `mode`
//! may be null, and the `section` is null of a guard that was acquired by hand. The `mode` is
//! `"exclusive"`, `"shared"`, `"upgradable"`, `"upgrade"` or, of a semaphore,
//! `{"permits": 2}`. In `orders` are a `first` and a `then`, each with `lock`, `mode` and
//! `section`.
//!
//! So do [`Metrics`], whose times are in nanoseconds, as most are short, and named so:
//!
//! ```json
//! {
//!   "lock": "Account.ledger",
//!   "type_name": "bank::Account",
//!   "acquired": 3,
//!   "wait": { "count": 0, "total_ns": 0, "max_ns": 0, "histogram": [] },
//!   "held": {
//!     "count": 3,
//!     "total_ns": 5,
//!     "max_ns": 2,
//!     "histogram": [{ "at_most_ns": 1, "count": 1 }, { "at_most_ns": 2, "count": 2 }]
//!   }
//! }
//! ```
//!
//! # An example
//!
//! ```
//! use async_monitor::{Lock, watch};
//! use std::future::Future;
//! use std::pin::pin;
//! use std::task::{Context, Waker};
//!
//! let lock = Lock::new();
//! let _guard = lock.try_acquire();
//! let mut waiting = pin!(lock.acquire());
//! let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
//!
//! let report = watch::report();
//! if watch::IS_ON {
//!     let wait = report.waits.iter().find(|wait| wait.place.file() == file!());
//!     println!("{}", wait.expect("somebody waits for the lock"));
//! }
//! ```

#[cfg(feature = "serde")]
mod json;
mod metrics;
mod report;
#[cfg(all(unix, feature = "watch-signal"))]
mod signal;

use std::sync::{PoisonError, RwLock};
use std::time::Duration;

#[allow(unused_imports)] // in builds that do not watch
pub(crate) use self::metrics::BUCKETS;
pub use self::metrics::{Metrics, Times};
pub use self::report::{Behind, Held, Kind, Order, OrderedLock, Place, Report, SectionInfo, Wait};
#[cfg(all(unix, feature = "watch-signal"))]
pub use self::signal::{OnSignal, on_signal};
pub use crate::request::{Mode, Resource};

/// Whether this build of the crate watches.
///
/// ```
/// use async_monitor::watch;
///
/// if !watch::IS_ON {
///     println!("build with the feature `watch` to see who waits");
/// }
/// ```
pub const IS_ON: bool = cfg!(all(
    any(debug_assertions, feature = "watch"),
    not(any(
        async_monitor_loom,
        async_monitor_shuttle,
        all(target_family = "wasm", target_os = "unknown")
    ))
));

/// What is called with each report.
type Hook = fn(&Report);

static HOOK: RwLock<Hook> = RwLock::new(print_to_stderr);

/// Sets what is called with each report, instead of printing it to stderr.
///
/// It is called on a thread of its own, which holds no lock of this crate. While it runs,
/// nothing else is reported.
///
/// ```
/// use async_monitor::watch;
///
/// watch::set_hook(|report| eprintln!("{report}"));
/// ```
pub fn set_hook(hook: fn(&Report)) {
    *HOOK.write().unwrap_or_else(PoisonError::into_inner) = hook;
}

fn print_to_stderr(report: &Report) {
    std::eprintln!("{report}");
}

/// Calls the hook.
#[cfg_attr(
    not(all(
        any(debug_assertions, feature = "watch"),
        not(any(
            async_monitor_loom,
            async_monitor_shuttle,
            all(target_family = "wasm", target_os = "unknown")
        ))
    )),
    allow(dead_code)
)]
pub(crate) fn call_hook(report: &Report) {
    let hook = *HOOK.read().unwrap_or_else(PoisonError::into_inner);
    hook(report);
}

/// Sets for how long nothing must have moved before something is reported: a second, unless
/// this was called.
///
/// Waits are looked at four times in each threshold, but at least four times a second.
///
/// ```
/// use async_monitor::watch;
/// use std::time::Duration;
///
/// // A slow machine: nothing is reported that moves once in ten seconds.
/// watch::set_threshold(Duration::from_secs(10));
/// ```
pub fn set_threshold(threshold: Duration) {
    crate::watching::set_threshold(threshold);
}

/// Sets for how long a lock may be held before that is reported, as a [`Kind::LongHold`].
///
/// Unless this was called, that is ten seconds where others wait for the lock, and for ever where
/// nobody does. How long a lock has been held is counted from when that was first seen: since
/// others wait for it, or its section was suspended.
///
/// ```
/// use async_monitor::watch;
/// use std::time::Duration;
///
/// // Nothing is to be held for a minute, also if nobody waits for it.
/// watch::set_long_hold(Duration::from_secs(60));
/// ```
pub fn set_long_hold(limit: Duration) {
    crate::watching::set_long_hold(limit);
}

/// What is waited for in this process now, and the locks that are held meanwhile.
///
/// A snapshot: others go on while it is taken. It is empty where the build does not
/// [watch](IS_ON).
///
/// ```
/// use async_monitor::watch;
///
/// let report = watch::report();
/// println!("{} wait, {} locks are held", report.waits.len(), report.held.len());
/// println!("{report}");
/// ```
pub fn report() -> Report {
    crate::watching::report()
}

/// Sets whether it is counted what sections do with their locks, for [`metrics`]: not at first.
///
/// While it is not, nothing is done for it but one test. While it is, a section takes some
/// hundred nanoseconds more, as it looks at the clock for each lock that it acquires. What has
/// been counted stays when it is switched off.
///
/// ```
/// use async_monitor::watch;
///
/// watch::set_metrics(true);
/// // .. and from then on, what a page of metrics shows:
/// for class in watch::metrics() {
///     println!("{}: acquired {} times", class.lock, class.acquired);
/// }
/// ```
pub fn set_metrics(is_on: bool) {
    crate::watching::set_metrics(is_on);
}

/// What sections did with the locks of each class, while [`set_metrics`] was on. A snapshot:
/// others go on while it is taken. It is empty before, and where the build does not
/// [watch](IS_ON).
///
/// A class is a lock of a struct (`Account.ledger`), of all its instances. Times are those of a
/// clock that never goes back. What is counted, and how:
///
/// - Sections (`#[synchronized]`, `with_lock!`) are, each of their locks by itself. Guards that are
///   acquired by hand are not, as they belong to none.
/// - An acquisition is counted when it is done: a section that is cancelled before, or
///   meets its `timeout`, counts for nothing. One whose lock fails (`lock?`) does count.
/// - Whoever acquires a lock at once has not waited. The wait begins with the first poll, and in
///   a section of several locks with that of each lock. It includes that for the condition of
///   `when`. That a sync lock of another crate is waited for is not seen.
/// - A lock is held until its section ends, also while the section waits on a
///   [`Condition`](crate::Condition).
///
/// The memory for it is bounded: classes beyond the first 1024 are counted as one,
/// `(other classes)`, which is reported once ([`Kind::MetricsFull`]).
///
/// ```
/// # #[cfg(feature = "macros")] {
/// use async_monitor::{Mutex, watch, with_lock};
///
/// fn add_one(counter: &Mutex<u64>) {
///     with_lock!(counter, blocking, { *counter += 1 });
/// }
///
/// watch::set_metrics(true);
/// add_one(&Mutex::new(0));
/// for metrics in watch::metrics() {
///     println!("{}: {}, held for {:?}", metrics.lock, metrics.acquired, metrics.held.total);
///     assert_eq!((metrics.lock, metrics.acquired), ("counter", 1));
/// }
/// # }
/// ```
pub fn metrics() -> std::vec::Vec<Metrics> {
    crate::watching::metrics()
}
