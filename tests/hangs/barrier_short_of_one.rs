//! Three are expected at a barrier, and one has failed before.

use async_monitor::Barrier;

use crate::support::{Task, run_tasks};

async fn work(barrier: &Barrier, input: &str) -> Option<u32> {
    let number = input.parse().ok()?;
    barrier.wait().await.ok()?;
    Some(number)
}

pub fn run() {
    let barrier: &'static Barrier = Box::leak(Box::new(Barrier::new(3)));
    let task = |input: &'static str| -> Task {
        Box::pin(async move {
            work(barrier, input).await;
        })
    };
    run_tasks([task("1"), task("2"), task("three")]);
}
