//! No hang: a section asks for a second lock, gives up, and does something else for a while.
//! Meanwhile the holder of the second waits for the first.

use std::pin::pin;
use std::time::Duration;

use async_monitor::{Lock, with_lock};
use futures::future::select;

use crate::support::{a_moment, after, global, run_tasks};

#[derive(Default)]
struct Pair {
    left: Lock,
    right: Lock,
}

impl Pair {
    async fn gives_up(&self) {
        with_lock!(self.left, {
            a_moment().await;
            self.tries_right().await;
            // Longer than the threshold.
            after(Duration::from_millis(350)).await;
        })
    }

    async fn tries_right(&self) {
        let timeout = pin!(a_moment());
        let right = pin!(self.right.acquire());
        drop(select(right, timeout).await);
    }

    async fn waits(&self) {
        with_lock!(self.right, {
            a_moment().await;
            with_lock!(self.left, {
                a_moment().await;
            })
        })
    }
}

pub fn run() {
    let pair: &Pair = global();
    run_tasks([Box::pin(pair.gives_up()), Box::pin(pair.waits())]);
}
