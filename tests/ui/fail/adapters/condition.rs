//! A condition takes a lock again by a queue of ours.

use async_monitor::{Condition, Guarded};
use tokio::sync::Mutex;

#[derive(Guarded, Default)]
struct Jobs {
    lock: Mutex<()>,
    #[guarded_by(lock)]
    jobs: Guarded<Vec<u32>>,
}

async fn with_a_guard_of_tokio(mutex: &Mutex<u32>, condition: &Condition) {
    let guard = mutex.lock().await;
    condition.notify_one(&guard);
    let _guard = condition.wait(guard).await;
}

async fn with_a_guard_of_the_derive(jobs: &Jobs, condition: &Condition) {
    let guard = jobs.acquire_lock().await;
    condition.notify_one(&guard);
    let _guard = condition.wait(guard).await;
}

fn main() {}
