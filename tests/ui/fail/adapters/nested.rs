//! What `#[monitor]` can see to deadlock, it sees over these locks, too.

use async_monitor::{Guarded, monitor, synchronized, with_lock};

#[derive(Guarded)]
struct Jobs {
    lock: tokio::sync::Mutex<()>,
    #[guarded_by(lock)]
    jobs: Guarded<Vec<u32>>,
}

#[monitor]
impl Jobs {
    #[synchronized(lock)]
    async fn push(&self, job: u32) {
        lock.jobs.push(job);
    }

    #[synchronized(lock)]
    async fn push_twice(&self, job: u32) {
        lock.jobs.push(job);
        self.push(job).await;
    }

    #[synchronized(lock)]
    async fn by_hand(&self) {
        lock.jobs.clear();
        drop(self.lock.lock().await);
    }
}

struct Plain {
    first: async_lock::Mutex<u32>,
    second: tokio::sync::RwLock<u32>,
}

#[monitor(plain)]
impl Plain {
    #[synchronized(first)]
    async fn first_then_second(&self) {
        with_lock!(self.second, { *first += *second });
    }

    #[synchronized(second)]
    async fn second_then_first(&self) {
        with_lock!(self.first, { *second += *first });
    }

    #[synchronized(second)]
    async fn by_hand(&self) {
        *second += 1;
        drop(self.second.read().await);
    }

    #[synchronized(first)]
    async fn by_hand_first(&self) {
        *first += 1;
        drop(self.first.lock().await);
    }
}

fn main() {}
