//! The cost of a lock, compared with the bare lock of etcd on the same server.
//!
//! ```text
//! etcd --data-dir "$(mktemp -d)" &
//! cargo run --release -p async-monitor-distributed --features etcd --example cost_etcd
//! ```
//!
//! The results are in `RESULTS.md`. Messages are those received by the server, from its metrics.
//! The CPU time is that of this process, and of the server if it runs on this machine (Linux).
//! Times depend on the load of the machine; CPU times and messages hardly do.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use async_monitor_distributed::Guard;
use async_monitor_distributed::etcd::Etcd;
use etcd_client::{Client, LockOptions};

const MEMBER: &str = "127.0.0.1:2379";

type Failed = Box<dyn Error + Send + Sync>;

/// CPU time of a process.
fn cpu(pid: &str) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may contain anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
    Some(Duration::from_millis(10 * (ticks(11)? + ticks(12)?)))
}

/// The server, if there is one that is called so.
fn server() -> Option<String> {
    let processes = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let mut pids = processes.filter_map(|entry| entry.file_name().into_string().ok());
    pids.find(|pid| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name == "etcd\n")
    })
}

/// What has been spent so far.
#[derive(Clone)]
struct Spent {
    messages: BTreeMap<String, f64>,
    server: Option<Duration>,
    here: Duration,
}

/// Messages by method.
fn messages(member: &str) -> Result<BTreeMap<String, f64>, Failed> {
    let mut connection = TcpStream::connect(member)?;
    connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
    let mut metrics = String::new();
    connection.read_to_string(&mut metrics)?;
    let lines = metrics.lines();
    let received = lines.filter_map(|line| {
        let line = line.strip_prefix("grpc_server_msg_received_total{")?;
        let (labels, count) = line.rsplit_once("} ")?;
        let method = labels.split("grpc_method=\"").nth(1)?.split('"').next()?;
        Some((method.to_owned(), count.parse::<f64>().ok()?))
    });
    Ok(received.filter(|(_, count)| *count > 0.0).collect())
}

fn spent(member: &str) -> Result<Spent, Failed> {
    Ok(Spent {
        messages: messages(member)?,
        server: server().as_deref().and_then(cpu),
        here: cpu("self").unwrap_or_default(),
    })
}

/// Half of the tasks by each of two clients.
async fn bare(member: &str, tasks: usize, rounds: usize) -> Result<Duration, Failed> {
    let mut clients = Vec::new();
    for _ in 0..2 {
        let mut client = Client::connect([member], None).await?;
        let lease = client.lease_grant(600, None).await?.id();
        clients.push((client, lease));
    }
    let start = Instant::now();
    let running: Vec<_> = (0..tasks)
        .map(|task| {
            // Two acquisitions with one lease are the same acquisition.
            let (mut client, shared) = clients[task % 2].clone();
            tokio::spawn(async move {
                let lease = match task {
                    0 | 1 => shared,
                    _ => client.lease_grant(600, None).await?.id(),
                };
                for _ in 0..rounds {
                    let options = LockOptions::new().with_lease(lease);
                    let held = client.lock("cost", Some(options)).await?;
                    client.unlock(held.key()).await?;
                }
                Ok::<_, etcd_client::Error>(())
            })
        })
        .collect();
    for task in running {
        task.await??;
    }
    Ok(start.elapsed())
}

/// Half of the tasks in each of two processes, as it were.
async fn ours(member: &str, tasks: usize, rounds: usize) -> Result<Duration, Failed> {
    let stores = [
        Etcd::connect([member]).await?,
        Etcd::connect([member]).await?,
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
    let member = std::env::args().nth(1);
    let member = member.as_deref().unwrap_or(MEMBER);
    println!("| tasks | | acquisitions | each | messages | CPU of the server | CPU here |");
    println!("|---|---|---|---|---|---|---|");
    for tasks in [1, 2, 8, 64] {
        for name in ["bare lock", "this crate"] {
            let rounds = 2000 / tasks;
            let count = u32::try_from(tasks * rounds)?;
            let before = spent(member)?;
            let took = match name {
                "bare lock" => bare(member, tasks, rounds).await?,
                _ => ours(member, tasks, rounds).await?,
            };
            let after = spent(member)?;
            let messages = after.messages.iter().filter_map(|(method, after)| {
                let before = before.messages.get(method).copied().unwrap_or_default();
                let each = (after - before) / f64::from(count);
                (each >= 0.05).then(|| format!("{method} {each:.1}"))
            });
            let messages: Vec<_> = messages.collect();
            let server = after.server.zip(before.server);
            let server = server.map_or("-".into(), |(after, before)| {
                format!("{:.0?}", (after - before) / count)
            });
            println!(
                "| {tasks} | {name} | {count} | {:.0?} | {} | {server} | {:.0?} |",
                took / count,
                messages.join(", "),
                (after.here - before.here) / count,
            );
        }
    }
    Ok(())
}
