//! A future that waits for a lock is polled by a `select!` and then left alone, while the
//! same task asks for the lock again. The lock is handed to the future that is left alone.

use std::pin::pin;

use async_monitor::Mutex;
use futures::FutureExt;
use futures::future::select;

use crate::support::{a_moment, global, run_tasks};

async fn request(count: &Mutex<u64>) {
    let mut first = pin!(increment(count));
    {
        let tick = pin!(async {
            a_moment().await;
            a_moment().await;
        });
        select(first.as_mut(), tick).map(drop).await;
    }
    // The timeout: `first` still exists, and has the lock.
    increment(count).await;
    first.await;
}

async fn increment(count: &Mutex<u64>) {
    *count.lock().await += 1;
}

async fn in_the_way(count: &Mutex<u64>) {
    let guard = count.lock().await;
    for _ in 0..3 {
        a_moment().await;
    }
    drop(guard);
}

pub fn run() {
    let count: &Mutex<u64> = global();
    run_tasks([Box::pin(in_the_way(count)), Box::pin(request(count))]);
}
