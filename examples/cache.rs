//! A cache with single flight: however many tasks ask for a key at a time, one of them loads the
//! value, and the others wait for it. If the loading task is cancelled or panics, the next one
//! loads.
//!
//! A sync lock guards the map, because nothing suspends while it is held; the wait for a value is a
//! condition. A destructor removes the entry of a load that fails; it acquires the lock like any
//! other plain fn.
//!
//! ```text
//! cargo run --example cache
//! ```

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_monitor::{sync, synchronized};
use futures::future::join_all;
use tokio::time::{sleep, timeout};

enum Entry<V> {
    /// Somebody loads the value.
    Loading,
    Loaded(V),
}

struct Cache<V> {
    entries: sync::Mutex<HashMap<String, Entry<V>>>,
}

/// What a task finds in the cache.
enum Found<'c, V> {
    Value(V),
    /// Nothing: the task is the one to load it.
    Missing(Load<'c, V>),
}

/// A load that has begun.
struct Load<'c, V> {
    cache: &'c Cache<V>,
    key: String,
}

impl<V: Clone> Cache<V> {
    fn new() -> Self {
        Cache {
            entries: sync::Mutex::default(),
        }
    }

    /// The value of the key, which is loaded if it is not there.
    async fn get<F: Future<Output = V>>(&self, key: &str, load: impl FnOnce() -> F) -> V {
        match self.find(key).await {
            Found::Value(value) => value,
            Found::Missing(begun) => {
                let value = load().await;
                begun.finish(value.clone());
                value
            }
        }
    }

    /// Waits while somebody loads the value.
    #[synchronized(entries, when = !matches!(entries.get(key), Some(Entry::Loading)))]
    async fn find(&self, key: &str) -> Found<'_, V> {
        match entries.get(key) {
            Some(Entry::Loaded(value)) => Found::Value(value.clone()),
            _ => {
                entries.insert(key.to_owned(), Entry::Loading);
                Found::Missing(Load {
                    cache: self,
                    key: key.to_owned(),
                })
            }
        }
    }

    #[synchronized(read(entries))]
    fn len(&self) -> usize {
        entries.len()
    }
}

impl<V> Load<'_, V> {
    #[synchronized(self.cache.entries)]
    fn finish(&self, value: V) {
        entries.insert(self.key.clone(), Entry::Loaded(value));
    }
}

impl<V> Drop for Load<'_, V> {
    #[synchronized(self.cache.entries)]
    fn drop(&mut self) {
        if let Some(Entry::Loading) = entries.get(&self.key) {
            entries.remove(&self.key);
        }
    }
}

const TASKS: usize = 100;
const KEYS: usize = 5;

#[tokio::main]
async fn main() {
    let cache = Arc::new(Cache::new());
    let loads = Arc::new(AtomicUsize::new(0));

    // The first one to load is cancelled; nobody waits for it for ever.
    let cancelled = cache.get("key 0", std::future::pending);
    let gave_up = timeout(Duration::from_millis(10), cancelled).await.is_err();
    assert!(gave_up && cache.len() == 0);

    let tasks = (0..TASKS).map(|task| {
        let (cache, loads) = (Arc::clone(&cache), Arc::clone(&loads));
        tokio::spawn(async move {
            let key = format!("key {}", task % KEYS);
            let load = || async {
                loads.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(5)).await;
                key.len() + task % KEYS
            };
            assert_eq!(cache.get(&key, load).await, 5 + task % KEYS);
        })
    });
    for task in join_all(tasks).await {
        task.expect("no task panics");
    }
    println!("tasks: {TASKS}");
    println!("keys: {}", cache.len());
    println!("loads: {}", loads.load(Ordering::Relaxed));
}
