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
//! - **Q4** A node that is taken out of the queue on behalf of its owner is set to
//!   [`Unlinked`](State::Unlinked) or [`Idle`](State::Idle) with Release as the last
//!   access; the owner loads the state with Acquire and has the node to itself again.
//! - **Q5** No user code (such as a waker's clone, wake or drop) runs while a queue
//!   lock is held: wakers are cloned before, and moved out to be woken or dropped after.
//! - **Q6** The future state of a node is touched by the owner only. It depends on the
//!   owner's own steps alone, so that for a future that is ready at once the compiler
//!   can leave out the code that cancels.
//! - **Q7** A node that is not the caller's own is known by its address, never by a
//!   reference: it may be freed as soon as the queue is unlocked or the node is
//!   unlinked, while a reference that is an argument must stay valid for the whole call.
//! - **Q8** `woken` counts the [`Woken`](State::Woken) nodes of all queues. A node enters
//!   and leaves the count under its queue lock.

mod grants;
mod node;
mod side;

use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::task::Waker;

pub(crate) use self::grants::{GrantIndex, TreeLinks};
pub use self::node::Object;
pub(crate) use self::node::{
    ConditionFn, ConditionalNode, Evaluator, FutureState, Node, Request, State,
};
use crate::checking::Stamp;
use crate::platform::{Flavour, Ordering, QueueLock, QueueLockGuard, Threads, const_unless_loom};

/// A node, by its address (Q7).
pub(crate) type NodePtr<R> = NonNull<Node<R>>;

/// The number of [`Woken`](State::Woken) nodes in the process (Q8): usually zero, so that
/// no poll has to search for one. Not a part of the protocol, hence not a loom type.
#[cfg(not(any(async_monitor_loom, async_monitor_shuttle)))]
mod woken {
    use crate::platform::{AtomicUsize, Ordering};

    static WOKEN: AtomicUsize = AtomicUsize::new(0);

    #[inline]
    pub(super) fn count() -> usize {
        // A checked run must not depend on other threads. All nodes of a run are on one
        // thread.
        #[cfg(feature = "check")]
        if crate::checking::is_checked() {
            return of_run::count();
        }
        // Relaxed is enough, see `LockedQueue::woken_anywhere`.
        WOKEN.load(Ordering::Relaxed)
    }

    pub(super) fn add() {
        WOKEN.fetch_add(1, Ordering::Relaxed);
        #[cfg(feature = "check")]
        of_run::add(1);
    }

    pub(super) fn subtract() {
        let woken = WOKEN.fetch_sub(1, Ordering::Relaxed);
        debug_assert!(woken > 0);
        #[cfg(feature = "check")]
        of_run::add(-1);
    }

    /// The woken nodes of this thread since the current checked run began.
    #[cfg(feature = "check")]
    pub(crate) mod of_run {
        use core::cell::Cell;

        std::thread_local! {
            static WOKEN: Cell<isize> = const { Cell::new(0) };
        }

        pub(crate) fn begin() {
            WOKEN.set(0);
        }

        pub(super) fn count() -> usize {
            usize::try_from(WOKEN.get()).unwrap_or(0)
        }

        pub(super) fn add(by: isize) {
            // A thread that is ending runs no check any more.
            let _ = WOKEN.try_with(|woken| woken.set(woken.get() + by));
        }
    }
}

#[cfg(all(feature = "check", not(any(async_monitor_loom, async_monitor_shuttle))))]
pub(crate) use self::woken::of_run;

/// The same under a model checker, which runs all threads of a model on one: each model
/// has its own count.
#[cfg(any(async_monitor_loom, async_monitor_shuttle))]
mod woken {
    use core::cell::Cell;

    std::thread_local! {
        static WOKEN: Cell<usize> = Cell::new(0);
    }

    pub(super) fn count() -> usize {
        WOKEN.with(Cell::get)
    }

    pub(super) fn add() {
        WOKEN.with(|woken| woken.set(woken.get() + 1));
    }

    pub(super) fn subtract() {
        WOKEN.with(|woken| woken.set(woken.get() - 1));
    }
}

/// The list of waiters of one primitive, behind its lock.
pub(crate) struct Queue<R: Request, F> {
    lock: QueueLock<Node<R>, F>,
    /// The stamp of the primitive whose queue it is.
    pub(crate) stamp: Stamp,
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
                stamp: Stamp::new(),
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
    /// unlocked (Q5), as `let (waker, queue) = ..` ensures.
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
            let registered = unsafe {
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
            if registered {
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
    /// The first node.
    #[inline]
    pub(crate) fn head(&self) -> Option<NodePtr<R>> {
        NonNull::new(self.guard.head())
    }

    /// The node behind `node`, or `None` at the end.
    ///
    /// # Safety
    ///
    /// `node` is linked here.
    #[inline]
    pub(crate) unsafe fn next(&self, node: NodePtr<R>) -> Option<NodePtr<R>> {
        // SAFETY: Q2; a linked node is alive (Q1).
        let next = unsafe { (*node.as_ptr()).next.get() };
        if ptr::eq(next, self.guard.head()) {
            None
        } else {
            NonNull::new(next.cast_mut())
        }
    }

    /// The node before `node`, or `None` at the head.
    ///
    /// # Safety
    ///
    /// As for [`next`](Self::next).
    #[inline]
    pub(crate) unsafe fn prev(&self, node: NodePtr<R>) -> Option<NodePtr<R>> {
        if ptr::eq(self.guard.head(), node.as_ptr()) {
            return None;
        }
        // SAFETY: as in `next`.
        let prev = unsafe { (*node.as_ptr()).prev.get() };
        NonNull::new(prev.cast_mut())
    }

    /// The last node.
    #[inline]
    pub(crate) fn last(&self) -> Option<NodePtr<R>> {
        let head = self.head()?;
        // SAFETY: Q2; a linked node is alive (Q1). The list is circular.
        NonNull::new(unsafe { (*head.as_ptr()).prev.get() }.cast_mut())
    }

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

    /// # Safety
    ///
    /// `node` is not linked, `before` is linked here.
    #[inline]
    unsafe fn link(&mut self, before: Option<NodePtr<R>>, node: NodePtr<R>) {
        let head = self.head();
        let node_ptr = node.as_ptr().cast_const();
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1). In a
        // circular list the end is where the head's `prev` is.
        unsafe {
            let Some(next) = before.or(head) else {
                (*node_ptr).prev.set(node_ptr);
                (*node_ptr).next.set(node_ptr);
                self.guard.set_head(node_ptr.cast_mut());
                return;
            };
            let next_ptr = next.as_ptr().cast_const();
            let prev = (*next_ptr).prev.get();
            (*node_ptr).prev.set(prev);
            (*node_ptr).next.set(next_ptr);
            (*prev).next.set(node_ptr);
            (*next_ptr).prev.set(node_ptr);
            if before.is_some() && before == head {
                self.guard.set_head(node_ptr.cast_mut());
            }
        }
    }

    /// Takes a node out of the list. Its state and waker are the caller's.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    unsafe fn unlink(&mut self, node: NodePtr<R>) {
        let node = node.as_ptr().cast_const();
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1).
        unsafe {
            let next = (*node).next.get();
            if ptr::eq(next, node) {
                self.guard.set_head(ptr::null_mut());
            } else {
                let prev = (*node).prev.get();
                (*prev).next.set(next);
                (*next).prev.set(prev);
                if ptr::eq(self.guard.head(), node) {
                    self.guard.set_head(next.cast_mut());
                }
            }
        }
    }

    /// Marks a queued node as [`Granted`](State::Granted), where it stands, and
    /// returns the waker to wake once the lock is released, if the wake-up is not on
    /// its way already.
    ///
    /// # Safety
    ///
    /// The node is [queued](State::is_queued) here.
    #[inline]
    pub(crate) unsafe fn grant(&mut self, node: NodePtr<R>) -> Option<Waker> {
        // SAFETY: Q2, Q3.
        unsafe {
            let waiting = self.state_of(node) == State::Waiting;
            self.set_state(node, State::Granted);
            (*node.as_ptr()).ticket.set(0);
            if !waiting {
                self.no_longer_woken();
            }
            waiting.then(|| (*node.as_ptr()).waker.take())
        }
    }

    /// A node has left the state [`Woken`](State::Woken).
    #[cold]
    fn no_longer_woken(&mut self) {
        woken::subtract();
    }

    /// The number of [`Woken`](State::Woken) nodes in all queues of the process (Q8): an upper
    /// bound for this queue. Relaxed suffices: a node of this queue was counted when the queue
    /// was locked before, and is not uncounted until it is locked again.
    #[inline]
    pub(crate) fn woken_anywhere(&self) -> usize {
        woken::count()
    }

    /// Stores a waker of its task in a node that owns none. A granted node becomes
    /// [`Unclaimed`](State::Unclaimed), a node that was woken [`Waiting`](State::Waiting).
    ///
    /// # Safety
    ///
    /// The node is [`Granted`](State::Granted) or [`Woken`](State::Woken) here. If it is
    /// granted, `waker` has the parts of the waker that it had (X1).
    pub(crate) unsafe fn store_waker(&mut self, node: NodePtr<R>, waker: Waker) {
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

    /// Marks a waiting node as [`Notified`](State::Notified), where it stands.
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

    /// Takes a node out of the queue for its owner, who finds it idle. Returns the waker
    /// that it owned, if any, to drop once the lock is released.
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
    pub(crate) unsafe fn withdraw_granted(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2.
        unsafe {
            self.set_state(node, State::Idle);
            self.unlink(node);
        }
    }

    /// Takes a granted node out of the queue on behalf of its owner, who finds it
    /// idle and has to join again. Returns the waker that it owned, if any, to drop once
    /// the lock is released.
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

    /// Takes nodes out of the queue, from the head on, for as long as `should_remove` returns
    /// true, on behalf of their owners, who find them
    /// [`Unlinked`](State::Unlinked). Hands out the wakers, to wake once the lock is
    /// released.
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
    /// [`ConditionalNode`], whose evaluator is set.
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

    /// Replaces the pointers to a linked node by this one, which may have provenance for
    /// more than the node.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    unsafe fn relink(&mut self, node: NodePtr<R>) {
        let this = node.as_ptr();
        // SAFETY: Q2 for the node and its neighbours, which are linked, hence alive (Q1).
        unsafe {
            let (prev, next) = ((*this).prev.get(), (*this).next.get());
            (*prev).next.set(this);
            (*next).prev.set(this);
        }
        if ptr::eq(self.guard.head(), this) {
            self.guard.set_head(this);
        }
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

    /// Queues an unsatisfied node again, in its place.
    ///
    /// # Safety
    ///
    /// The node is [`Unsatisfied`](State::Unsatisfied) here.
    pub(crate) unsafe fn requeue(&mut self, node: NodePtr<R>) {
        // SAFETY: Q2.
        unsafe { self.set_state(node, State::Waiting) }
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

    /// Replaces the waker of a node. Returns the old one, if any, to drop once the lock is
    /// released. Forgets the grant that the node has seen: it belonged to the task of the old
    /// waker.
    ///
    /// # Safety
    ///
    /// The node is [`Waiting`](State::Waiting), [`Woken`](State::Woken),
    /// [`Unsatisfied`](State::Unsatisfied) or [`Notified`](State::Notified) here.
    unsafe fn replace_waker(&mut self, node: NodePtr<R>, waker: Waker) -> Option<Waker> {
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

    /// The number of nodes whose state satisfies `counts`. Walks the whole list.
    pub(crate) fn count(&self, counts: impl Fn(State) -> bool) -> usize {
        let mut count = 0;
        let mut next = self.head();
        while let Some(node) = next {
            // SAFETY: nodes reached from the head are linked.
            unsafe {
                count += usize::from(counts(self.state_of(node)));
                next = self.next(node);
            }
        }
        count
    }
}

#[cfg(all(
    test,
    feature = "check",
    not(any(async_monitor_loom, async_monitor_shuttle))
))]
mod tests {
    use std::thread;

    use super::woken;
    use crate::check::every_schedule;

    /// A checked run does not depend on waiters of other threads.
    #[test]
    fn a_check_counts_what_it_has_woken_itself() {
        every_schedule(|run| {
            run.spawn("task", async {
                thread::spawn(woken::add).join().unwrap();
                let count = woken::count();
                thread::spawn(woken::subtract).join().unwrap();
                assert_eq!(count, 0);
            });
        });
    }
}
