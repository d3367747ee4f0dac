//! Tasks that are made by tasks.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::boxed::Box;
use std::cell::RefCell;
use std::rc::Rc;

use super::session::{Body, current};
use crate::Event;

/// Adds a task to the current check. It may be cancelled where it waits.
///
/// # Panics
///
/// If it is called outside of a task of a check.
///
/// # Examples
///
/// ```
/// use async_monitor::check::{Check, spawn};
///
/// Check::new().cancels(0).every_schedule(|run| {
///     run.spawn("parent", async {
///         let child = spawn("child", async { 1 });
///         assert_eq!(child.await, Ok(1));
///     });
/// });
/// ```
pub fn spawn<T: 'static>(name: &str, future: impl Future<Output = T> + 'static) -> Joined<T> {
    let shared = Rc::new(Shared {
        ended: Event::new(),
        output: RefCell::new(None),
    });
    let ends = Ends(Rc::clone(&shared));
    let body = async move {
        let output = future.await;
        *ends.0.output.borrow_mut() = Some(output);
        drop(ends);
    };
    let body = Body::Future(Box::pin(body));
    let is_made = current(|session| {
        let is_task = session.is_task();
        if is_task {
            session.spawned.borrow_mut().push((name.into(), body));
        }
        is_task
    });
    assert!(
        is_made == Some(true),
        "`check::spawn` makes a task of the check that runs, and none does here"
    );
    let wait = Rc::clone(&shared);
    Joined {
        shared,
        wait: Box::pin(async move { wait.ended.wait().await }),
    }
}

struct Shared<T> {
    ended: Event,
    output: RefCell<Option<T>>,
}

/// Records that a task has ended, even if it is dropped.
struct Ends<T>(Rc<Shared<T>>);

impl<T> Drop for Ends<T> {
    fn drop(&mut self) {
        self.0.ended.set();
    }
}

/// A handle to a task of [`spawn`]. Awaiting it gives the result of the task.
///
/// ```
/// use async_monitor::check::{Check, Joined, spawn};
///
/// Check::new().cancels(0).every_schedule(|run| {
///     run.spawn("parent", async {
///         let children: Vec<Joined<u32>> = vec![spawn("one", async { 1 }), spawn("two", async { 2 })];
///         for (child, number) in children.into_iter().zip(1..) {
///             assert_eq!(child.await, Ok(number));
///         }
///     });
/// });
/// ```
#[must_use = "the task runs in any case; await this to wait for its end"]
pub struct Joined<T> {
    shared: Rc<Shared<T>>,
    wait: Pin<Box<dyn Future<Output = ()>>>,
}

/// The error of a task that was cancelled before it returned.
///
/// ```
/// use async_monitor::Event;
/// use async_monitor::check::{Cancelled, every_schedule, spawn};
/// use std::sync::Arc;
///
/// every_schedule(|run| {
///     run.spawn("parent", async {
///         let ready = Arc::new(Event::new());
///         let waits = Arc::clone(&ready);
///         let child = spawn("child", async move { waits.wait().await });
///         ready.set();
///         match child.await {
///             Ok(()) => {}
///             Err(Cancelled { .. }) => println!("it was cancelled where it waited"),
///         }
///     });
/// });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cancelled(());

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was cancelled")
    }
}

impl core::error::Error for Cancelled {}

impl<T> Future for Joined<T> {
    type Output = Result<T, Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.wait.as_mut().poll(cx).is_pending() {
            return Poll::Pending;
        }
        let output = self.shared.output.borrow_mut().take();
        Poll::Ready(output.ok_or(Cancelled(())))
    }
}

impl<T> fmt::Debug for Joined<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joined").finish_non_exhaustive()
    }
}
