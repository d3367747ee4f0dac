//! The lock.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use async_monitor::__private::Elsewhere;
use async_monitor::{AsyncLock, Event, Lease, LockId};

use crate::error::{LeaseLost, LockError, LossReason};
use crate::fence::{Anything, Fence};
use crate::session::{Bounded, Session, retry_period, withdraw};
use crate::store::{Answer, Host, Request, Store, StoreError};

/// A store, and this process's session there.
pub(crate) struct Space<S> {
    store: Arc<S>,
    holder: Arc<str>,
    session: Mutex<Option<Arc<Session<S>>>>,
}

impl<S: Store> Space<S> {
    /// `holder` is what the store knows this process by.
    pub(crate) fn new(store: S, holder: &str) -> Arc<Self> {
        Arc::new(Space {
            store: Arc::new(store),
            holder: holder.into(),
            session: Mutex::new(None),
        })
    }

    #[cfg_attr(not(any(feature = "postgres", feature = "etcd")), allow(dead_code))]
    pub(crate) fn store(&self) -> &S {
        &self.store
    }

    pub(crate) fn lock<C>(self: &Arc<Self>, key: &str) -> Lock<S, C> {
        let known = || {
            let instance = format!("{key:?} on {}", self.store.name());
            (LockId::from_key(self.store.id(key)), instance)
        };
        Lock {
            elsewhere: Elsewhere::new(known),
            space: Arc::clone(self),
            key: key.into(),
            kind: PhantomData,
        }
    }

    /// A ticket of the session, of a new one if the last has ended.
    fn ticket(&self, key: &Arc<str>) -> Ticket<S> {
        let mut current = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let session = current.get_or_insert_with(|| Session::new(Arc::clone(&self.store)));
            if let Some(number) = session.ticket() {
                return Ticket {
                    session: Arc::clone(session),
                    key: Arc::clone(key),
                    number,
                    is_withdrawn: false,
                };
            }
            *current = None;
        }
    }
}

/// Creates the locks of a [`Store`] of your own.
///
/// ```ignore
/// let locks = Locks::new(store, "host pid 42");
/// let lock = locks.lock("billing/42");
/// ```
pub struct Locks<S: Store>(Arc<Space<S>>);

impl<S: Store> Locks<S> {
    /// The locks of a store. The store knows this process as `holder`.
    pub fn new(store: S, holder: &str) -> Self {
        Locks(Space::new(store, holder))
    }

    /// The lock with this key.
    pub fn lock(&self, key: &str) -> Lock<S> {
        self.0.lock(key)
    }

    /// The lock with this key, for resources that locks of the kind `C` protect.
    pub fn lock_for<C>(&self, key: &str) -> Lock<S, C> {
        self.0.lock(key)
    }

    /// The store.
    pub fn store(&self) -> &S {
        &self.0.store
    }
}

impl<S: Store> Clone for Locks<S> {
    fn clone(&self) -> Self {
        Locks(Arc::clone(&self.0))
    }
}

impl<S: Store> fmt::Debug for Locks<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locks")
            .field("store", &self.0.store.name())
            .field("holder", &self.0.holder)
            .finish()
    }
}

/// What is to be withdrawn from the store, whatever it has come to.
struct Ticket<S: Store> {
    session: Arc<Session<S>>,
    key: Arc<str>,
    number: u64,
    is_withdrawn: bool,
}

impl<S: Store> Ticket<S> {
    async fn withdraw(mut self) -> Result<(), StoreError> {
        let store = self.session.store();
        let withdrawal = store.withdraw(self.session.id(), &self.key, self.number);
        // Whether or not it arrives: a renewal may find it from here on.
        self.session.forget(self.number);
        let result = withdrawal.await;
        // Where it has failed, or is dropped before there is an answer, it is sent once more.
        self.is_withdrawn = result.is_ok();
        result
    }
}

impl<S: Store> Drop for Ticket<S> {
    fn drop(&mut self) {
        if !self.is_withdrawn {
            self.session.forget(self.number);
            withdraw(&self.session, Arc::clone(&self.key), self.number);
        }
    }
}

/// Removes the entry of a waiter.
struct Waiting<'s, S: Store> {
    ticket: &'s Ticket<S>,
    event: Arc<Event>,
}

impl<'s, S: Store> Waiting<'s, S> {
    fn new(ticket: &'s Ticket<S>) -> Self {
        let signals = ticket.session.store().signals();
        Waiting {
            event: signals.join(ticket.session.id(), ticket.number),
            ticket,
        }
    }
}

impl<S: Store> Drop for Waiting<'_, S> {
    fn drop(&mut self) {
        let session = &self.ticket.session;
        let signals = session.store().signals();
        signals.leave(session.id(), self.ticket.number);
    }
}

/// A lock that processes on several machines share, named by its key.
///
/// It is an [`AsyncLock`] whose acquisition can fail, and which can be lost while a guard exists:
/// sections name it with a `?`. See the [crate's page](crate) for the guarantees.
///
/// Acquiring it takes one round trip to the store, and so does its release, for which the section
/// does not wait. Dropping the future of an acquisition withdraws the request. If the store
/// receives the request only later, the next renewal of the lease finds and withdraws it.
pub struct Lock<S: Store, C = Anything> {
    space: Arc<Space<S>>,
    key: Arc<str>,
    /// What reports know of it.
    elsewhere: Elsewhere,
    kind: PhantomData<fn() -> C>,
}

impl<S: Store, C> Lock<S, C> {
    /// The key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Waits for the lock.
    ///
    /// The queue is in the store, and FIFO among all processes. A waiter that loses its session
    /// joins the queue again, at its end.
    ///
    /// # Errors
    ///
    /// If the store refuses, or cannot be reached for as long as a lease lasts.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<Guard<'_, S, C>, LockError>> + Send {
        let acquiring = async {
            loop {
                if let Attempt::Done(guard) = self.attempt(true).await? {
                    return Ok(guard);
                }
            }
        };
        self.elsewhere
            .acquiring(acquiring, std::any::type_name::<Self>)
    }

    /// Acquires the lock if nobody holds it and nobody waits for it. One round trip.
    ///
    /// # Errors
    ///
    /// As for [`acquire`](Self::acquire).
    pub async fn try_acquire(&self) -> Result<Option<Guard<'_, S, C>>, LockError> {
        loop {
            match self.attempt(false).await? {
                Attempt::Done(guard) => return Ok(Some(guard)),
                Attempt::Busy => return Ok(None),
                Attempt::SessionLost => {}
            }
        }
    }

    /// An acquisition in one session.
    async fn attempt(&self, queues: bool) -> Result<Attempt<Guard<'_, S, C>>, LockError> {
        let ticket = self.space.ticket(&self.key);
        let session = Arc::clone(&ticket.session);
        let (store, host) = (session.store(), session.store().host());
        let lease = store.lease();
        let waiting = Waiting::new(&ticket);
        let mut answered = host.now();
        loop {
            let sent = host.now();
            let opens = !session.is_open();
            waiting.event.clear();
            let request = Request {
                session: session.id(),
                opens,
                key: &self.key,
                ticket: ticket.number,
                queues,
            };
            let answer = {
                let limit = host.sleep_until(sent + lease);
                let answer = Bounded(pin!(store.request(&request)), limit).await;
                answer.unwrap_or_else(|| Err(StoreError::transient("the store does not answer")))
            };
            let is_open = matches!(&answer, Ok(answer) if *answer != Answer::Ended);
            if opens && is_open && session.renewed(sent) {
                host.spawn(Box::pin(Arc::clone(&session).keep_alive()));
            }
            let again = match answer {
                Ok(Answer::Granted { fence }) => {
                    // The grant is for nothing if it has come too late.
                    if session.loss().is_some() {
                        return Ok(Attempt::SessionLost);
                    }
                    drop(waiting);
                    self.elsewhere.held_by(|| self.space.holder.to_string());
                    return Ok(Attempt::Done(Guard::new(&self.space, ticket, fence)));
                }
                Ok(Answer::Busy) => return Ok(Attempt::Busy),
                Ok(Answer::Ended) => {
                    session.has_ended();
                    return Ok(Attempt::SessionLost);
                }
                Ok(Answer::Queued { ask_again, holder }) => {
                    answered = host.now();
                    if let Some(holder) = holder {
                        self.elsewhere.held_by(|| holder);
                    }
                    ask_again
                }
                Err(error) if error.is_permanent() => return Err(LockError::Refused(error)),
                Err(error) => {
                    if host.now() >= answered + lease {
                        return Err(LockError::Unreachable(error));
                    }
                    retry_period(lease)
                }
            };
            let told = pin!(waiting.event.wait());
            let told_or_late = Either(told, host.sleep_until(host.now() + again));
            if Bounded(pin!(session.lost()), told_or_late).await.is_some() {
                return Ok(Attempt::SessionLost);
            }
        }
    }
}

enum Attempt<G> {
    Done(G),
    Busy,
    SessionLost,
}

/// Completes with the first of two futures.
struct Either<A, B>(A, B);

impl<A: Future + Unpin, B: Future + Unpin> Future for Either<A, B> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Pin::new(&mut self.0).poll(cx).is_ready() {
            return Poll::Ready(());
        }
        Pin::new(&mut self.1).poll(cx).map(|_| ())
    }
}

impl<S: Store, C> Clone for Lock<S, C> {
    fn clone(&self) -> Self {
        self.space.lock(&self.key)
    }
}

impl<S: Store, C> fmt::Debug for Lock<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("key", &self.key)
            .field("store", &self.space.store.name())
            .finish()
    }
}

impl<S: Store, C> AsyncLock for Lock<S, C> {
    type Guard<'a>
        = Guard<'a, S, C>
    where
        Self: 'a;
    type Error = LockError;

    #[track_caller]
    fn acquire(&self) -> impl Future<Output = Result<Guard<'_, S, C>, LockError>> {
        self.acquire()
    }

    /// Always `None`: the store is asked, and has to be waited for.
    fn try_acquire(&self) -> Option<Guard<'_, S, C>> {
        None
    }

    fn id(&self) -> LockId {
        LockId::from_key(self.space.store.id(&self.key))
    }

    fn __watched_id(&self) -> Option<LockId> {
        self.elsewhere.id()
    }

    fn lease<'a>(guard: &Guard<'a, S, C>) -> Option<Lease<LockError>>
    where
        Self: 'a,
    {
        Some(Lease::new(guard.lost()))
    }
}

/// Holds a [`Lock`] until it is dropped, unless the lock is lost before.
///
/// Dereferences to [`Held`], which is what a section binds.
#[must_use = "if unused, the lock is released at once"]
pub struct Guard<'a, S: Store, C = Anything> {
    held: Held<'a, C>,
    ticket: Ticket<S>,
    holder: Arc<str>,
    acquired: Duration,
}

/// The value that a section of such a lock binds.
#[derive(Debug)]
#[non_exhaustive]
pub struct Held<'a, C = Anything> {
    /// The number of this grant.
    pub fence: Fence<'a, C>,
}

impl<'a, S: Store, C> Guard<'a, S, C> {
    fn new(space: &'a Space<S>, ticket: Ticket<S>, number: u64) -> Self {
        let store = ticket.session.store();
        let holder = store.holder(ticket.session.id(), &ticket.key, ticket.number);
        Guard {
            held: Held {
                fence: Fence {
                    key: Arc::clone(&ticket.key),
                    number,
                    holder,
                    lease: store.lease(),
                    of_section: PhantomData,
                },
            },
            acquired: store.host().now(),
            holder: Arc::clone(&space.holder),
            ticket,
        }
    }

    fn loss(&self, reason: LossReason) -> LockError {
        let now = self.ticket.session.store().host().now();
        LockError::Lost(LeaseLost {
            key: Arc::clone(&self.ticket.key),
            fence: self.held.fence.number,
            holder: Arc::clone(&self.holder),
            held: now.saturating_sub(self.acquired),
            reason,
        })
    }

    /// Completes when the lock is lost. Each poll reads the clock, so a process that was stopped
    /// learns of the loss before it goes on.
    pub fn lost(&self) -> impl Future<Output = LockError> + Send + 'static + use<S, C> {
        let (key, holder) = (Arc::clone(&self.ticket.key), Arc::clone(&self.holder));
        let (fence, acquired) = (self.held.fence.number, self.acquired);
        let session = Arc::clone(&self.ticket.session);
        async move {
            let reason = session.lost().await;
            LockError::Lost(LeaseLost {
                key,
                fence,
                holder,
                held: session.store().host().now().saturating_sub(acquired),
                reason,
            })
        }
    }

    /// Releases the lock, and waits for the answer of the store. If the future is dropped before
    /// there is one, the lock is released like one whose guard is dropped.
    ///
    /// # Errors
    ///
    /// If the lock was lost before, or the store does not answer.
    pub async fn release(guard: Self) -> Result<(), LockError> {
        let lost = guard.ticket.session.loss().map(|reason| guard.loss(reason));
        let withdrawn = guard.ticket.withdraw().await;
        match lost {
            Some(lost) => Err(lost),
            None => withdrawn.map_err(LockError::Unreachable),
        }
    }
}

impl<'a, S: Store, C> Deref for Guard<'a, S, C> {
    type Target = Held<'a, C>;

    fn deref(&self) -> &Held<'a, C> {
        &self.held
    }
}

impl<S: Store, C> fmt::Debug for Guard<'_, S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("fence", &self.held.fence)
            .finish_non_exhaustive()
    }
}
