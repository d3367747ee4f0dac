//! The places of this process in the queues.
//!
//! What asks for a place goes on as a task where the acquisition is dropped: the place is
//! deleted when there is an answer, as a request may otherwise be overtaken by the deletion.
//!
//! | what is known | next |
//! |---|---|
//! | nothing | a transaction makes the place, and says who is before |
//! | its create revision | a read says who is before |
//! | also that the only one before has gone | the lock is held, and nobody is asked |

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_monitor::watch::IS_ON;
use etcd_client::{
    Client, Compare, CompareOp, Error, GetOptions, KeyValue, PutOptions, SortOrder, SortTarget,
    Txn, TxnOp, TxnOpResponse, TxnResponse,
};
use tokio::sync::Mutex as AsyncMutex;

use super::connection::{self, Link, is};
use super::watcher::{Waiter, Watch, Watcher};
use super::{keys, lease_id, parse_value};
use crate::process::process;
use crate::store::{Answer, Request, Signals, StoreError, Tokio};

/// What is known of a place.
#[derive(Debug, Default)]
struct Place {
    known: Mutex<Known>,
    /// Held for as long as it is asked for: what is withdrawn waits for that.
    asking: Arc<AsyncMutex<()>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    created: Option<i64>,
    /// There is one place before, and that is the first.
    is_second: bool,
    /// The place directly before was deleted.
    is_next: bool,
    /// The number of the watch on that place. What an earlier one says is of another place.
    watch: u64,
}

impl Place {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type All = Arc<Mutex<HashMap<Waiter, Arc<Place>>>>;

fn lock(all: &All) -> MutexGuard<'_, HashMap<Waiter, Arc<Place>>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct Places {
    all: All,
    link: Arc<Link>,
    watcher: Arc<Watcher>,
    prefix: String,
}

/// What is asked for, without what it is borrowed from.
struct Asked {
    waiter: Waiter,
    place: String,
    queue: String,
    value: String,
    queues: bool,
    lease: i64,
}

/// Who is in the queue: this place, if it is there, and those before it.
struct Before {
    created: i64,
    /// Nobody: it is held. The place directly before, and whether that is the first.
    place: Option<(String, bool)>,
    holder: Option<String>,
    revision: i64,
}

enum Asking {
    In(Before),
    Busy,
    /// The place is not there, as the lease has ended.
    Ended,
}

impl Places {
    pub(super) fn new(link: &Arc<Link>, signals: &Arc<Signals>, prefix: &str) -> Self {
        let all = All::default();
        let places = Arc::clone(&all);
        let gone = move |waiter: &Waiter, watch: u64| {
            if let Some(place) = lock(&places).get(waiter) {
                let mut known = place.known();
                known.is_next |= known.watch == watch;
            }
        };
        Places {
            all,
            watcher: Arc::new(Watcher::start(link, signals, gone)),
            link: Arc::clone(link),
            prefix: prefix.to_owned(),
        }
    }

    pub(super) async fn request(
        &self,
        request: &Request<'_>,
        value: String,
        lease: Duration,
    ) -> Result<Answer, StoreError> {
        let waiter = Waiter {
            session: request.session.to_owned(),
            ticket: request.ticket,
        };
        let place = Arc::clone(lock(&self.all).entry(waiter.clone()).or_default());
        let known = *place.known();
        if let Some(created) = known.created.filter(|_| known.is_next && known.is_second) {
            return Ok(Answer::Granted {
                fence: created as u64,
            });
        }
        let asked = Asked {
            place: keys::place(&self.prefix, request.session, request.key, request.ticket),
            queue: keys::queue(&self.prefix, request.key),
            value,
            queues: request.queues,
            lease: lease_id(request.session),
            waiter,
        };
        let (link, watcher) = (Arc::clone(&self.link), Arc::clone(&self.watcher));
        let is_asking = Arc::clone(&place.asking).lock_owned().await;
        let asking = async move {
            let _is_asking = is_asking;
            let created = place.known().created;
            let answer = match created {
                None => link.call(|client| ask(client, &asked)).await,
                Some(created) => link.call(|client| look(client, &asked, created)).await,
            };
            Ok(match answer? {
                Asking::Busy => Answer::Busy,
                Asking::Ended => Answer::Ended,
                Asking::In(before) => {
                    let mut known = place.known();
                    known.created = Some(before.created);
                    match before.place {
                        None => Answer::Granted {
                            fence: before.created as u64,
                        },
                        Some((next, is_first)) => {
                            (known.is_second, known.is_next) = (is_first, false);
                            known.watch += 1;
                            watcher.watch(Watch {
                                waiter: asked.waiter,
                                number: known.watch,
                                key: next,
                                seen: before.revision,
                            });
                            Answer::Queued {
                                ask_again: lease,
                                holder: before.holder,
                            }
                        }
                    }
                }
            })
        };
        Completed::new(self.link.host(), asking).await
    }

    pub(super) async fn withdraw(
        &self,
        session: &str,
        key: &str,
        ticket: u64,
    ) -> Result<(), StoreError> {
        let waiter = Waiter {
            session: session.to_owned(),
            ticket,
        };
        let place = lock(&self.all).remove(&waiter);
        if let Some(place) = place {
            // Nobody asks for it again.
            drop(place.asking.lock().await);
            if place.known().watch > 0 {
                self.watcher.leave(waiter);
            }
        }
        let place = keys::place(&self.prefix, session, key, ticket);
        let delete = |client: Client| {
            let place = place.clone();
            async move { client.kv_client().delete(place, None).await }
        };
        self.link.call(delete).await.map(drop)
    }
}

/// A future that goes on as a task where it is dropped.
struct Completed<T: Send + 'static> {
    host: Arc<Tokio>,
    future: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
}

impl<T: Send + 'static> Completed<T> {
    fn new(host: &Arc<Tokio>, future: impl Future<Output = T> + Send + 'static) -> Self {
        Completed {
            host: Arc::clone(host),
            future: Some(Box::pin(future)),
        }
    }
}

impl<T: Send + 'static> Future for Completed<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let Some(future) = &mut self.future else {
            return Poll::Pending; // it has completed, and nobody polls it
        };
        let output = future.as_mut().poll(cx);
        if output.is_ready() {
            self.future = None;
        }
        output
    }
}

impl<T: Send + 'static> Drop for Completed<T> {
    fn drop(&mut self) {
        if let Some(future) = self.future.take() {
            self.host.run(future);
        }
    }
}

/// Makes the place, and says who is before it; also where an earlier attempt has made it.
async fn ask(client: Client, asked: &Asked) -> Result<Asking, Error> {
    let last = GetOptions::new()
        .with_prefix()
        .with_sort(SortTarget::Create, SortOrder::Descend)
        .with_limit(2);
    let last = TxnOp::get(&*asked.queue, Some(last));
    // For reports, of a queue with more.
    let first = GetOptions::new()
        .with_prefix()
        .with_sort(SortTarget::Create, SortOrder::Ascend)
        .with_limit(1);
    let first = IS_ON.then(|| TxnOp::get(&*asked.queue, Some(first)));
    let own = TxnOp::get(&*asked.place, Some(GetOptions::new().with_keys_only()));
    let put = PutOptions::new().with_lease(asked.lease);
    let put = TxnOp::put(&*asked.place, &*asked.value, Some(put));
    let is_new = Compare::create_revision(&*asked.place, CompareOp::Equal, 0);
    let is_free = Compare::create_revision(&*asked.queue, CompareOp::Equal, 0).with_prefix();
    let txn = if asked.queues {
        let operations: Vec<_> = [last, put].into_iter().chain(first).collect();
        Txn::new()
            .when([is_new])
            .and_then(operations)
            .or_else([own])
    } else {
        Txn::new().when([is_free]).and_then([put]).or_else([own])
    };
    let answer = match client.kv_client().txn(txn).await {
        Err(error) if is(&error, connection::NOT_FOUND) => return Ok(Asking::Ended),
        answer => answer?,
    };
    let revision = answer.header().map_or(0, |header| header.revision());
    if !answer.succeeded() {
        // An earlier attempt has made it; or somebody else is there.
        return match kvs(&answer, 0).first() {
            Some(own) => look(client, asked, own.create_revision()).await,
            None => Ok(Asking::Busy),
        };
    }
    let last = if asked.queues {
        kvs(&answer, 0)
    } else {
        Vec::new()
    };
    let first = if last.len() > 1 {
        kvs(&answer, 2)
    } else {
        Vec::new()
    };
    Ok(Asking::In(Before {
        created: revision,
        place: before(&last),
        holder: first.first().or(last.first()).and_then(holder),
        revision,
    }))
}

/// The place directly before, of those in front in reverse order, and whether it is the first.
fn before(places: &[KeyValue]) -> Option<(String, bool)> {
    let last = places.first()?;
    let key = String::from_utf8_lossy(last.key()).into_owned();
    Some((key, places.len() == 1))
}

/// Says who is before a place, whose create revision is that.
///
/// What the member itself knows is enough if it knows of the place: nobody is put before it any
/// more. One that is behind says that somebody is there who has gone, and its watch will tell. But
/// whether the place has gone is said by the leader.
async fn look(client: Client, asked: &Asked, created: i64) -> Result<Asking, Error> {
    match look_at(client.clone(), asked, created, true).await {
        Ok(Asking::Ended) => look_at(client, asked, created, false).await,
        looked => looked,
    }
}

async fn look_at(
    client: Client,
    asked: &Asked,
    created: i64,
    is_local: bool,
) -> Result<Asking, Error> {
    let mut options = GetOptions::new()
        .with_prefix()
        .with_max_create_revision(created)
        .with_sort(SortTarget::Create, SortOrder::Descend)
        .with_limit(3);
    if is_local {
        options = options.with_serializable();
    }
    let answer = client.kv_client().get(&*asked.queue, Some(options)).await?;
    let revision = answer.header().map_or(0, |header| header.revision());
    let [own, places @ ..] = answer.kvs() else {
        return Ok(Asking::Ended);
    };
    if own.key() != asked.place.as_bytes() {
        return Ok(Asking::Ended);
    }
    Ok(Asking::In(Before {
        created,
        place: before(places),
        holder: places
            .first()
            .filter(|_| places.len() == 1)
            .and_then(holder),
        revision,
    }))
}

/// What a read in a transaction has found.
fn kvs(answer: &TxnResponse, number: usize) -> Vec<KeyValue> {
    match answer.op_responses().into_iter().nth(number) {
        Some(TxnOpResponse::Get(mut found)) => found.take_kvs(),
        _ => Vec::new(),
    }
}

/// Whose place it is, for reports.
fn holder(place: &KeyValue) -> Option<String> {
    let (_, pid, host) = parse_value(place.value())?;
    Some(process(host, pid))
}
