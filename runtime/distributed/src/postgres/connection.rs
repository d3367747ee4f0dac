//! Connections that are made again when they are lost.

use std::fmt::Write;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_monitor::__private::unwatched;
use async_monitor::Mutex as AsyncMutex;
use tokio_postgres::config::Host as Server;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Socket};

use super::grants::Told;
use crate::session::Bounded;
use crate::store::{Host, StoreError, Task, Tokio};

type Connecting = Pin<Box<dyn Future<Output = Result<(Client, Messages), Error>> + Send>>;

/// Runs a connection, and is given its notifications.
type Messages = Box<dyn FnOnce(Notified) -> Task + Send>;

type Notified = Box<dyn FnMut(&str) + Send>;

/// How to connect, without the type of what makes TLS connections.
#[derive(Clone)]
pub(super) struct Connector(Arc<dyn Fn(Config) -> Connecting + Send + Sync>);

impl Connector {
    pub(super) fn new<T>(tls: T) -> Self
    where
        T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
        T::Stream: Send,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        Connector(Arc::new(move |config| {
            let tls = tls.clone();
            Box::pin(async move {
                let (client, mut connection) = config.connect(tls).await?;
                let messages: Messages = Box::new(|mut notified| {
                    Box::pin(async move {
                        // Ends with the connection.
                        while let Some(Ok(message)) =
                            poll_fn(|cx| connection.poll_message(cx)).await
                        {
                            if let AsyncMessage::Notification(notification) = message {
                                notified(notification.payload());
                            }
                        }
                    })
                });
                Ok((client, messages))
            })
        }))
    }
}

/// What the database has said, or the connection, and whether that may change.
pub(super) fn store_error(error: Error) -> StoreError {
    let Some(code) = error.code().map(|code| code.code()) else {
        return StoreError::transient(error);
    };
    // Connections, resources, the operator (and `statement_timeout`), the server itself,
    // serialization and deadlocks; `lock_timeout`; a server that became a replica.
    let transient = ["08", "53", "57", "58", "40", "XX", "55P03", "25006"];
    if transient.iter().any(|prefix| code.starts_with(prefix)) {
        StoreError::transient(error)
    } else {
        StoreError::permanent(error)
    }
}

/// The same, with the servers in another order: beginning with that one of them.
fn beginning_with(first: usize, config: &Config) -> Config {
    let mut other = Config::new();
    if let Some(user) = config.get_user() {
        other.user(user);
    }
    if let Some(password) = config.get_password() {
        other.password(password);
    }
    if let Some(name) = config.get_dbname() {
        other.dbname(name);
    }
    if let Some(options) = config.get_options() {
        other.options(options);
    }
    if let Some(name) = config.get_application_name() {
        other.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        other.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        other.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        other.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        other.keepalives_retries(retries);
    }
    other
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .target_session_attrs(config.get_target_session_attrs())
        .channel_binding(config.get_channel_binding())
        .load_balance_hosts(config.get_load_balance_hosts());
    for host in turned(first, config.get_hosts()) {
        match host {
            Server::Tcp(host) => other.host(host),
            #[cfg(unix)]
            Server::Unix(path) => other.host_path(path),
        };
    }
    for address in turned(first, config.get_hostaddrs()) {
        other.hostaddr(*address);
    }
    for port in turned(first, config.get_ports()) {
        other.port(*port);
    }
    other
}

/// All of them, beginning with one. (A single one is of all servers.)
fn turned<T>(first: usize, all: &[T]) -> impl Iterator<Item = &T> {
    let (before, from) = all.split_at(first % all.len().max(1));
    from.iter().chain(before)
}

/// The connection for statements: one for all locks, which sends them in the order in which
/// they are made.
pub(super) struct Link {
    config: Config,
    /// Which of several servers is asked first: another one whenever one does not answer.
    first: AtomicUsize,
    connector: Connector,
    /// How long a statement may take. Each is short; a connection that does not answer is dead.
    limit: Duration,
    host: Arc<Tokio>,
    client: Mutex<Option<Arc<Connected>>>,
    connecting: AsyncMutex<()>,
    /// What each connection prepares, if it is ours for as long as it lasts.
    prepares: OnceLock<&'static [Statement]>,
}

/// A statement and the types of its parameters.
pub(super) type Statement = (&'static str, &'static [Type]);

/// A connection and what it has prepared.
struct Connected {
    client: Client,
    prepared: OnceLock<Vec<(&'static str, tokio_postgres::Statement)>>,
}

impl Connected {
    /// Also what a planner has to know that sees tables of a few rows, and does not see that
    /// a thousand dead ones will be among them soon: to go by the index. (Where there is none to go
    /// by, that makes a plan look so expensive that it would be compiled.)
    async fn prepare(&self, statements: &[Statement]) -> Result<(), Error> {
        let settings = "set enable_seqscan = off; set enable_bitmapscan = off; set jit = off; \
                        set plan_cache_mode = force_generic_plan";
        self.client.batch_execute(settings).await?;
        let mut prepared = Vec::new();
        for (statement, types) in statements {
            let named = self.client.prepare_typed(statement, types).await?;
            prepared.push((*statement, named));
        }
        let _first = self.prepared.set(prepared);
        Ok(())
    }

    async fn query(
        &self,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, Error> {
        let mut prepared = self.prepared.get().into_iter().flatten();
        match prepared.find(|(text, _)| *text == statement) {
            Some((_, prepared)) => {
                let params: Vec<_> = params.iter().map(|(value, _)| *value).collect();
                self.client.query(prepared, &params).await
            }
            None => self.client.query_typed(statement, params).await,
        }
    }
}

impl Link {
    pub(super) fn new(
        config: Config,
        connector: Connector,
        limit: Duration,
        host: &Arc<Tokio>,
    ) -> Arc<Self> {
        Arc::new(Link {
            config,
            first: AtomicUsize::new(0),
            connector,
            limit,
            host: Arc::clone(host),
            client: Mutex::new(None),
            connecting: AsyncMutex::new(()),
            prepares: OnceLock::new(),
        })
    }

    fn connected(&self) -> Option<Arc<Connected>> {
        let current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        current
            .as_ref()
            .filter(|connected| !connected.client.is_closed())
            .cloned()
    }

    /// Prepares these statements, by this connection and by each that is made later.
    pub(super) async fn prepare(
        self: &Arc<Self>,
        statements: &'static [Statement],
    ) -> Result<(), StoreError> {
        let _first = self.prepares.set(statements);
        let connected = self.client().await?;
        if connected.prepared.get().is_some() {
            return Ok(());
        }
        let result = self.bounded(connected.prepare(statements)).await;
        self.looked_at(&connected, result)
    }

    /// The connection, or another one. That is made by a task: whoever asks for it may be not polled
    /// any more, and others wait for it.
    async fn client(self: &Arc<Self>) -> Result<Arc<Connected>, StoreError> {
        if let Some(client) = self.connected() {
            return Ok(client);
        }
        let this = Arc::clone(self);
        let connecting = self.host.run(async move { this.reconnected().await });
        let ended = connecting.await;
        ended.unwrap_or_else(|error| Err(StoreError::transient(error)))
    }

    async fn reconnected(&self) -> Result<Arc<Connected>, StoreError> {
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(client) = self.connected() {
            return Ok(client);
        }
        let (client, messages) = self.connect().await?;
        self.host.spawn(messages(Box::new(|_| {})));
        let connected = Arc::new(Connected {
            client,
            prepared: OnceLock::new(),
        });
        if let Some(statements) = self.prepares.get() {
            self.bounded(connected.prepare(statements)).await?;
        }
        let mut current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&connected));
        Ok(connected)
    }

    /// A new connection, to the first of several servers that answers.
    async fn connect(&self) -> Result<(Client, Messages), StoreError> {
        let (hosts, addresses) = (self.config.get_hosts(), self.config.get_hostaddrs());
        let mut attempts = hosts.len().max(addresses.len());
        loop {
            let first = self.first.load(Ordering::Relaxed);
            let config = match first {
                0 => self.config.clone(),
                _ => beginning_with(first, &self.config),
            };
            attempts = attempts.saturating_sub(1);
            let result = self.bounded((self.connector.0)(config)).await;
            let has_answered = self.first.load(Ordering::Relaxed) == first;
            if result.is_ok() || has_answered || attempts == 0 {
                return result;
            }
        }
    }

    async fn bounded<T>(
        &self,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        let limit = self.host.sleep_until(self.host.now() + self.limit);
        match Bounded(pin!(future), limit).await {
            Some(result) => result.map_err(store_error),
            None => {
                // One that is dead without a word takes all the time that there is.
                self.first.fetch_add(1, Ordering::Relaxed);
                Err(StoreError::transient("the database does not answer"))
            }
        }
    }

    /// One statement, in one round trip: prepared where that was done, and unnamed otherwise, as
    /// prepared ones belong to a connection that a pooler may give to another.
    pub(super) async fn query(
        self: &Arc<Self>,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        let client = self.client().await?;
        let result = self.bounded(client.query(statement, params)).await;
        self.looked_at(&client, result)
    }

    pub(super) async fn batch(self: &Arc<Self>, statements: &str) -> Result<(), StoreError> {
        let client = self.client().await?;
        let result = self.bounded(client.client.batch_execute(statements)).await;
        self.looked_at(&client, result)
    }

    /// Whatever has gone wrong that may be otherwise next time is tried by a new connection.
    fn looked_at<T>(
        &self,
        client: &Arc<Connected>,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if matches!(&result, Err(error) if !error.is_permanent()) {
            let mut current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
            if current
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, client))
            {
                *current = None;
            }
        }
        result
    }
}

/// The connection that is told when a lock is released.
pub(super) struct Listener {
    channel: String,
    probed: Arc<async_monitor::Event>,
    host: Arc<Tokio>,
    task: tokio::task::AbortHandle,
}

/// What is notified to see whether it arrives.
const PROBE: &str = "probe";

impl Listener {
    /// Listens, and does so again whenever the connection is lost.
    pub(super) async fn start(
        config: Config,
        connector: Connector,
        limit: Duration,
        host: &Arc<Tokio>,
        told: Told,
    ) -> Result<Self, StoreError> {
        let mut channel = "async_monitor_".to_owned();
        let _ = write!(channel, "{}", crate::session::unique_id());
        let probed = Arc::new(async_monitor::Event::new());
        let listening = Listening {
            link: Link::new(config, connector, limit, host),
            channel: channel.clone(),
            told,
            probed: Arc::clone(&probed),
        };
        let first = listening.connect().await?;
        let task = tokio::spawn(listening.run(first)).abort_handle();
        Ok(Listener {
            channel,
            probed,
            host: Arc::clone(host),
            task,
        })
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    /// Makes sure that what is notified by one connection arrives at another that is idle,
    /// which is not so behind a pooler in transaction mode.
    pub(super) async fn check(&self, link: &Arc<Link>) -> Result<(), StoreError> {
        let notify = "select pg_notify($1, $2)";
        let params: [(&(dyn ToSql + Sync), Type); 2] =
            [(&self.channel, Type::TEXT), (&PROBE, Type::TEXT)];
        link.query(notify, &params).await?;
        let limit = self
            .host
            .sleep_until(self.host.now() + Duration::from_secs(5));
        match Bounded(pin!(unwatched(self.probed.wait())), limit).await {
            Some(()) => Ok(()),
            None => Err(StoreError::permanent(
                "notifications of this database do not arrive. Where a pooler is in front of it \
                 that gives a connection for a transaction only (PgBouncer with \
                 pool_mode=transaction), connect without it, or listen without it: \
                 `Options::listen_at`",
            )),
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Listening {
    link: Arc<Link>,
    channel: String,
    told: Told,
    probed: Arc<async_monitor::Event>,
}

impl Listening {
    async fn connect(&self) -> Result<(Client, tokio::task::JoinHandle<()>), StoreError> {
        let (client, messages) = self.link.connect().await?;
        let (told, probed) = (self.told.clone(), Arc::clone(&self.probed));
        let connection = tokio::spawn(messages(Box::new(move |payload| {
            if payload == PROBE {
                probed.set();
            } else {
                told.notified(payload);
            }
        })));
        let listen = format!("listen \"{}\"", self.channel);
        let listening = self.link.bounded(client.batch_execute(&listen)).await;
        if let Err(error) = listening {
            connection.abort();
            return Err(error);
        }
        // What was notified meanwhile is lost.
        self.told.signals.wake_all();
        Ok((client, connection))
    }

    async fn run(self, first: (Client, tokio::task::JoinHandle<()>)) {
        let mut current = Some(first);
        loop {
            if let Some((client, mut connection)) = current.take() {
                // A connection may be dead without a word.
                loop {
                    let pause = self
                        .link
                        .host
                        .sleep_until(self.link.host.now() + 3 * self.link.limit);
                    if Bounded(&mut connection, pause).await.is_some() {
                        break;
                    }
                    if self.link.bounded(client.batch_execute("")).await.is_err() {
                        break;
                    }
                }
                connection.abort();
            }
            current = self.connect().await.ok();
            if current.is_none() {
                let pause = self.link.limit / 3;
                self.link
                    .host
                    .sleep_until(self.link.host.now() + pause)
                    .await;
            }
        }
    }
}
