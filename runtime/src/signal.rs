//! What lets tasks through when somebody says so: the mechanism behind `Event`
//! and `Condition`.
//!
//! A [`Signal`] is a wait queue and an epoch, a number that grows by one with
//! every notification. A waiter remembers the epoch in which it came. A
//! notification begins a new epoch and lets through those of older ones only,
//! however many times it has to release the lock of the queue on the way to
//! wake them in batches: whoever comes meanwhile is of the new epoch.
//!
//! # Invariants
//!
//! - **N1** In the queue, epochs do not decrease from the head on: nodes join
//!   at the end, with the current epoch.
//! - **N2** A node that was let through is [`DONE`], not linked, and has in its
//!   cell the epoch of the notification that did it.
//! - **N3** Epochs have 64 bits and do not wrap.

use core::fmt;
use core::task::{Poll, Waker};

use crate::queue::{DONE, IDLE, LockedQueue, Node, Queue, WAITING};
use crate::sync::{SharedCell, const_unless_loom};
use crate::wake::WakeBatch;

pub(crate) struct Signal {
    queue: Queue<Epoch>,
    /// The current epoch. Under the lock of the queue.
    epoch: Epoch,
}

/// The epoch in which a waiter came, or was let through (N2).
pub(crate) struct Epoch(SharedCell<u64>);

// SAFETY: an epoch is reached under the lock of the queue only, or by the owner
// of the node once nobody else knows of it.
unsafe impl Sync for Epoch {}

impl Epoch {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Epoch(SharedCell::new(0))
        }
    }
}

/// How a node left.
#[derive(Clone, Copy)]
pub(crate) enum Left {
    /// It had not been let through, or never joined.
    Unnotified,
    /// It had been let through by the notification of this epoch.
    Notified(u64),
}

impl Signal {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Signal { queue: Queue::new(), epoch: Epoch::new() }
        }
    }

    /// Locks the queue. Primitives keep state of their own under this lock.
    #[inline]
    pub(crate) fn lock(&self) -> LockedQueue<'_, Epoch> {
        self.queue.lock()
    }

    /// See [`Queue::looks_empty`].
    #[inline]
    pub(crate) fn looks_empty(&self) -> bool {
        self.queue.looks_empty()
    }

    /// How many wait and have not been let through.
    pub(crate) fn waiters(&self) -> usize {
        self.lock().count(WAITING)
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
        node: &Node<Epoch>,
        waker: &Waker,
        refuse: impl FnOnce(&LockedQueue<'_, Epoch>) -> Option<T>,
    ) -> Option<T> {
        // SAFETY: passed on.
        let (mut spare, mut queue) = unsafe { self.queue.lock_to_poll(node, waker) };
        let refused = refuse(&queue);
        if refused.is_none() {
            if let Some(waker) = spare.take() {
                // SAFETY: the queue is locked; for the node as the caller
                // promises.
                unsafe {
                    node.request.0.set(self.epoch.0.get());
                    queue.push_back(node, waker);
                }
            }
        }
        refused
    }

    /// Waits to be let through, after [`join`](Self::join).
    ///
    /// # Safety
    ///
    /// As for `join`, and the node has joined.
    pub(crate) unsafe fn poll_joined(&self, node: &Node<Epoch>, waker: &Waker) -> Poll<()> {
        if node.state() == DONE {
            return Poll::Ready(());
        }
        // SAFETY: passed on.
        let (_spare, queue) = unsafe { self.queue.lock_to_poll(node, waker) };
        if queue.state_of(node) == DONE {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    /// Takes the node out of the queue, and says whether it had been let
    /// through. Leaves it idle. `emptied` is called under the lock if the queue
    /// is empty then.
    ///
    /// # Safety
    ///
    /// The node is the caller's own and was used with this signal only.
    #[inline]
    pub(crate) unsafe fn leave(&self, node: &Node<Epoch>, emptied: impl FnOnce()) -> Left {
        if node.state() == IDLE {
            return Left::Unnotified;
        }
        // SAFETY: passed on.
        unsafe { self.leave_joined(node, emptied) }
    }

    /// # Safety
    ///
    /// As for [`leave`](Self::leave), and the node is not idle.
    #[cold]
    unsafe fn leave_joined(&self, node: &Node<Epoch>, emptied: impl FnOnce()) -> Left {
        // Dropped after the lock of the queue, which is declared later (Q5).
        let _waker;
        let mut queue = self.lock();
        if queue.state_of(node) == DONE {
            node.reset();
            // SAFETY: the node is done, hence ours (Q4); the lock that `finish`
            // was called under orders its writes.
            return Left::Notified(unsafe { node.request.0.get() });
        }
        // SAFETY: the node waits here.
        unsafe {
            _waker = queue.withdraw_waiting(node);
            if queue.head().is_none() {
                emptied();
            }
        }
        Left::Unnotified
    }

    /// Lets up to `count` of those through that wait now, in order. `emptied`
    /// is called under the lock whenever the queue is empty.
    pub(crate) fn notify<'q>(
        &'q self,
        mut queue: LockedQueue<'q, Epoch>,
        mut count: usize,
        emptied: impl Fn(),
    ) {
        // SAFETY: the reference is not kept.
        if count == 0 || unsafe { queue.head() }.is_none() {
            return;
        }
        // SAFETY: under the lock of the queue.
        let epoch = unsafe {
            let epoch = self.epoch.0.get() + 1;
            self.epoch.0.set(epoch);
            epoch
        };
        let mut batch = WakeBatch::new();
        loop {
            while count > 0 && !batch.is_full() {
                match Self::pop_older(&mut queue, epoch, &emptied) {
                    Some(waker) => {
                        batch.push(waker);
                        count -= 1;
                    }
                    None => count = 0,
                }
            }
            drop(queue);
            batch.wake_all();
            if count == 0 {
                return;
            }
            queue = self.lock();
        }
    }

    /// Gives a notification on to the next one that was waiting when it was
    /// made, if there still is one.
    pub(crate) fn pass_on(&self, epoch: u64, emptied: impl Fn()) {
        let mut queue = self.lock();
        let waker = Self::pop_older(&mut queue, epoch, &emptied);
        drop(queue);
        // This may happen during a panic, as part of a drop: a batch does not
        // make a second one of it.
        let mut batch = WakeBatch::new();
        waker.into_iter().for_each(|waker| batch.push(waker));
    }

    /// Lets the first one through if it came before `epoch` began.
    fn pop_older(
        queue: &mut LockedQueue<'_, Epoch>,
        epoch: u64,
        emptied: &impl Fn(),
    ) -> Option<Waker> {
        // SAFETY: the references are not used after the unlink; the head waits,
        // as there are no other states in this queue.
        unsafe {
            let head = queue.head()?;
            if head.request.0.get() >= epoch {
                return None;
            }
            head.request.0.set(epoch);
            let waker = queue.finish(head);
            if queue.head().is_none() {
                emptied();
            }
            Some(waker)
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal")
            .field("waiters", &self.waiters())
            .finish()
    }
}
