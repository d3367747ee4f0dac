//! Three members, of which the leader fails while a lock is held and waited for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_monitor_distributed::etcd::{EtcdLock, FenceError};
use async_monitor_distributed::{Fenced, Guard, LockError};
use etcd_client::{Client, ConnectOptions};

use crate::store;
use crate::support::etcd::Etcd;

/// For longer than an election takes.
const LEASE: Duration = Duration::from_secs(6);
const TASKS: usize = 6;

/// What was written, in order: the number and the fence.
type History = Arc<Mutex<Vec<(u64, u64)>>>;

struct Writer {
    lock: EtcdLock,
    client: Fenced<Client>,
    acknowledged: History,
}

enum Failed {
    Lost,
    Stale,
    Other,
}

impl Writer {
    /// Adds one to a number in etcd.
    async fn write_next(&self) -> Result<(), Failed> {
        let guard = match self.lock.acquire().await {
            Ok(guard) => guard,
            Err(LockError::Lost(_)) => return Err(Failed::Lost),
            Err(_) => return Err(Failed::Other),
        };
        let fence = guard.fence.number();
        let fenced = self.client.with(&guard.fence);
        let writing = async {
            let read = fenced.get("number", None).await.map_err(failed)?;
            let last = read.kvs().first().map_or("0", |kv| kv.value_str().unwrap());
            let next = last.parse::<u64>().unwrap() + 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
            let value = next.to_string();
            fenced.put("number", value, None).await.map_err(failed)?;
            self.acknowledged.lock().unwrap().push((next, fence));
            Ok(())
        };
        let written = tokio::select! {
            written = writing => written,
            _lost = guard.lost() => Err(Failed::Lost),
        };
        let _released = Guard::release(guard).await;
        written
    }
}

fn failed(error: FenceError) -> Failed {
    match error {
        FenceError::Stale(_) => Failed::Stale,
        _ => Failed::Other,
    }
}

async fn fail(signal: &str) {
    let Some(cluster) = Etcd::start(3) else {
        return;
    };
    let acknowledged = History::default();
    let stores = [
        store(&cluster.endpoints(), "t/", LEASE).await,
        store(&cluster.endpoints(), "t/", LEASE).await,
    ];
    let got_in = Arc::new(Mutex::new(BTreeSet::new()));
    let mut tasks = Vec::new();
    for task in 0..TASKS {
        // It goes on to ask the member that has stopped.
        let options = ConnectOptions::new().with_timeout(LEASE / 20);
        let client = Client::connect(cluster.endpoints(), Some(options));
        let client = client.await.unwrap();
        let writer = Writer {
            lock: stores[task % 2].lock("k"),
            client: Fenced::new(client),
            acknowledged: Arc::clone(&acknowledged),
        };
        let got_in = Arc::clone(&got_in);
        tasks.push(tokio::spawn(async move {
            loop {
                match writer.write_next().await {
                    Ok(()) => _ = got_in.lock().unwrap().insert(task),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        }));
    }
    // One that holds a lock meanwhile stays, or is told.
    let held = stores[0].lock("held");
    let held = held.acquire().await.unwrap();
    let fence = held.fence.number();
    let lost = tokio::spawn(held.lost());

    let everybody = async |what: &str| {
        got_in.lock().unwrap().clear();
        let start = Instant::now();
        // The lease of whoever has failed runs anew with the new leader.
        let bound = 2 * LEASE + Duration::from_secs(10);
        crate::eventually(bound, what, async || got_in.lock().unwrap().len() == TASKS).await;
        println!("{what} after {:.1?}", start.elapsed());
    };
    everybody("everybody is in at first").await;
    let leader = cluster.leader().expect("there is one");
    if signal == "KILL" {
        cluster.kill(leader);
    } else {
        cluster.signal(leader, signal);
    }
    everybody("everybody is in without the leader").await;
    if signal == "KILL" {
        cluster.restart(leader);
    } else {
        cluster.signal(leader, "CONT");
    }
    cluster.wait();
    everybody("everybody is in when it is back").await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);

    let mut client = Client::connect(cluster.endpoints(), None).await.unwrap();
    let place = client.get(held.fence.holder(), None).await.unwrap();
    let is_there = place.kvs().first();
    let is_ours = is_there.is_some_and(|kv| kv.create_revision() as u64 == fence);
    println!(
        "held: {is_ours}, told that it is lost: {}",
        lost.is_finished()
    );
    assert!(is_ours || lost.is_finished(), "it was lost without a word");
    // No number was written twice, and later ones have later fences.
    let mut history = acknowledged.lock().unwrap().clone();
    history.sort_unstable();
    for pair in history.windows(2) {
        assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1, "{pair:?}");
    }
    assert!(history.len() > TASKS);
    // What was acknowledged is there.
    let last = client.get("number", None).await.unwrap();
    let last: u64 = last.kvs()[0].value_str().unwrap().parse().unwrap();
    assert!(history.last().unwrap().0 <= last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_killed_lets_no_stale_write_in_and_keeps_nobody_out() {
    fail("KILL").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_stopped_lets_no_stale_write_in_and_keeps_nobody_out() {
    fail("STOP").await;
}
