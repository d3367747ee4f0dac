//! Waiting for a condition: see "Conditions".

use core::task::{Context, Poll, Waker};

use super::acquire::Waiter;
use super::policy::{Grants, Policy};
use super::task_grants::UnusedGrant;
use super::{CONDITIONAL, Gate};
use crate::platform::Flavour;
use crate::queue::{ConditionalNode, Evaluator, Node, State};

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// As [`poll_acquire`](Self::poll_acquire), but a node that was queued keeps its place
    /// until its condition is [true](Self::satisfied) or [false](Self::unsatisfied).
    ///
    /// # Safety
    ///
    /// As for [`poll_acquire`](Self::poll_acquire).
    pub(crate) unsafe fn poll_conditional(
        &self,
        node: &Node<P::Request>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // SAFETY: passed on. If it acquires at once, it is not in the queue.
        unsafe {
            if node.state() != State::Idle {
                self.poll_waiting(self.queue.lock(), node, cx.waker(), Waiter::Conditional)
            } else if self.try_acquire_quietly(node.request) {
                // It only evaluates, so it is not known to be the holder.
                self.holder.mark_outdated();
                Poll::Ready(())
            } else {
                self.poll_join(node, cx.waker(), Waiter::Conditional)
            }
        }
    }

    /// The condition is true: the node leaves the queue, with its permit.
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and
    /// [`poll_conditional`](Self::poll_conditional) has acquired.
    pub(crate) unsafe fn satisfied(&self, node: &Node<P::Request>) {
        if node.state() != State::Idle {
            let mut queue = self.queue.lock();
            // SAFETY: the node evaluates.
            unsafe { queue.withdraw_without_waker(node.as_ptr()) }
        }
    }

    /// The condition is false: gives the permit back without waking other conditional
    /// waiters, and keeps the node's place until the guarded data may have changed.
    /// `cloned_waker` is a clone of the task's `waker`.
    ///
    /// Returns whether the task may have an unused grant: one beside this permit, both to read,
    /// or one that a thread has revoked, which is granted again without a wake-up. Then the
    /// waiter has to be polled again, to mark it.
    ///
    /// # Safety
    ///
    /// As for [`satisfied`](Self::satisfied), and there is no guard of the permit.
    pub(crate) unsafe fn unsatisfied(
        &self,
        node: &ConditionalNode<P::Request>,
        cloned_waker: Waker,
        waker: &Waker,
        evaluator: Option<Evaluator>,
    ) -> bool {
        let own = node.as_ptr();
        let mut queue = self.queue.lock();
        // SAFETY: a node that evaluates keeps its place; an idle one acquired before all
        // that are queued now: nobody was queued, or it has taken a grant over. The pointer
        // is to all of the conditional node (G8).
        let (behind, has_unused) = unsafe {
            queue.set_evaluator(node, evaluator);
            if queue.state_of(own) == State::Idle {
                let first = self.grants.first_waiter(&queue, None);
                queue.insert_unsatisfied(first, own, cloned_waker);
            } else {
                queue.mark_unsatisfied(own, cloned_waker);
            }
            // A gate that admits one at a time has no other grant, but perhaps a revoked one.
            let has_unused = queue.woken_anywhere() > 0
                || !P::ONE_AT_A_TIME
                    && !matches!(
                        self.find_unused_grant(&mut queue, &node.node, waker, Waiter::Conditional),
                        UnusedGrant::None
                    );
            (queue.next(own), has_unused)
        };
        self.clear_and_set_flags(0, CONDITIONAL);
        let request = node.node.request;
        self.update_word_and_serve(queue, behind, |word| Some(P::release(word, request)));
        has_unused
    }
}
