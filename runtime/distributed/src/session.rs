//! The lease of this process, and how it is renewed.
//!
//! # A session
//!
//! All locks that a process holds at a store, and all that it waits for, belong to a session,
//! which has one lease. So what it costs to renew does not grow with their number, and they
//! are lost together. A session that is not used any more is closed; one that was lost is
//! replaced by another, with another id.
//!
//! | state | next |
//! |---|---|
//! | opening: no request was answered | open, or lost |
//! | open: the lease is ours until `vouched` | open (renewed), lost, closed |
//! | lost: said by the store, or by the clock | - |
//! | closed: nobody uses it | - |
//!
//! # Invariants
//!
//! - **DS1** `vouched` is the time at which a renewal was *sent*, by our clock, and answered
//!   with success, and the lease, less the [margin](margin). The store counts from when it
//!   has received it, which is later. So before `vouched`, the store takes the session for
//!   alive.
//! - **DS2** A session that is lost or closed stays that. Its answers that come late change
//!   nothing.
//! - **DS3** Every ticket that may be known to the store is in `tickets` from before its first
//!   request is sent, until its withdrawal is. What the store has beyond that, a renewal
//!   finds, and it is withdrawn.
//! - **DS4** Whoever uses a grant looks at the clock first: [`Session::loss`].

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_monitor::__private::unwatched;
use async_monitor::Event;

use crate::error::LossReason;
use crate::store::{Host, Renewal, Store, StoreError, Task};

/// What is left of a lease when the section is told that it is lost: a tenth. It covers clocks
/// whose rates differ by up to one percent, twenty times as much as what is slewed to keep
/// them right, and the rest is for a poll of the body that has begun just before.
pub(crate) fn margin(lease: Duration) -> Duration {
    lease / 10
}

/// How long after a renewal the next one is sent: a third of the lease.
pub(crate) fn renewal_period(lease: Duration) -> Duration {
    lease / 3
}

/// How long after a failed renewal another is sent.
pub(crate) fn retry_period(lease: Duration) -> Duration {
    lease / 20
}

/// A session of this process at a store.
pub(crate) struct Session<S> {
    id: String,
    store: Arc<S>,
    next_ticket: AtomicU64,
    state: Mutex<State>,
    /// Set when it is lost.
    lost: Event,
}

#[derive(Default)]
struct State {
    /// When the last renewal was sent that was answered. `None`: it is not open yet.
    renewed: Option<Duration>,
    tickets: BTreeSet<u64>,
    end: Option<End>,
    /// What the last renewal has failed with.
    error: Option<StoreError>,
}

#[derive(Clone)]
enum End {
    Closed,
    Lost(LossReason),
}

impl<S: Store> Session<S> {
    pub(crate) fn new(store: Arc<S>) -> Arc<Self> {
        Arc::new(Session {
            id: unique_id(),
            store,
            next_ticket: AtomicU64::new(1),
            state: Mutex::default(),
            lost: Event::new(),
        })
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn store(&self) -> &Arc<S> {
        &self.store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket, if there can be one (DS3).
    pub(crate) fn ticket(&self) -> Option<u64> {
        if self.loss().is_some() {
            return None;
        }
        let mut state = self.state();
        if state.end.is_some() {
            return None;
        }
        let ticket = self.next_ticket.fetch_add(1, Ordering::Relaxed);
        state.tickets.insert(ticket);
        Some(ticket)
    }

    /// The ticket is withdrawn.
    pub(crate) fn forget(&self, ticket: u64) {
        self.state().tickets.remove(&ticket);
    }

    /// Whether a request was answered yet.
    pub(crate) fn is_open(&self) -> bool {
        self.state().renewed.is_some()
    }

    /// A request that opens the session, or a renewal, was sent at that time, and answered
    /// with success. Returns whether it has opened it.
    pub(crate) fn renewed(&self, sent: Duration) -> bool {
        let mut state = self.state();
        let opens = state.renewed.is_none();
        state.renewed = state.renewed.max(Some(sent));
        state.error = None;
        opens
    }

    /// Until when the lease is ours (DS1).
    pub(crate) fn vouched(&self) -> Option<Duration> {
        let lease = self.store.lease();
        let renewed = self.state().renewed;
        renewed.map(|sent| sent + lease - margin(lease))
    }

    /// Why it is lost, if it is by now.
    pub(crate) fn loss(&self) -> Option<LossReason> {
        let now = self.store.host().now();
        let lease = self.store.lease();
        let mut state = self.state();
        match &state.end {
            Some(End::Lost(reason)) => return Some(reason.clone()),
            Some(End::Closed) => return Some(LossReason::Ended),
            None => {}
        }
        let sent = state.renewed?;
        if now < sent + lease - margin(lease) {
            return None;
        }
        let reason = LossReason::NotRenewed {
            since: now.saturating_sub(sent),
            error: state.error.clone(),
        };
        state.end = Some(End::Lost(reason.clone()));
        drop(state);
        self.lost.set();
        Some(reason)
    }

    /// The store says that it has ended.
    pub(crate) fn has_ended(&self) {
        let mut state = self.state();
        if state.end.is_none() {
            state.end = Some(End::Lost(LossReason::Ended));
            drop(state);
            self.lost.set();
        }
    }

    /// Waits until it is lost. Looks at the clock at each poll (DS4).
    pub(crate) fn lost(self: &Arc<Self>) -> Lost<S> {
        let session = Arc::clone(self);
        Lost {
            told: Box::pin(unwatched(async move { session.lost.wait().await })),
            session: Arc::clone(self),
            timer: None,
        }
    }

    /// Closes the session if it has no tickets, and says which there are otherwise.
    fn tickets_or_close(&self) -> Option<Vec<u64>> {
        let mut state = self.state();
        if state.tickets.is_empty() && state.end.is_none() {
            state.end = Some(End::Closed);
            return None;
        }
        Some(state.tickets.iter().copied().collect())
    }

    /// Renews the lease for as long as it lives and is used.
    pub(crate) async fn keep_alive(self: Arc<Self>) {
        let (host, lease) = (self.store.host(), self.store.lease());
        let mut next = host.now() + renewal_period(lease);
        loop {
            // Wakes up at the end of the lease, too, to tell those who hold its locks.
            let vouched = self.vouched().unwrap_or(next);
            host.sleep_until(next.min(vouched)).await;
            if self.loss().is_some() {
                return;
            }
            if host.now() < next {
                continue;
            }
            let Some(tickets) = self.tickets_or_close() else {
                // If it is not, it ends by itself.
                let _closed = self.store.close(&self.id).await;
                return;
            };
            let sent = host.now();
            let renewal = self.store.renew(&self.id, &tickets);
            let limit = host.sleep_until((sent + renewal_period(lease)).min(vouched));
            match Bounded(pin!(renewal), limit).await {
                Some(Ok(Renewal::Alive { orphans })) => {
                    self.renewed(sent);
                    next = sent + renewal_period(lease);
                    for (key, ticket) in orphans {
                        // Asked for since the renewal was sent, or given up before.
                        if !self.state().tickets.contains(&ticket) {
                            withdraw(&self, key.into(), ticket);
                        }
                    }
                }
                Some(Ok(Renewal::Ended)) => {
                    self.has_ended();
                    return;
                }
                Some(Err(error)) => {
                    self.state().error = Some(error);
                    next = host.now() + retry_period(lease);
                }
                None => {
                    self.state().error = Some(StoreError::transient("the store did not answer"));
                    next = host.now();
                }
            }
        }
    }
}

/// Withdraws a ticket, from where nothing can be awaited. The request is sent at once, in front
/// of any other that is made later.
pub(crate) fn withdraw<S: Store>(session: &Arc<Session<S>>, key: Arc<str>, ticket: u64) {
    let (this, store) = (Arc::clone(session), Arc::clone(session.store()));
    let mut withdrawal: Task = Box::pin(async move {
        // If it fails, the next renewal finds the ticket, or the lease ends.
        let _withdrawn = store.withdraw(this.id(), &key, ticket).await;
    });
    let mut cx = Context::from_waker(std::task::Waker::noop());
    if withdrawal.as_mut().poll(&mut cx).is_pending() {
        session.store().host().spawn(withdrawal);
    }
}

/// See [`Session::lost`].
pub(crate) struct Lost<S> {
    session: Arc<Session<S>>,
    told: Task,
    timer: Option<(Duration, Task)>,
}

impl<S: Store> Future for Lost<S> {
    type Output = LossReason;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LossReason> {
        let this = &mut *self;
        loop {
            if let Some(reason) = this.session.loss() {
                return Poll::Ready(reason);
            }
            if this.told.as_mut().poll(cx).is_ready() {
                continue;
            }
            let Some(vouched) = this.session.vouched() else {
                return Poll::Pending;
            };
            match &mut this.timer {
                // Renewed since: the timer that there is comes early, and is set anew then.
                Some((time, timer)) if *time <= vouched => {
                    if timer.as_mut().poll(cx).is_pending() {
                        return Poll::Pending;
                    }
                    this.timer = None;
                }
                _ => {
                    let timer = this.session.store.host().sleep_until(vouched);
                    this.timer = Some((vouched, timer));
                }
            }
        }
    }
}

/// A future, unless the other completes first.
pub(crate) struct Bounded<F, L>(pub(crate) F, pub(crate) L);

impl<F: Future + Unpin, L: Future + Unpin> Future for Bounded<F, L> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = Pin::new(&mut self.0).poll(cx) {
            return Poll::Ready(Some(output));
        }
        Pin::new(&mut self.1).poll(cx).map(|_| None)
    }
}

/// 128 bits that no other process has.
pub(crate) fn unique_id() -> String {
    use std::hash::{BuildHasher, RandomState};

    let time = std::time::SystemTime::now();
    let time = time.duration_since(std::time::UNIX_EPOCH);
    let seen = (
        std::process::id(),
        time.map_or(0, |time| time.as_nanos()),
        std::thread::current().id(),
    );
    // Each is keyed by random bits of the system.
    let half = || RandomState::new().hash_one(seen);
    format!("{:016x}{:016x}", half(), half())
}
