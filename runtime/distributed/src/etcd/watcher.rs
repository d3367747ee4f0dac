//! The watches of those who wait: on the place just before theirs, and all on one stream.
//!
//! A watch that begins in the past is put off by etcd to a scan of the history, ten times in a
//! second. So each begins when it is made; and where anything has changed between the look at the
//! queue and that moment, the member that watches is asked whether the place is still there.

use std::collections::HashMap;
use std::sync::Arc;

use etcd_client::{
    Client, EventType, GetOptions, WatchFilterType, WatchOptions, WatchResponse, WatchStream,
};
use tokio::sync::mpsc;

use super::connection::Link;
use crate::store::{Host, Signals, StoreError};

/// A watch whose place was deleted is not cancelled, as that would be a message and its answer for
/// each hand-off: it has nothing more to tell. It costs the member some memory, for as long as the
/// stream lasts, which is ended for another when it has so many, and sixteen for each waiter.
const MAX_OVER: usize = 1000;

/// Who is told.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Waiter {
    pub(super) session: String,
    pub(super) ticket: u64,
}

/// What to watch.
pub(super) struct Watch {
    pub(super) waiter: Waiter,
    /// Which of the watches of the waiter this is: a new one replaces an old one.
    pub(super) number: u64,
    pub(super) key: String,
    /// The revision at which the key was there.
    pub(super) seen: i64,
}

enum Order {
    Watch(Watch),
    Leave(Waiter),
}

/// The task with the stream.
pub(super) struct Watcher {
    orders: mpsc::UnboundedSender<Order>,
    task: tokio::task::AbortHandle,
}

impl Watcher {
    /// `gone` is called with the waiter and the number of a watch whose key was deleted, before
    /// the waiter is told.
    pub(super) fn start(
        link: &Arc<Link>,
        signals: &Arc<Signals>,
        gone: impl Fn(&Waiter, u64) + Send + Sync + 'static,
    ) -> Self {
        let (orders, ordered) = mpsc::unbounded_channel();
        let watching = Watching {
            link: Arc::clone(link),
            signals: Arc::clone(signals),
            gone: Arc::new(gone),
            orders: ordered,
            ids: HashMap::new(),
            waiters: HashMap::new(),
            last_id: 0,
        };
        let task = tokio::spawn(watching.run()).abort_handle();
        Watcher { orders, task }
    }

    /// The waiter is told when the key is deleted, or may have been.
    pub(super) fn watch(&self, watch: Watch) {
        // The task lives as long as this.
        let _sent = self.orders.send(Order::Watch(watch));
    }

    /// The waiter does not wait any more.
    pub(super) fn leave(&self, waiter: Waiter) {
        let _sent = self.orders.send(Order::Leave(waiter));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Watching<G> {
    link: Arc<Link>,
    signals: Arc<Signals>,
    gone: Arc<G>,
    orders: mpsc::UnboundedReceiver<Order>,
    /// By waiter, what the stream knows its watch by; and the other way round.
    ids: HashMap<Waiter, i64>,
    waiters: HashMap<i64, Watch>,
    last_id: i64,
}

/// What there is to do next.
enum Next {
    Order(Option<Order>),
    Response(Result<Option<WatchResponse>, etcd_client::Error>),
    Moved,
}

impl<G: Fn(&Waiter, u64) + Send + Sync + 'static> Watching<G> {
    async fn run(mut self) {
        while let Some(order) = self.orders.recv().await {
            let Order::Watch(watch) = order else {
                continue;
            };
            // The member, the connection and the stream are lost together. Whoever waits asks
            // again, as events may have been lost, and orders another watch if need be.
            let first = watch.waiter.clone();
            let is_over = match self.link.client().await {
                Ok((number, client)) => {
                    let ended = self.stream(number, client, watch).await;
                    self.link.looked_at(number, ended)
                }
                Err(error) => Err(error),
            };
            if is_over.is_err() {
                let host = self.link.host();
                host.sleep_until(host.now() + self.link.limit() / 5).await;
            }
            self.ids.clear();
            let waiters = self.waiters.drain().map(|(_, watch)| watch.waiter);
            for waiter in waiters.chain([first]) {
                self.signals.wake(&waiter.session, waiter.ticket);
            }
        }
    }

    /// The options of a watch, and what the stream knows the one by that it replaces.
    fn add(&mut self, watch: Watch) -> (WatchOptions, Option<i64>) {
        self.last_id += 1;
        let id = self.last_id;
        let replaced = self.ids.insert(watch.waiter.clone(), id);
        if let Some(replaced) = replaced {
            self.waiters.remove(&replaced);
        }
        let options = WatchOptions::new()
            .with_watch_id(id)
            .with_filters([WatchFilterType::NoPut]);
        self.waiters.insert(id, watch);
        (options, replaced)
    }

    fn remove(&mut self, id: i64) -> Option<Watch> {
        let watch = self.waiters.remove(&id)?;
        self.ids.remove(&watch.waiter);
        Some(watch)
    }

    /// Asks the member that watches whether the key is still there: if so, the watch tells what
    /// becomes of it.
    fn check(&self, client: &Client, id: i64) {
        let Some(watch) = self.waiters.get(&id) else {
            return;
        };
        let (waiter, number, key) = (watch.waiter.clone(), watch.number, watch.key.clone());
        let (gone, signals) = (Arc::clone(&self.gone), Arc::clone(&self.signals));
        let (mut kv, link) = (client.kv_client(), Arc::clone(&self.link));
        tokio::spawn(async move {
            let options = GetOptions::new().with_serializable().with_count_only();
            let found = link.bounded(kv.get(key, Some(options))).await;
            if found.as_ref().is_ok_and(|found| found.count() > 0) {
                return;
            }
            if found.is_ok() {
                gone(&waiter, number);
            }
            signals.wake(&waiter.session, waiter.ticket);
        });
    }

    /// Watches, beginning with that, until the stream has ended.
    async fn stream(
        &mut self,
        number: usize,
        mut client: Client,
        first: Watch,
    ) -> Result<(), StoreError> {
        let link = Arc::clone(&self.link);
        self.last_id = 0;
        self.waiters.clear();
        let key = first.key.clone();
        let (options, _) = self.add(first);
        let opening = client.watch(key, Some(options));
        let mut stream: WatchStream = link.bounded(opening).await?;
        let mut over = 0;
        loop {
            let next = tokio::select! {
                order = self.orders.recv() => Next::Order(order),
                response = stream.message() => Next::Response(response),
                () = link.moved(number) => Next::Moved,
            };
            match next {
                Next::Moved | Next::Order(None) => return Ok(()),
                Next::Order(Some(Order::Watch(watch))) => {
                    let key = watch.key.clone();
                    let (options, replaced) = self.add(watch);
                    if let Some(id) = replaced {
                        link.bounded(stream.cancel(id)).await?;
                    }
                    link.bounded(stream.watch(key, Some(options))).await?;
                }
                Next::Order(Some(Order::Leave(waiter))) => {
                    if let Some(id) = self.ids.remove(&waiter) {
                        self.waiters.remove(&id);
                        link.bounded(stream.cancel(id)).await?;
                    }
                }
                Next::Response(Ok(Some(response))) => {
                    let id = response.watch_id();
                    let mut events = response.events().iter();
                    if events.any(|event| event.event_type() == EventType::Delete) {
                        if let Some(Watch { waiter, number, .. }) = self.remove(id) {
                            (self.gone)(&waiter, number);
                            self.signals.wake(&waiter.session, waiter.ticket);
                            over += 1;
                            if over > MAX_OVER + 16 * self.waiters.len() {
                                return Ok(());
                            }
                        }
                    } else if response.canceled() && self.waiters.contains_key(&id) {
                        // Its member has no leader, or cannot keep up.
                        let reason = format!("a watch has ended: {}", response.cancel_reason());
                        return Err(StoreError::transient(reason));
                    } else if response.created() {
                        let now = response.header().map_or(0, |header| header.revision());
                        // A member that is behind will tell of everything since.
                        let watch = self.waiters.get(&id);
                        if watch.is_some_and(|watch| watch.seen < now) {
                            self.check(&client, id);
                        }
                    }
                }
                Next::Response(Ok(None)) => {
                    return Err(StoreError::transient("the watch has ended"));
                }
                Next::Response(Err(error)) => return Err(super::connection::store_error(error)),
            }
        }
    }
}
