//! What the tests of watching share.

#![allow(dead_code)]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::{self, Kind, Report};
use futures::future;

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

pub fn reports() -> MutexGuard<'static, Vec<Report>> {
    REPORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps all reports from now on.
pub fn watching(threshold: Duration) {
    static SET: Once = Once::new();
    SET.call_once(|| {
        watch::set_threshold(threshold);
        watch::set_hook(|report| {
            reports().push(report.clone());
            let text = report.to_string();
            assert!(!text.contains("Panics."), "a hook that panics");
        });
    });
}

/// The reports of which `is_meant` is true, in a while.
pub fn reported(is_meant: impl Fn(&Report) -> bool) -> Vec<Report> {
    let begin = Instant::now();
    loop {
        let meant: Vec<_> = reports()
            .iter()
            .filter(|report| is_meant(report))
            .cloned()
            .collect();
        if !meant.is_empty() || begin.elapsed() > Duration::from_secs(10) {
            return meant;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// The one report of the kind that is about a lock of that struct.
#[track_caller]
pub fn one(kind: Kind, name: &str) -> Report {
    let mut reports = reported(|report| report.kind == kind && is_about(report, name));
    assert_eq!(reports.len(), 1, "{reports:#?}");
    reports.remove(0)
}

/// Nothing of the kind has been reported of the struct.
#[track_caller]
pub fn none(kind: Kind, name: &str) {
    let reports = reports();
    let of_it = reports
        .iter()
        .filter(|report| report.kind == kind && is_about(report, name));
    assert_eq!(of_it.count(), 0, "{reports:#?}");
}

pub fn is_about(report: &Report, name: &str) -> bool {
    report.waits.iter().any(|wait| wait.name.starts_with(name))
        || report.held.iter().any(|held| held.lock.starts_with(name))
        || report
            .orders
            .iter()
            .any(|order| order.first.lock.starts_with(name))
}

/// What the code panics with.
#[track_caller]
pub fn panic_of<R>(code: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(code)) else {
        panic!("it did not panic");
    };
    *panic.downcast::<String>().expect("a message")
}

pub fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
}

/// The future, after a poll that is pending.
#[track_caller]
pub fn waiting<F: Future>(future: F) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending());
    future
}

/// Pending once, and woken by nobody.
pub fn pause() -> impl Future<Output = ()> {
    let mut polled = false;
    future::poll_fn(move |_| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

/// What a future has returned.
pub struct Ready<T>(pub T);

impl<T> Ready<T> {
    #[track_caller]
    pub fn of<F: Future<Output = T>>(future: &mut Pin<Box<F>>) -> Self {
        match poll(future) {
            Poll::Ready(output) => Ready(output),
            Poll::Pending => panic!("it is pending"),
        }
    }
}
