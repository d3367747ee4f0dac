//! A section that reads calls one that reads, and a writer has come in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, RwLock, synchronized};

use crate::support::task;

#[derive(Guarded, Default)]
struct Settings {
    #[lock(rw)]
    map: RwLock<()>,
    #[guarded_by(map)]
    entries: Guarded<BTreeMap<&'static str, &'static str>>,
}

impl Settings {
    #[synchronized(read(map))]
    async fn get(&self, key: &str) -> &'static str {
        map.entries.get(key).copied().unwrap_or_default()
    }

    #[synchronized(read(map))]
    async fn resolve(&self, key: &str) -> &'static str {
        let alias = map.entries.get(key).copied().unwrap_or_default();
        self.get(alias).await
    }

    #[synchronized(read(map))]
    async fn resolve_mended(&self, key: &str) -> &'static str {
        let alias = map.entries.get(key).copied().unwrap_or_default();
        map.entries.get(alias).copied().unwrap_or_default()
    }

    #[synchronized(map)]
    async fn set(&self, key: &'static str, value: &'static str) {
        map.entries.insert(key, value);
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let settings = Arc::new(Settings::default());
    task(run, "reader", &settings, move |settings| async move {
        if is_mended {
            settings.resolve_mended("colour").await;
        } else {
            settings.resolve("colour").await;
        }
    });
    task(run, "writer", &settings, |settings| async move {
        settings.set("colour", "green").await;
    });
}
