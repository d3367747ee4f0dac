//! Locks of other crates in the notation.

mod cost;
mod derive;
mod ids;
mod mixed;
mod sections;
mod watched;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets others run.
async fn yields() {
    let mut is_done = false;
    std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::replace(&mut is_done, true) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

/// The same tests for each mutex.
macro_rules! for_each_mutex {
    ($test:ident) => {
        mod of_tokio {
            use ::tokio::sync::Mutex;
            super::$test!();
        }
        mod of_async_lock {
            use ::async_lock::Mutex;
            super::$test!();
        }
        mod of_futures {
            use ::futures::lock::Mutex;
            super::$test!();
        }
    };
}

/// The same tests for each reader-writer lock.
macro_rules! for_each_rw_lock {
    ($test:ident) => {
        mod rw_of_tokio {
            use ::tokio::sync::RwLock;
            super::$test!();
        }
        mod rw_of_async_lock {
            use ::async_lock::RwLock;
            super::$test!();
        }
    };
}

pub(crate) use {for_each_mutex, for_each_rw_lock};
