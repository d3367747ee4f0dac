//! Locks in a real Postgres. Without one, the tests say that they were skipped.

#[path = "../support/mod.rs"]
mod support;

mod fences;
mod losses;
mod pooler;
mod sections;
mod settings;
mod waiting;
mod watching;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_monitor_distributed::postgres::{Options, Postgres};
pub(crate) use support::eventually;
use tokio_postgres::{Client, NoTls};

/// A database of its own on a server that the tests share.
pub(crate) struct Database {
    pub(crate) server: Arc<support::Postgres>,
    pub(crate) name: String,
    pub(crate) url: String,
}

/// `None` where there is no Postgres.
pub(crate) fn database() -> Option<Database> {
    static SERVER: Mutex<Weak<support::Postgres>> = Mutex::new(Weak::new());
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    let server = match shared.upgrade() {
        Some(server) => server,
        None => {
            let server = Arc::new(support::Postgres::start()?);
            *shared = Arc::downgrade(&server);
            server
        }
    };
    drop(shared);
    let name = format!("t{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let url = server.database(&name);
    Some(Database { server, name, url })
}

impl Database {
    /// As another process would connect.
    pub(crate) async fn store(&self, lease: Duration) -> Postgres {
        store(&self.url, lease).await
    }

    /// A connection of our own.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }
}

pub(crate) async fn store(url: &str, lease: Duration) -> Postgres {
    let options = Options::new(url).unwrap().lease(lease);
    options.connect().await.unwrap()
}

/// How many rows a table has.
pub(crate) async fn count(client: &Client, table: &str) -> i64 {
    let count = format!("select count(*) from {table}");
    client.query_one(&count, &[]).await.unwrap().get(0)
}

pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_secs(2);
