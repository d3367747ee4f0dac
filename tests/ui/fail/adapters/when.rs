//! The locks of other crates tell nobody that what they guard has changed.

use async_monitor::{Guarded, monitor, synchronized, with_lock};

#[derive(Guarded)]
struct Jobs {
    lock: tokio::sync::Mutex<()>,
    #[guarded_by(lock)]
    jobs: Guarded<Vec<u32>>,
    #[lock(rw)]
    config: async_lock::RwLock<()>,
    #[guarded_by(config)]
    limit: Guarded<u32>,
    state: futures::lock::Mutex<Vec<u32>>,
}

#[monitor]
impl Jobs {
    #[synchronized(lock, when = !lock.jobs.is_empty())]
    async fn next(&self) -> Option<u32> {
        lock.jobs.pop()
    }

    #[synchronized(read(config), when = *config.limit > 0)]
    async fn limit(&self) -> u32 {
        *config.limit
    }
}

async fn of_a_field(jobs: &Jobs) -> Option<u32> {
    with_lock!(jobs.state, when = !state.is_empty(), { state.pop() })
}

fn main() {}
