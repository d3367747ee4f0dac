//! Beside Postgres.

use std::time::Duration;

use async_monitor_distributed::postgres::{
    FenceError, Options, Postgres, PostgresLock, PostgresStore,
};
use async_monitor_distributed::{Fence, Fenced};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use crate::LEASE;
use crate::backend::{Database, Failed, Numbers, Servers, Written};
use crate::random::Random;
use crate::support::{self, block_on};

#[test]
fn no_fault_lets_a_stale_write_in_or_loses_one_or_keeps_anybody_out() {
    crate::no_fault::<Server>();
}

#[test]
fn the_write_of_a_stopped_process_is_refused() {
    crate::stopped::fenced::<Server>();
}

#[test]
fn without_a_fence_the_write_of_a_stopped_process_is_found() {
    crate::stopped::unfenced::<Server>();
}

const SCHEMA: &str = "create table history (
    id bigint generated always as identity primary key,
    key text not null, fence bigint not null, number bigint not null, worker text not null)";

struct Server {
    postgres: support::Postgres,
    url: String,
}

async fn client(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Servers for Server {
    const SHARE: usize = 1;
    const LONGEST: Duration = Duration::from_secs(1);

    fn start() -> Option<Self> {
        let postgres = support::Postgres::start()?;
        let url = postgres.database("faults");
        block_on(async {
            // Makes the schema of the locks.
            drop(Postgres::connect(&url).await.unwrap());
            let client = client(&url).await.unwrap();
            client.batch_execute(SCHEMA).await.unwrap();
        });
        Some(Server { postgres, url })
    }

    fn ports(&self) -> Vec<u16> {
        vec![self.postgres.port]
    }

    fn url(ports: &[u16]) -> String {
        support::url(ports[0], "faults")
    }

    fn harm(&mut self, _: &mut Random) -> &'static str {
        self.postgres.kill();
        "server restarted"
    }

    fn heal(&mut self) {
        self.postgres.restart();
    }

    fn history(&self) -> Vec<Written> {
        let all = "select key, fence, number from history order by id";
        let rows = block_on(async {
            let client = client(&self.url).await.unwrap();
            client.query(all, &[]).await.unwrap()
        });
        let rows = rows.iter();
        rows.map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }

    fn refused(&self, fence: Option<(&str, i64)>) -> Option<usize> {
        let refused = fence.map_or("is stale: ".to_owned(), |(key, fence)| {
            format!("fence {fence} of lock \"{key}\" is stale: ")
        });
        Some(self.postgres.log().matches(&refused).count())
    }

    fn report(&self) -> Vec<String> {
        block_on(async {
            let store = Postgres::connect(&self.url).await.unwrap();
            let entries = store.report().await.unwrap();
            let mut lines: Vec<_> = entries.iter().map(ToString::to_string).collect();
            let all = "select pid::text || ' ' || coalesce(state, '') || ' ' || \
                       coalesce(wait_event, '') || ' ' || left(query, 80) \
                       from pg_stat_activity where datname = current_database()";
            let client = client(&self.url).await.unwrap();
            let rows = client.query(all, &[]).await.unwrap();
            lines.extend(rows.iter().map(|row| row.get::<_, String>(0)));
            lines
        })
    }
}

pub(crate) struct Connection(Fenced<Client, Numbers>);

const READ: &str = "select coalesce(max(number), 0)::int8 from history where key = $1";
const WRITE: &str = "insert into history (key, fence, number, worker) values ($1, $2, $3, $4)";

fn failed(error: FenceError) -> Failed {
    match error {
        FenceError::Stale(_) => Failed::Stale,
        _ => Failed::Other,
    }
}

impl Database for Connection {
    type Locks = Postgres;
    type Store = PostgresStore;

    async fn locks(url: &str) -> Option<Postgres> {
        let options = Options::new(url).unwrap().lease(LEASE);
        options.creates_schema(false).connect().await.ok()
    }

    fn lock(locks: &Postgres, key: &str) -> PostgresLock<Numbers> {
        locks.lock_for(key)
    }

    async fn connect(url: &str) -> Option<Self> {
        let client = client(url).await.ok()?;
        Some(Connection(Fenced::new(client)))
    }

    fn is_closed(&self) -> bool {
        self.0.unfenced().is_closed()
    }

    async fn read(
        &self,
        key: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> Result<i64, Failed> {
        let read: [(&(dyn ToSql + Sync), Type); 1] = [(&key, Type::TEXT)];
        let rows = if is_fenced {
            self.0.with(fence).query(READ, &read).await.map_err(failed)
        } else {
            let rows = self.0.unfenced().query_typed(READ, &read).await;
            rows.map_err(|_| Failed::Other)
        };
        Ok(rows?[0].get(0))
    }

    async fn write(
        &self,
        key: &str,
        next: i64,
        task: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> Result<(), Failed> {
        let number = fence.number() as i64;
        let write: [(&(dyn ToSql + Sync), Type); 4] = [
            (&key, Type::TEXT),
            (&number, Type::INT8),
            (&next, Type::INT8),
            (&task, Type::TEXT),
        ];
        if is_fenced {
            let written = self.0.with(fence).execute(WRITE, &write).await;
            written.map(drop).map_err(failed)
        } else {
            let written = self.0.unfenced().execute_typed(WRITE, &write).await;
            written.map(drop).map_err(|_| Failed::Other)
        }
    }
}
