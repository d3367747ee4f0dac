//! A section awaits several futures at a time, and one of them asks for its lock.

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;
use futures::future::join_all;

#[derive(Guarded, Default)]
struct Cache {
    entries: Lock,
    #[guarded_by(entries)]
    values: Guarded<Vec<u64>>,
}

impl Cache {
    #[synchronized(entries)]
    async fn refresh(&self) {
        let keys = 0..3;
        let values = join_all(keys.map(|key| self.load(key))).await;
        *entries.values = values;
    }

    async fn load(&self, key: u64) -> u64 {
        key + self.len().await as u64
    }

    #[synchronized(entries)]
    async fn len(&self) -> usize {
        entries.values.len()
    }
}

pub fn run() {
    block_on(Cache::default().refresh());
}
