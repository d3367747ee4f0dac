//! A request for more permits than there ever are keeps all others waiting.

use async_monitor::Semaphore;

use crate::support::run_tasks;

async fn compress(memory: &Semaphore, blocks: usize) {
    let permits = memory.acquire_many(blocks).await;
    println!("{}", permits.num_permits());
}

pub fn run() {
    let memory: &'static Semaphore = Box::leak(Box::new(Semaphore::new(4)));
    run_tasks([Box::pin(compress(memory, 5)), Box::pin(compress(memory, 1))]);
}
