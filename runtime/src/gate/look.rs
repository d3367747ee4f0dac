//! Waiting for a condition: see "Conditions".

use core::task::{Context, Poll, Waker};

use super::policy::{Front, Policy};
use super::{Gate, PARKED_BIT};
use crate::queue::{GRANTED, IDLE, Node, PARKED};
use crate::sync::Flavour;

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// As [`poll_enter`](Self::poll_enter), but a node that stood in the queue
    /// keeps its place there until it [settles](Self::settle) or
    /// [parks](Self::park).
    ///
    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter).
    pub(crate) unsafe fn poll_look(
        &self,
        node: &Node<P::Request>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if node.state() == IDLE && self.try_enter(node.request) {
            return Poll::Ready(());
        }
        if node.state() != IDLE {
            // SAFETY: passed on.
            let (_replaced, mut queue) = unsafe { self.queue.lock_to_poll(node, cx.waker()) };
            match queue.state_of(node) {
                GRANTED => {
                    // SAFETY: the node is granted here, and ours.
                    unsafe { queue.look(node) };
                    return Poll::Ready(());
                }
                // A sibling's grant is of no use to one that waits for news.
                PARKED => return Poll::Pending,
                _ => {}
            }
        }
        // SAFETY: passed on. Where it enters, as a newcomer or by the grant of
        // a sibling, it has left the queue.
        unsafe { self.poll_enter(node, cx.waker()) }
    }

    /// The condition is true: the node leaves the queue, inside.
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and [`poll_look`](Self::poll_look) has let it
    /// in.
    pub(crate) unsafe fn settle(&self, node: &Node<P::Request>) {
        if node.state() != IDLE {
            let mut queue = self.queue.lock();
            // SAFETY: the node is looking.
            unsafe { queue.withdraw_granted(node) }
        }
    }

    /// The condition is false: the node leaves the gate, which is no news for
    /// the others, and keeps its place until there are some.
    ///
    /// # Safety
    ///
    /// As for [`settle`](Self::settle), and there is no guard of what it was
    /// granted.
    pub(crate) unsafe fn park(&self, node: &Node<P::Request>, waker: Waker) {
        let mut queue = self.queue.lock();
        // SAFETY: a node that looks keeps its place; an idle one came before
        // all that wait now, as nobody waited when it entered.
        let behind = unsafe {
            if queue.state_of(node) == IDLE {
                let first = self.front.get(&queue, None);
                queue.insert_parked(first, node, waker);
            } else {
                queue.park(node, waker);
            }
            queue.next(node)
        };
        self.replace_flags(0, PARKED_BIT);
        let request = node.request;
        self.change_queued(queue, behind, |word| Some(P::retract(word, request)));
    }
}
