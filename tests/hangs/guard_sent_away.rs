//! A guard is sent to a task that keeps it, and waits for something else.

use async_monitor::{Lock, OwnedLockGuard};
use futures::StreamExt;
use futures::channel::mpsc;
use std::sync::Arc;

use crate::support::run_tasks;

async fn lend(lock: Arc<Lock>, mut to: mpsc::Sender<OwnedLockGuard>) {
    let guard = lock.acquire_owned().await;
    let _ = to.try_send(guard);
    // Wants it back.
    drop(lock.acquire().await);
}

async fn keep(mut from: mpsc::Receiver<OwnedLockGuard>) {
    let guard = from.next().await;
    std::future::pending::<()>().await;
    drop(guard);
}

pub fn run() {
    let (to, from) = mpsc::channel(1);
    run_tasks([Box::pin(lend(Arc::default(), to)), Box::pin(keep(from))]);
}
