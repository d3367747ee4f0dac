//! A process that writes numbers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_monitor::synchronized;
use async_monitor_distributed::postgres::{FenceError, Options, PostgresLock};
use async_monitor_distributed::{Fenced, LockError};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use crate::{KEYS, LEASE};

struct Numbers;

struct Writer {
    key: String,
    name: String,
    lock: PostgresLock<Numbers>,
    database: Fenced<Client, Numbers>,
    is_fenced: bool,
    /// Whether the next section waits to be told to go on.
    waits: AtomicBool,
}

#[derive(Debug)]
#[allow(dead_code)] // printed
enum Failed {
    Lock(LockError),
    Fence(FenceError),
    Database(tokio_postgres::Error),
}

impl From<LockError> for Failed {
    fn from(error: LockError) -> Self {
        Failed::Lock(error)
    }
}

impl From<FenceError> for Failed {
    fn from(error: FenceError) -> Self {
        Failed::Fence(error)
    }
}

const READ: &str = "select coalesce(max(number), 0)::int8 from history where key = $1";
const WRITE: &str = "insert into history (key, fence, number, worker) values ($1, $2, $3, $4)";

impl Writer {
    /// Returns the fence and the number that was written.
    #[synchronized(self.lock?)]
    async fn write_next(&self) -> Result<(u64, i64), Failed> {
        let database = self.database.with(&lock.fence);
        let fence = lock.fence.number() as i64;
        let read: [(&(dyn ToSql + Sync), Type); 1] = [(&self.key, Type::TEXT)];
        let last: i64 = if self.is_fenced {
            database.query(READ, &read).await?[0].get(0)
        } else {
            let rows = self.database.unfenced().query_typed(READ, &read).await;
            rows.map_err(Failed::Database)?[0].get(0)
        };
        tokio::time::sleep(Duration::from_millis(random(20))).await;
        // Where to be stopped without a chance to notice: from here on, nothing awaits until
        // the write is sent.
        if self.waits.swap(false, Ordering::Relaxed) {
            println!("waits {} {fence}", self.key);
            std::io::stdin().read_line(&mut String::new()).unwrap();
        }
        std::thread::sleep(Duration::from_millis(random(200)));
        let next = last + 1;
        let write: [(&(dyn ToSql + Sync), Type); 4] = [
            (&self.key, Type::TEXT),
            (&fence, Type::INT8),
            (&next, Type::INT8),
            (&self.name, Type::TEXT),
        ];
        if self.is_fenced {
            database.execute(WRITE, &write).await?;
        } else {
            let written = self.database.unfenced().execute_typed(WRITE, &write).await;
            written.map_err(Failed::Database)?;
        }
        Ok((lock.fence.number(), next))
    }
}

fn random(limit: u64) -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) % limit
}

pub(crate) fn run(url: &str) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let waits = std::env::var("WORKER_WAITS").is_ok();
        // One that waits keeps a thread, so it is alone.
        let writers = if waits { 1 } else { KEYS };
        let writers = (0..writers).map(|number| tokio::spawn(write(url.to_owned(), number, waits)));
        futures::future::join_all(writers).await;
    });
}

async fn write(url: String, number: u64, mut waits: bool) {
    let name = format!("{}-{number}", std::process::id());
    loop {
        let store = Options::new(&url)
            .unwrap()
            .lease(LEASE)
            .creates_schema(false);
        let Ok(store) = store.connect().await else {
            tokio::time::sleep(LEASE / 10).await;
            continue;
        };
        // One for all keys: each is a lock of the same session.
        loop {
            let connected = tokio_postgres::connect(&url, NoTls).await;
            let Ok((client, connection)) = connected else {
                tokio::time::sleep(LEASE / 10).await;
                continue;
            };
            let connection = tokio::spawn(connection);
            let key = format!("k{}", random(KEYS));
            let mut writer = Writer {
                lock: store.lock_for(&key),
                key,
                name: name.clone(),
                database: Fenced::new(client),
                is_fenced: std::env::var("WORKER_UNFENCED").is_err(),
                waits: AtomicBool::new(std::mem::take(&mut waits)),
            };
            while !writer.database.unfenced().is_closed() {
                writer.key = format!("k{}", random(KEYS));
                writer.lock = store.lock_for(&writer.key);
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
                    Ok(Err(Failed::Fence(FenceError::Stale(_)))) => println!("stale"),
                    Ok(Err(_)) => {
                        println!("failed");
                        break;
                    }
                    Err(_) if patience > LEASE => break,
                    Err(_) => println!("gave up"),
                }
            }
            connection.abort();
        }
    }
}
