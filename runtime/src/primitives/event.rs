//! `Event`: a flag that tasks wait for.
//!
//! # State
//!
//! | bits of the word | meaning |
//! |---|---|
//! | [`SET`] | the flag |
//! | [`QUEUED`] | the queue of the [signal](crate::signal) is not empty |
//!
//! | | not set | set |
//! |---|---|---|
//! | wait, first poll | joins the queue, sets `QUEUED` | returns |
//! | set | sets `SET`; with `QUEUED`, lets all waiters in the queue through | nothing |
//! | clear | nothing | clears `SET` |
//!
//! # Invariants
//!
//! - **E1** `QUEUED` changes under the queue lock only, and is set exactly when a node is
//!   linked.
//! - **E2** A node joins only in a step that sees `SET` clear and sets `QUEUED`;
//!   so a `set` that finds `QUEUED` clear leaves no waiter behind. If `QUEUED`
//!   is set already, it is enough to see `SET` clear under the queue lock (E3).
//! - **E3** While `QUEUED` is set, a `set` writes `SET` under the same queue lock under which
//!   it chooses all waiters: each is let through at its next poll at the latest (N4). A
//!   waiter that joins after a `clear` is not, however long the call of `set` takes.
//!
//! # Orderings
//!
//! `SET` publishes in both directions. `set` has Release; `is_set`, the check of a
//! wait and `clear` have Acquire: everything before the `set` is visible to a task that
//! sees the flag, and to one that clears it (otherwise a task that clears the
//! flag and then looks for work could miss the work that the flag announced).
//! `clear` has Release, too, for an `is_set` that returns `false`. `QUEUED` changes
//! under the queue lock, which orders the rest.
//!
//! A cancelled waiter leaves the queue. It has nothing to pass on.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use super::flavour::{ThisFlavour, threads_only, use_of};
use crate::checking::{self, Awaits, EventOp, Op};
use crate::gate::polled_after_completion;
use crate::platform::{Ordering, Word, const_unless_loom};
use crate::queue::{FutureState, Node, State};
use crate::request::Resource;
use crate::signal::{ALL, EpochCell, Signal};
use crate::watching::Caller;
use crate::watching::{Ask, Watch};

const SET: usize = 1;
const QUEUED: usize = 1 << 1;

/// A flag that tasks wait for: asyncio's `Event`.
///
/// [`set`](Self::set) lets all current waiters through, even if [`clear`](Self::clear) follows
/// before they run. A waiter that arrives after the `clear` waits for the next `set`.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("Event")]
///
/// let ready = Event::new();
/// let waiter = async {
///     ready.wait().await;
///     "went on"
/// };
/// let setter = async { ready.set() };
/// assert_eq!(futures::join!(waiter, setter).0, "went on");
/// # });
/// ```
pub struct Event {
    word: Word<ThisFlavour>,
    signal: Signal<ThisFlavour>,
}

impl Event {
    const_unless_loom! {
        /// An event that is not set.
        ///
        /// ```
        #[doc = use_of!("Event")]
        ///
        /// let ready = Event::new();
        /// assert!(!ready.is_set());
        /// ```
        pub const fn new() -> Self {
            Event { word: Word::new(0), signal: Signal::new() }
        }
    }

    /// Sets the flag and lets all waiters through, in the order they came.
    ///
    /// Everything before the call happens before everything after the wait.
    ///
    /// # Panics
    ///
    /// If a waker panics. By then, all waiters have been let through.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Event")]
    ///
    /// let ready = Event::new();
    /// let waiter = async {
    ///     ready.wait().await;
    ///     "went on"
    /// };
    /// let setter = async { ready.set() };
    /// assert_eq!(futures::join!(waiter, setter).0, "went on");
    /// // A later waiter returns at once.
    /// ready.wait().await;
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn set(&self) {
        self.announce(EventOp::Set, Caller::here());
        let mut word = self.word.load(Ordering::Relaxed);
        // Unless there are waiters that no other call lets through:
        while word & (SET | QUEUED) != QUEUED {
            // Release: pairs with the Acquire of `is_set`, `mark_queued` and `clear`.
            match self.word.compare_exchange_weak(
                word,
                word | SET,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
        self.set_queued();
    }

    #[cold]
    #[inline]
    fn set_queued(&self) {
        let queue = self.signal.lock();
        // Release: as in `set`. Acquire is not needed: this reads only data that the
        // queue lock guards.
        let before = self.word.fetch_or(SET, Ordering::Release);
        if before & SET == 0 {
            self.signal.notify(queue, ALL, || self.unmark_queued());
        }
    }

    /// Clears the flag: from now on, waiters wait until the next [`set`](Self::set).
    ///
    /// ```
    #[doc = use_of!("Event")]
    ///
    /// let ready = Event::new();
    /// ready.set();
    /// ready.clear();
    /// assert!(!ready.is_set());
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn clear(&self) {
        self.announce(EventOp::Clear, Caller::here());
        // Acquire: pairs with the Release of `set`. Release: pairs with the Acquire
        // of `is_set`.
        self.word.fetch_and(!SET, Ordering::AcqRel);
    }

    /// Whether the flag is set.
    ///
    /// ```
    #[doc = use_of!("Event")]
    ///
    /// let stop = Event::new();
    /// let mut rounds = 0;
    /// while !stop.is_set() {
    ///     rounds += 1;
    ///     if rounds == 3 {
    ///         stop.set();
    ///     }
    /// }
    /// assert_eq!(rounds, 3);
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn is_set(&self) -> bool {
        self.announce(EventOp::IsSet, Caller::here());
        self.flag()
    }

    /// Announces an operation to the checker.
    #[inline]
    fn announce(&self, op: EventOp, place: Caller) {
        checking::op_at(&self.signal, Op::Event(op), place);
    }

    #[inline]
    fn flag(&self) -> bool {
        // Acquire: pairs with the Release of `set` and `clear`.
        self.word.load(Ordering::Acquire) & SET != 0
    }

    /// Waits until the flag is set. Returns at once if it is set already.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future removes it from the queue, and has no other effect.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    #[doc = use_of!("Event")]
    ///
    /// let connected = Event::new();
    /// let client = async {
    ///     connected.wait().await;
    ///     "hello"
    /// };
    /// let server = async { connected.set() };
    /// assert_eq!(futures::join!(client, server).0, "hello");
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn wait(&self) -> EventWait<'_> {
        EventWait {
            event: self,
            node: Node::new(EpochCell::new()),
            watch: Watch::new(),
        }
    }

    threads_only! {
        /// Waits until the flag is set, parking the thread.
        ///
        /// ```
        /// static STARTED: async_monitor::Event = async_monitor::Event::new();
        ///
        /// let thread = std::thread::spawn(|| STARTED.wait_blocking());
        /// STARTED.set();
        /// thread.join().unwrap();
        /// ```
        #[cfg(feature = "std")]
        #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
        #[inline]
        pub fn wait_blocking(&self) {
            if checking::is_task() || !self.flag() {
                crate::blocking::block_on(self.wait());
            }
        }
    }

    /// Announces the poll of a wait to the checker.
    #[inline]
    fn polls(&self, node: &Node<EpochCell>, place: Caller) -> bool {
        match node.future_state() {
            FutureState::Init => checking::arrives(&self.signal, Op::Event(EventOp::Wait), place),
            FutureState::Polled => {
                self.announce(EventOp::Poll, place);
                true
            }
            FutureState::Completed => true,
        }
    }

    /// Joins the queue, or, if it has joined before, checks whether it was let through.
    ///
    /// # Safety
    ///
    /// The node is pinned, is used with this event only, and is
    /// [cancelled](Self::cancel) before it goes away, unless this returns `Ready`.
    #[cold]
    #[inline]
    unsafe fn poll_wait(&self, node: &Node<EpochCell>, waker: &Waker) -> Poll<()> {
        // SAFETY: passed on.
        unsafe {
            if node.state() != State::Idle {
                return self.signal.poll_joined(node, waker);
            }
            let joined = self.signal.join(node, waker, |_| {
                if !self.mark_queued() {
                    return Some(());
                }
                // After the clone of the waker: if that panics, the node is
                // unchanged, and the next poll checks the flag again.
                node.set_future_state(FutureState::Polled);
                None
            });
            match joined {
                Some(()) => Poll::Ready(()),
                None => Poll::Pending,
            }
        }
    }

    /// # Safety
    ///
    /// The node is the caller's own and was used with this event only.
    #[cold]
    #[inline]
    unsafe fn cancel(&self, node: &Node<EpochCell>) {
        // SAFETY: passed on. A broadcast is not passed on.
        unsafe { self.signal.leave(node, || self.unmark_queued()) };
    }

    /// Under the queue lock, when it is empty (E1).
    #[inline]
    fn unmark_queued(&self) {
        self.word.fetch_and(!QUEUED, Ordering::Relaxed);
    }

    /// Under the queue lock: marks that a waiter joins, unless the flag is set (E2).
    #[inline]
    fn mark_queued(&self) -> bool {
        // Acquire, here and where the exchange fails: pairs with the Release of
        // `set`, as the wait is over if `SET` is seen.
        let mut word = self.word.load(Ordering::Acquire);
        while word & SET == 0 {
            if word & QUEUED != 0 {
                return true;
            }
            match self.word.compare_exchange_weak(
                word,
                word | QUEUED,
                Ordering::Relaxed,
                Ordering::Acquire,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }
}

impl Default for Event {
    #[inline]
    fn default() -> Self {
        Event::new()
    }
}

impl fmt::Debug for Event {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.flag())
            .field("waiters", &self.signal.waiters())
            .finish()
    }
}

/// The future of [`Event::wait`].
///
/// It does nothing until it is polled, and may be dropped at any time.
///
/// ```
/// # futures::executor::block_on(async {
#[doc = use_of!("{Event, future::EventWait}")]
///
/// let ready = Event::new();
/// ready.set();
/// let waiting: EventWait<'_> = ready.wait();
/// waiting.await;
/// # });
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub struct EventWait<'a> {
    event: &'a Event,
    node: Node<EpochCell>,
    watch: Watch,
}

impl Future for EventWait<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (event, node) = (self.event, &self.node);
        if checking::IS_ON && !event.polls(node, self.watch.place()) {
            return Poll::Pending;
        }
        if node.future_state() != FutureState::Init || !event.flag() {
            if node.future_state() == FutureState::Completed {
                polled_after_completion()
            }
            if node.state() != State::Unlinked {
                // SAFETY: the node is pinned as we are, used with this signal only,
                // and leaves in our drop.
                let polled = unsafe { event.poll_wait(node, cx.waker()) };
                if polled.is_pending() {
                    let ask = || Ask::of_signal(Resource::Event, event, || "Event");
                    // SAFETY: node and watch are pinned as we are, and dropped together.
                    unsafe { self.watch.wait(ask, node.as_ptr(), cx.waker()) };
                    checking::pending(&event.signal, Awaits::Signal);
                    return Poll::Pending;
                }
            }
        }
        node.set_future_state(FutureState::Completed);
        self.watch.over();
        Poll::Ready(())
    }
}

impl Drop for EventWait<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.node.future_state() == FutureState::Polled {
            self.event.announce(EventOp::Leave, self.watch.place());
            // SAFETY: the node is ours and was used with this signal only.
            unsafe { self.event.cancel(&self.node) }
        }
    }
}

impl fmt::Debug for EventWait<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventWait")
            .field(
                "terminated",
                &(self.node.future_state() == FutureState::Completed),
            )
            .finish_non_exhaustive()
    }
}
