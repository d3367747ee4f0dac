//! Connections that are made again when they are lost.

use std::fmt::Write;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_monitor::__private::unwatched;
use async_monitor::Mutex as AsyncMutex;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Socket};

use crate::session::Bounded;
use crate::store::{Host, Signals, StoreError, Task, Tokio};

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

/// The connection for statements: one for all locks, which sends them in the order in which
/// they are made.
pub(super) struct Link {
    config: Config,
    connector: Connector,
    /// How long a statement may take. Each is short; a connection that does not answer is dead.
    limit: Duration,
    host: Arc<Tokio>,
    client: Mutex<Option<Arc<Client>>>,
    connecting: AsyncMutex<()>,
}

impl Link {
    pub(super) fn new(
        config: Config,
        connector: Connector,
        limit: Duration,
        host: &Arc<Tokio>,
    ) -> Self {
        Link {
            config,
            connector,
            limit,
            host: Arc::clone(host),
            client: Mutex::new(None),
            connecting: AsyncMutex::new(()),
        }
    }

    fn connected(&self) -> Option<Arc<Client>> {
        let client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        client
            .as_ref()
            .filter(|client| !client.is_closed())
            .cloned()
    }

    async fn client(&self) -> Result<Arc<Client>, StoreError> {
        if let Some(client) = self.connected() {
            return Ok(client);
        }
        let _one_at_a_time = self.connecting.lock().await;
        if let Some(client) = self.connected() {
            return Ok(client);
        }
        let connecting = (self.connector.0)(self.config.clone());
        let (client, messages) = self.bounded(connecting).await?;
        self.host.spawn(messages(Box::new(|_| {})));
        let client = Arc::new(client);
        let mut current = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(Arc::clone(&client));
        Ok(client)
    }

    async fn bounded<T>(
        &self,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        let limit = self.host.sleep_until(self.host.now() + self.limit);
        match Bounded(pin!(future), limit).await {
            Some(result) => result.map_err(store_error),
            None => Err(StoreError::transient("the database does not answer")),
        }
    }

    /// One statement, in one round trip: unnamed, as prepared ones belong to a connection that
    /// a pooler may give to another.
    pub(super) async fn query(
        &self,
        statement: &str,
        params: &[(&(dyn ToSql + Sync), Type)],
    ) -> Result<Vec<Row>, StoreError> {
        let client = self.client().await?;
        let result = self.bounded(client.query_typed(statement, params)).await;
        self.looked_at(&client, result)
    }

    pub(super) async fn batch(&self, statements: &str) -> Result<(), StoreError> {
        let client = self.client().await?;
        let result = self.bounded(client.batch_execute(statements)).await;
        self.looked_at(&client, result)
    }

    /// Whatever has gone wrong that may be otherwise next time is tried by a new connection.
    fn looked_at<T>(
        &self,
        client: &Arc<Client>,
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
        signals: &Arc<Signals>,
    ) -> Result<Self, StoreError> {
        let mut channel = "async_monitor_".to_owned();
        let _ = write!(channel, "{}", crate::session::unique_id());
        let probed = Arc::new(async_monitor::Event::new());
        let listening = Listening {
            link: Link::new(config, connector, limit, host),
            channel: channel.clone(),
            signals: Arc::clone(signals),
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
    pub(super) async fn check(&self, link: &Link) -> Result<(), StoreError> {
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
    link: Link,
    channel: String,
    signals: Arc<Signals>,
    probed: Arc<async_monitor::Event>,
}

impl Listening {
    async fn connect(&self) -> Result<(Client, tokio::task::JoinHandle<()>), StoreError> {
        let connecting = (self.link.connector.0)(self.link.config.clone());
        let (client, messages) = self.link.bounded(connecting).await?;
        let (signals, probed) = (Arc::clone(&self.signals), Arc::clone(&self.probed));
        let connection = tokio::spawn(messages(Box::new(move |payload| {
            if payload == PROBE {
                probed.set();
            } else if let Some((session, ticket)) = payload.split_once('/') {
                // Whom nobody waits for any more was withdrawn, or is found by a renewal.
                let _is_waiting = ticket
                    .parse()
                    .is_ok_and(|ticket| signals.wake(session, ticket));
            }
        })));
        let listen = format!("listen \"{}\"", self.channel);
        let listening = self.link.bounded(client.batch_execute(&listen)).await;
        if let Err(error) = listening {
            connection.abort();
            return Err(error);
        }
        // What was notified meanwhile is lost.
        self.signals.wake_all();
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
