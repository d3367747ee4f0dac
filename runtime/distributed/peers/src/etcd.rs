//! On etcd.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use ash_lock::{EtcdBackend, LockClient, LockConfig};
use async_monitor_distributed::Guard;
use async_monitor_distributed::etcd::Etcd;
use etcd_client::{Client, LockOptions};

use crate::measure::{Cost, Spent, name, processes};
use crate::{Contest, Failed};

pub const MEMBER: &str = "127.0.0.1:2379";

pub struct Members {
    member: String,
    server: Vec<u32>,
}

impl Members {
    pub fn new(member: &str) -> Result<Self, Failed> {
        let member = member.to_owned();
        let server = processes(|pid| name(pid).is_some_and(|name| name == "etcd"));
        Ok(Members { member, server })
    }

    /// Messages that the server has received, by method.
    fn messages(&self) -> Result<BTreeMap<String, f64>, Failed> {
        let mut connection = TcpStream::connect(&self.member)?;
        connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut metrics = String::new();
        connection.read_to_string(&mut metrics)?;
        let received = metrics.lines().filter_map(|line| {
            let line = line.strip_prefix("grpc_server_msg_received_total{")?;
            let (labels, count) = line.rsplit_once("} ")?;
            let method = labels.split("grpc_method=\"").nth(1)?.split('"').next()?;
            Some((method.to_owned(), count.parse::<f64>().ok()?))
        });
        // Two services may have a method of one name, of which one is not used.
        Ok(received.filter(|(_, count)| *count > 0.0).collect())
    }

    /// Half of the tasks by each of two clients.
    async fn bare(&self, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        let mut clients = Vec::new();
        for _ in 0..2 {
            clients.push(Client::connect([&self.member], None).await?);
        }
        let mut waiters = Vec::new();
        for task in 0..tasks {
            // Two acquisitions with one lease are the same acquisition.
            let mut client = clients[task % 2].clone();
            let lease = client.lease_grant(600, None).await?.id();
            waiters.push((client, lease));
        }
        let before = Spent::new(&self.server)?;
        let running: Vec<_> = waiters
            .into_iter()
            .map(|(mut client, lease)| {
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        let options = LockOptions::new().with_lease(lease);
                        let held = client.lock("cost", Some(options)).await?;
                        client.unlock(held.key()).await?;
                    }
                    Ok::<_, etcd_client::Error>((client, lease))
                })
            })
            .collect();
        let mut waiters = Vec::new();
        for task in running {
            waiters.push(task.await??);
        }
        let cost = Spent::new(&self.server)? - before;
        for (mut client, lease) in waiters {
            client.lease_revoke(lease).await?;
        }
        Ok(cost)
    }

    /// Half of the tasks in each of two processes, as it were.
    async fn ours(&self, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        let stores = [
            Etcd::connect([&self.member]).await?,
            Etcd::connect([&self.member]).await?,
        ];
        let before = Spent::new(&self.server)?;
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
        Ok(Spent::new(&self.server)? - before)
    }

    /// The same. The lease is so long that nobody gives up, which it does after as long as a lease
    /// lasts.
    async fn ash_lock(&self, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        let mut clients = Vec::new();
        for _ in 0..2 {
            let backend = EtcdBackend::connect([&self.member], None).await?;
            let config = LockConfig {
                default_ttl: Duration::from_secs(600),
                ..LockConfig::default()
            };
            clients.push(LockClient::connect_with(config, Arc::new(backend)).await?);
        }
        let before = Spent::new(&self.server)?;
        let running: Vec<_> = (0..tasks)
            .map(|task| {
                let client = clients[task % 2].clone();
                tokio::spawn(async move {
                    for _ in 0..rounds {
                        let guard = client.lock("cost").await.acquire().await?;
                        guard.unlock().await?;
                    }
                    Ok::<_, ash_lock::Error>(())
                })
            })
            .collect();
        for task in running {
            task.await??;
        }
        Ok(Spent::new(&self.server)? - before)
    }
}

impl Contest for Members {
    const COUNTED: &'static str = "messages";
    const CONTENDERS: &'static [&'static str] = &["bare lock", "this crate", "ash-lock 0.1"];

    async fn round(&self, contender: usize, tasks: usize, rounds: usize) -> Result<Cost, Failed> {
        match contender {
            0 => self.bare(tasks, rounds).await,
            1 => self.ours(tasks, rounds).await,
            _ => self.ash_lock(tasks, rounds).await,
        }
    }

    async fn count(&self, contender: usize, tasks: usize, rounds: usize) -> Result<String, Failed> {
        let before = self.messages()?;
        self.round(contender, tasks, rounds).await?;
        let after = self.messages()?;
        let counted = after.iter().filter_map(|(method, after)| {
            let before = before.get(method).copied().unwrap_or_default();
            let each = (after - before) / (tasks * rounds) as f64;
            (each >= 0.05).then(|| format!("{method} {each:.1}"))
        });
        Ok(counted.collect::<Vec<_>>().join(", "))
    }
}
