//! A section that reads calls one that reads, and a writer has come in between.

use std::collections::BTreeMap;

use async_monitor::{Guarded, RwLock, synchronized};

use crate::support::{a_moment, global, run_tasks};

#[derive(Guarded, Default)]
struct Settings {
    #[lock(rw)]
    map: RwLock<()>,
    #[guarded_by(map)]
    entries: Guarded<BTreeMap<&'static str, &'static str>>,
}

impl Settings {
    #[synchronized(read(map))]
    async fn get(&self, key: &str) -> Option<&'static str> {
        map.entries.get(key).copied()
    }

    #[synchronized(read(map))]
    async fn resolve(&self, key: &str) -> Option<&'static str> {
        a_moment().await;
        let alias = map.entries.get(key).copied().unwrap_or_default();
        self.get(alias).await
    }

    #[synchronized(map)]
    async fn set(&self, key: &'static str, value: &'static str) {
        map.entries.insert(key, value);
    }
}

pub fn run() {
    let settings: &Settings = global();
    run_tasks([
        Box::pin(async { println!("{:?}", settings.resolve("colour").await) }),
        Box::pin(settings.set("colour", "green")),
    ]);
}
