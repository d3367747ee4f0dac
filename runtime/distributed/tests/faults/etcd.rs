//! Beside a cluster of etcd.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_monitor_distributed::etcd::{Etcd, EtcdLock, EtcdStore, FenceError, Options};
use async_monitor_distributed::{Fence, Fenced};
use etcd_client::{Client, ConnectOptions, GetOptions, SortOrder, SortTarget, Txn, TxnOp};

use crate::LEASE;
use crate::backend::{Database, Failed, Numbers, Servers, Written};
use crate::random::Random;
use crate::support::{self, block_on};

#[test]
fn no_fault_lets_a_stale_write_in_or_loses_one_or_keeps_anybody_out() {
    crate::no_fault::<Cluster>();
}

#[test]
fn the_write_of_a_stopped_process_is_refused() {
    crate::stopped::fenced::<Cluster>();
}

#[test]
fn without_a_fence_the_write_of_a_stopped_process_is_found() {
    crate::stopped::unfenced::<Cluster>();
}

struct Cluster {
    etcd: support::etcd::Etcd,
    /// Which member, and whether it was ended.
    harmed: Option<(usize, bool)>,
}

impl Servers for Cluster {
    const SHARE: usize = 7;
    /// For longer than an election takes.
    const LONGEST: Duration = Duration::from_secs(4);

    fn start() -> Option<Self> {
        Some(Cluster {
            etcd: support::etcd::Etcd::start(3)?,
            harmed: None,
        })
    }

    fn ports(&self) -> Vec<u16> {
        self.etcd.ports.clone()
    }

    fn url(ports: &[u16]) -> String {
        let members: Vec<_> = ports.iter().copied().map(support::etcd::url).collect();
        members.join(",")
    }

    fn harm(&mut self, random: &mut Random) -> &'static str {
        // Most often the leader.
        let any = random.below(3);
        let leader = self.etcd.leader().filter(|_| !random.one_in(4));
        let member = leader.unwrap_or(any);
        let is_ended = random.one_in(2);
        self.harmed = Some((member, is_ended));
        if is_ended {
            self.etcd.kill(member);
            "member restarted"
        } else {
            self.etcd.signal(member, "STOP");
            "member stopped"
        }
    }

    fn heal(&mut self) {
        match self.harmed.take() {
            Some((member, true)) => self.etcd.restart(member),
            Some((member, false)) => self.etcd.signal(member, "CONT"),
            None => {}
        }
        self.etcd.wait();
    }

    fn history(&self) -> Vec<Written> {
        let found = block_on(async {
            let client = Client::connect(self.etcd.endpoints(), None).await.unwrap();
            let options = GetOptions::new()
                .with_prefix()
                .with_sort(SortTarget::Create, SortOrder::Ascend);
            let found = client.kv_client().get("history/", Some(options)).await;
            found.unwrap()
        });
        let written = found.kvs().iter().map(|kv| {
            let words: Vec<_> = kv.value_str().unwrap().split(' ').collect();
            let [key, fence, number] = words[..] else {
                panic!("{words:?}");
            };
            let (fence, number) = (fence.parse().unwrap(), number.parse().unwrap());
            (key.to_owned(), fence, number)
        });
        written.collect()
    }

    /// It does not write down what it refuses.
    fn refused(&self, _: Option<(&str, i64)>) -> Option<usize> {
        None
    }

    fn report(&self) -> Vec<String> {
        let entries = block_on(async {
            let store = Etcd::connect(self.etcd.endpoints()).await.unwrap();
            store.report().await.unwrap()
        });
        let mut lines: Vec<_> = entries.iter().map(ToString::to_string).collect();
        lines.extend(self.etcd.log().lines().map(str::to_owned));
        lines
    }
}

pub(crate) struct Connection(Fenced<Client, Numbers>);

fn failed(error: FenceError) -> Failed {
    match error {
        FenceError::Stale(_) => Failed::Stale,
        _ => Failed::Other,
    }
}

fn members(url: &str) -> Vec<&str> {
    url.split(',').collect()
}

impl Database for Connection {
    type Locks = Etcd;
    type Store = EtcdStore;

    async fn locks(url: &str) -> Option<Etcd> {
        let options = Options::new(members(url)).lease(LEASE);
        options.connect().await.ok()
    }

    fn lock(locks: &Etcd, key: &str) -> EtcdLock<Numbers> {
        locks.lock_for(key)
    }

    async fn connect(url: &str) -> Option<Self> {
        // It goes on to ask a member that has stopped.
        let options = ConnectOptions::new().with_timeout(LEASE / 5);
        let client = Client::connect(members(url), Some(options)).await.ok()?;
        Some(Connection(Fenced::new(client)))
    }

    fn is_closed(&self) -> bool {
        false
    }

    async fn read(
        &self,
        key: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> Result<i64, Failed> {
        let key = format!("last/{key}");
        let found = if is_fenced {
            self.0.with(fence).get(key, None).await.map_err(failed)?
        } else {
            let found = self.0.unfenced().kv_client().get(key, None).await;
            found.map_err(|_| Failed::Other)?
        };
        let last = found.kvs().first();
        Ok(last.map_or(0, |kv| kv.value_str().unwrap().parse().unwrap()))
    }

    async fn write(
        &self,
        key: &str,
        next: i64,
        task: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> Result<(), Failed> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let value = format!("{key} {} {next}", fence.number());
        let write = Txn::new().and_then([
            TxnOp::put(format!("history/{task}/{number}"), value, None),
            TxnOp::put(format!("last/{key}"), next.to_string(), None),
        ]);
        if is_fenced {
            let written = self.0.with(fence).txn(write).await;
            written.map(drop).map_err(failed)
        } else {
            // Goes on where the section is ended, as one that was sent.
            let mut client = self.0.unfenced().kv_client();
            let written = tokio::spawn(async move { client.txn(write).await });
            let written = written.await.map_err(|_| Failed::Other)?;
            written.map(drop).map_err(|_| Failed::Other)
        }
    }
}
