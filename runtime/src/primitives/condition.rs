//! `Condition`: tasks that hold a lock release it to wait for a notification, and
//! acquire it again.
//!
//! # State of a wait
//!
//! | stage | the lock | the node | leaves by |
//! |---|---|---|---|
//! | holding (before the first poll) | held | idle | first poll: joins, *then* releases the lock |
//! | parked | free for others | queued, then chosen or done | notification |
//! | locking | being acquired again | done, with the epoch of the notification | return |
//!
//! # Invariants
//!
//! - **C1** The node joins before the lock is released: the next holder finds it
//!   when it notifies.
//! - **C2** While a node is queued, the condition is bound to the id of the lock
//!   that was released: concurrent waits and notifications use the same lock.
//!   Under another lock, a notification could come between a check of the data and
//!   the wait.
//! - **C3** A notification is used up by the return of a wait. A wait that is
//!   dropped between the two passes it on to the next waiter that was queued when
//!   `notify` was called (N2: the epoch tells), and to no other.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, ready};

use super::flavour::{ThisFlavour, threads_only, use_of};
use crate::LockId;
use crate::checking::{self, Awaits, ConditionOp, Op};
use crate::gate::polled_after_completion;
use crate::platform::{SharedCell, const_unless_loom};
use crate::queue::{Node, State};
use crate::request::Resource;
use crate::signal::{ALL, Departure, EpochCell, Signal};
use crate::traits::guard::{HoldsLock, Relock, View};
use crate::watching::Caller;
use crate::watching::{Ask, Watch};

/// A condition variable: tasks that hold a lock wait for a change of the guarded data. This is
/// asyncio's `Condition`.
///
/// It has no lock of its own. It works with the guards of [`Lock`](super::Lock),
/// [`Mutex`](super::Mutex), [`RwLock`](super::RwLock) and of `#[derive(Guarded)]` structs. (Read
/// guards of such a struct and [mapped guards](super::MappedMutexGuard) can be used to notify, but
/// not to wait.) [`wait`](Self::wait) takes the guard by value and returns it, so there is no guard
/// while the lock is released. [`notify`](Self::notify) takes a guard, or a view that borrows one,
/// as proof that the lock is held.
///
/// Waiters are notified in the order they came. A notification without waiters is not stored.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Condition, Mutex}")]
///
/// let queue = Mutex::new(Vec::new());
/// let not_empty = Condition::new();
///
/// let consumer = async {
///     let guard = queue.lock().await;
///     let mut guard = not_empty.wait_for(guard, |queue| !queue.is_empty()).await;
///     guard.pop()
/// };
/// let producer = async {
///     let mut guard = queue.lock().await;
///     guard.push(7);
///     not_empty.notify_one(&guard);
/// };
/// assert_eq!(futures::join!(consumer, producer).0, Some(7));
/// # });
/// ```
pub struct Condition {
    signal: Signal<ThisFlavour>,
    /// The lock that the waiters have released (C2). Under the queue lock.
    lock: SharedCell<Option<LockId>>,
}

threads_only! {
    // SAFETY: `lock` is accessed under the queue lock only.
    unsafe impl Sync for Condition {}
}

impl Condition {
    const_unless_loom! {
        /// A condition that nobody waits for.
        ///
        /// ```
        #[doc = use_of!("{Condition, Lock}")]
        ///
        /// struct Queue {
        ///     lock: Lock,
        ///     not_empty: Condition,
        /// }
        ///
        /// let queue = Queue { lock: Lock::new(), not_empty: Condition::new() };
        /// # let _ = (queue.lock, queue.not_empty);
        /// ```
        pub const fn new() -> Self {
            Condition { signal: Signal::new(), lock: SharedCell::new(None) }
        }
    }

    /// Releases the lock, waits for a notification, and re-acquires the lock.
    ///
    /// Waiters are notified in the order of their first polls. A waiter is queued before the lock
    /// is released, so a change made under the lock afterwards is never missed. By the time the
    /// caller has re-acquired the lock, its condition may be false again: check it in a loop, or
    /// use [`wait_for`](Self::wait_for).
    ///
    /// The type of the future is `ConditionWait<'_, G>`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future releases the lock, if it is held or granted, and removes the future from
    /// every queue. A notification that it had received passes to the next waiter that was queued
    /// when `notify` was called. The guard is gone: the caller no longer holds the lock.
    ///
    /// # Panics
    ///
    /// If other tasks wait on this condition with guards of another lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Condition, Mutex}")]
    ///
    /// let stock = Mutex::new(0);
    /// let changed = Condition::new();
    ///
    /// let customer = async {
    ///     let mut stock = stock.lock().await;
    ///     while *stock < 2 {
    ///         stock = changed.wait(stock).await;
    ///     }
    ///     *stock -= 2;
    /// };
    /// let supplier = async {
    ///     let mut stock = stock.lock().await;
    ///     *stock += 2;
    ///     changed.notify_one(&stock);
    /// };
    /// futures::join!(customer, supplier);
    /// assert_eq!(*stock.lock().await, 0);
    /// # });
    /// ```
    // The return type is `ConditionWait<'_, G>`, by the bound of `Reacquire`. In this
    // form the compiler reports a wrong guard once, and not again at the call and at its
    // `.await`.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn wait<G: Relock>(&self, guard: G) -> ConditionWait<'_, <G::Reacquire as Future>::Output> {
        ConditionWait {
            condition: self,
            stage: Stage::Holding(guard),
            node: Node::new(EpochCell::new()),
            watch: Watch::new(),
        }
    }

    /// Waits until `predicate` returns `true`, and returns with the lock held.
    ///
    /// The predicate is called with the lock held: at once, and after each
    /// notification. It sees the value of a [`MutexGuard`](super::MutexGuard),
    /// the fields of a generated guard, and `&()` for a
    /// [`LockGuard`](super::LockGuard).
    ///
    /// The type of the future is `ConditionWaitFor<'_, G, F>`.
    ///
    /// # Cancel safety
    ///
    /// As for [`wait`](Self::wait).
    ///
    /// # Panics
    ///
    /// As for [`wait`](Self::wait). If the predicate panics, the lock is released, and the
    /// notification is used up.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Condition, Mutex}")]
    ///
    /// let stock = Mutex::new(0);
    /// let changed = Condition::new();
    ///
    /// let customer = async {
    ///     let stock = stock.lock().await;
    ///     let mut stock = changed.wait_for(stock, |stock| *stock >= 2).await;
    ///     *stock -= 2;
    /// };
    /// let supplier = async {
    ///     let mut stock = stock.lock().await;
    ///     *stock += 2;
    ///     changed.notify_one(&stock);
    /// };
    /// futures::join!(customer, supplier);
    /// assert_eq!(*stock.lock().await, 0);
    /// # });
    /// ```
    // For the return type, see `wait`.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn wait_for<G, F>(
        &self,
        guard: G,
        predicate: F,
    ) -> ConditionWaitFor<'_, <G::Reacquire as Future>::Output, F>
    where
        G: Relock,
        F: for<'v> FnMut(&<G as View<'v>>::View) -> bool,
    {
        ConditionWaitFor {
            guard: Some(guard),
            wait: ConditionWait {
                condition: self,
                stage: Stage::Over,
                node: Node::new(EpochCell::new()),
                watch: Watch::new(),
            },
            predicate,
        }
    }

    /// Notifies the first `n` waiters, or all of them if there are fewer. Each goes on
    /// once it has re-acquired the lock. Waiters already notified do not count.
    ///
    /// `guard` is the proof that the lock is held: a guard, or the view of a
    /// generated guard.
    ///
    /// # Panics
    ///
    /// If the waiters have released another lock.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Condition, Mutex}")]
    ///
    /// let jobs = Mutex::new(Vec::new());
    /// let added = Condition::new();
    ///
    /// let worker = async || {
    ///     let jobs = jobs.lock().await;
    ///     added.wait_for(jobs, |jobs| !jobs.is_empty()).await.pop()
    /// };
    /// let boss = async {
    ///     let mut jobs = jobs.lock().await;
    ///     jobs.extend(["one", "two"]);
    ///     added.notify(&jobs, 2);
    /// };
    /// let (first, second, ()) = futures::join!(worker(), worker(), boss);
    /// assert_eq!((first, second), (Some("two"), Some("one")));
    /// # });
    /// ```
    #[track_caller]
    #[inline]
    pub fn notify(&self, guard: &impl HoldsLock, n: usize) {
        self.announce(ConditionOp::Notify, Caller::here());
        // Waiters of the lock of `guard` joined before it was acquired (C1).
        if n == 0 || self.signal.was_empty() {
            return;
        }
        let queue = self.signal.lock();
        // SAFETY: under the queue lock.
        let bound = unsafe { self.lock.get() };
        if bound.is_some_and(|lock| lock != guard.lock_id()) {
            drop(queue);
            two_locks("notify")
        }
        self.signal.notify(queue, n, || self.unbind());
    }

    /// Notifies the first waiter. See [`notify`](Self::notify).
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Condition, Mutex}")]
    ///
    /// let jobs = Mutex::new(Vec::new());
    /// let added = Condition::new();
    ///
    /// let worker = async {
    ///     let jobs = jobs.lock().await;
    ///     added.wait_for(jobs, |jobs| !jobs.is_empty()).await.pop()
    /// };
    /// let boss = async {
    ///     let mut jobs = jobs.lock().await;
    ///     jobs.push("one");
    ///     added.notify_one(&jobs);
    /// };
    /// assert_eq!(futures::join!(worker, boss).0, Some("one"));
    /// # });
    /// ```
    #[track_caller]
    #[inline]
    pub fn notify_one(&self, guard: &impl HoldsLock) {
        self.notify(guard, 1);
    }

    /// Notifies all current waiters, which go on one after the other. See [`notify`](Self::notify).
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("{Condition, Mutex}")]
    ///
    /// let is_open = Mutex::new(false);
    /// let opened = Condition::new();
    ///
    /// let visitor = async || {
    ///     let is_open = is_open.lock().await;
    ///     opened.wait_for(is_open, |is_open| *is_open).await;
    /// };
    /// let porter = async {
    ///     let mut is_open = is_open.lock().await;
    ///     *is_open = true;
    ///     opened.notify_all(&is_open);
    /// };
    /// futures::join!(visitor(), visitor(), porter);
    /// # });
    /// ```
    #[track_caller]
    #[inline]
    pub fn notify_all(&self, guard: &impl HoldsLock) {
        self.notify(guard, ALL);
    }

    /// Announces an operation to the checker.
    #[inline]
    fn announce(&self, op: ConditionOp, place: Caller) {
        checking::op_at(&self.signal, Op::Condition(op), place);
    }

    /// Under the queue lock, when it is empty.
    #[inline]
    fn unbind(&self) {
        // SAFETY: under the queue lock.
        unsafe { self.lock.set(None) }
    }

    /// Under the queue lock: binds the condition to a lock, unless it is bound to another.
    #[inline]
    fn bind(&self, id: LockId) -> Result<(), ()> {
        // SAFETY: under the queue lock.
        unsafe {
            match self.lock.get() {
                Some(bound) if bound != id => Err(()),
                _ => {
                    self.lock.set(Some(id));
                    Ok(())
                }
            }
        }
    }
}

#[cold]
#[track_caller]
#[inline]
fn two_locks(call: &str) -> ! {
    panic!(
        "`Condition::{call}` was called with a guard of another lock than that of the tasks that \
         wait: all users of one condition must hold the same lock"
    )
}

impl Default for Condition {
    #[inline]
    fn default() -> Self {
        Condition::new()
    }
}

impl fmt::Debug for Condition {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("waiters", &self.signal.waiters())
            .finish()
    }
}

/// The stage of a wait. See the module.
enum Stage<G: Relock> {
    Holding(G),
    Parked(G::Released),
    Reacquiring(G::Reacquire),
    /// Completed, or left by a panic.
    Over,
}

/// The future of [`Condition::wait`].
///
/// It does nothing until it is polled: before, it does not even release the lock. It may be dropped
/// at any time.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Condition, Lock, LockGuard, future::ConditionWait}")]
///
/// let (lock, changed) = (Lock::new(), Condition::new());
/// let waiting: ConditionWait<'_, LockGuard<'_>> = changed.wait(lock.acquire().await);
/// // A future that has not been polled still holds the lock; its drop releases the lock.
/// assert!(lock.is_locked());
/// drop(waiting);
/// assert!(!lock.is_locked());
/// # });
/// ```
#[must_use = "futures do nothing unless they are awaited; this one holds the lock until then"]
pub struct ConditionWait<'c, G: Relock> {
    condition: &'c Condition,
    /// Pinned with the future.
    stage: Stage<G>,
    /// Pinned with the future.
    node: Node<EpochCell>,
    watch: Watch,
}

impl<G: Relock> Future for ConditionWait<'_, G> {
    type Output = G;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        // SAFETY: the node is not moved; of the stage, only the unpinned parts are:
        // the guard, and its remainder while the lock is released.
        let this = unsafe { self.get_unchecked_mut() };
        let condition = this.condition;
        loop {
            match &mut this.stage {
                Stage::Holding(_) => {
                    let Stage::Holding(guard) = core::mem::replace(&mut this.stage, Stage::Over)
                    else {
                        unreachable!("the stage was matched above")
                    };
                    condition.announce(ConditionOp::Wait, this.watch.place());
                    let id = guard.lock_id();
                    // SAFETY: the node is idle, pinned as we are, used with this
                    // signal only, and leaves in our drop.
                    let refused = unsafe {
                        condition
                            .signal
                            .join(&this.node, cx.waker(), |_| condition.bind(id).err())
                    };
                    if refused.is_some() {
                        two_locks("wait")
                    }
                    // C1: only now. If a waker panics in here, the node stays
                    // queued until our drop unlinks it.
                    this.stage = Stage::Parked(G::give_up(guard));
                    let ask = || Ask {
                        relocks: Some(id),
                        ..Ask::of_signal(Resource::Condition, condition, || "Condition")
                    };
                    // SAFETY: node and watch are pinned as we are, and dropped together.
                    unsafe { this.watch.wait(ask, this.node.as_ptr(), cx.waker()) };
                    checking::pending(&condition.signal, Awaits::Signal);
                    return Poll::Pending;
                }
                Stage::Parked(_) => {
                    condition.announce(ConditionOp::Poll, this.watch.place());
                    // SAFETY: as above, and the node has joined.
                    let polled = unsafe { condition.signal.poll_joined(&this.node, cx.waker()) };
                    if polled.is_pending() {
                        let ask = || Ask::of_signal(Resource::Condition, condition, || "Condition");
                        // SAFETY: as above.
                        unsafe { this.watch.wait(ask, this.node.as_ptr(), cx.waker()) };
                        checking::pending(&condition.signal, Awaits::Signal);
                        return Poll::Pending;
                    }
                    this.watch.over();
                    let Stage::Parked(released) = core::mem::replace(&mut this.stage, Stage::Over)
                    else {
                        unreachable!("the stage was matched above")
                    };
                    this.stage = Stage::Reacquiring(G::reacquire(released));
                }
                Stage::Reacquiring(reacquire) => {
                    // SAFETY: pinned as we are, and dropped in place.
                    let guard = ready!(unsafe { Pin::new_unchecked(reacquire) }.poll(cx));
                    // The notification is used up (C3).
                    this.node.reset();
                    this.stage = Stage::Over;
                    return Poll::Ready(guard);
                }
                Stage::Over => polled_after_completion(),
            }
        }
    }
}

impl<G: Relock> Drop for ConditionWait<'_, G> {
    #[inline]
    fn drop(&mut self) {
        /// Passes a notification on (C3) once the lock is released.
        struct PassOn<'c>(&'c Condition, Departure);

        impl Drop for PassOn<'_> {
            #[inline]
            fn drop(&mut self) {
                if let Departure::Notified(epoch) = self.1 {
                    self.0.signal.pass_on(epoch, || self.0.unbind());
                }
            }
        }

        let condition = self.condition;
        if self.node.state() != State::Idle {
            condition.announce(ConditionOp::Leave, self.watch.place());
        }
        // The node leaves first: nothing before it can panic.
        // SAFETY: the node is ours and was used with this signal only.
        let left = unsafe { condition.signal.leave(&self.node, || condition.unbind()) };
        let _pass_on = PassOn(condition, left);
        // Releases the lock, or passes its grant on. The stage is pinned and dropped
        // in place.
        self.stage = Stage::Over;
    }
}

impl<G: Relock> fmt::Debug for ConditionWait<'_, G> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::Holding(_) => "holding",
            Stage::Parked(_) => "parked",
            Stage::Reacquiring(_) => "re-acquiring",
            Stage::Over => "over",
        };
        f.debug_struct("ConditionWait")
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}

/// The future of [`Condition::wait_for`].
///
/// It does nothing until it is polled: before, it does not even release the lock. It may be dropped
/// at any time.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Condition, Mutex, MutexGuard, future::ConditionWaitFor}")]
///
/// let (jobs, added) = (Mutex::new(vec![1]), Condition::new());
/// let is_ready = |jobs: &Vec<i32>| !jobs.is_empty();
/// let waiting: ConditionWaitFor<'_, MutexGuard<'_, _>, _> =
///     added.wait_for(jobs.lock().await, is_ready);
/// assert_eq!(*waiting.await, [1]);
/// # });
/// ```
#[must_use = "futures do nothing unless they are awaited; this one holds the lock until then"]
pub struct ConditionWaitFor<'c, G: Relock, F> {
    /// The guard, while `wait` is not under way.
    guard: Option<G>,
    /// Pinned with the future.
    wait: ConditionWait<'c, G>,
    predicate: F,
}

impl<G, F> Future for ConditionWaitFor<'_, G, F>
where
    G: Relock,
    F: for<'v> FnMut(&<G as View<'v>>::View) -> bool,
{
    type Output = G;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        // SAFETY: `wait` is pinned with us and not moved; the others are not
        // pinned.
        let this = unsafe { self.get_unchecked_mut() };
        loop {
            if let Some(mut guard) = this.guard.take() {
                let predicate = &mut this.predicate;
                if guard.with_view(|view| predicate(view)) {
                    return Poll::Ready(guard);
                }
                debug_assert!(this.wait.node.state() == State::Idle);
                this.wait.stage = Stage::Holding(guard);
            }
            // SAFETY: as above.
            let wait = unsafe { Pin::new_unchecked(&mut this.wait) };
            this.guard = Some(ready!(wait.poll(cx)));
        }
    }
}

impl<G: Relock, F> fmt::Debug for ConditionWaitFor<'_, G, F> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConditionWaitFor")
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}
