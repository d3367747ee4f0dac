//! What keeps the locks, and what runs the tasks: the two sides that the logic of the leases
//! stands between. Both can be simulated.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_monitor::Event;

/// A place outside of all processes that says who holds what.
///
/// Each call is one step there: it happens or it does not, also where its answer is lost. A
/// call may be repeated, and its future may be dropped at any time, after which it may still
/// happen.
///
/// # What an implementation promises
///
/// - Of two grants of one key, the later one has the greater fence.
/// - A key is granted only if nobody holds it. Who holds it has not withdrawn, and its session
///   has not ended.
/// - A session ends when its lease has not been renewed for as long as
///   [`lease`](Self::lease) says, by the store's clock, counted from when the store received
///   the renewal. It is never renewed after that.
pub trait Store: Send + Sync + 'static {
    /// What runs the tasks of this process.
    type Host: Host;

    /// What runs the tasks of this process.
    fn host(&self) -> &Self::Host;

    /// For how long a session lives without a renewal.
    fn lease(&self) -> Duration;

    /// Who waits for a wake-up from the store.
    fn signals(&self) -> &Signals;

    /// A number that all handles to the same key share, and others in all likelihood do not.
    fn id(&self, key: &str) -> u64;

    /// What reports call the store: `postgres`.
    fn name(&self) -> &'static str;

    /// What tells a grant from all others, also from one with the same number:
    /// [`Fence::holder`](crate::Fence::holder).
    fn holder(&self, session: &str, _key: &str, ticket: u64) -> String {
        format!("{session}/{ticket}")
    }

    /// Asks for a key, and joins the queue if it is not free.
    fn request(
        &self,
        request: &Request<'_>,
    ) -> impl Future<Output = Result<Answer, StoreError>> + Send;

    /// Renews the lease of a session, whose tickets are those given, and no others.
    fn renew(
        &self,
        session: &str,
        tickets: &[u64],
    ) -> impl Future<Output = Result<Renewal, StoreError>> + Send;

    /// Releases a key, or leaves the queue.
    fn withdraw(
        &self,
        session: &str,
        key: &str,
        ticket: u64,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Ends a session.
    fn close(&self, session: &str) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// What a session asks of the store.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'r> {
    /// Who asks.
    pub session: &'r str,
    /// No answer to this session was seen yet: the store may not know it.
    pub opens: bool,
    /// What for.
    pub key: &'r str,
    /// The number of this acquisition, in the session.
    pub ticket: u64,
    /// Whether to join the queue.
    pub queues: bool,
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The key is held by the session that has asked.
    Granted {
        /// The number of this grant.
        fence: u64,
    },
    /// The session is in the queue. It is told when it can have the key, but nobody tells it
    /// that all before it have died: it asks again after a while.
    Queued {
        /// How long a while.
        ask_again: Duration,
        /// Who holds the key, for reports: `web-3 pid 4711`.
        holder: Option<String>,
    },
    /// Somebody else holds the key, and the session is not in the queue.
    Busy,
    /// There is no such session any more.
    Ended,
}

/// The answer to a renewal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The session lives on.
    Alive {
        /// What the store knows of and the session does not: a request that arrived after its
        /// withdrawal. Keys and tickets.
        orphans: Vec<(String, u64)>,
    },
    /// There is no such session any more.
    Ended,
}

/// A store could not do what it was asked for, or has not said that it has.
#[derive(Clone, Debug)]
pub struct StoreError {
    source: Arc<dyn Error + Send + Sync>,
    is_final: bool,
}

impl StoreError {
    /// It may be otherwise at the next attempt: a connection is lost, a server restarts.
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StoreError {
            source: Arc::from(source.into()),
            is_final: false,
        }
    }

    /// It would be the same at the next attempt.
    pub fn permanent(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StoreError {
            source: Arc::from(source.into()),
            is_final: true,
        }
    }

    /// Whether another attempt is pointless.
    pub fn is_permanent(&self) -> bool {
        self.is_final
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.source, f)?;
        let mut source = self.source.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

impl Error for StoreError {}

/// A timer, or what a [`Host`] runs.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A clock, timers, and tasks.
pub trait Host: Send + Sync + 'static {
    /// The time since a moment that is the same for all calls. Never goes back.
    fn now(&self) -> Duration;

    /// Completes when [`now`](Self::now) has reached a time.
    fn sleep_until(&self, time: Duration) -> Task;

    /// Runs a future on its own.
    fn spawn(&self, task: Task);
}

/// The host that is tokio's runtime and the monotonic clock of the system.
#[derive(Debug)]
pub struct Tokio {
    handle: tokio::runtime::Handle,
    origin: tokio::time::Instant,
}

impl Tokio {
    /// The runtime that runs the current task.
    ///
    /// # Panics
    ///
    /// Outside of one.
    pub fn current() -> Self {
        Tokio {
            handle: tokio::runtime::Handle::current(),
            origin: tokio::time::Instant::now(),
        }
    }

    /// Runs a future on its own, also where whoever waits for it is not run by tokio.
    #[cfg(feature = "etcd")]
    pub(crate) fn run<T: Send + 'static>(
        &self,
        task: impl Future<Output = T> + Send + 'static,
    ) -> tokio::task::JoinHandle<T> {
        self.handle.spawn(task)
    }
}

impl Host for Tokio {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn sleep_until(&self, time: Duration) -> Task {
        // A timer is made for the runtime that is current.
        let _entered = self.handle.enter();
        Box::pin(tokio::time::sleep_until(self.origin + time))
    }

    fn spawn(&self, task: Task) {
        self.handle.spawn(task);
    }
}

/// The wake-ups that a store has for those who wait in its queues.
#[derive(Debug, Default)]
pub struct Signals {
    waiting: Mutex<HashMap<(String, u64), Arc<Event>>>,
}

impl Signals {
    /// Nobody waits.
    pub fn new() -> Self {
        Signals::default()
    }

    /// The ticket of this session is worth another request. Returns whether anybody waits
    /// for that.
    pub fn wake(&self, session: &str, ticket: u64) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let event = waiting.get(&(session.to_owned(), ticket)).cloned();
        drop(waiting);
        event.inspect(|event| event.set()).is_some()
    }

    /// Wake-ups may have been lost.
    pub fn wake_all(&self) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let events: Vec<_> = waiting.values().cloned().collect();
        drop(waiting);
        for event in events {
            event.set();
        }
    }

    pub(crate) fn join(&self, session: &str, ticket: u64) -> Arc<Event> {
        let event = Arc::new(Event::new());
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert((session.to_owned(), ticket), Arc::clone(&event));
        event
    }

    pub(crate) fn leave(&self, session: &str, ticket: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(&(session.to_owned(), ticket));
    }
}
