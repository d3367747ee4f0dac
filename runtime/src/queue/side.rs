//! A list beside the queue: waiters that were chosen by one notification, until they
//! are woken in batches.
//!
//! A side list is circular and closed by a node that no future owns: it lives on
//! the stack of the thread that wakes the others. The nodes in between are linked
//! as in the queue, under the same lock, and have their wakers. So an owner
//! that is polled or dropped early takes its node out of a side list as it does
//! out of the queue, and touches only the neighbours.
//!
//! # Invariants
//!
//! - **SL1** The closing node is linked from [`open_side`](LockedQueue::open_side)
//!   on and outlives every other node of its list: its thread does not return
//!   before it has seen the list empty under the lock. After that nobody else has
//!   a pointer to it.
//! - **SL2** The head of the queue is never in a side list.

use core::ptr;
use core::task::Waker;

use super::{LockedQueue, NodePtr, Request, State};
use crate::platform::Ordering;

impl<R: Request> LockedQueue<'_, R> {
    /// Makes an empty side list that `end` closes.
    ///
    /// # Safety
    ///
    /// `end` is an idle node of the caller's, which keeps SL1 from here on.
    pub(crate) unsafe fn open_side(&mut self, end: NodePtr<R>) {
        let end = end.as_ptr().cast_const();
        // SAFETY: the node is the caller's own (Q2).
        unsafe {
            (*end).prev.set(end);
            (*end).next.set(end);
        }
    }

    /// Moves the whole queue to a side list, in a constant number of steps. The
    /// states stay as they are.
    ///
    /// # Safety
    ///
    /// `end` closes a side list of this queue.
    pub(crate) unsafe fn move_all(&mut self, end: NodePtr<R>) {
        let first = self.guard.head().cast_const();
        let end = end.as_ptr().cast_const();
        if first.is_null() {
            return;
        }
        // SAFETY: Q2 for every node touched; the linked ones are alive (Q1), and
        // so is `end` (SL1).
        unsafe {
            let last = (*first).prev.get();
            let before = (*end).prev.get();
            (*before).next.set(first);
            (*first).prev.set(before);
            (*last).next.set(end);
            (*end).prev.set(last);
        }
        self.guard.set_head(ptr::null_mut());
    }

    /// Moves the first node of the queue to the end of a side list. Its state
    /// stays as it is.
    ///
    /// # Safety
    ///
    /// The queue is not empty, and `end` closes a side list of it.
    pub(crate) unsafe fn move_first(&mut self, end: NodePtr<R>) {
        let Some(first) = self.head() else { return };
        // SAFETY: the head is linked; `end` is linked, too (SL1), and not the head
        // (SL2), so that `link` leaves the head alone.
        unsafe {
            self.unlink(first);
            self.link(Some(end), first);
        }
    }

    /// Takes up to `count` nodes of other futures out of a side list, from its first on. Their
    /// owners find them [`Unlinked`](State::Unlinked). Hands out the wakers, to wake once the
    /// lock is released. Returns whether there are more.
    ///
    /// # Safety
    ///
    /// `end` closes a side list of this queue, whose nodes are [`Waiting`](State::Waiting)
    /// or [`Notified`](State::Notified). `on_waker` runs no user code.
    pub(crate) unsafe fn drain_side(
        &mut self,
        end: NodePtr<R>,
        count: usize,
        mut on_waker: impl FnMut(Waker),
    ) -> bool {
        let end = end.as_ptr().cast_const();
        // SAFETY: Q2, Q3 for every node touched. A node is not touched once it is
        // `Unlinked`; those behind it are linked until it is their turn, hence alive
        // (Q1), and `end` is in any case (SL1).
        unsafe {
            let mut node = (*end).next.get();
            for _ in 0..count {
                if ptr::eq(node, end) {
                    break;
                }
                let next = (*node).next.get();
                on_waker((*node).waker.take());
                // Release: pairs with the Acquire of `Node::state` (Q4).
                (*node).state.store(State::Unlinked, Ordering::Release);
                node = next;
            }
            (*end).next.set(node);
            (*node).prev.set(end);
            !ptr::eq(node, end)
        }
    }

    /// The owner takes its own node out of the queue, or of a side list, and finds it
    /// [`Unlinked`](State::Unlinked). Returns the waker that it owned, to drop once the
    /// lock is released.
    ///
    /// # Safety
    ///
    /// The node is [`Waiting`](State::Waiting) or [`Notified`](State::Notified) here, and
    /// the caller is its owner.
    pub(crate) unsafe fn finish_own(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: passed on. Relaxed, as the caller is the owner, who reads it.
        unsafe {
            let waker = self.withdraw(node);
            (*node.as_ptr())
                .state
                .store(State::Unlinked, Ordering::Relaxed);
            waker
        }
    }
}
