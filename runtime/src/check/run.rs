//! The contents of a run: the tasks and the checks of a test.

use core::future::Future;
use std::boxed::Box;
use std::string::String;
use std::vec::Vec;

use super::session::{Body, current};

/// One run of a test, to which the test adds its tasks and checks.
///
/// The closure of [`every_schedule`](super::every_schedule) is called once for each run, and
/// creates everything anew.
///
/// ```
/// use async_monitor::check::every_schedule;
/// use async_monitor::sync::Mutex;
/// use std::sync::Arc;
///
/// every_schedule(|run| {
///     let count = Arc::new(Mutex::new(0));
///     for name in ["one", "two"] {
///         let count = Arc::clone(&count);
///         run.spawn(name, async move { *count.lock() += 1 });
///     }
///     run.finally(move || assert!(*count.lock() <= 2));
/// });
/// ```
#[derive(Default)]
pub struct Run {
    bodies: Vec<(String, Body)>,
    always: Vec<Box<dyn Fn()>>,
    finally: Vec<Box<dyn FnOnce()>>,
}

/// The parts of a run.
pub(super) type Parts = (
    Vec<(String, Body)>,
    Vec<Box<dyn Fn()>>,
    Vec<Box<dyn FnOnce()>>,
);

impl Run {
    pub(super) fn new() -> Self {
        Run::default()
    }

    pub(super) fn into_parts(self) -> Parts {
        (self.bodies, self.always, self.finally)
    }

    /// Adds a task, which may be cancelled where it waits.
    ///
    /// ```
    /// use async_monitor::{Event, check::every_schedule};
    /// use std::sync::Arc;
    ///
    /// every_schedule(|run| {
    ///     let ready = Arc::new(Event::new());
    ///     let waiter = Arc::clone(&ready);
    ///     run.spawn("waiter", async move { waiter.wait().await });
    ///     run.spawn("setter", async move { ready.set() });
    /// });
    /// ```
    pub fn spawn(&mut self, name: &str, future: impl Future<Output = ()> + 'static) {
        self.push(name, Body::Future(Box::pin(future)));
    }

    /// Adds a task that is never cancelled and need not end, such as a server. It is dropped once
    /// it waits and all other tasks have ended.
    ///
    /// ```
    /// use async_monitor::{Semaphore, check::every_schedule};
    /// use std::sync::Arc;
    ///
    /// every_schedule(|run| {
    ///     let jobs = Arc::new(Semaphore::new(0));
    ///     let server = Arc::clone(&jobs);
    ///     run.background("server", async move {
    ///         loop {
    ///             server.acquire().await.forget();
    ///         }
    ///     });
    ///     run.spawn("client", async move { jobs.add_permits(1) });
    /// });
    /// ```
    pub fn background(&mut self, name: &str, future: impl Future<Output = ()> + 'static) {
        self.push(name, Body::Background(Box::pin(future)));
    }

    /// Adds a thread, for code that is not async and uses `*_blocking` methods. It is never
    /// cancelled.
    ///
    /// Like all tasks, it runs on the thread of the test, so all share the same thread-locals.
    ///
    /// ```
    /// use async_monitor::{Mutex, check::every_schedule};
    /// use std::sync::Arc;
    ///
    /// every_schedule(|run| {
    ///     let count = Arc::new(Mutex::new(0));
    ///     let of_thread = Arc::clone(&count);
    ///     run.thread("thread", move || *of_thread.lock_blocking() += 1);
    ///     run.spawn("task", async move { *count.lock().await += 1 });
    /// });
    /// ```
    pub fn thread(&mut self, name: &str, run: impl FnOnce() + 'static) {
        self.push(name, Body::Thread(Box::new(run)));
    }

    /// Adds a check that runs after each step. It panics if it fails: use `assert!`.
    ///
    /// It runs outside of all tasks, and can access guarded data through `try_` methods. If it
    /// reads data behind several locks, it sees only the states of the schedules that are run, one
    /// of each class.
    ///
    /// ```
    /// use async_monitor::{Mutex, check::every_schedule};
    /// use std::sync::Arc;
    ///
    /// every_schedule(|run| {
    ///     let pair = Arc::new(Mutex::new((0, 0)));
    ///     let writer = Arc::clone(&pair);
    ///     run.spawn("writer", async move {
    ///         let mut pair = writer.lock().await;
    ///         pair.0 += 1;
    ///         pair.1 += 1;
    ///     });
    ///     run.always(move || {
    ///         if let Some(pair) = pair.try_lock() {
    ///             assert_eq!(pair.0, pair.1);
    ///         }
    ///     });
    /// });
    /// ```
    pub fn always(&mut self, check: impl Fn() + 'static) {
        self.always.push(Box::new(check));
    }

    /// Adds a check for the end of a run, when all tasks have ended or wait for something that a
    /// cancelled task would have done.
    ///
    /// ```
    /// use async_monitor::{Mutex, check::Check};
    /// use std::sync::Arc;
    ///
    /// Check::new().cancels(0).every_schedule(|run| {
    ///     let count = Arc::new(Mutex::new(0));
    ///     for name in ["one", "two"] {
    ///         let count = Arc::clone(&count);
    ///         run.spawn(name, async move { *count.lock().await += 1 });
    ///     }
    ///     run.finally(move || assert_eq!(*count.try_lock().expect("all have ended"), 2));
    /// });
    /// ```
    pub fn finally(&mut self, check: impl FnOnce() + 'static) {
        self.finally.push(Box::new(check));
    }

    /// Gives the primitives in `value` a name, for the table of a failure. Locks of a derived
    /// struct that sections acquire have a name already.
    ///
    /// ```
    /// use async_monitor::{Lock, check::every_schedule};
    /// use std::sync::Arc;
    ///
    /// every_schedule(|run| {
    ///     let printer = Arc::new(Lock::new());
    ///     run.name("printer", &*printer);
    ///     run.spawn("task", async move { drop(printer.acquire().await) });
    /// });
    /// ```
    pub fn name<T: ?Sized>(&mut self, name: &str, value: &T) {
        current(|session| {
            let address = (&raw const *value).addr();
            let mut names = session.names.borrow_mut();
            names.give(address, size_of_val(value), name);
        });
    }

    pub(super) fn uncancelled(&mut self, name: &str, future: impl Future<Output = ()> + 'static) {
        self.push(name, Body::Uncancelled(Box::pin(future)));
    }

    fn push(&mut self, name: &str, body: Body) {
        self.bodies.push((name.into(), body));
    }
}

impl core::fmt::Debug for Run {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names: Vec<&str> = self.bodies.iter().map(|body| &*body.0).collect();
        f.debug_struct("Run")
            .field("tasks", &names)
            .finish_non_exhaustive()
    }
}
