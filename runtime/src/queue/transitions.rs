//! What moves a node from one state to another. `gate` and `signal` have the tables of the states.
//!
//! A node leaves the queue in one of five ways:
//!
//! | | what happens to the node | who calls it |
//! |---|---|---|
//! | `unlink` | only its links change | the others below |
//! | `withdraw` | becomes `Idle` | its owner |
//! | `retire` | becomes `Idle`: its owner has to join again | another future of its task |
//! | `drain_..` | becomes `Unlinked`: its owner completes | a notification |
//! | `revoke` | is queued again, in another place | another future of its task, or a parked thread |

use core::ptr::{self, NonNull};
use core::task::Waker;

use super::{LockedQueue, NodePtr, Request, State, woken};
use crate::platform::Ordering;

impl<R: Request> LockedQueue<'_, R> {
    /// Links an idle node at the end, as [`Waiting`](State::Waiting).
    ///
    /// # Safety
    ///
    /// The node is idle, and its owner keeps Q1 from here on.
    #[inline]
    pub(crate) unsafe fn push_back(&mut self, node: NodePtr<R>, waker: Waker) {
        // SAFETY: passed on.
        unsafe { self.insert_before(None, node, waker) }
    }

    /// Links an idle node before another, or at the end, as
    /// [`Waiting`](State::Waiting).
    ///
    /// # Safety
    ///
    /// As for [`push_back`](Self::push_back); `before` is linked here.
    pub(crate) unsafe fn insert_before(
        &mut self,
        before: Option<NodePtr<R>>,
        node: NodePtr<R>,
        waker: Waker,
    ) {
        // SAFETY: Q2; an idle node owns no waker (Q3). For the links passed on.
        unsafe {
            (*node.as_ptr()).ticket.set(0);
            (*node.as_ptr()).is_thread.set(false);
            (*node.as_ptr()).waker.put(waker);
            self.set_state(node, State::Waiting);
            self.link(before, node);
        }
    }

    /// Marks a queued node as [`Granted`](State::Granted), in place, and returns the waker to
    /// wake once the lock is released, if the wake-up is not on its way already.
    ///
    /// # Safety
    ///
    /// The node is [queued](State::is_queued) here.
    #[inline]
    pub(crate) unsafe fn grant(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let was_waiting = self.state_of(node) == State::Waiting;
            self.set_state(node, State::Granted);
            (*node.as_ptr()).ticket.set(0);
            if !was_waiting {
                self.no_longer_woken();
            }
            was_waiting.then(|| (*node.as_ptr()).waker.take())
        }
    }

    /// A node has left the state [`Woken`](State::Woken).
    #[cold]
    fn no_longer_woken(&mut self) {
        woken::subtract();
    }

    /// Stores a waker of its task in a node that owns none. A granted node becomes
    /// [`Unclaimed`](State::Unclaimed), a node that was woken [`Waiting`](State::Waiting).
    ///
    /// # Safety
    ///
    /// The node is [`Granted`](State::Granted) or [`Woken`](State::Woken) here. If it is
    /// granted, `waker` has the parts of the waker that it had (X1).
    pub(crate) unsafe fn give_waker(&mut self, node: NodePtr<R>, waker: Waker) {
        // SAFETY: Q2, Q3.
        unsafe {
            let state = if self.state_of(node) == State::Granted {
                State::Unclaimed
            } else {
                self.no_longer_woken();
                State::Waiting
            };
            (*node.as_ptr()).waker.put(waker);
            self.set_state(node, state);
        }
    }

    /// Queues a granted node again, before `before` or at the end: as
    /// [`Waiting`](State::Waiting) if it owns a waker, else as [`Woken`](State::Woken).
    ///
    /// # Safety
    ///
    /// `node` is [granted](State::is_granted) and `before` another node, both linked
    /// here.
    pub(crate) unsafe fn revoke(&mut self, node: NodePtr<R>, before: Option<NodePtr<R>>) {
        // SAFETY: Q2. For the links passed on.
        unsafe {
            let state = if self.state_of(node) == State::Unclaimed {
                State::Waiting
            } else {
                woken::add();
                State::Woken
            };
            self.unlink(node);
            (*node.as_ptr()).ticket.set(0);
            self.set_state(node, state);
            self.link(before, node);
        }
    }

    /// Marks a waiting node as [`Notified`](State::Notified), in place.
    ///
    /// # Safety
    ///
    /// The node is [`Waiting`](State::Waiting) here.
    pub(crate) unsafe fn mark_notified(&mut self, node: NodePtr<R>, ticket: u32) {
        // SAFETY: Q2.
        unsafe {
            self.set_state(node, State::Notified);
            (*node.as_ptr()).ticket.set(ticket);
        }
    }

    /// The owner takes its own node out, which becomes idle. Returns the waker that it owned, if
    /// any, to drop once the lock is released.
    ///
    /// # Safety
    ///
    /// The node is linked here, and the caller is the poll or the drop of its owner.
    #[inline]
    pub(crate) unsafe fn withdraw(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let state = self.state_of(node);
            self.set_state(node, State::Idle);
            self.unlink(node);
            if state == State::Woken {
                self.no_longer_woken();
            }
            state.owns_waker().then(|| (*node.as_ptr()).waker.take())
        }
    }

    /// [`withdraw`](Self::withdraw), for a node that owns no waker.
    ///
    /// # Safety
    ///
    /// As for [`withdraw`](Self::withdraw), and the node is [`Granted`](State::Granted)
    /// or [`Evaluating`](State::Evaluating).
    #[inline]
    pub(crate) unsafe fn withdraw_without_waker(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2.
        unsafe {
            self.set_state(node, State::Idle);
            self.unlink(node);
        }
    }

    /// Takes out the granted node of another future, which finds it idle and has to join again.
    /// Returns the waker that it owned, if any, to drop once the lock is released.
    ///
    /// # Safety
    ///
    /// The node is [granted](State::is_granted) here. It is not touched any more (Q4).
    pub(crate) unsafe fn retire(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let owned = self.state_of(node).owns_waker();
            let waker = owned.then(|| (*node.as_ptr()).waker.take());
            self.unlink(node);
            // Release: pairs with the Acquire of `Node::state` (Q4).
            (*node.as_ptr()).state.store(State::Idle, Ordering::Release);
            waker
        }
    }

    /// Takes out the nodes of other futures, which find them [`Unlinked`](State::Unlinked), from
    /// the head on, for as long as `should_remove` returns true. Hands out the wakers, to wake
    /// once the lock is released.
    ///
    /// The links between removed nodes are not maintained, so that this takes about as
    /// long as reading an array.
    ///
    /// # Safety
    ///
    /// Nodes for which `should_remove` returns true are [`Waiting`](State::Waiting) or
    /// [`Notified`](State::Notified) here. `should_remove` and `on_waker` run no code of a
    /// user.
    #[inline]
    pub(crate) unsafe fn drain_front_while(
        &mut self,
        mut should_remove: impl FnMut(NodePtr<R>) -> bool,
        mut on_waker: impl FnMut(Waker),
    ) {
        // SAFETY: Q2, Q3 for every node touched. A node is not touched once it is
        // `Unlinked`; those behind it are linked until it is their turn, hence alive
        // (Q1).
        unsafe {
            let Some(mut node) = self.head() else {
                return;
            };
            let last = (*node.as_ptr()).prev.get();
            let mut any = false;
            while should_remove(node) {
                any = true;
                let next = (*node.as_ptr()).next.get();
                let was_last = ptr::eq(node.as_ptr(), last);
                on_waker((*node.as_ptr()).waker.take());
                // Release: pairs with the Acquire of `Node::state` (Q4).
                (*node.as_ptr())
                    .state
                    .store(State::Unlinked, Ordering::Release);
                if was_last {
                    self.guard.set_head(ptr::null_mut());
                    return;
                }
                // Not null: the list is circular.
                node = NonNull::new_unchecked(next.cast_mut());
            }
            if any {
                (*node.as_ptr()).prev.set(last);
                (*last).next.set(node.as_ptr());
                self.guard.set_head(node.as_ptr());
            }
        }
    }

    /// The owner of a granted node begins to evaluate its condition; the node keeps its
    /// place. Returns the waker that it owned, if any, to drop once the lock is released.
    ///
    /// # Safety
    ///
    /// The node is [granted](State::is_granted) here, and the caller is its owner.
    pub(crate) unsafe fn begin_evaluation(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let owned = self.state_of(node).owns_waker();
            self.set_state(node, State::Evaluating);
            owned.then(|| (*node.as_ptr()).waker.take())
        }
    }

    /// Links an idle node at the end, as [`Evaluating`](State::Evaluating).
    ///
    /// # Safety
    ///
    /// As for [`push_back`](Self::push_back), and the caller is the node's owner.
    pub(crate) unsafe fn push_evaluating(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2; an idle node owns no waker, nor does one that evaluates (Q3). For the
        // links passed on.
        unsafe {
            (*node.as_ptr()).ticket.set(0);
            (*node.as_ptr()).is_thread.set(false);
            self.set_state(node, State::Evaluating);
            self.link(None, node);
        }
    }

    /// The owner of a node that evaluates gives its turn up: the node is queued again and
    /// keeps its place.
    ///
    /// # Safety
    ///
    /// The node is [`Evaluating`](State::Evaluating) here, and the caller is its owner.
    pub(crate) unsafe fn requeue_evaluating(&mut self, node: NodePtr<R>, waker: Waker) {
        // SAFETY: Q2; a node that evaluates owns no waker (Q3).
        unsafe {
            (*node.as_ptr()).ticket.set(0);
            (*node.as_ptr()).waker.put(waker);
            self.set_state(node, State::Waiting);
        }
    }

    /// A condition was false: its node keeps its place and waits for a change, until it
    /// is [queued again](Self::requeue).
    ///
    /// # Safety
    ///
    /// The node is [`Evaluating`](State::Evaluating) here, and `node` a pointer to all of its
    /// [`ConditionalNode`](super::ConditionalNode), whose evaluator is set.
    pub(crate) unsafe fn mark_unsatisfied(&mut self, node: NodePtr<R>, waker: Waker) {
        // SAFETY: Q2; a node that evaluates owns no waker (Q3).
        unsafe {
            self.relink(node);
            self.set_state(node, State::Unsatisfied);
            (*node.as_ptr()).ticket.set(0);
            (*node.as_ptr()).waker.put(waker);
        }
    }

    /// Links an idle node before another, or at the end, as
    /// [`Unsatisfied`](State::Unsatisfied).
    ///
    /// # Safety
    ///
    /// As for [`insert_before`](Self::insert_before), and as for
    /// [`mark_unsatisfied`](Self::mark_unsatisfied).
    pub(crate) unsafe fn insert_unsatisfied(
        &mut self,
        before: Option<NodePtr<R>>,
        node: NodePtr<R>,
        waker: Waker,
    ) {
        // SAFETY: passed on; Q2.
        unsafe {
            self.insert_before(before, node, waker);
            self.set_state(node, State::Unsatisfied);
        }
    }

    /// Queues an unsatisfied node again, in its place.
    ///
    /// # Safety
    ///
    /// The node is [`Unsatisfied`](State::Unsatisfied) here.
    pub(crate) unsafe fn requeue(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2.
        unsafe { self.set_state(node, State::Waiting) }
    }

    /// Replaces the waker of a node. Returns the old one, if any, to drop once the lock is
    /// released. Forgets the grant that the node has seen: it belonged to the task of the old
    /// waker.
    ///
    /// # Safety
    ///
    /// The node is [`Waiting`](State::Waiting), [`Woken`](State::Woken),
    /// [`Unsatisfied`](State::Unsatisfied) or [`Notified`](State::Notified) here.
    pub(super) unsafe fn replace_waker(&mut self, node: NodePtr<R>, waker: Waker) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let state = self.state_of(node);
            let old = state.owns_waker().then(|| (*node.as_ptr()).waker.take());
            (*node.as_ptr()).waker.put(waker);
            if state == State::Woken {
                self.no_longer_woken();
                self.set_state(node, State::Waiting);
            }
            // While a node is notified, its ticket belongs to the primitive.
            if state != State::Notified {
                (*node.as_ptr()).ticket.set(0);
            }
            old
        }
    }
}
