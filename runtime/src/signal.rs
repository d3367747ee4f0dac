//! The mechanism behind `Event` and `Condition`: a queue of waiters that are let
//! through by notifications.
//!
//! A [`Signal`] numbers its notifications: each begins a new epoch. A waiter
//! remembers the epoch in which it joined. *Older* means: with a smaller epoch.
//!
//! A notification chooses all its waiters before it wakes the first. It wakes
//! them in batches, with the queue lock
//! released in between. A chosen waiter that is polled before its wake-up (from the
//! waker of another, for example) is let through by that poll. Work under the lock
//! is bounded, however many are chosen:
//!
//! - the first batch is taken out of the queue at once;
//! - if all others are chosen too, they move to a side list in one step, and
//!   the signal remembers the epoch of the broadcast, which identifies them;
//! - if a number of them is chosen, they move one by one and are marked, one
//!   batch each time the queue is locked. None is woken before the last has moved.
//!
//! # States of a node
//!
//! | state | where | meaning |
//! |---|---|---|
//! | [`Waiting`](State::Waiting), not older than the last broadcast | queue | waits |
//! | [`Waiting`](State::Waiting), older | side list | chosen by a broadcast |
//! | [`Notified`](State::Notified) | side list | chosen by a notification for a number of waiters |
//! | [`Unlinked`](State::Unlinked) | not linked | let through |
//!
//! # Invariants
//!
//! - **N1** In the queue, epochs do not decrease from the head on: nodes join
//!   at the end, with the current epoch. None is older than the last broadcast.
//! - **N2** A node that was let through is [`Unlinked`](State::Unlinked) and has in
//!   its cell the epoch of the notification; a [`Notified`](State::Notified) one has
//!   it already. After a broadcast, the cell may still hold the epoch in which the node joined.
//!   Passing on either reaches nobody: all waiters in the queue joined after the broadcast.
//! - **N3** Epochs have 64 bits and do not wrap.
//! - **N4** Once the first waiter of a notification is woken, all its waiters are
//!   chosen, that is, not in the queue any more. A notification lets through as
//!   many as it has chosen, each of them once.

use core::ptr::NonNull;
use core::task::{Poll, Waker};

use crate::checking::{Checked, LastRun};
use crate::platform::{Flavour, SharedCell, Threads, const_unless_loom};
use crate::queue::{LockedQueue, Node, NodePtr, Queue, Request, State};
use crate::wake::{CAPACITY, WakeBatch, wake_one};

/// The count of a broadcast.
pub(crate) const ALL: usize = usize::MAX;

pub(crate) struct Signal<F = Threads> {
    queue: Queue<EpochCell, F>,
    /// The current epoch. Under the queue lock.
    epoch: EpochCell,
    /// The epoch of the last broadcast with a side list. Under the queue lock.
    last_broadcast: EpochCell,
}

/// The epoch in which a waiter joined, or was let through (N2).
pub(crate) struct EpochCell(SharedCell<u64>);

// SAFETY: an epoch is accessed under the queue lock only, or by the owner of the node once
// it is not linked.
unsafe impl Sync for EpochCell {}

impl Request for EpochCell {
    type Links = ();
}

impl EpochCell {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            EpochCell(SharedCell::new(0))
        }
    }
}

/// How a node left.
#[derive(Clone, Copy)]
pub(crate) enum Departure {
    /// It had not been chosen, or never joined.
    Unnotified,
    /// It had been chosen by the notification of this epoch.
    Notified(u64),
}

impl<F> Checked for Signal<F> {
    fn last_run(&self) -> &LastRun {
        &self.queue.last_run
    }
}

impl<F: Flavour> Signal<F> {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Signal { queue: Queue::new(), epoch: EpochCell::new(), last_broadcast: EpochCell::new() }
        }
    }

    /// Locks the queue. Primitives keep state of their own under this lock.
    #[inline]
    pub(crate) fn lock(&self) -> LockedQueue<'_, EpochCell> {
        self.queue.lock()
    }

    /// See [`Queue::was_empty`].
    #[inline]
    pub(crate) fn was_empty(&self) -> bool {
        self.queue.was_empty()
    }

    /// The number of waiters that have not been chosen.
    pub(crate) fn waiters(&self) -> usize {
        self.lock().count(|state| state == State::Waiting)
    }

    /// Joins the queue, unless `refuse`, called under its lock, returns
    /// something.
    ///
    /// # Safety
    ///
    /// The node is idle and pinned, is used with this signal only, and
    /// [leaves](Self::leave) before it goes away.
    pub(crate) unsafe fn join<T>(
        &self,
        node: &Node<EpochCell>,
        waker: &Waker,
        refuse: impl FnOnce(&LockedQueue<'_, EpochCell>) -> Option<T>,
    ) -> Option<T> {
        let waker = waker.clone();
        let mut queue = self.lock();
        let refused = refuse(&queue);
        if refused.is_some() {
            // The waker must not be dropped under the lock (Q5).
            drop(queue);
            return refused;
        }
        // SAFETY: the queue is locked; for the node as the caller promises.
        unsafe {
            node.request.0.set(self.epoch.0.get());
            queue.push_back(node.as_ptr(), waker);
        }
        None
    }

    /// Waits to be let through, after [`join`](Self::join). A node that has been
    /// chosen is let through by this call. Ready leaves the node [`Unlinked`](State::Unlinked).
    ///
    /// # Safety
    ///
    /// As for `join`, and the node has joined.
    pub(crate) unsafe fn poll_joined(&self, node: &Node<EpochCell>, waker: &Waker) -> Poll<()> {
        if node.state() == State::Unlinked {
            return Poll::Ready(());
        }
        // Dropped after the queue lock, which is declared later (Q5).
        let (_waker, _spare);
        let mut queue = self.lock();
        // A chosen waiter needs no other waker.
        if self.notification(&queue, node).is_none() {
            // SAFETY: passed on.
            let (spare, kept) = unsafe { self.queue.register(queue, node, waker) };
            _spare = spare;
            queue = kept;
        }
        if self.notification(&queue, node).is_none() {
            return Poll::Pending;
        }
        if queue.own_state(node) != State::Unlinked {
            // SAFETY: the node is linked, and ours.
            _waker = unsafe { queue.finish_own(node.as_ptr()) };
        }
        Poll::Ready(())
    }

    /// Takes the node out of the queue, or of a side list, and says whether it had
    /// been chosen. Leaves it idle. `emptied` is called under the lock if a waiter
    /// that had not been chosen leaves the queue empty.
    ///
    /// # Safety
    ///
    /// The node is the caller's own and was used with this signal only.
    #[cold]
    pub(crate) unsafe fn leave(&self, node: &Node<EpochCell>, emptied: impl FnOnce()) -> Departure {
        if node.state() == State::Idle {
            return Departure::Unnotified;
        }
        // Dropped after the queue lock, which is declared later (Q5).
        let _waker;
        let mut queue = self.lock();
        let notification = self.notification(&queue, node);
        if queue.own_state(node) == State::Unlinked {
            node.reset();
        } else {
            // SAFETY: the node waits here.
            _waker = unsafe { queue.withdraw(node.as_ptr()) };
        }
        match notification {
            Some(epoch) => Departure::Notified(epoch),
            None => {
                if Self::is_empty(&queue) {
                    emptied();
                }
                Departure::Unnotified
            }
        }
    }

    /// The epoch of the notification that has chosen the node, if one has. The
    /// node is the caller's own and has joined.
    fn notification(
        &self,
        queue: &LockedQueue<'_, EpochCell>,
        node: &Node<EpochCell>,
    ) -> Option<u64> {
        // SAFETY: under the queue lock.
        let (epoch, last_broadcast) =
            unsafe { (node.request.0.get(), self.last_broadcast.0.get()) };
        match queue.own_state(node) {
            // N2.
            State::Unlinked | State::Notified => Some(epoch),
            // N1: a waiter in the queue is not older.
            State::Waiting => (epoch < last_broadcast).then_some(epoch),
            // Not at a signal.
            State::Idle
            | State::Woken
            | State::Granted
            | State::Unclaimed
            | State::Unsatisfied
            | State::Evaluating => None,
        }
    }

    /// Lets up to `count` of the waiters in the queue through, in order. `emptied`
    /// is called under the lock when the queue is empty.
    pub(crate) fn notify<'q>(
        &'q self,
        mut queue: LockedQueue<'q, EpochCell>,
        count: usize,
        emptied: impl Fn(),
    ) {
        if count == 0 || Self::is_empty(&queue) {
            return;
        }
        let epoch = self.begin_epoch(&queue);
        if count == 1 {
            return Self::let_one_through(queue, epoch, emptied);
        }
        let mut batch = WakeBatch::new();
        let first = count.min(CAPACITY);
        Self::let_through(&mut queue, epoch, first, &emptied, |waker| {
            batch.push(waker);
        });
        if count > first && !Self::is_empty(&queue) {
            let rest = if count == ALL { ALL } else { count - first };
            return self.notify_rest(queue, epoch, rest, &mut batch, &emptied);
        }
        drop(queue);
        batch.wake_all();
    }

    /// The part of [`notify`](Self::notify) after the first batch, which has left
    /// the queue and is woken here, too.
    #[cold]
    fn notify_rest<'q>(
        &'q self,
        mut queue: LockedQueue<'q, EpochCell>,
        epoch: u64,
        rest: usize,
        batch: &mut WakeBatch,
        emptied: &impl Fn(),
    ) {
        let end = Node::new(EpochCell::new());
        let end = NonNull::from(&end);
        // SAFETY: the node is ours, and idle. We return when the list is empty, and
        // nothing here panics: user code runs only in `wake_all`, which
        // catches its panics (SL1).
        unsafe { queue.open_side(end) };
        if rest == ALL {
            // SAFETY: `end` closes a side list; under the queue lock.
            unsafe {
                queue.move_all(end);
                self.last_broadcast.0.set(epoch);
            }
            emptied();
        } else {
            queue = self.move_chosen(queue, epoch, rest, end, emptied);
        }
        drop(queue);
        loop {
            // All waiters of this notification have been chosen (N4).
            batch.wake_all();
            let mut queue = self.lock();
            // SAFETY: the nodes of a side list wait or are marked.
            let more = unsafe { queue.drain_side(end, CAPACITY, |w| batch.push(w)) };
            drop(queue);
            if !more {
                return batch.wake_all();
            }
        }
    }

    /// Moves the first `count` waiters to the side list that `end` closes, and
    /// marks them.
    ///
    /// A waiter that joins meanwhile, on another thread, may be among them. It is
    /// as if the call had been made a moment later.
    fn move_chosen<'q>(
        &'q self,
        mut queue: LockedQueue<'q, EpochCell>,
        mut epoch: u64,
        mut count: usize,
        end: NonNull<Node<EpochCell>>,
        emptied: &impl Fn(),
    ) -> LockedQueue<'q, EpochCell> {
        let mut room = CAPACITY;
        loop {
            // SAFETY: all nodes in the queue wait; `end` closes a side list, to which
            // this one moves once it is marked. The reference is not kept.
            unsafe {
                match queue.head() {
                    Some(node) if count > 0 && room > 0 => {
                        (*node.as_ptr()).request.0.set(epoch);
                        queue.mark_notified(node, 0);
                        queue.move_first(end);
                    }
                    Some(_) if count > 0 => {
                        drop(queue);
                        queue = self.lock();
                        // Those that joined meanwhile have the current epoch, and a notification
                        // must be newer than all that it chooses.
                        epoch = self.begin_epoch(&queue);
                        room = CAPACITY;
                        continue;
                    }
                    Some(_) => return queue,
                    None => {
                        emptied();
                        return queue;
                    }
                }
            }
            count -= 1;
            room -= 1;
        }
    }

    /// Passes a notification on to the next waiter that joined before it, if there
    /// still is one.
    pub(crate) fn pass_on(&self, epoch: u64, emptied: impl Fn()) {
        Self::let_one_through(self.lock(), epoch, emptied);
    }

    /// Begins the epoch of a new notification. `_queue` is proof that the queue is locked.
    #[inline]
    fn begin_epoch(&self, _queue: &LockedQueue<'_, EpochCell>) -> u64 {
        // SAFETY: under the queue lock.
        unsafe {
            let epoch = self.epoch.0.get() + 1;
            self.epoch.0.set(epoch);
            epoch
        }
    }

    #[inline]
    fn is_empty(queue: &LockedQueue<'_, EpochCell>) -> bool {
        queue.head().is_none()
    }

    /// Lets the first waiter through if it joined before `epoch` began.
    fn let_one_through(mut queue: LockedQueue<'_, EpochCell>, epoch: u64, emptied: impl Fn()) {
        let mut waker = None;
        Self::let_through(&mut queue, epoch, 1, &emptied, |w| waker = Some(w));
        drop(queue);
        waker.into_iter().for_each(wake_one);
    }

    /// Takes up to `count` waiters out of the queue that joined before `epoch`
    /// began, and hands out their wakers.
    #[inline]
    fn let_through(
        queue: &mut LockedQueue<'_, EpochCell>,
        epoch: u64,
        count: usize,
        emptied: &impl Fn(),
        on_waker: impl FnMut(Waker),
    ) {
        let mut remaining = count;
        // SAFETY: all nodes in the queue wait. The references are not kept (Q7).
        unsafe {
            let take_if_older = |node: NodePtr<EpochCell>| {
                let cell = &raw const (*node.as_ptr()).request.0;
                let is_taken = remaining > 0 && (*cell).get() < epoch;
                if is_taken {
                    (*cell).set(epoch);
                    remaining -= 1;
                }
                is_taken
            };
            queue.drain_front_while(take_if_older, on_waker);
        }
        if Self::is_empty(queue) {
            emptied();
        }
    }
}
