//! The steps of a barrier, under its invariants.

use core::task::{Context, Poll};

use super::Barrier;
use crate::checking::{self, BarrierOp, Op};
use crate::queue::{LockedQueue, Node, NodePtr, State};
use crate::wake::{CAPACITY, WakeBatch};
use crate::watching::Caller;

/// The ticket of a node that leaves with an error; others are indices.
pub(super) const BROKEN: u32 = u32::MAX;

/// What a barrier knows of its waiters.
#[derive(Clone, Copy)]
pub(super) struct Filling {
    pub(super) broken: bool,
    pub(super) waiting: u32,
    pub(super) leaving: u32,
}

impl Barrier {
    /// Announces an operation to the checker.
    #[inline]
    pub(super) fn announce(&self, op: BarrierOp) {
        checking::op(self, Op::Barrier(op));
    }

    /// Announces the poll of a wait to the checker.
    #[inline]
    pub(super) fn polls(&self, node: &Node<()>, place: Caller) -> bool {
        if node.state() == State::Idle {
            let op = Op::Barrier(BarrierOp::Arrive);
            return checking::arrives(self, op, place);
        }
        let queue = self.queue.lock();
        // SAFETY: the node is the caller's own, and has a ticket, which was written under the
        // queue lock.
        let passes = queue.own_state(node) != State::Waiting && unsafe { node.ticket() } != BROKEN;
        drop(queue);
        self.announce(if passes {
            BarrierOp::Poll
        } else {
            BarrierOp::PollLeaving
        });
        true
    }

    /// `_queue` is proof that the queue is locked, here and below.
    #[inline]
    pub(super) fn state(&self, _queue: &LockedQueue<'_, ()>) -> Filling {
        // SAFETY: the queue is locked.
        unsafe { self.state.get() }
    }

    #[inline]
    fn set_state(&self, _queue: &LockedQueue<'_, ()>, state: Filling) {
        // SAFETY: the queue is locked.
        unsafe { self.state.set(state) }
    }

    /// Lets all waiters leave with an error.
    #[inline]
    pub(super) fn drive_out(&self, broken: bool) {
        self.announce(BarrierOp::DriveOut);
        let mut queue = self.queue.lock();
        let state = self.state(&queue);
        self.set_state(
            &queue,
            Filling {
                broken,
                waiting: 0,
                leaving: state.leaving + state.waiting,
            },
        );
        self.mark(&mut queue, state.waiting, |_| BROKEN);
        self.wake_marked(queue);
    }

    /// Marks the first `count` waiting nodes, with `ticket_of` their index as the ticket.
    #[inline]
    fn mark(&self, queue: &mut LockedQueue<'_, ()>, count: u32, ticket_of: impl Fn(u32) -> u32) {
        // SAFETY: nothing is unlinked or unlocked here.
        let mut next = queue.head();
        let mut index = 0;
        while let Some(node) = next.filter(|_| index < count) {
            // SAFETY: the node is linked, and waits if it is marked here.
            unsafe {
                if queue.state_of(node) == State::Waiting {
                    queue.mark_notified(node, ticket_of(index));
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
            let take_if_marked = |node: NodePtr<()>| {
                // SAFETY: the node is linked, as the queue stays locked.
                let marked = unsafe { (*node.as_ptr()).state() } == State::Notified;
                more = marked && room == 0;
                room = room.saturating_sub(1);
                marked && !more
            };
            // SAFETY: the nodes are marked here.
            unsafe { queue.drain_front_while(take_if_marked, |waker| batch.push(waker)) };
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
    pub(super) unsafe fn arrive(&self, node: &Node<()>, cx: &mut Context<'_>) -> Poll<u32> {
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
    pub(super) unsafe fn poll_joined(&self, node: &Node<()>, cx: &mut Context<'_>) -> Poll<u32> {
        // Dropped after the queue lock, which is declared later (Q5).
        let (_withdrawn, _replaced);
        let mut queue = self.queue.lock();
        // A marked node needs no other waker.
        if queue.own_state(node) == State::Waiting {
            // SAFETY: passed on.
            let (replaced, kept) = unsafe { self.queue.register(queue, node, cx.waker()) };
            _replaced = replaced;
            queue = kept;
        }
        match queue.own_state(node) {
            State::Waiting => return Poll::Pending,
            State::Notified => {
                // SAFETY: the node is marked here, and ours.
                _withdrawn = unsafe { queue.withdraw(node.as_ptr()) };
            }
            _ => node.reset(),
        }
        // SAFETY: the node is ours again.
        let ticket = unsafe { node.ticket() };
        if ticket == BROKEN {
            self.left(queue);
        }
        Poll::Ready(ticket)
    }

    /// Takes the node out of the queue, and of the count, if it was counted.
    ///
    /// # Safety
    ///
    /// The node is the caller's own and was used with this barrier only.
    #[inline]
    pub(super) unsafe fn cancel(&self, node: &Node<()>) {
        if node.state() == State::Idle {
            return;
        }
        self.announce(BarrierOp::Leave);
        // Dropped after the queue lock, which is declared later (Q5).
        let _waker;
        let mut queue = self.queue.lock();
        let linked = queue.own_state(node);
        if linked == State::Unlinked {
            node.reset();
        } else {
            // SAFETY: the node is linked here, and ours.
            _waker = unsafe { queue.withdraw(node.as_ptr()) };
        }
        if linked == State::Waiting {
            let mut state = self.state(&queue);
            state.waiting -= 1;
            self.set_state(&queue, state);
        // SAFETY: the node is ours again.
        } else if unsafe { node.ticket() } == BROKEN {
            self.left(queue);
        }
    }
}
