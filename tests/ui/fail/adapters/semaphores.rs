//! A semaphore excludes nobody, and one of tokio's can be closed.

use async_monitor::{Guarded, synchronized};

#[derive(Guarded)]
struct OfTokio {
    permits: tokio::sync::Semaphore,
    #[guarded_by(permits)]
    balance: Guarded<i64>,
}

#[derive(Guarded)]
struct OfAsyncLock {
    permits: async_lock::Semaphore,
    #[guarded_by(permits)]
    balance: Guarded<i64>,
}

struct Limited {
    permits: tokio::sync::Semaphore,
}

impl Limited {
    #[synchronized(permits)]
    async fn cannot_fail(&self) {}
}

fn main() {}
