//! Locks in a real Postgres. Without one, the tests say that they were skipped.
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

mod fences;
mod losses;
mod pooler;
mod settings;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_monitor_distributed::postgres::Options;
pub(crate) use async_monitor_distributed::postgres::{
    Postgres as Store, PostgresLock as StoreLock,
};
pub(crate) use support::eventually;
use tokio_postgres::types::FromSqlOwned;
use tokio_postgres::{Client, NoTls};

pub(crate) const NAME: &str = "postgres";
pub(crate) const LONG: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_secs(2);

/// A database of its own on a server that the tests share.
pub(crate) struct Space {
    pub(crate) server: Arc<support::Postgres>,
    pub(crate) name: String,
    pub(crate) url: String,
}

/// `None` where there is no Postgres.
pub(crate) fn space() -> Option<Space> {
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
    Some(Space { server, name, url })
}

/// A server of its own.
pub(crate) fn space_alone() -> Option<Space> {
    let server = Arc::new(support::Postgres::start()?);
    let name = "alone".to_owned();
    let url = server.database(&name);
    Some(Space { server, name, url })
}

impl Space {
    /// As another process would connect.
    pub(crate) async fn store(&self, lease: Duration) -> Store {
        store(&self.url, lease).await
    }

    /// By a proxy.
    pub(crate) async fn store_at(&self, port: u16, lease: Duration) -> Store {
        store(&support::url(port, &self.name), lease).await
    }

    /// Where Postgres listens.
    pub(crate) fn port(&self) -> u16 {
        self.server.port
    }

    /// What the command is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        vec![self.url.clone()]
    }

    /// A connection of our own.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    async fn one<T: FromSqlOwned>(&self, query: &str) -> T {
        let client = self.client().await;
        client.query_one(query, &[]).await.unwrap().get(0)
    }

    /// How many hold or wait.
    pub(crate) async fn places(&self) -> usize {
        let count = "select count(*) from async_monitor.places";
        self.one::<i64>(count).await as usize
    }

    /// The session of the first of them.
    pub(crate) async fn session(&self) -> String {
        let first = "select session from async_monitor.places order by place limit 1";
        self.one(first).await
    }

    pub(crate) async fn has_session(&self, session: &str) -> bool {
        let exists = "select exists (select from async_monitor.sessions where id = '{}')";
        self.one(&exists.replace("{}", session)).await
    }

    /// Ends all leases.
    pub(crate) async fn expire(&self) {
        let expire = "update async_monitor.sessions set expires_at = clock_timestamp()";
        self.client().await.batch_execute(expire).await.unwrap();
    }

    /// Asks for a key in the name of the only session, which does not know of it.
    pub(crate) async fn ask_late(&self, key: &str) {
        let late = "select async_monitor.request((select id from async_monitor.sessions), false, \
                    '', '', 0, '{}', 1000, '1 s', true)";
        self.one::<String>(&late.replace("{}", key)).await;
    }

    /// Ends the server at once, and starts it again.
    pub(crate) async fn crash(&self, pause: Duration) {
        self.server.kill();
        tokio::time::sleep(pause).await;
        self.server.restart();
    }
}

pub(crate) async fn store(url: &str, lease: Duration) -> Store {
    let options = Options::new(url).unwrap().lease(lease);
    options.connect().await.unwrap()
}
