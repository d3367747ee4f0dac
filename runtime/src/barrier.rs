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

mod mechanism;

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

use self::mechanism::{BROKEN, Filling};
use crate::checking::{self, Awaits, BarrierOp, Checked, LastRun};
use crate::gate::polled_after_completion;
use crate::platform::{SharedCell, Threads, const_unless_loom};
use crate::queue::{Node, Queue, State};
use crate::request::Resource;
use crate::watching::{Ask, Watch};

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
    state: SharedCell<Filling>,
}

// SAFETY: the state is accessed under the queue lock only.
unsafe impl Sync for Barrier {}

impl Checked for Barrier {
    fn last_run(&self) -> &LastRun {
        &self.queue.last_run
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
                state: SharedCell::new(Filling { broken: false, waiting: 0, leaving: 0 }),
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
        self.announce(BarrierOp::Look);
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
        self.announce(BarrierOp::Look);
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
            if this.node.state() == State::Idle {
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
        result.map(|ticket| {
            this.watch.over();
            this.barrier = None;
            if ticket == BROKEN {
                Err(BrokenBarrier(()))
            } else {
                Ok(BarrierWaitResult {
                    index: ticket as usize,
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
