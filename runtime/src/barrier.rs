//! `Barrier`: a number of tasks wait for each other.
//!
//! # State
//!
//! Under the queue lock: whether the barrier is broken; the number of waiters; the number of
//! waiters that leave with an error and have not returned yet.
//!
//! | | filling | `leaving` > 0 (a reset is under way) | broken |
//! |---|---|---|---|
//! | wait | counts; the last arrival lets the generation through | joins, uncounted | error |
//! | a waiter is dropped | taken out of the count | taken out | - |
//! | a leaving waiter returns or is dropped | - | the last one opens the barrier: the waiters that joined meanwhile are counted | one fewer is leaving |
//! | abort | waiters leave with an error; broken | the same | nothing |
//! | reset | waiters leave with an error | the same | no longer broken |
//!
//! # Invariants
//!
//! - **B1** The queue is `[marked]* [waiting]*`. Marked nodes have been let
//!   through, with their result as the ticket; the call that marked them is about
//!   to unlink and wake them. One that is polled or dropped before that already has its
//!   result, and unlinks itself.
//! - **B2** While no waiter is leaving, fewer nodes wait than a generation has.
//! - **B3** All nodes of a generation are marked under one lock of the queue, together
//!   with the decision of the last arrival: indices are distinct, and 0 to n - 1 in
//!   the order of arrival. The nodes that an abort or a reset removes are marked in the same way.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use crate::checking::{self, Awaits, BarrierOp, Checked, Op, Stamp};
use crate::gate::polled_after_completion;
use crate::platform::{SharedCell, Threads, const_unless_loom};
use crate::queue::{LockedQueue, Node, NodePtr, Queue, State as NodeState};
use crate::request::Resource;
use crate::wake::{CAPACITY, WakeBatch};
use crate::watching::Caller;
use crate::watching::{Ask, Watch};

/// The ticket of a node that leaves with an error; others are indices.
const BROKEN: u32 = u32::MAX;

#[derive(Clone, Copy)]
struct State {
    broken: bool,
    waiting: u32,
    leaving: u32,
}

/// A barrier where a fixed number of tasks wait until all of them have arrived: asyncio's
/// `Barrier`.
///
/// Then all of them go on, and the barrier is ready for the next generation.
///
/// # Examples
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::Barrier;
///
/// let start = Barrier::new(2);
/// let (a, b) = futures::join!(start.wait(), start.wait());
/// assert!(a.unwrap().is_leader());
/// assert_eq!(b.unwrap().index(), 1);
/// # });
/// ```
pub struct Barrier {
    parties: u32,
    queue: Queue<(), Threads>,
    /// Under the queue lock.
    state: SharedCell<State>,
}

// SAFETY: the state is accessed under the queue lock only.
unsafe impl Sync for Barrier {}

impl Checked for Barrier {
    fn stamp(&self) -> &Stamp {
        &self.queue.stamp
    }
}

// Like the other primitives without data, it is consistent after every panic.
impl core::panic::UnwindSafe for Barrier {}
impl core::panic::RefUnwindSafe for Barrier {}

/// The result of [`Barrier::wait`] for a task that has passed the barrier.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::Barrier;
///
/// let barrier = Barrier::new(2);
/// let (one, two) = futures::join!(barrier.wait(), barrier.wait());
/// let results = [one.unwrap(), two.unwrap()];
/// assert_eq!(results.iter().filter(|result| result.is_leader()).count(), 1);
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BarrierWaitResult {
    index: usize,
}

impl BarrierWaitResult {
    /// The order of arrival within this generation, from 0 to `parties - 1`.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// let (first, second) = futures::join!(barrier.wait(), barrier.wait());
    /// assert_eq!(first.unwrap().index(), 0);
    /// assert_eq!(second.unwrap().index(), 1);
    /// # });
    /// ```
    #[inline]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether this task is the leader of its generation: the one of index 0. Each generation has
    /// one.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// let worker = async || {
    ///     if barrier.wait().await.unwrap().is_leader() {
    ///         println!("all are here");
    ///     }
    /// };
    /// futures::join!(worker(), worker());
    /// # });
    /// ```
    #[inline]
    pub fn is_leader(&self) -> bool {
        self.index == 0
    }
}

/// The error of [`Barrier::wait`]: the barrier is broken, or was reset while the task waited.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::Barrier;
///
/// let barrier = Barrier::new(2);
/// barrier.abort();
/// let error = barrier.wait().await.unwrap_err();
/// println!("gave up: {error}");
/// # });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenBarrier(());

impl fmt::Display for BrokenBarrier {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier was aborted, or reset while tasks were waiting")
    }
}

impl core::error::Error for BrokenBarrier {}

impl Barrier {
    const_unless_loom! {
        /// A barrier that lets tasks through `parties` at a time. Zero is treated as one: every
        /// wait returns at once.
        ///
        /// # Panics
        ///
        /// If `parties` is `u32::MAX` or more.
        ///
        /// # Examples
        ///
        /// ```
        /// use async_monitor::Barrier;
        ///
        /// static START: Barrier = Barrier::new(8);
        /// assert_eq!(START.parties(), 8);
        /// ```
        #[track_caller]
        pub const fn new(parties: usize) -> Self {
            assert!(
                parties < BROKEN as usize,
                "a barrier cannot wait for `u32::MAX` tasks or more"
            );
            Barrier {
                parties: if parties == 0 { 1 } else { parties as u32 },
                queue: Queue::new(),
                state: SharedCell::new(State { broken: false, waiting: 0, leaving: 0 }),
            }
        }
    }

    /// Waits until [`parties`](Self::parties) tasks have arrived, and passes with them.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if the barrier is or becomes [broken](Self::abort), or is
    /// [reset](Self::reset) meanwhile.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future before the last task has arrived takes its arrival back: the task is no
    /// longer counted. A timeout is a cancel like any other, and does not break the barrier.
    ///
    /// # Panics
    ///
    /// If this is the last arrival, and the waker of a waiter that it lets through panics. All
    /// others have passed by then.
    ///
    /// # Examples
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Barrier;
    /// use std::cell::Cell;
    ///
    /// let barrier = Barrier::new(2);
    /// let loaded = Cell::new(0);
    /// let worker = async || {
    ///     loaded.set(loaded.get() + 1);
    ///     barrier.wait().await.unwrap();
    ///     assert_eq!(loaded.get(), 2);
    /// };
    /// futures::join!(worker(), worker());
    /// # });
    /// ```
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub fn wait(&self) -> BarrierWait<'_> {
        BarrierWait {
            barrier: Some(self),
            node: Node::new(()),
            watch: Watch::new(),
        }
    }

    /// Breaks the barrier: current and later waiters get an error, until a [`reset`](Self::reset).
    /// A task that fails calls this, so that others do not wait for it in vain.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// let worker = barrier.wait();
    /// let failing = async { barrier.abort() };
    /// assert!(futures::join!(worker, failing).0.is_err());
    /// assert!(barrier.wait().await.is_err());
    /// # });
    /// ```
    #[inline]
    pub fn abort(&self) {
        self.drive_out(true);
    }

    /// Resets the barrier. Current waiters get [`BrokenBarrier`]; tasks that arrive before
    /// they have all returned, or been dropped, start counting afterwards.
    ///
    /// ```
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// barrier.abort();
    /// barrier.reset();
    /// assert!(!barrier.is_broken());
    /// ```
    #[inline]
    pub fn reset(&self) {
        self.drive_out(false);
    }

    /// Whether the barrier was [aborted](Self::abort) and not reset since.
    ///
    /// ```
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// assert!(!barrier.is_broken());
    /// barrier.abort();
    /// assert!(barrier.is_broken());
    /// ```
    #[inline]
    pub fn is_broken(&self) -> bool {
        self.does(BarrierOp::Look);
        let queue = self.queue.lock();
        self.state(&queue).broken
    }

    /// The number of tasks of the current generation that wait.
    ///
    /// ```
    /// # futures::executor::block_on(async {
    /// use async_monitor::Barrier;
    ///
    /// let barrier = Barrier::new(2);
    /// let worker = async { barrier.wait().await.unwrap() };
    /// let last = async {
    ///     assert_eq!(barrier.n_waiting(), 1);
    ///     barrier.wait().await.unwrap()
    /// };
    /// futures::join!(worker, last);
    /// assert_eq!(barrier.n_waiting(), 0);
    /// # });
    /// ```
    #[inline]
    pub fn n_waiting(&self) -> usize {
        self.does(BarrierOp::Look);
        let queue = self.queue.lock();
        let state = self.state(&queue);
        if state.leaving == 0 {
            state.waiting as usize
        } else {
            0
        }
    }

    /// The number of tasks that the barrier waits for.
    ///
    /// ```
    /// use async_monitor::Barrier;
    ///
    /// assert_eq!(Barrier::new(3).parties(), 3);
    /// ```
    #[inline]
    pub fn parties(&self) -> usize {
        self.parties as usize
    }

    /// Announces an operation to the checker.
    #[inline]
    fn does(&self, op: BarrierOp) {
        checking::op(self, Op::Barrier(op));
    }

    /// Announces the poll of a wait to the checker.
    #[inline]
    fn polls(&self, node: &Node<()>, place: Caller) -> bool {
        if node.state() == NodeState::Idle {
            let op = Op::Barrier(BarrierOp::Arrive);
            return checking::arrives(self, op, place);
        }
        let queue = self.queue.lock();
        // SAFETY: the node is the caller's own, and has a ticket, which was written under the
        // queue lock.
        let passes =
            queue.own_state(node) != NodeState::Waiting && unsafe { node.ticket() } != BROKEN;
        drop(queue);
        self.does(if passes {
            BarrierOp::Poll
        } else {
            BarrierOp::PollLeaving
        });
        true
    }

    #[inline]
    fn state(&self, _queue: &LockedQueue<'_, ()>) -> State {
        // SAFETY: the queue is locked.
        unsafe { self.state.get() }
    }

    #[inline]
    fn set_state(&self, _queue: &LockedQueue<'_, ()>, state: State) {
        // SAFETY: the queue is locked.
        unsafe { self.state.set(state) }
    }

    #[inline]
    fn drive_out(&self, broken: bool) {
        self.does(BarrierOp::DriveOut);
        let mut queue = self.queue.lock();
        let state = self.state(&queue);
        self.set_state(
            &queue,
            State {
                broken,
                waiting: 0,
                leaving: state.leaving + state.waiting,
            },
        );
        self.mark(&mut queue, state.waiting, |_| BROKEN);
        self.wake_marked(queue);
    }

    /// Marks the first `count` waiting nodes.
    #[inline]
    fn mark(&self, queue: &mut LockedQueue<'_, ()>, count: u32, stamp: impl Fn(u32) -> u32) {
        // SAFETY: nothing is unlinked or unlocked here.
        let mut next = queue.head();
        let mut index = 0;
        while let Some(node) = next.filter(|_| index < count) {
            // SAFETY: the node is linked, and waits if it is marked here.
            unsafe {
                if queue.state_of(node) == NodeState::Waiting {
                    queue.mark_notified(node, stamp(index));
                    index += 1;
                }
                next = queue.next(node);
            }
        }
    }

    /// Unlinks and wakes the marked nodes at the head, in batches.
    #[inline]
    fn wake_marked<'q>(&'q self, mut queue: LockedQueue<'q, ()>) {
        let mut batch = WakeBatch::new();
        loop {
            let mut room = CAPACITY;
            let mut more = false;
            let leaves = |node: NodePtr<()>| {
                // SAFETY: the node is linked, as the queue stays locked.
                let marked = unsafe { (*node.as_ptr()).state() } == NodeState::Notified;
                more = marked && room == 0;
                room = room.saturating_sub(1);
                marked && !more
            };
            // SAFETY: the nodes are marked here.
            unsafe { queue.drain_front_while(leaves, |waker| batch.push(waker)) };
            drop(queue);
            batch.wake_all();
            if !more {
                return;
            }
            queue = self.queue.lock();
        }
    }

    /// Called when a waiter that leaves with an error has returned or been dropped.
    /// The last one counts the waiters that joined meanwhile (B2).
    #[inline]
    fn left<'q>(&'q self, mut queue: LockedQueue<'q, ()>) {
        let mut state = self.state(&queue);
        state.leaving -= 1;
        if state.leaving == 0 {
            // Whole generations pass at once.
            let rest = state.waiting % self.parties;
            self.mark(&mut queue, state.waiting - rest, |n| n % self.parties);
            state.waiting = rest;
        }
        self.set_state(&queue, state);
        self.wake_marked(queue);
    }

    /// The first poll of a wait: an error, the index of the last arrival, or
    /// `Pending` for one that has joined.
    ///
    /// # Safety
    ///
    /// The node is idle and pinned, is used with this barrier only, and is
    /// [cancelled](Self::cancel) before it goes away.
    #[inline]
    unsafe fn arrive(&self, node: &Node<()>, cx: &mut Context<'_>) -> Poll<u32> {
        // Moved out if the node joins; otherwise dropped after the queue lock, which is
        // declared later (Q5).
        let mut spare = Some(cx.waker().clone());
        let mut queue = self.queue.lock();
        let mut state = self.state(&queue);
        if state.broken {
            return Poll::Ready(BROKEN);
        }
        if state.leaving == 0 && state.waiting + 1 == self.parties {
            self.mark(&mut queue, state.waiting, |index| index);
            state.waiting = 0;
            self.set_state(&queue, state);
            self.wake_marked(queue);
            return Poll::Ready(self.parties - 1);
        }
        if let Some(waker) = spare.take() {
            state.waiting += 1;
            self.set_state(&queue, state);
            // SAFETY: the node is idle; passed on.
            unsafe { queue.push_back(node.as_ptr(), waker) };
        }
        Poll::Pending
    }

    /// A later poll.
    ///
    /// # Safety
    ///
    /// As for [`arrive`](Self::arrive), and the node has joined.
    #[inline]
    unsafe fn poll_joined(&self, node: &Node<()>, cx: &mut Context<'_>) -> Poll<u32> {
        // Dropped after the queue lock, which is declared later (Q5).
        let (_withdrawn, _replaced);
        let mut queue = self.queue.lock();
        // A marked node needs no other waker.
        if queue.own_state(node) == NodeState::Waiting {
            // SAFETY: passed on.
            let (replaced, kept) = unsafe { self.queue.register(queue, node, cx.waker()) };
            _replaced = replaced;
            queue = kept;
        }
        match queue.own_state(node) {
            NodeState::Waiting => return Poll::Pending,
            NodeState::Notified => {
                // SAFETY: the node is marked here, and ours.
                _withdrawn = unsafe { queue.withdraw(node.as_ptr()) };
            }
            _ => node.reset(),
        }
        // SAFETY: the node is ours again.
        let stamp = unsafe { node.ticket() };
        if stamp == BROKEN {
            self.left(queue);
        }
        Poll::Ready(stamp)
    }

    /// Takes the node out of the queue, and of the count, if it was counted.
    ///
    /// # Safety
    ///
    /// The node is the caller's own and was used with this barrier only.
    #[inline]
    unsafe fn cancel(&self, node: &Node<()>) {
        if node.state() == NodeState::Idle {
            return;
        }
        self.does(BarrierOp::Leave);
        // Dropped after the queue lock, which is declared later (Q5).
        let _waker;
        let mut queue = self.queue.lock();
        let linked = queue.own_state(node);
        if linked == NodeState::Unlinked {
            node.reset();
        } else {
            // SAFETY: the node is linked here, and ours.
            _waker = unsafe { queue.withdraw(node.as_ptr()) };
        }
        if linked == NodeState::Waiting {
            let mut state = self.state(&queue);
            state.waiting -= 1;
            self.set_state(&queue, state);
        // SAFETY: the node is ours again.
        } else if unsafe { node.ticket() } == BROKEN {
            self.left(queue);
        }
    }
}

impl fmt::Debug for Barrier {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Barrier");
        debug.field("parties", &self.parties);
        if self.is_broken() {
            debug.field("broken", &true);
        } else {
            debug.field("waiting", &self.n_waiting());
        }
        debug.finish()
    }
}

/// The future of [`Barrier::wait`].
///
/// It does nothing until it is polled: before, the task has not arrived. It may be dropped at any
/// time.
///
/// ```
/// # futures::executor::block_on(async {
/// use async_monitor::{Barrier, future::BarrierWait};
///
/// let barrier = Barrier::new(1);
/// let arriving: BarrierWait<'_> = barrier.wait();
/// assert!(arriving.await.is_ok());
/// # });
/// ```
#[must_use = "futures do nothing unless they are awaited"]
pub struct BarrierWait<'a> {
    /// `None` once the future has completed.
    barrier: Option<&'a Barrier>,
    node: Node<()>,
    watch: Watch,
}

impl Future for BarrierWait<'_> {
    type Output = Result<BarrierWaitResult, BrokenBarrier>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the node is not moved out of the pinned future.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(barrier) = this.barrier else {
            polled_after_completion()
        };
        if checking::IS_ON && !barrier.polls(&this.node, this.watch.place()) {
            return Poll::Pending;
        }
        // SAFETY: the node is pinned as we are, used with this barrier only, and
        // cancelled in our drop.
        let result = unsafe {
            if this.node.state() == NodeState::Idle {
                barrier.arrive(&this.node, cx)
            } else {
                barrier.poll_joined(&this.node, cx)
            }
        };
        if result.is_pending() {
            let ask = || Ask::of_signal(Resource::Barrier, barrier, || "Barrier");
            // SAFETY: node and watch are pinned as we are, and dropped together.
            unsafe { this.watch.wait(ask, this.node.as_ptr(), cx.waker()) };
            checking::pending(barrier, Awaits::Signal);
        }
        result.map(|stamp| {
            this.watch.over();
            this.barrier = None;
            if stamp == BROKEN {
                Err(BrokenBarrier(()))
            } else {
                Ok(BarrierWaitResult {
                    index: stamp as usize,
                })
            }
        })
    }
}

impl Drop for BarrierWait<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(barrier) = self.barrier {
            // SAFETY: the node is ours and was used with this barrier only.
            unsafe { barrier.cancel(&self.node) }
        }
    }
}

impl fmt::Debug for BarrierWait<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWait")
            .field("terminated", &self.barrier.is_none())
            .finish_non_exhaustive()
    }
}
