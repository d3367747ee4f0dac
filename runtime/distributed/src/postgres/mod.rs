//! Locks in a Postgres database.
//!
//! ```no_run
//! use async_monitor::synchronized;
//! use async_monitor_distributed::postgres::{Postgres, PostgresLock};
//! use async_monitor_distributed::LockError;
//!
//! struct Billing {
//!     invoice: PostgresLock,
//! }
//!
//! # async fn run() -> Result<(), LockError> {
//! let store = Postgres::connect("host=localhost user=app dbname=app").await?;
//! let billing = Billing { invoice: store.lock("billing/42") };
//! # Ok(())
//! # }
//!
//! impl Billing {
//!     #[synchronized(self.invoice?)]
//!     async fn close(&self) -> Result<u64, LockError> {
//!         // .. no other process is in this section
//!         Ok(invoice.fence.number())
//!     }
//! }
//! ```
//!
//! # How
//!
//! Locks are rows in a schema of their own, `async_monitor` (created by [`SCHEMA`]). Each step is
//! one function call, in a transaction of its own. Each acquisition takes a *place* in the queue of
//! its key, by a number that only grows. When it is granted, that number is its fence. Hence:
//!
//! - **A release grants the key to the next waiter** in the same transaction, and the notification
//!   has the fence. The waiter holds the lock then, and asks for nothing more.
//! - **A crash of the server loses no place and no fence.** A place is on disk before its owner
//!   learns that it is queued or granted. Nobody waits for the disk to release. If a crash loses a
//!   release, and the grants that followed from it, the next renewal finds it, and the same places
//!   are granted again, in the same order, with the same fences. A waiter that was granted the lock
//!   before the crash keeps it: its next fenced statement makes the grant again.
//! - **A lost connection loses no lock.** Locks belong to a session with a lease, and the next
//!   connection finds them again. A session advisory lock would end with the connection, at a time
//!   that its holder cannot know, or much later, if the server does not learn that the connection
//!   is dead.
//! - **A process uses two connections**, however many locks it holds: one for statements, one to
//!   listen.
//! - **PgBouncer in transaction mode** works for the statements. It loses notifications, so the
//!   listener needs a connection that bypasses it: [`Options::listen_at`]. [`Postgres::connect`]
//!   tests that notifications arrive, and fails if they do not.
//! - **A failover** to a complete replica (`synchronous_commit` with a synchronous standby) is like
//!   a restart. After one to a replica that lags behind, the last grants may be lost and their
//!   numbers granted again: exclusion is lost for the time of a lease, but the fence is not,
//!   because it is more than its number.
//! - **Keys are data**: any characters but NUL, up to about two kilobytes. Each key that was ever
//!   locked keeps one row, with its last fence.
//!
//! # Cost
//!
//! Acquiring a lock takes one round trip and one commit; releasing it takes another round trip,
//! which does not wait for the disk. An acquisition that waits takes a notification more, which
//! wakes the listeners of all processes at that database. Statements are prepared, unless a pooler
//! may be in front of the database ([`Options::listen_at`]). `examples/RESULTS.md` has figures.
//!
//! The session is renewed by one statement in each third of the lease, however many locks it holds
//! and waits for.
//! A notification tells a waiter when it is its turn. The waiter asks again by itself only if those
//! before it may have died silently: at most once in two thirds of a lease. (While a fenced
//! transaction of an earlier holder is still open, the first in the queue asks ten times a second
//! until it has ended.)

mod connection;
mod fenced;
mod grants;

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::Type;
use tokio_postgres::{Config, NoTls, Row, Socket};

use self::connection::{Connector, Link, Listener, Statement};
pub use self::fenced::{FenceError, StaleFence};
use self::grants::{Grants, Told};
use crate::error::{LockError, lock_error};
use crate::fence::Anything;
use crate::lock::{Lock, Space};
use crate::process::{host_name, process};
pub use crate::report::Entry;
use crate::store::{Answer, Renewal, Request, Signals, Store, StoreError, Tokio};

/// The statements that [`Postgres::connect`] runs if the schema is missing. To run them yourself,
/// see [`Options::creates_schema`].
pub const SCHEMA: &str = include_str!("schema.sql");

/// The name that the schema has as a comment, by which its version is known.
const SCHEMA_VERSION: &str = "async-monitor-distributed 3";

/// Shorter ones end before an answer arrives; longer ones are a mistake in the unit.
const LEASES: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(86_400);

/// A lock in a Postgres database.
pub type PostgresLock<C = Anything> = Lock<PostgresStore, C>;

/// A connection to a database with locks. Clones share it.
#[derive(Clone)]
pub struct Postgres {
    space: Arc<Space<PostgresStore>>,
    store_name: Arc<str>,
}

impl Postgres {
    /// Connects to a database, with the defaults of [`Options`].
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, the schema cannot be created there, or notifications do
    /// not arrive.
    pub async fn connect(config: &str) -> Result<Self, LockError> {
        Options::new(config)?.connect().await
    }

    /// The lock with this key.
    pub fn lock(&self, key: &str) -> PostgresLock {
        self.space.lock(key)
    }

    /// The lock with this key. Its fence is for resources that are [`Fenced`](crate::Fenced) by
    /// `C`.
    pub fn lock_for<C>(&self, key: &str) -> PostgresLock<C> {
        self.space.lock(key)
    }

    /// The holders and waiters of all processes: by key, holders first, then by place in the queue.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub async fn report(&self) -> Result<Vec<Entry>, LockError> {
        let link = &self.space.store().link;
        let rows = link.query(REPORT, &[]).await.map_err(lock_error)?;
        Ok(rows.iter().map(entry).collect())
    }
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres")
            .field("store", &self.store_name)
            .finish_non_exhaustive()
    }
}

const REPORT: &str = "
    select e.key, e.fence, s.host, s.pid,
        extract(epoch from clock_timestamp() - e.since)::float8 as since,
        extract(epoch from s.expires_at - clock_timestamp())::float8 as expires
    from (
        select p.key, l.fence, p.session, p.since, p.place from async_monitor.places p
        left join async_monitor.locks l on l.key = p.key and l.fence = p.place
    ) e
    join async_monitor.sessions s on s.id = e.session and s.expires_at > clock_timestamp()
    order by e.key, e.place";

fn entry(row: &Row) -> Entry {
    let seconds = |column: &str| Duration::from_secs_f64(row.get::<_, f64>(column).max(0.0));
    Entry {
        key: row.get("key"),
        fence: row.get::<_, Option<i64>>("fence").map(|fence| fence as u64),
        host: row.get("host"),
        pid: row.get::<_, i32>("pid") as u32,
        since: seconds("since"),
        expires_in: seconds("expires"),
    }
}

/// The options of a connection.
#[derive(Clone)]
pub struct Options {
    config: Config,
    listen_at: Option<Config>,
    lease: Duration,
    creates_schema: bool,
    connector: Connector,
}

impl Options {
    /// The options for a connection string of tokio-postgres: `host=.. user=..`, or a URL.
    ///
    /// # Errors
    ///
    /// If `config` is not a connection string.
    pub fn new(config: &str) -> Result<Self, LockError> {
        Ok(Options {
            config: parse(config)?,
            listen_at: None,
            lease: Duration::from_secs(10),
            creates_schema: true,
            connector: Connector::new(NoTls),
        })
    }

    /// How long a lease lasts without a renewal, ten seconds by default. This is how long others
    /// wait for a lock whose holder has died.
    ///
    /// [`connect`](Self::connect) refuses less than 100 milliseconds or more than a day. A
    /// connection that has not answered for a quarter of the lease is replaced by another one.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The connection string of the listener, for a pooler in front of the database that loses
    /// notifications.
    ///
    /// # Errors
    ///
    /// If `config` is not a connection string.
    pub fn listen_at(mut self, config: &str) -> Result<Self, LockError> {
        self.listen_at = Some(parse(config)?);
        Ok(self)
    }

    /// Whether to run [`SCHEMA`] if the schema is missing. The default is `true`.
    #[must_use]
    pub fn creates_schema(mut self, creates: bool) -> Self {
        self.creates_schema = creates;
        self
    }

    /// Connects by TLS.
    #[must_use]
    pub fn tls<T>(mut self, tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as tokio_postgres::tls::TlsConnect<Socket>>::Future: Send,
    {
        self.connector = Connector::new(tls);
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As for [`Postgres::connect`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn connect(self) -> Result<Postgres, LockError> {
        if !LEASES.contains(&self.lease) {
            let refused = format!("a lease of {:?} is not within {LEASES:?}", self.lease);
            return Err(LockError::Refused(StoreError::permanent(refused)));
        }
        let host = Arc::new(Tokio::current());
        let signals = Arc::new(Signals::new());
        let grants = Arc::new(Grants::default());
        // Less than what a renewal has, so that the connection is given up before the renewal.
        let limit = self.lease / 4;
        let link = Link::new(self.config.clone(), self.connector.clone(), limit, &host);
        find_schema(&link, self.creates_schema)
            .await
            .map_err(lock_error)?;
        let row = link.query("select id from async_monitor.store", &[]).await;
        let row = row.map_err(lock_error)?;
        let store_name: Arc<str> = row.first().map_or("", |row| row.get(0)).into();
        let is_direct = self.listen_at.is_none();
        let listen_at = self.listen_at.unwrap_or(self.config);
        let told = Told {
            signals: Arc::clone(&signals),
            grants: Arc::clone(&grants),
        };
        let listener = Listener::start(listen_at, self.connector, limit, &host, told);
        let listener = listener.await.map_err(lock_error)?;
        listener.check(&link).await.map_err(lock_error)?;
        if is_direct {
            // Notifications arrive at a connection that is made in the same way: so it is ours for
            // as long as it lasts.
            link.prepare(&STATEMENTS).await.map_err(lock_error)?;
        }
        let (machine, pid) = (host_name(), std::process::id());
        let holder = process(&machine, pid);
        let store = PostgresStore {
            link,
            listener,
            host,
            signals,
            grants,
            lease: self.lease,
            machine,
            pid: pid as i32,
            store_name: Arc::clone(&store_name),
        };
        Ok(Postgres {
            space: Space::new(store, &holder),
            store_name,
        })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}

fn parse(config: &str) -> Result<Config, LockError> {
    let parsed: Result<Config, _> = config.parse();
    parsed.map_err(|error| LockError::Refused(StoreError::permanent(error)))
}

/// Makes sure that the schema, if there is one, is that of this version.
async fn find_schema(link: &Arc<Link>, creates: bool) -> Result<(), StoreError> {
    let version = "select obj_description(oid, 'pg_namespace') from pg_namespace \
                   where nspname = 'async_monitor'";
    let rows = link.query(version, &[]).await?;
    let found = rows.first().and_then(|row| row.get::<_, Option<&str>>(0));
    if let Some(other) = found.filter(|found| *found != SCHEMA_VERSION) {
        return Err(StoreError::permanent(format!(
            "the schema `async_monitor` of this database is `{other}`, and this program needs \
             `{SCHEMA_VERSION}`, which differs: use programs of one version; or stop all that \
             use it, and remove it by `drop schema async_monitor cascade`"
        )));
    }
    if found.is_some() || !creates {
        return Ok(());
    }
    // Several statements in one are one transaction.
    link.batch(&format!(
        "select pg_advisory_xact_lock(1634561902, 0);\n{SCHEMA}"
    ))
    .await
}

/// The [`Store`] behind [`Postgres`].
pub struct PostgresStore {
    link: Arc<Link>,
    listener: Listener,
    host: Arc<Tokio>,
    signals: Arc<Signals>,
    grants: Arc<Grants>,
    lease: Duration,
    machine: String,
    pid: i32,
    store_name: Arc<str>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("store", &self.store_name)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }
}

/// The statements that are sent often.
const REQUEST: &str = "select async_monitor.request(\
    $1, $2, $3, $4, $5, $6, $7, $8 * interval '1 millisecond', $9)";
const WITHDRAW: &str = "select async_monitor.withdraw($1, $2, $3)";
const RENEW: &str = "select alive, orphan_keys, orphan_tickets from async_monitor.renew(\
    $1, $2 * interval '1 millisecond', $3)";

/// What is prepared where that can be.
const STATEMENTS: [Statement; 3] = [
    (
        REQUEST,
        &[
            Type::TEXT,
            Type::BOOL,
            Type::TEXT,
            Type::TEXT,
            Type::INT4,
            Type::TEXT,
            Type::INT8,
            Type::INT8,
            Type::BOOL,
        ],
    ),
    (WITHDRAW, &[Type::TEXT, Type::TEXT, Type::INT8]),
    (RENEW, &[Type::TEXT, Type::INT8, Type::INT8_ARRAY]),
];

/// What `request` answers.
fn answer(text: &str) -> Option<Answer> {
    let mut words = text.splitn(4, ' ');
    Some(match words.next()? {
        "granted" => Answer::Granted {
            fence: words.next()?.parse().ok()?,
        },
        "queued" => Answer::Queued {
            ask_again: Duration::from_millis(words.next()?.parse().ok()?),
            holder: match (words.next().and_then(|pid| pid.parse().ok()), words.next()) {
                (Some(pid), Some(host)) => Some(process(host, pid)),
                _ => None,
            },
        },
        "busy" => Answer::Busy,
        "ended" => Answer::Ended,
        _ => return None,
    })
}

impl Store for PostgresStore {
    type Host = Tokio;

    fn host(&self) -> &Tokio {
        &self.host
    }

    fn lease(&self) -> Duration {
        self.lease
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn id(&self, key: &str) -> u64 {
        crate::process::id(&self.store_name, key)
    }

    fn name(&self) -> &'static str {
        "postgres"
    }

    async fn request(&self, request: &Request<'_>) -> Result<Answer, StoreError> {
        // (Whoever opens the session has to ask: what it was told does not say since when the
        // store counts its lease.)
        if !request.opens {
            if let Some(fence) = self.grants.take(request.session, request.ticket) {
                return Ok(Answer::Granted { fence });
            }
        }
        let ticket = request.ticket as i64;
        let rows = self
            .link
            .query(
                REQUEST,
                &[
                    (&request.session, Type::TEXT),
                    (&request.opens, Type::BOOL),
                    (&self.listener.channel(), Type::TEXT),
                    (&self.machine, Type::TEXT),
                    (&self.pid, Type::INT4),
                    (&request.key, Type::TEXT),
                    (&ticket, Type::INT8),
                    (&self.lease_ms(), Type::INT8),
                    (&request.queues, Type::BOOL),
                ],
            )
            .await?;
        let row = one(&rows)?;
        let answer = answer(row.get(0));
        answer.ok_or_else(|| StoreError::permanent("the answer of the database is unknown"))
    }

    async fn renew(&self, session: &str, tickets: &[u64]) -> Result<Renewal, StoreError> {
        let tickets: Vec<i64> = tickets.iter().map(|ticket| *ticket as i64).collect();
        let rows = self
            .link
            .query(
                RENEW,
                &[
                    (&session, Type::TEXT),
                    (&self.lease_ms(), Type::INT8),
                    (&tickets, Type::INT8_ARRAY),
                ],
            )
            .await?;
        let row = one(&rows)?;
        if !row.get::<_, bool>(0) {
            return Ok(Renewal::Ended);
        }
        let keys: Option<Vec<String>> = row.get(1);
        let tickets: Option<Vec<i64>> = row.get(2);
        let tickets = tickets.unwrap_or_default().into_iter();
        let tickets = tickets.map(|ticket| ticket as u64);
        Ok(Renewal::Alive {
            orphans: keys.unwrap_or_default().into_iter().zip(tickets).collect(),
        })
    }

    async fn withdraw(&self, session: &str, key: &str, ticket: u64) -> Result<(), StoreError> {
        self.grants.forget(session, ticket);
        let ticket = ticket as i64;
        self.link
            .query(
                WITHDRAW,
                &[
                    (&session, Type::TEXT),
                    (&key, Type::TEXT),
                    (&ticket, Type::INT8),
                ],
            )
            .await
            .map(drop)
    }

    async fn close(&self, session: &str) -> Result<(), StoreError> {
        let close = "select async_monitor.close($1)";
        self.link
            .query(close, &[(&session, Type::TEXT)])
            .await
            .map(drop)
    }
}

fn one(rows: &[Row]) -> Result<&Row, StoreError> {
    let row = rows.first();
    row.ok_or_else(|| StoreError::permanent("the database has answered without a row"))
}
