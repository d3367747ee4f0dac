//! Locks in a real etcd. Without one, the tests say that they were skipped.
//!
//! What both stores do is in `tests/both/`, which is compiled for each of them.

#[path = "../support/mod.rs"]
mod support;

#[path = "../both/losses.rs"]
mod any_losses;
#[path = "../both/sections.rs"]
mod any_sections;
#[path = "../both/waiting.rs"]
mod any_waiting;
#[path = "../both/watching.rs"]
mod any_watching;

mod failover;
mod fences;
mod losses;
mod renewals;
mod settings;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_monitor_distributed::etcd::Options;
pub(crate) use async_monitor_distributed::etcd::{Etcd as Store, EtcdLock as StoreLock};
use etcd_client::{Client, GetOptions, KeyValue, PutOptions};
pub(crate) use support::eventually;

pub(crate) const NAME: &str = "etcd";
pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_secs(3);

/// Keys of its own in an etcd that the tests share.
pub(crate) struct Space {
    pub(crate) server: Arc<support::etcd::Etcd>,
    pub(crate) prefix: String,
}

/// `None` where there is no etcd.
pub(crate) fn space() -> Option<Space> {
    static SERVER: Mutex<Weak<support::etcd::Etcd>> = Mutex::new(Weak::new());
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match shared.upgrade() {
        Some(server) => server,
        None => {
            let server = Arc::new(support::etcd::Etcd::start(1)?);
            *shared = Arc::downgrade(&server);
            server
        }
    };
    drop(shared);
    let prefix = format!("t{}/", NUMBER.fetch_add(1, Ordering::Relaxed));
    Some(Space { server, prefix })
}

/// An etcd of its own.
pub(crate) fn space_alone() -> Option<Space> {
    let server = Arc::new(support::etcd::Etcd::start(1)?);
    let prefix = "t/".to_owned();
    Some(Space { server, prefix })
}

impl Space {
    /// As another process would connect.
    pub(crate) async fn store(&self, lease: Duration) -> Store {
        store(&self.server.endpoints(), &self.prefix, lease).await
    }

    /// By a proxy.
    pub(crate) async fn store_at(&self, port: u16, lease: Duration) -> Store {
        store(&[support::etcd::url(port)], &self.prefix, lease).await
    }

    /// Where etcd listens.
    pub(crate) fn port(&self) -> u16 {
        self.server.ports[0]
    }

    /// What the command is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![self.server.endpoints().join(","), self.prefix.clone()]
    }

    /// A client of our own.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.server.endpoints(), None)
            .await
            .unwrap()
    }

    async fn all(&self) -> Vec<KeyValue> {
        let options = GetOptions::new().with_prefix();
        let mut client = self.client().await;
        let mut found = client.get(&*self.prefix, Some(options)).await.unwrap();
        found.take_kvs()
    }

    /// How many hold or wait.
    pub(crate) async fn places(&self) -> usize {
        self.all().await.len()
    }

    /// The session of the first of them.
    pub(crate) async fn session(&self) -> i64 {
        self.all().await[0].lease()
    }

    pub(crate) async fn has_session(&self, session: &i64) -> bool {
        let leases = self.client().await.leases().await.unwrap();
        leases.leases().iter().any(|found| found.id() == *session)
    }

    /// Ends the leases of all that hold or wait.
    pub(crate) async fn expire(&self) {
        let mut client = self.client().await;
        for place in self.all().await {
            client.lease_revoke(place.lease()).await.unwrap();
        }
    }

    /// Asks for a key in the name of the first session, which does not know of it.
    pub(crate) async fn ask_late(&self, key: &str) {
        let first = &self.all().await[0];
        let (queue, owner) = first.key_str().unwrap().rsplit_once('!').unwrap();
        let (session, _) = owner.split_once('/').unwrap();
        assert!(queue.starts_with(&self.prefix));
        let late = format!("{}{key}!{session}/1000", self.prefix);
        let options = PutOptions::new().with_lease(first.lease());
        let mut client = self.client().await;
        client.put(late, "", Some(options)).await.unwrap();
    }

    /// Ends etcd at once, and starts it again.
    pub(crate) async fn crash(&self, pause: Duration) {
        self.server.kill(0);
        tokio::time::sleep(pause).await;
        self.server.restart(0);
        self.server.wait();
    }
}

pub(crate) async fn store(endpoints: &[String], prefix: &str, lease: Duration) -> Store {
    let options = Options::new(endpoints).prefix(prefix).lease(lease);
    options.connect().await.unwrap()
}
