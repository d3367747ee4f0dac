//! Futures on an executor that polls only woken futures: a lost wake-up
//! shows.

use std::future::{Future, poll_fn};
use std::mem;
use std::task::Poll;

use crate::support::{Task, Waiter};

/// Lets others run, once.
pub(crate) async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// A future that, after its first poll, is polled only once it has been woken.
pub(crate) struct Scheduled<'a> {
    waiter: Waiter<dyn Future<Output = ()> + 'a>,
    /// How often it had been woken before its last poll.
    seen: Option<usize>,
    done: bool,
}

impl<'a> Scheduled<'a> {
    pub(crate) fn new(future: impl Future<Output = ()> + 'a) -> Self {
        Scheduled {
            waiter: Waiter {
                task: Task::new(),
                future: Box::pin(future),
            },
            seen: None,
            done: false,
        }
    }

    /// Whether it has to be polled.
    pub(crate) fn is_due(&self) -> bool {
        !self.done && self.seen != Some(self.waiter.wakes())
    }

    /// Whether it has completed.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// Another task polls it from here on.
    pub(crate) fn move_to(&mut self, task: Task) {
        self.waiter.task = task;
    }

    /// One poll.
    pub(crate) fn poll(&mut self) {
        self.seen = Some(self.waiter.wakes());
        self.done = self.waiter.poll().is_ready();
    }

    /// Polls all that are due until none is.
    pub(crate) fn run(all: &mut [Self]) {
        while let Some(due) = all.iter_mut().find(|one| one.is_due()) {
            due.poll();
        }
    }
}
