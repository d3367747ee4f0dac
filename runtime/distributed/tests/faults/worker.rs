//! A process that writes numbers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_monitor::synchronized;
use async_monitor_distributed::{Lock, LockError};

use crate::backend::{Database, Failed, Numbers};
use crate::{KEYS, LEASE};

struct Writer<D: Database> {
    key: String,
    name: String,
    lock: Lock<D::Store, Numbers>,
    database: D,
    is_fenced: bool,
    /// Whether the next section waits to be told to go on.
    waits: AtomicBool,
}

impl<D: Database> Writer<D> {
    /// Returns the fence and the number that was written.
    #[synchronized(self.lock?)]
    async fn write_next(&self) -> Result<(u64, i64), Failed> {
        let (key, fence) = (&self.key, &lock.fence);
        let last = self.database.read(key, fence, self.is_fenced).await?;
        tokio::time::sleep(Duration::from_millis(random(20))).await;
        // Where to be stopped without a chance to notice: from here on, nothing awaits until
        // the write is sent.
        if self.waits.swap(false, Ordering::Relaxed) {
            println!("waits {key} {}", fence.number());
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(random(200)));
        let (next, name) = (last + 1, &self.name);
        let written = self.database.write(key, next, name, fence, self.is_fenced);
        written.await?;
        Ok((fence.number(), next))
    }
}

fn random(limit: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % limit
}

pub(crate) fn run<D: Database>(url: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let waits = std::env::var("WORKER_WAITS").is_ok();
        // One that waits keeps a thread, so it is alone.
        let writers = if waits { 1 } else { KEYS };
        let writers =
            (0..writers).map(|number| tokio::spawn(write::<D>(url.to_owned(), number, waits)));
        futures::future::join_all(writers).await;
    });
}

async fn write<D: Database>(url: String, number: u64, mut waits: bool) {
    let name = format!("{}-{number}", std::process::id());
    loop {
        let Some(store) = D::locks(&url).await else {
            tokio::time::sleep(LEASE / 10).await;
            continue;
        };
        // One for all keys: each is a lock of the same session.
        loop {
            let Some(database) = D::connect(&url).await else {
                tokio::time::sleep(LEASE / 10).await;
                continue;
            };
            let key = format!("k{}", random(KEYS));
            let mut writer = Writer {
                lock: D::lock(&store, &key),
                key,
                name: name.clone(),
                database,
                is_fenced: std::env::var("WORKER_UNFENCED").is_err(),
                waits: AtomicBool::new(std::mem::take(&mut waits)),
            };
            while !writer.database.is_closed() {
                writer.key = format!("k{}", random(KEYS));
                writer.lock = D::lock(&store, &writer.key);
                // A few give up, wherever they are.
                let patience = Duration::from_millis(match random(10) {
                    _ if *writer.waits.get_mut() => u64::from(u32::MAX),
                    0 => random(200),
                    _ => 10_000,
                });
                match tokio::time::timeout(patience, writer.write_next()).await {
                    Ok(Ok((fence, number))) => {
                        println!("ack {} {fence} {number}", writer.key);
                    }
                    Ok(Err(Failed::Lock(LockError::Lost(_)))) => println!("lost"),
                    Ok(Err(Failed::Stale)) => println!("stale"),
                    Ok(Err(_)) => {
                        println!("failed");
                        break;
                    }
                    Err(_) if patience > LEASE => break,
                    Err(_) => println!("gave up"),
                }
            }
        }
    }
}
