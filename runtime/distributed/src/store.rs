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

/// A service outside of all processes that keeps the holders and the queues of locks.
///
/// Each call is one atomic step: it takes effect or not, even if its answer is lost. A call may be
/// repeated. Its future may be dropped at any time, and the call may still take effect after that.
///
/// # What an implementation guarantees
///
/// - Of two grants of one key, the later one has the greater fence.
/// - A key is granted only if nobody holds it. A holder is a grant that has not been withdrawn, and
///   whose session has not ended.
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

/// The request of a session for a lock.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Request<'r> {
    /// The session that asks.
    pub session: &'r str,
    /// Whether no answer to this session has been seen yet: the store may not know it.
    pub opens: bool,
    /// The key of the lock.
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

/// The error of a store: a request has failed, or was not answered.
#[derive(Clone, Debug)]
pub struct StoreError {
    source: Arc<dyn Error + Send + Sync>,
    is_final: bool,
}

impl StoreError {
    /// An error after which another attempt may succeed: a lost connection, a server that restarts.
    pub fn transient(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        StoreError {
            source: Arc::from(source.into()),
            is_final: false,
        }
    }

    /// An error that another attempt would meet again.
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

/// A timer, or a task of a [`Host`].
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

/// A host that uses tokio's runtime and the monotonic clock of the system.
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
    /// Outside of a tokio runtime.
    pub fn current() -> Self {
        Tokio {
            handle: tokio::runtime::Handle::current(),
            origin: tokio::time::Instant::now(),
        }
    }

    /// Runs a future on its own, also where whoever waits for it is not run by tokio.
    #[cfg(any(feature = "postgres", feature = "etcd"))]
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

/// The wake-ups that a store sends to the waiters in its queues.
#[derive(Debug, Default)]
pub struct Signals {
    waiting: Mutex<HashMap<(String, u64), Arc<Event>>>,
}

impl Signals {
    /// No waiters.
    pub fn new() -> Self {
        Signals::default()
    }

    /// Wakes the waiter with this ticket of this session, which then makes another request. Returns
    /// whether there is one.
    pub fn wake(&self, session: &str, ticket: u64) -> bool {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let event = waiting.get(&(session.to_owned(), ticket)).cloned();
        drop(waiting);
        event.inspect(|event| event.set()).is_some()
    }

    /// Wakes all waiters, because wake-ups may have been lost.
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
