//! Locks in etcd.
//!
//! ```no_run
//! use async_monitor::synchronized;
//! use async_monitor_distributed::etcd::{Etcd, EtcdLock};
//! use async_monitor_distributed::LockError;
//!
//! struct Billing {
//!     invoice: EtcdLock,
//! }
//!
//! # async fn run() -> Result<(), LockError> {
//! let store = Etcd::connect(["http://10.0.0.1:2379", "http://10.0.0.2:2379"]).await?;
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
//! Each acquisition has a key of its own in etcd, its *place* in the queue of the lock, which
//! belongs to the lease of its process. The place with the lowest create revision holds the lock,
//! and that revision is the fence. Hence:
//!
//! - **One transaction requests the lock and reads the queue**: it returns the place directly
//!   before.
//! - **A waiter watches the place before its own**, and is the only one notified when that place is
//!   deleted. If anything has changed before the watch began, the waiter asks the watching member
//!   whether the place still exists. All watches of a process share one stream. If the stream, the
//!   connection or the member is lost, all waiters ask again.
//! - **A renewal counts only if the leader made it.** A former leader that was stopped, and does
//!   not know its successor yet, may renew a lease that the successor has ended. So each renewal is
//!   followed by a linearizable read, and counts only if the term has not changed.
//! - **A failover is a pause.** Members are asked one after another. A new leader restarts all
//!   leases, so a waiter behind a dead process waits for that lease again.
//! - **A place is deleted only after it was created.** If an acquisition is dropped while its
//!   request is under way, the place is deleted after the answer. A place that a member creates
//!   later than that is found by the next renewal, which lists the keys of the lease.
//! - **Nothing is left behind**: no key, and no lease, of a lock that nobody holds or waits for.
//!
//! A lease is counted by the leader's monotonic clock, so setting a clock has no effect. But in a
//! cluster of etcd before 3.4.31 and 3.5.13, a leader that was stopped and goes on may end leases
//! that its successor has renewed. The holders learn of it with their next renewal; until then,
//! exclusion is lost, but the fence is not.
//!
//! # Cost
//!
//! Acquiring a free lock takes one round trip, a write; releasing it takes another. An acquisition
//! that waits takes a watch more, and a read unless only the holder is before it. Each
//! process renews one lease, by four small requests in each third of the lease, none of which is a
//! write. An idle waiter adds only a watch. (It asks again once per lease, in case its watch is
//! dead.) The first acquisition after an idle time takes one more round trip, for the lease.
//! `examples/RESULTS.md` has figures.

mod connection;
mod fenced;
mod keys;
mod places;
mod watcher;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use etcd_client::{Client, ConnectOptions, Error, GetOptions, LeaseTimeToLiveOptions};

use self::connection::{Link, is};
pub use self::fenced::{FenceError, StaleFence};
use self::places::Places;
use crate::error::{LockError, lock_error};
use crate::fence::Anything;
use crate::lock::{Lock, Space};
use crate::process::{host_name, process};
pub use crate::report::Entry;
use crate::store::{Answer, Renewal, Request, Signals, Store, StoreError, Tokio};

/// Shorter ones end before an answer arrives; longer ones are a mistake in the unit.
const LEASES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);

/// A lock in etcd.
pub type EtcdLock<C = Anything> = Lock<EtcdStore, C>;

/// A connection to a cluster with locks. Clones share it.
#[derive(Clone)]
pub struct Etcd {
    space: Arc<Space<EtcdStore>>,
}

impl Etcd {
    /// Connects to a cluster, or to a single member, with the defaults of [`Options`].
    ///
    /// # Errors
    ///
    /// If none of the endpoints answers, or etcd refuses.
    pub async fn connect<E: AsRef<str>>(endpoints: impl AsRef<[E]>) -> Result<Self, LockError> {
        Options::new(endpoints).connect().await
    }

    /// The lock with this key.
    pub fn lock(&self, key: &str) -> EtcdLock {
        self.space.lock(key)
    }

    /// The lock with this key. Its fence is for resources that are [`Fenced`](crate::Fenced) by
    /// `C`.
    pub fn lock_for<C>(&self, key: &str) -> EtcdLock<C> {
        self.space.lock(key)
    }

    /// The holders and waiters of all processes: by key, holders first, then by place in the queue.
    ///
    /// # Errors
    ///
    /// If etcd does not answer.
    pub async fn report(&self) -> Result<Vec<Entry>, LockError> {
        let store = self.space.store();
        store.report().await.map_err(lock_error)
    }
}

impl fmt::Debug for Etcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Etcd")
            .field("store", self.space.store())
            .finish_non_exhaustive()
    }
}

/// The options of a connection.
#[derive(Clone)]
pub struct Options {
    endpoints: Vec<String>,
    client: ConnectOptions,
    lease: Duration,
    prefix: String,
}

impl Options {
    /// The members, or some of them: `http://10.0.0.1:2379`. One is asked at a time.
    pub fn new<E: AsRef<str>>(endpoints: impl AsRef<[E]>) -> Self {
        let endpoints = endpoints.as_ref().iter();
        Options {
            endpoints: endpoints.map(|endpoint| endpoint.as_ref().into()).collect(),
            client: ConnectOptions::new(),
            lease: Duration::from_secs(10),
            prefix: "async-monitor/".to_owned(),
        }
    }

    /// How long a lease lasts without a renewal, ten seconds by default. This is how long others
    /// wait for a lock whose holder has died.
    ///
    /// [`connect`](Self::connect) refuses less than a second or more than a day. etcd counts whole
    /// seconds, and has a minimum of its own, two seconds by default: if it keeps a lease for
    /// longer than requested, others wait longer, and nothing else changes. If a member has not
    /// answered for a quarter of the lease, another one is asked. An election takes one or two
    /// seconds, so a lease of less than five seconds is often lost in a failover.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// The prefix of all keys, `async-monitor/` by default. Locks with different prefixes are
    /// different locks. A role needs `readwrite` for the prefix.
    #[must_use]
    pub fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Options for etcd-client: a user and a password, or TLS, which needs the features of that
    /// crate.
    #[must_use]
    pub fn client(mut self, options: ConnectOptions) -> Self {
        self.client = options;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As for [`Etcd::connect`].
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub async fn connect(self) -> Result<Etcd, LockError> {
        let refused = |reason| Err(LockError::Refused(StoreError::permanent(reason)));
        if !LEASES.contains(&self.lease) {
            return refused(format!(
                "a lease of {:?} is not within {LEASES:?}",
                self.lease
            ));
        }
        if self.endpoints.is_empty() {
            return refused("there is no endpoint of etcd".to_owned());
        }
        let host = Arc::new(Tokio::current());
        let limit = self.lease / 4;
        let link = Arc::new(Link::new(self.endpoints, self.client, limit, &host));
        // Whether there is an answer, and may be one.
        let look = |client: Client| {
            let options = GetOptions::new().with_prefix().with_limit(1);
            let options = options.with_keys_only();
            let prefix = self.prefix.clone();
            async move { client.kv_client().get(prefix, Some(options)).await }
        };
        let answer = link.call(look).await.map_err(lock_error)?;
        let cluster = answer.header().map_or(0, |header| header.cluster_id());
        let (machine, pid) = (host_name(), std::process::id());
        let holder = process(&machine, pid);
        let signals = Arc::new(Signals::new());
        let places = Places::new(&link, &signals, &self.prefix);
        let store = EtcdStore {
            link,
            places,
            host,
            signals,
            lease: self.lease,
            store_name: format!("{cluster:x}/{}", self.prefix),
            prefix: self.prefix,
            machine,
            pid,
        };
        Ok(Etcd {
            space: Space::new(store, &holder),
        })
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoints", &self.endpoints)
            .field("lease", &self.lease)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

/// The [`Store`] behind [`Etcd`].
pub struct EtcdStore {
    link: Arc<Link>,
    places: Places,
    host: Arc<Tokio>,
    signals: Arc<Signals>,
    lease: Duration,
    prefix: String,
    store_name: String,
    machine: String,
    pid: u32,
}

impl fmt::Debug for EtcdStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdStore")
            .field("store", &self.store_name)
            .finish_non_exhaustive()
    }
}

/// The number that etcd knows the lease of a session by.
fn lease_id(session: &str) -> i64 {
    let digits = session.get(..16).unwrap_or_default();
    let bits = u64::from_str_radix(digits, 16).unwrap_or_default();
    ((bits >> 1) as i64).max(1)
}

/// The value of a place: when it was asked for, in milliseconds since 1970, and by whom.
fn value(pid: u32, host: &str) -> String {
    format!("{} {pid} {host}", since_1970().as_millis())
}

fn parse_value(value: &[u8]) -> Option<(Duration, u32, &str)> {
    let mut words = std::str::from_utf8(value).ok()?.splitn(3, ' ');
    let asked = Duration::from_millis(words.next()?.parse().ok()?);
    Some((asked, words.next()?.parse().ok()?, words.next()?))
}

fn since_1970() -> Duration {
    let now = SystemTime::UNIX_EPOCH.elapsed();
    now.unwrap_or_default()
}

/// What is found out about a renewal.
enum Renewed {
    /// The keys of the lease.
    Keys(Vec<Vec<u8>>),
    Ended,
    /// There may be another leader.
    Unsure,
}

impl EtcdStore {
    fn ttl(&self) -> i64 {
        let seconds = self.lease.as_secs() + u64::from(self.lease.subsec_nanos() > 0);
        i64::try_from(seconds).unwrap_or(i64::MAX)
    }

    /// Makes the lease of a session, or renews it. `false`: it has ended.
    async fn open(&self, session: &str) -> Result<bool, StoreError> {
        let (id, ttl) = (lease_id(session), self.ttl());
        let granted = self
            .link
            .call(|client| async move {
                let options = etcd_client::LeaseGrantOptions::new().with_id(id);
                match client.lease_client().grant(ttl, Some(options)).await {
                    Ok(_) => Ok(true),
                    Err(error) if is(&error, connection::FAILED_PRECONDITION) => Ok(false),
                    Err(error) => Err(error),
                }
            })
            .await?;
        if granted {
            return Ok(true);
        }
        // There is one, by an earlier request. It counts from that.
        let renewal = self.renew(session, &[]).await?;
        Ok(renewal != Renewal::Ended)
    }

    async fn report(&self) -> Result<Vec<Entry>, StoreError> {
        let prefix = self.prefix.clone();
        let all = self.link.call(|client| {
            let (prefix, options) = (prefix.clone(), GetOptions::new().with_prefix());
            async move { client.kv_client().get(prefix, Some(options)).await }
        });
        let mut places: Vec<_> = all.await?.take_kvs();
        places.sort_by_key(|place| place.create_revision());
        let mut queues: BTreeMap<String, Vec<_>> = BTreeMap::new();
        let mut leases = BTreeMap::new();
        for place in &places {
            if let Some((key, ..)) = keys::parse(&self.prefix, place.key()) {
                queues.entry(key).or_default().push(place);
                leases.insert(place.lease(), Duration::ZERO);
            }
        }
        for (lease, expires_in) in &mut leases {
            let lease = *lease;
            let left = self.link.call(|client| async move {
                client.lease_client().time_to_live(lease, None).await
            });
            *expires_in = Duration::from_secs(u64::try_from(left.await?.ttl()).unwrap_or(0));
        }
        let now = since_1970();
        let entry = |key: &str, number: usize, place: &etcd_client::KeyValue| {
            let (asked, pid, host) = parse_value(place.value()).unwrap_or((now, 0, "unknown"));
            Entry {
                key: key.to_owned(),
                fence: (number == 0).then(|| place.create_revision() as u64),
                host: host.to_owned(),
                pid,
                since: now.saturating_sub(asked),
                expires_in: leases[&place.lease()],
            }
        };
        let entries = queues.iter().flat_map(|(key, places)| {
            let numbered = places.iter().enumerate();
            numbered.map(|(number, place)| entry(key, number, place))
        });
        Ok(entries.collect())
    }
}

/// Renews the lease at the member that is connected.
async fn renew_once(client: Client, id: i64, prefix: String) -> Result<Renewed, Error> {
    let options = GetOptions::new().with_limit(1).with_keys_only();
    let (mut kv, mut lease) = (client.kv_client(), client.lease_client());
    // The term that this member knows of: so what it takes for the leader below is that of
    // this term, or of a later one.
    let local = options.clone().with_serializable();
    let before = kv.get(prefix.clone(), Some(local)).await?;
    match lease.keep_alive(id).await {
        Ok(_) => {}
        Err(Error::LeaseKeepAliveError(why)) if why == "lease not found" => {
            return Ok(Renewed::Ended);
        }
        Err(error) => return Err(error),
    }
    let keys = LeaseTimeToLiveOptions::new().with_keys();
    let keys = lease.time_to_live(id, Some(keys)).await?;
    // A majority has confirmed the leader since. If the term is the same, there was no other
    // one when the lease was renewed.
    let after = kv.get(prefix, Some(options)).await?;
    let term = |answer: &etcd_client::GetResponse| {
        let header = answer.header();
        header.map(|header| (header.member_id(), header.raft_term()))
    };
    if term(&before) != term(&after) {
        return Ok(Renewed::Unsure);
    }
    Ok(Renewed::Keys(keys.keys().to_vec()))
}

impl Store for EtcdStore {
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
        "etcd"
    }

    /// The place, whose create revision a fenced write compares.
    fn holder(&self, session: &str, key: &str, ticket: u64) -> String {
        keys::place(&self.prefix, session, key, ticket)
    }

    async fn request(&self, request: &Request<'_>) -> Result<Answer, StoreError> {
        if request.opens && !self.open(request.session).await? {
            return Ok(Answer::Ended);
        }
        let value = value(self.pid, &self.machine);
        self.places.request(request, value, self.lease).await
    }

    async fn renew(&self, session: &str, tickets: &[u64]) -> Result<Renewal, StoreError> {
        let id = lease_id(session);
        let renewed = self
            .link
            .call(|client| renew_once(client, id, self.prefix.clone()));
        match renewed.await? {
            Renewed::Ended => Ok(Renewal::Ended),
            Renewed::Unsure => Err(StoreError::transient("the leader has changed")),
            Renewed::Keys(keys) => {
                let places = keys.iter().filter_map(|key| keys::parse(&self.prefix, key));
                let ours = places.filter(|(_, of, _)| *of == session);
                let orphans = ours.filter(|(_, _, ticket)| !tickets.contains(ticket));
                let orphans = orphans.map(|(key, _, ticket)| (key, ticket)).collect();
                Ok(Renewal::Alive { orphans })
            }
        }
    }

    async fn withdraw(&self, session: &str, key: &str, ticket: u64) -> Result<(), StoreError> {
        self.places.withdraw(session, key, ticket).await
    }

    async fn close(&self, session: &str) -> Result<(), StoreError> {
        let id = lease_id(session);
        let revoke = |client: Client| async move {
            match client.lease_client().revoke(id).await {
                Err(error) if !is(&error, connection::NOT_FOUND) => Err(error),
                _ => Ok(()),
            }
        };
        self.link.call(revoke).await
    }
}
