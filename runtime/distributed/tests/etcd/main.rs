//! Locks in a real etcd. Without one, the tests say that they were skipped.

#[path = "../support/mod.rs"]
mod support;

mod failover;
mod fences;
mod losses;
mod sections;
mod settings;
mod waiting;
mod watching;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_monitor_distributed::etcd::{Etcd, Options};
use etcd_client::{Client, GetOptions};
pub(crate) use support::eventually;

/// Keys of its own in an etcd that the tests share.
pub(crate) struct Keys {
    pub(crate) server: Arc<support::etcd::Etcd>,
    pub(crate) prefix: String,
}

/// `None` where there is no etcd.
pub(crate) fn keys() -> Option<Keys> {
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
    Some(Keys { server, prefix })
}

impl Keys {
    /// As another process would connect.
    pub(crate) async fn store(&self, lease: Duration) -> Etcd {
        store(&self.server.endpoints(), &self.prefix, lease).await
    }

    /// By a proxy.
    pub(crate) async fn store_at(&self, port: u16, lease: Duration) -> Etcd {
        store(&[support::etcd::url(port)], &self.prefix, lease).await
    }

    /// A client of our own.
    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.server.endpoints(), None)
            .await
            .unwrap()
    }

    /// The places that there are.
    pub(crate) async fn places(&self) -> Vec<String> {
        places(&mut self.client().await, &self.prefix).await
    }
}

pub(crate) async fn store(endpoints: &[String], prefix: &str, lease: Duration) -> Etcd {
    let options = Options::new(endpoints).prefix(prefix).lease(lease);
    options.connect().await.unwrap()
}

pub(crate) async fn places(client: &mut Client, prefix: &str) -> Vec<String> {
    let options = GetOptions::new().with_prefix().with_keys_only();
    let found = client.get(prefix, Some(options)).await.unwrap();
    let found = found.kvs().iter();
    found.map(|kv| kv.key_str().unwrap().to_owned()).collect()
}

pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_secs(3);
