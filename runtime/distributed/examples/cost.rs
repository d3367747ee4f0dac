//! What a lock costs beside a bare advisory lock, on the same server.
//!
//! ```text
//! examples/billing/database &
//! cargo run --release -p async-monitor-distributed --features postgres --example cost
//! ```

use std::error::Error;
use std::time::{Duration, Instant};

use async_monitor_distributed::Guard;
use async_monitor_distributed::postgres::Postgres;
use tokio_postgres::{Client, NoTls};

const DATABASE: &str = "host=127.0.0.1 port=54329 user=billing dbname=postgres";

async fn client(database: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// The transactions of the database so far. Each statement is one, in one round trip.
async fn transactions(client: &Client) -> Result<i64, tokio_postgres::Error> {
    // A backend reports what it has done when it is idle for a second.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let count = "select xact_commit from pg_stat_database where datname = current_database()";
    Ok(client.query_one(count, &[]).await?.get(0))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = std::env::args().nth(1);
    let database = database.as_deref().unwrap_or(DATABASE);
    let observer = client(database).await?;
    println!("| at a time | | acquisitions | each | statements for each |");
    println!("|---|---|---|---|---|");
    for tasks in [1, 8, 64] {
        let rounds = 2000 / tasks;
        let count = tasks * rounds;
        let print = |name: &str, took: Duration, statements: i64| {
            let each = took / u32::try_from(count).unwrap_or(u32::MAX);
            let statements = statements as f64 / count as f64;
            println!("| {tasks} | {name} | {count} | {each:.0?} | {statements:.1} |");
        };

        // Each waiter of an advisory lock needs a connection of its own.
        let mut clients = Vec::new();
        for _ in 0..tasks {
            let client = client(database).await?;
            let lock = client.prepare("select pg_advisory_lock(42)").await?;
            let unlock = client.prepare("select pg_advisory_unlock(42)").await?;
            clients.push((client, lock, unlock));
        }
        let before = transactions(&observer).await?;
        let start = Instant::now();
        let running: Vec<_> = clients
            .into_iter()
            .map(|(client, lock, unlock)| {
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        client.query(&lock, &[]).await?;
                        client.query(&unlock, &[]).await?;
                    }
                    Ok::<_, tokio_postgres::Error>(client)
                })
            })
            .collect();
        let mut clients = Vec::new();
        for task in running {
            clients.push(task.await??);
        }
        let took = start.elapsed();
        print(
            "advisory lock",
            took,
            transactions(&observer).await? - before,
        );
        drop(clients);

        // Half of them in each of two processes, as it were.
        let stores = [
            Postgres::connect(database).await?,
            Postgres::connect(database).await?,
        ];
        let before = transactions(&observer).await?;
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
        let took = start.elapsed();
        print("this crate", took, transactions(&observer).await? - before);
    }
    Ok(())
}
