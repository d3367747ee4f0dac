//! Watching at run time: reports of deadlocks and of other waits that do not end.
//!
//! In builds with `debug_assertions` or the feature `watch`, the locks of this crate know their
//! holders and waiters:
//!
//! - A section that asks for a lock held by an enclosing section can never be granted it. It
//!   **panics** at once, and names the lock and both places. It also panics if a timeout would end
//!   the request, as in `timeout(d, lock.acquire()).await`; in builds that do not watch, the
//!   section would then go on after that time. (`try_acquire` may ask for a lock that is held.)
//! - Sections that wait for each other in a cycle, and requests that were granted but not picked
//!   up, are **reported** once nothing has moved for [a second](set_threshold): to the hook of
//!   [`set_hook`], or else to stderr. Parked threads in a cycle are reported as soon as the cycle
//!   closes.
//! - Locks that nested sections acquire **in both orders**, or in orders that form a cycle of up
//!   to five, are reported when that is first seen, before anything hangs. They are reported by
//!   class (`Account.ledger`), once for the same classes.
//! - Locks that are **held for [long](set_long_hold)** while others wait for them are reported.
//! - [`report`] lists, at any time, all waits and [the locks that are held](Report::held). In builds
//!   with `debug_assertions`, these are all locks of this crate that are held, and those of other
//!   crates whose sections are suspended. In optimized builds with the feature `watch`, they are
//!   the locks with a waiter, however they were acquired, and those of sections that are suspended
//!   or whose threads wait.
//! - Locks **outside of this process** (`async-monitor-distributed`) are reported with their key,
//!   and with the process and host that were last known to hold them.
//! - [`metrics`], once [switched on](set_metrics), counts for the locks of each class how often
//!   sections acquire them and wait, and for how long.
//! - `Debug` of a lock shows the section that holds it, and the place of a guard in the
//!   alternate form (`{:#?}`).
//!
//! [`IS_ON`] says whether this build watches. (Builds for `wasm32-unknown-unknown`, which has no
//! clock, never do.) If it does not, watching costs nothing: no instruction, no byte, no
//! dependency; and [`report`] is empty. If it does, each wait is recorded under a mutex of the
//! process, and the first wait starts a thread.
//!
//! # What is known
//!
//! A *section* (`#[synchronized]`, `with_lock!`) knows its fn, its locks, and its enclosing
//! sections. For this, a section is on a list of its thread while an `.await` in its body is
//! polled, and while code that cannot suspend runs. Such code is the whole body of a plain fn or of
//! an async fn with `no_await`; in other sections, a body without an `.await` or a macro, and in
//! builds with `debug_assertions` also the single statements without either. (For a body that only
//! awaits its async locks, only in those builds.)
//!
//! A guard that is acquired by hand belongs to no section, and is known by the place where it was
//! acquired. In optimized builds, it is listed once somebody waits for its lock. In builds with
//! `debug_assertions`, it is listed while it exists (and for ever if it was leaked; with several
//! thousand guards at a time, some may be missing). In these builds, a thread that waits for a sync
//! lock which it holds by a guard panics, too, because such a guard cannot be on another thread.
//!
//! An `.await` hidden in a macro (`select!`) is not seen: in optimized builds, a section that waits
//! there is listed once somebody waits for its lock. In no build is it taken for the cause of a
//! deadlock.
//!
//! Watching does not know tasks, and does not need to.
//!
//! # Spans
//!
//! With the feature `tracing`, each section has a span named `section`, with the target
//! `async_monitor` and the level `TRACE`, if a subscriber is interested when the section asks for
//! its lock. Otherwise, it costs only that test. The fields:
//!
//! | field | |
//! |---|---|
//! | `lock` | the names of its locks: `Account.ledger` |
//! | `section`, `place` | the name of its fn, or `with_lock!`; its place in the source |
//! | `wait_us` | how long it waited for its locks, in microseconds; this field and those below are recorded at its end |
//! | `held_us` | how long it held all its locks, in microseconds, if it had acquired all |
//! | `outcome` | `entered`, `timed_out`, `cancelled` (it was dropped at an `.await`, or before it had its locks), `panicked` |
//!
//! The span is entered while the section acquires its locks, while an `.await` in its body is
//! polled (see above), and while the body runs if it is that of a plain fn, or of a sync lock and
//! without a macro. Events that its own statements log between two `.await`s are outside of the
//! span, and so is an `.await` hidden in a macro. The span belongs to the section, never to the
//! lock: keeping a guard does not keep the span. Sections of the subscriber itself have no span.
//!
//! # From outside
//!
//! With the feature `watch-signal`, on Unix, a process that has called `watch::on_signal` can be
//! asked while it hangs, even if all threads of its executors are blocked. `kill -USR1 PID` makes
//! it print the report; `async-monitor ps PID` (`cargo install async-monitor-cli`) shows the report
//! as a table, or as JSON.
//!
//! # As JSON
//!
//! With the feature `serde`, a [`Report`] implements `Serialize`. The JSON fields have the names of
//! the struct fields, and are part of the stable interface. Times are in milliseconds, and their
//! names end in `_ms`:
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
//! The items of `held` and `holding` have the fields `lock` (its name), `instance`, `id`, `mode`,
//! `place`, `section` and `since_ms`; `behind` has `mode`, `place` and `section`. In `held`, the
//! `mode` may be null, and the `section` is null for a guard that was acquired by hand. The `mode`
//! is `"exclusive"`, `"shared"`, `"upgradable"`, `"upgrade"` or, for a semaphore, `{"permits": 2}`.
//! The items of `orders` have a `first` and a `then`, each with `lock`, `mode` and `section`.
//!
//! [`Metrics`] implement it, too. Their times are in nanoseconds, and the names end in `_ns`:
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

/// Sets the function that is called with each report, instead of printing the report to stderr.
///
/// The hook runs on a thread of its own, which holds no lock of this crate. While it runs, nothing
/// else is reported.
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

/// Sets how long nothing must have moved before a report is made. The default is one second.
///
/// Waits are checked four times in each threshold, but at least four times a second.
///
/// ```
/// use async_monitor::watch;
/// use std::time::Duration;
///
/// // On a slow machine: report only waits that have not moved for ten seconds.
/// watch::set_threshold(Duration::from_secs(10));
/// ```
pub fn set_threshold(threshold: Duration) {
    crate::watching::set_threshold(threshold);
}

/// Sets how long a lock may be held before it is reported as a [`Kind::LongHold`].
///
/// The default is ten seconds for a lock that others wait for, and no limit for other locks. The
/// time is counted from when watching first sees the lock held: once others wait for it, or once
/// its section is suspended.
///
/// ```
/// use async_monitor::watch;
/// use std::time::Duration;
///
/// // Report each lock that is held for a minute, even without waiters.
/// watch::set_long_hold(Duration::from_secs(60));
/// ```
pub fn set_long_hold(limit: Duration) {
    crate::watching::set_long_hold(limit);
}

/// A report of all current waits in this process, and of the locks that are held.
///
/// It is a snapshot: other threads go on while it is taken. It is empty if the build does not
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

/// Switches the counting of acquisitions and waits for [`metrics`] on or off. It is off by default.
///
/// While it is off, it costs one test. While it is on, a section takes some hundred nanoseconds
/// more, because it reads the clock for each lock that it acquires. Switching it off keeps the
/// counts.
///
/// ```
/// use async_monitor::watch;
///
/// watch::set_metrics(true);
/// // .. and later, for a page of metrics:
/// for class in watch::metrics() {
///     println!("{}: acquired {} times", class.lock, class.acquired);
/// }
/// ```
pub fn set_metrics(is_on: bool) {
    crate::watching::set_metrics(is_on);
}

/// For each class of locks, how often sections acquired and waited while [`set_metrics`] was on,
/// and for how long. It is a snapshot: other threads go on while it is taken. It is empty before,
/// and if the build does not [watch](IS_ON).
///
/// A class is a lock field of a struct (`Account.ledger`), with all its instances. Times are from a
/// monotonic clock. The rules of counting:
///
/// - Sections (`#[synchronized]`, `with_lock!`) are counted, each of their locks separately. Guards
///   that are acquired by hand are not counted, because they belong to no section.
/// - An acquisition is counted when it completes. A section that is cancelled or times out before
///   is not counted; a section whose lock fails (`lock?`) is.
/// - An acquisition that succeeds at once is no wait. A wait begins with the first poll; in a
///   section of several locks, with the first poll of each lock. It includes the wait for the
///   condition of `when`. Waits for a sync lock of another crate are not seen.
/// - A lock counts as held until its section ends, even while the section waits on a
///   [`Condition`](crate::Condition).
///
/// Memory is bounded: classes beyond the first 1024 are counted as one class, `(other classes)`.
/// This is reported once ([`Kind::MetricsFull`]).
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
