//! The cost of a lock, compared with a bare advisory lock on the same server.
//!
//! ```text
//! examples/billing/database &
//! cargo run --release -p async-monitor-distributed --features postgres --example cost
//! ```
//!
//! The results are in `RESULTS.md`. The CPU time is that of this process, and of the server's
//! processes if the server runs on this machine (Linux). Times depend on the load of the machine;
//! CPU times and transactions hardly do.

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use async_monitor_distributed::Guard;
use async_monitor_distributed::postgres::Postgres;
use tokio_postgres::{Client, NoTls};

const DATABASE: &str = "host=127.0.0.1 port=54329 user=billing dbname=postgres";

type Failed = Box<dyn Error + Send + Sync>;

async fn client(database: &str) -> Result<Client, Failed> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// CPU time of a process, and of its children that have ended.
fn cpu(pid: &str) -> Option<(Duration, Duration)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may contain anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    let time = |ticks: u64| Duration::from_millis(10 * ticks);
    Some((time(ticks(11)? + ticks(12)?), time(ticks(13)? + ticks(14)?)))
}

fn parent(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.into())
}

/// What has been spent so far.
#[derive(Clone, Copy)]
struct Spent {
    /// A statement is one, in one round trip; and so is the delivery of a notification to a
    /// connection that listens.
    transactions: i64,
    server: Option<Duration>,
    here: Duration,
}

struct Observer {
    client: Client,
    server: Option<String>,
}

impl Observer {
    async fn new(database: &str) -> Result<Self, Failed> {
        let client = client(database).await?;
        let pid = client.query_one("select pg_backend_pid()", &[]).await?;
        let server = parent(pid.get(0));
        Ok(Observer { client, server })
    }

    /// A backend reports what it has done when it ends, which is when the session of a store has
    /// found that it is not used any more: at its next renewal.
    async fn spent(&self) -> Result<Spent, Failed> {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let count = "select xact_commit from pg_stat_database where datname = current_database()";
        let server = self.server.as_deref().and_then(cpu);
        Ok(Spent {
            transactions: self.client.query_one(count, &[]).await?.get(0),
            server: server.map(|(_, of_children)| of_children),
            here: cpu("self").map(|(own, _)| own).unwrap_or_default(),
        })
    }
}

/// Each waiter of an advisory lock needs a connection of its own.
async fn advisory(
    database: &str,
    tasks: usize,
    rounds: usize,
    fence: &'static str,
) -> Result<Duration, Failed> {
    let mut clients = Vec::new();
    for _ in 0..tasks {
        let client = client(database).await?;
        let lock = client.prepare("select pg_advisory_lock(42)").await?;
        let unlock = client.prepare("select pg_advisory_unlock(42)").await?;
        let fence = match fence {
            "" => None,
            fence => Some(client.prepare(fence).await?),
        };
        clients.push((client, lock, fence, unlock));
    }
    let start = Instant::now();
    let running: Vec<_> = clients
        .into_iter()
        .map(|(client, lock, fence, unlock)| {
            tokio::spawn(async move {
                for _ in 0..rounds {
                    client.query(&lock, &[]).await?;
                    if let Some(fence) = &fence {
                        client.query(fence, &[]).await?;
                    }
                    client.query(&unlock, &[]).await?;
                }
                Ok::<_, tokio_postgres::Error>(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    Ok(start.elapsed())
}

/// Half of the tasks in each of two processes, as it were.
async fn ours(database: &str, tasks: usize, rounds: usize) -> Result<Duration, Failed> {
    let stores = [
        Postgres::connect(database).await?,
        Postgres::connect(database).await?,
    ];
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            let lock = stores[task % 2].lock("cost");
            tokio::spawn(async move {
                for _ in 0..rounds {
                    let guard = lock.acquire().await?;
                    Guard::release(guard).await?;
                }
                Ok::<_, async_monitor_distributed::LockError>(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    Ok(start.elapsed())
}

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let database = std::env::args().nth(1);
    let database = database.as_deref().unwrap_or(DATABASE);
    let observer = Observer::new(database).await?;
    let table = "create table if not exists cost_fence (key int primary key, fence bigint); \
                 insert into cost_fence values (42, 0) on conflict do nothing";
    observer.client.batch_execute(table).await?;
    let fence = "update cost_fence set fence = fence + 1 where key = 42 returning fence";
    println!("| tasks | | acquisitions | each | transactions | CPU of the server | CPU here |");
    println!("|---|---|---|---|---|---|---|");
    for tasks in [1, 8, 64] {
        for name in [
            "advisory lock",
            "advisory lock, and a fence in a row",
            "this crate",
        ] {
            let rounds = 2000 / tasks;
            let count = u32::try_from(tasks * rounds)?;
            let before = observer.spent().await?;
            let took = match name {
                "advisory lock" => advisory(database, tasks, rounds, "").await?,
                "this crate" => ours(database, tasks, rounds).await?,
                _ => advisory(database, tasks, rounds, fence).await?,
            };
            let after = observer.spent().await?;
            let transactions = (after.transactions - before.transactions) as f64;
            let server = after.server.zip(before.server);
            let server = server.map_or("-".into(), |(after, before)| {
                format!("{:.0?}", (after - before) / count)
            });
            println!(
                "| {tasks} | {name} | {count} | {:.0?} | {:.1} | {server} | {:.0?} |",
                took / count,
                transactions / f64::from(count),
                (after.here - before.here) / count,
            );
        }
    }
    Ok(())
}
