//! On Postgres.

use std::sync::atomic::Ordering;
use std::time::Duration;

use async_monitor_distributed::Guard;
use async_monitor_distributed::postgres::Postgres;
use distributed_lock_core::{DistributedLock, LockHandle, LockProvider};
use distributed_lock_postgres::PostgresLockProvider;
use sqlx::postgres::PgPoolOptions;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

use crate::count::Counting;
use crate::measure::{Cost, Spent, parent, processes};
use crate::{Contest, Failed};

pub const DATABASE: &str = "host=127.0.0.1 port=54329 user=billing dbname=postgres";

pub struct Databases {
    config: Config,
    server: Option<u32>,
}

async fn client(config: &Config) -> Result<Client, Failed> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// A URL, for sqlx.
fn url(config: &Config, port: u16) -> String {
    let user = config.get_user().unwrap_or("postgres");
    let name = config.get_dbname().unwrap_or(user);
    format!(
        "postgres://{user}@{}:{port}/{name}?sslmode=disable",
        host(config)
    )
}

fn host(config: &Config) -> &str {
    match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host,
        _ => "127.0.0.1",
    }
}

impl Databases {
    pub async fn new(database: &str) -> Result<Self, Failed> {
        let config: Config = database.parse()?;
        let client = client(&config).await?;
        let table = "create table if not exists cost_fence (key int primary key, fence bigint); \
                     insert into cost_fence values (42, 0) on conflict do nothing";
        client.batch_execute(table).await?;
        let pid = client.query_one("select pg_backend_pid()", &[]).await?;
        let server = parent(pid.get::<_, i32>(0) as u32);
        Ok(Databases { config, server })
    }

    /// Where the server runs, its processes.
    fn spent(&self) -> Result<Spent, Failed> {
        let backends = processes(|pid| parent(pid) == self.server);
        Spent::new(&backends)
    }

    async fn run(
        &self,
        contender: usize,
        port: u16,
        tasks: usize,
        rounds: usize,
    ) -> Result<Cost, Failed> {
        match contender {
            0 => self.advisory(port, tasks, rounds, None).await,
            1 => {
                let fence =
                    "update cost_fence set fence = fence + 1 where key = 42 returning fence";
                self.advisory(port, tasks, rounds, Some(fence)).await
            }
            2 => self.ours(port, tasks, rounds).await,
            _ => self.distributed_lock(port, tasks, rounds).await,
        }
    }

    fn port(&self) -> u16 {
        self.config.get_ports().first().copied().unwrap_or(5432)
    }

    fn by(&self, port: u16) -> Config {
        let mut config = Config::new();
        config.host(host(&self.config)).port(port);
        config.user(self.config.get_user().unwrap_or("postgres"));
        if let Some(name) = self.config.get_dbname() {
            config.dbname(name);
        }
        config
    }

    /// Each waiter of an advisory lock needs a connection of its own.
    async fn advisory(
        &self,
        port: u16,
        tasks: usize,
        rounds: usize,
        fence: Option<&'static str>,
    ) -> Result<Cost, Failed> {
        let mut clients = Vec::new();
        for _ in 0..tasks {
            let client = client(&self.by(port)).await?;
            let lock = client.prepare("select pg_advisory_lock(42)").await?;
            let unlock = client.prepare("select pg_advisory_unlock(42)").await?;
            let fence = match fence {
                None => None,
                Some(fence) => Some(client.prepare(fence).await?),
            };
            clients.push((client, lock, fence, unlock));
        }
        let before = self.spent()?;
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
                    Ok::<_, tokio_postgres::Error>(client)
                })
            })
            .collect();
        let mut clients = Vec::new();
        for task in running {
            clients.push(task.await??);
        }
        Ok(self.spent()? - before)
    }

    /// Half of the tasks in each of two processes, as it were.
    async fn ours(&self, port: u16, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        let name = self.config.get_dbname().unwrap_or("postgres");
        let user = self.config.get_user().unwrap_or("postgres");
        let database = format!(
            "host={} port={port} user={user} dbname={name}",
            host(&self.config)
        );
        let stores = [
            Postgres::connect(&database).await?,
            Postgres::connect(&database).await?,
        ];
        let before = self.spent()?;
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
        Ok(self.spent()? - before)
    }

    /// The same, with as many connections in the pool of each as it has tasks: each that waits has
    /// one.
    async fn distributed_lock(
        &self,
        port: u16,
        tasks: usize,
        rounds: usize,
    ) -> Result<Cost, Failed> {
        let mut providers = Vec::new();
        let mut pools = Vec::new();
        for process in 0..tasks.min(2) {
            let waiters = (tasks + 1 - process) / 2;
            let options = PgPoolOptions::new().max_connections(waiters as u32);
            let pool = options.connect(&url(&self.config, port)).await?;
            // So that all are there.
            let mut connections = Vec::new();
            for _ in 0..waiters {
                connections.push(pool.acquire().await?);
            }
            drop(connections);
            pools.push(pool.clone());
            providers.push(PostgresLockProvider::builder().pool(pool).build().await?);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let before = self.spent()?;
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let lock = providers[task % providers.len()].create_lock("cost");
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        let handle = lock.acquire(None).await?;
                        handle.release().await?;
                    }
                    Ok::<_, distributed_lock_core::LockError>(())
                })
            })
            .collect();
        for task in running {
            task.await??;
        }
        let cost = self.spent()? - before;
        for pool in pools {
            pool.close().await;
        }
        Ok(cost)
    }
}

impl Contest for Databases {
    const COUNTED: &'static str = "round trips";
    const CONTENDERS: &'static [&'static str] = &[
        "advisory lock",
        "advisory lock, and a fence in a row",
        "this crate",
        "distributed-lock-postgres 0.2",
    ];

    async fn round(&self, contender: usize, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        self.run(contender, self.port(), tasks, rounds).await
    }

    /// By a run of its own, as the proxy takes time. What it takes to connect is subtracted.
    async fn count(&self, contender: usize, tasks: usize, rounds: usize) -> Result<String, Failed> {
        let mut counted = Vec::new();
        for rounds in [1, rounds + 1] {
            let target = (host(&self.config).to_owned(), self.port());
            let proxy = Counting::start(target).await?;
            self.run(contender, proxy.port, tasks, rounds).await?;
            let (trips, notifications) = (&proxy.counts.round_trips, &proxy.counts.notifications);
            let count = |of: &std::sync::atomic::AtomicU64| of.load(Ordering::Relaxed) as f64;
            counted.push((count(trips), count(notifications)));
        }
        let each = (tasks * rounds) as f64;
        let trips = (counted[1].0 - counted[0].0) / each;
        let notifications = (counted[1].1 - counted[0].1) / each;
        Ok(if notifications < 0.05 {
            format!("{trips:.1}")
        } else {
            format!("{trips:.1}, and {notifications:.1} notifications")
        })
    }
}
