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

use core::task::{Poll, Waker};

use crate::queue::{LockedQueue, Node, NodePtr, Queue, Request, State};
use crate::sync::{Flavour, SharedCell, Threads, const_unless_loom};
use crate::wake::{CAPACITY, WakeBatch, wake_one};

pub(crate) struct Signal<F = Threads> {
    queue: Queue<Epoch, F>,
    /// The current epoch. Under the lock of the queue.
    epoch: Epoch,
}

/// The epoch in which a waiter came, or was let through (N2).
pub(crate) struct Epoch(SharedCell<u64>);

// SAFETY: an epoch is reached under the lock of the queue only, or by the owner
// of the node once nobody else knows of it.
unsafe impl Sync for Epoch {}

impl Request for Epoch {
    type Links = ();
}

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

impl<F: Flavour> Signal<F> {
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
        node: &Node<Epoch>,
        waker: &Waker,
        refuse: impl FnOnce(&LockedQueue<'_, Epoch>) -> Option<T>,
    ) -> Option<T> {
        let waker = waker.clone();
        let mut queue = self.lock();
        let refused = refuse(&queue);
        if refused.is_some() {
            // The waker may only be dropped without the lock (Q5).
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

    /// Waits to be let through, after [`join`](Self::join).
    ///
    /// # Safety
    ///
    /// As for `join`, and the node has joined.
    pub(crate) unsafe fn poll_joined(&self, node: &Node<Epoch>, waker: &Waker) -> Poll<()> {
        if node.state() == State::Unlinked {
            return Poll::Ready(());
        }
        // SAFETY: passed on.
        let (_spare, queue) = unsafe { self.queue.lock_to_poll(node, waker) };
        if unsafe { queue.state_of(node.as_ptr()) } == State::Unlinked {
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
    #[cold]
    pub(crate) unsafe fn leave(&self, node: &Node<Epoch>, emptied: impl FnOnce()) -> Left {
        if node.state() == State::Idle {
            return Left::Unnotified;
        }
        // Dropped after the lock of the queue, which is declared later (Q5).
        let _waker;
        let mut queue = self.lock();
        if unsafe { queue.state_of(node.as_ptr()) } == State::Unlinked {
            node.reset();
            // SAFETY: the node is done, hence ours (Q4); the lock that `drain_front_while`
            // was called under orders its writes.
            return Left::Notified(unsafe { node.request.0.get() });
        }
        // SAFETY: the node waits here.
        unsafe {
            _waker = queue.withdraw(node.as_ptr());
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
        if count == 0 || queue.head().is_none() {
            return;
        }
        // SAFETY: under the lock of the queue.
        let epoch = unsafe {
            let epoch = self.epoch.0.get() + 1;
            self.epoch.0.set(epoch);
            epoch
        };
        if count == 1 {
            return Self::let_one_through(queue, epoch, emptied);
        }
        let mut batch = WakeBatch::new();
        loop {
            let wanted = count.min(CAPACITY);
            let through = Self::let_through(&mut queue, epoch, wanted, &emptied, |w| batch.push(w));
            drop(queue);
            batch.wake_all();
            count -= through;
            if through < wanted || count == 0 {
                return;
            }
            queue = self.lock();
        }
    }

    /// Gives a notification on to the next one that was waiting when it was
    /// made, if there still is one.
    pub(crate) fn pass_on(&self, epoch: u64, emptied: impl Fn()) {
        Self::let_one_through(self.lock(), epoch, emptied);
    }

    /// Lets the first one through if it came before `epoch` began.
    fn let_one_through(mut queue: LockedQueue<'_, Epoch>, epoch: u64, emptied: impl Fn()) {
        let mut waker = None;
        Self::let_through(&mut queue, epoch, 1, &emptied, |w| waker = Some(w));
        drop(queue);
        waker.into_iter().for_each(wake_one);
    }

    /// Lets up to `count` of those through that came before `epoch` began, and
    /// returns how many that were.
    #[inline]
    fn let_through(
        queue: &mut LockedQueue<'_, Epoch>,
        epoch: u64,
        count: usize,
        emptied: &impl Fn(),
        woken: impl FnMut(Waker),
    ) -> usize {
        let mut left = count;
        // SAFETY: all nodes in this queue wait, as there are no other states. The
        // reference to the head is not kept.
        unsafe {
            let leaves = |node: NodePtr<Epoch>| {
                let node = node.as_ptr();
                let older = left > 0 && (*node).request.0.get() < epoch;
                if older {
                    (*node).request.0.set(epoch);
                    left -= 1;
                }
                older
            };
            queue.drain_front_while(leaves, woken);
            if queue.head().is_none() {
                emptied();
            }
        }
        count - left
    }
}
