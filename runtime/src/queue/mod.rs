//! The wait queue of every primitive: an intrusive, circular, doubly linked
//! list of nodes that live inside the futures of the waiters.
//!
//! No allocation is made for a waiter. A node leaves the queue, from any position,
//! in a constant number of steps and touches only its neighbours.
//! Terms: see the glossary in ARCHITECTURE.md.
//!
//! # Invariants
//!
//! - **Q1** A node is in at most one queue. While it is linked (its state is
//!   not [`Idle`](State::Idle) or [`Unlinked`](State::Unlinked)), its future is
//!   pinned and alive: the drop of a future unlinks its node first.
//! - **Q2** Links, `ticket`, `is_thread` and the waker slot of a node, and its state
//!   except for the two steps of Q4, are touched only under the lock of the queue it is linked
//!   in, or by the future that owns it while it is not linked.
//! - **Q3** A waker slot owns a waker exactly while the state is
//!   [`Waiting`](State::Waiting), [`Unclaimed`](State::Unclaimed),
//!   [`Unsatisfied`](State::Unsatisfied) or [`Notified`](State::Notified). In the states
//!   [`Granted`](State::Granted) and [`Woken`](State::Woken) it still has the parts of
//!   the waker that was woken, for comparison.
//! - **Q4** Whoever takes the node of another future out of the queue sets it to
//!   [`Unlinked`](State::Unlinked) or [`Idle`](State::Idle) with Release as the last
//!   access; the owner loads the state with Acquire and has the node to itself again.
//! - **Q5** No user code (such as a waker's clone, wake or drop) runs while a queue
//!   lock is held: wakers are cloned before, and moved out to be woken or dropped after.
//! - **Q6** Only its owner touches a node's future state. It follows from the owner's own
//!   steps, so the compiler can drop the cancel code of a future that is ready at once.
//! - **Q7** A node that is not the caller's own is known by its address, never by a
//!   reference: it may be freed as soon as the queue is unlocked or the node is
//!   unlinked, while a reference that is an argument must stay valid for the whole call.
//! - **Q8** `woken` counts the [`Woken`](State::Woken) nodes of all queues. A node enters
//!   and leaves the count under its queue lock.

mod grants;
mod links;
mod node;
mod side;
mod transitions;
mod woken;

use core::marker::PhantomData;
use core::ptr::NonNull;
use core::task::Waker;

pub(crate) use self::grants::{GrantIndex, TreeLinks};
pub use self::node::Object;
pub(crate) use self::node::{
    ConditionFn, ConditionalNode, Evaluator, FutureState, Node, Request, State,
};
#[cfg(all(feature = "check", not(any(async_monitor_loom, async_monitor_shuttle))))]
pub(crate) use self::woken::of_run;
use crate::checking::LastRun;
use crate::platform::{Flavour, Ordering, QueueLock, QueueLockGuard, Threads, const_unless_loom};

/// A node, by its address (Q7).
pub(crate) type NodePtr<R> = NonNull<Node<R>>;

/// The list of waiters of one primitive, behind its lock.
pub(crate) struct Queue<R: Request, F> {
    lock: QueueLock<Node<R>, F>,
    /// For the checker: the run that last used the primitive whose queue this is.
    pub(crate) last_run: LastRun,
    /// Suppresses the auto traits; the impls below add them back.
    _nodes: PhantomData<*const Node<R>>,
}

// SAFETY: the queue accesses its nodes as Q2 says, from any thread, and drops none.
// (Not for the flavour `Local`: its queue lock excludes nobody.)
unsafe impl<R: Request + Send + Sync> Send for Queue<R, Threads> {}
// SAFETY: as for `Send`.
unsafe impl<R: Request + Send + Sync> Sync for Queue<R, Threads> {}

impl<R: Request, F: Flavour> Queue<R, F> {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Queue {
                lock: QueueLock::new(),
                last_run: LastRun::new(),
                _nodes: PhantomData,
            }
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedQueue<'_, R> {
        LockedQueue {
            guard: self.lock.lock(),
        }
    }

    /// Registers `waker` for `node`, if the node waits.
    ///
    /// Also returns a waker that is no longer needed. It must be dropped after the queue is
    /// unlocked (Q5), as `let (waker, queue) = ..` ensures (locals are dropped in reverse order:
    /// first the queue, then the waker).
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and used with this queue.
    pub(crate) unsafe fn register<'q>(
        &'q self,
        mut queue: LockedQueue<'q, R>,
        node: &Node<R>,
        waker: &Waker,
    ) -> (Option<Waker>, LockedQueue<'q, R>) {
        let node = node.as_ptr();
        let mut clone = None;
        loop {
            // SAFETY: the node is linked here, or the caller's own.
            let is_settled = unsafe {
                match queue.state_of(node) {
                    State::Waiting | State::Unsatisfied | State::Notified => {
                        queue.is_of_task(node, waker)
                    }
                    State::Woken => false,
                    State::Idle
                    | State::Granted
                    | State::Unclaimed
                    | State::Unlinked
                    | State::Evaluating => true,
                }
            };
            if is_settled {
                return (clone, queue);
            }
            if let Some(clone) = clone {
                // SAFETY: the node waits here.
                let replaced = unsafe { queue.replace_waker(node, clone) };
                return (replaced, queue);
            }
            // The lock is released for the clone, so the state has to be read again.
            drop(queue);
            clone = Some(waker.clone());
            queue = self.lock();
        }
    }

    /// Whether the queue appeared empty. A waiter that joined is seen if its joining happens
    /// before this call.
    #[inline]
    pub(crate) fn was_empty(&self) -> bool {
        self.lock.was_empty()
    }
}

/// A queue whose lock is held. While it is, linked nodes stay alive (Q1).
pub(crate) struct LockedQueue<'q, R: Request> {
    guard: QueueLockGuard<'q, Node<R>>,
}

impl<R: Request> LockedQueue<'_, R> {
    /// The number of [`Woken`](State::Woken) nodes in all queues of the process (Q8): an upper
    /// bound for this queue. Relaxed suffices: a node of this queue was counted when the queue
    /// was locked before, and is not uncounted until it is locked again.
    #[inline]
    pub(crate) fn woken_anywhere(&self) -> usize {
        woken::count()
    }

    /// # Safety
    ///
    /// The node is the caller's own.
    #[inline]
    pub(crate) unsafe fn set_evaluator(
        &mut self,
        node: &ConditionalNode<R>,
        evaluator: Option<Evaluator>,
    ) {
        // SAFETY: Q2.
        unsafe { node.evaluator.set(evaluator) }
    }

    /// The condition of a node, if it can be evaluated for `object`.
    ///
    /// # Safety
    ///
    /// The node is [`Unsatisfied`](State::Unsatisfied) here, and `node` is the pointer by
    /// which it is linked.
    #[inline]
    pub(crate) unsafe fn condition_of(
        &self,
        node: NodePtr<R>,
        object: Object,
    ) -> Option<ConditionFn> {
        let node: NonNull<ConditionalNode<R>> = node.cast();
        // SAFETY: an unsatisfied node is linked by a pointer to all of its conditional
        // node, whose evaluator is set (see `mark_unsatisfied`), and it is alive (Q1).
        let evaluator = unsafe { (*node.as_ptr()).evaluator.get() };
        evaluator?.for_object(object)
    }

    /// Whether `node` was registered with a waker of the same parts.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    pub(crate) unsafe fn is_of_task(&self, node: NodePtr<R>, waker: &Waker) -> bool {
        // SAFETY: Q2; a linked node was registered with a waker.
        unsafe { (*node.as_ptr()).waker.is(waker) }
    }

    /// The state of a node.
    ///
    /// # Safety
    ///
    /// The node is linked here, or the caller's own.
    #[inline]
    pub(crate) unsafe fn state_of(&self, node: NodePtr<R>) -> State {
        // SAFETY: a linked node is alive (Q1).
        unsafe { (*node.as_ptr()).state.load(Ordering::Relaxed) }
    }

    /// The state of the caller's own node, while the queue is locked.
    #[inline]
    pub(crate) fn own_state(&self, node: &Node<R>) -> State {
        node.state.load(Ordering::Relaxed)
    }

    /// # Safety
    ///
    /// The node is linked here, or idle and the caller's own.
    #[inline]
    unsafe fn set_state(&mut self, node: NodePtr<R>, state: State) {
        // SAFETY: a linked node is alive (Q1).
        unsafe { (*node.as_ptr()).state.store(state, Ordering::Relaxed) }
    }

    /// The request of a node.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    pub(crate) unsafe fn request_of(&self, node: NodePtr<R>) -> R
    where
        R: Copy,
    {
        // SAFETY: a linked node is alive (Q1), and its request is not written.
        unsafe { (*node.as_ptr()).request }
    }

    /// The ticket of a node (see the field); 0 if there is none.
    ///
    /// # Safety
    ///
    /// The node is linked here, or the caller's own and was linked before.
    #[inline]
    pub(crate) unsafe fn ticket_of(&self, node: NodePtr<R>) -> u32 {
        // SAFETY: Q2.
        unsafe { (*node.as_ptr()).ticket.get() }
    }

    /// # Safety
    ///
    /// As for [`ticket_of`](Self::ticket_of).
    #[inline]
    pub(crate) unsafe fn set_ticket(&mut self, node: NodePtr<R>, ticket: u32) {
        // SAFETY: Q2.
        unsafe { (*node.as_ptr()).ticket.set(ticket) }
    }

    /// Whether the waiter is a parked thread that has announced itself.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    pub(crate) unsafe fn is_thread(&self, node: NodePtr<R>) -> bool {
        // SAFETY: Q2.
        unsafe { (*node.as_ptr()).is_thread.get() }
    }

    /// # Safety
    ///
    /// The node is linked here, and the caller's own.
    #[inline]
    pub(crate) unsafe fn set_is_thread(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2.
        unsafe { (*node.as_ptr()).is_thread.set(true) }
    }
}
