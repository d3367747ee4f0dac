//! The watches of those who wait: on the place just before theirs, and all on one stream.

use std::collections::HashMap;
use std::sync::Arc;

use etcd_client::{Client, EventType, WatchFilterType, WatchOptions, WatchResponse, WatchStream};
use tokio::sync::mpsc;

use super::connection::Link;
use crate::store::{Host, Signals, StoreError};

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
    /// The first revision at which the key may have been deleted.
    pub(super) from: i64,
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
        gone: impl Fn(&Waiter, u64) + Send + 'static,
    ) -> Self {
        let (orders, ordered) = mpsc::unbounded_channel();
        let watching = Watching {
            link: Arc::clone(link),
            signals: Arc::clone(signals),
            gone,
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
    gone: G,
    orders: mpsc::UnboundedReceiver<Order>,
    /// By waiter, what the stream knows its watch by; and the other way round, with the number
    /// of the watch.
    ids: HashMap<Waiter, i64>,
    waiters: HashMap<i64, (Waiter, u64)>,
    last_id: i64,
}

/// What there is to do next.
enum Next {
    Order(Option<Order>),
    Response(Result<Option<WatchResponse>, etcd_client::Error>),
    Moved,
}

impl<G: Fn(&Waiter, u64)> Watching<G> {
    async fn run(mut self) {
        while let Some(order) = self.orders.recv().await {
            let Order::Watch(watch) = order else {
                continue;
            };
            // The member, the connection and the stream are lost together. Whoever waits asks
            // again, as events may have been lost, and orders another watch if need be.
            self.waiters.insert(0, (watch.waiter.clone(), watch.number));
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
            for (_, (waiter, _)) in self.waiters.drain() {
                self.signals.wake(&waiter.session, waiter.ticket);
            }
        }
    }

    /// The options of a watch, and what the stream knows the one by that it replaces.
    fn add(&mut self, watch: &Watch) -> (WatchOptions, Option<i64>) {
        self.last_id += 1;
        let id = self.last_id;
        let replaced = self.ids.insert(watch.waiter.clone(), id);
        if let Some(replaced) = replaced {
            self.waiters.remove(&replaced);
        }
        self.waiters
            .insert(id, (watch.waiter.clone(), watch.number));
        let options = WatchOptions::new()
            .with_watch_id(id)
            .with_start_revision(watch.from)
            .with_filters([WatchFilterType::NoPut]);
        (options, replaced)
    }

    fn remove(&mut self, id: i64) -> Option<(Waiter, u64)> {
        let (waiter, number) = self.waiters.remove(&id)?;
        self.ids.remove(&waiter);
        Some((waiter, number))
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
        let (options, _) = self.add(&first);
        let opening = client.watch(first.key, Some(options));
        let mut stream: WatchStream = link.bounded(opening).await?;
        loop {
            let next = tokio::select! {
                order = self.orders.recv() => Next::Order(order),
                response = stream.message() => Next::Response(response),
                () = link.moved(number) => Next::Moved,
            };
            match next {
                Next::Moved | Next::Order(None) => return Ok(()),
                Next::Order(Some(Order::Watch(watch))) => {
                    let (options, replaced) = self.add(&watch);
                    if let Some(id) = replaced {
                        link.bounded(stream.cancel(id)).await?;
                    }
                    link.bounded(stream.watch(watch.key, Some(options))).await?;
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
                        if let Some((waiter, number)) = self.remove(id) {
                            (self.gone)(&waiter, number);
                            self.signals.wake(&waiter.session, waiter.ticket);
                            link.bounded(stream.cancel(id)).await?;
                        }
                    } else if response.canceled() && self.waiters.contains_key(&id) {
                        // Its revision was compacted, or its member has no leader.
                        let reason = format!("a watch has ended: {}", response.cancel_reason());
                        return Err(StoreError::transient(reason));
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
