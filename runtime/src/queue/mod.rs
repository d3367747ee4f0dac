//! The wait queue of every primitive: an intrusive, circular, doubly linked
//! list of nodes that live inside the futures of the waiters.
//!
//! No allocation is made for a waiter; a node leaves the queue, from wherever
//! it stands, in a constant number of steps and touches only its neighbours.
//!
//! # Invariants
//!
//! - **Q1** A node is in at most one queue. While it is linked (its state is
//!   not [`IDLE`] or [`DONE`]), its future is pinned and alive: the drop of a
//!   future unlinks its node first.
//! - **Q2** `prev`, `next`, `stamp` and the waker slot of a node, and its state
//!   except for the two steps of Q4, are touched only under the lock of the
//!   queue it is linked in, or by the future that owns it while it is not
//!   linked.
//! - **Q3** A waker slot owns a waker exactly while the state is [`WAITING`],
//!   [`PARKED`] or [`MARKED`]. In state [`GRANTED`] it still says which waker that
//!   was, for comparison.
//! - **Q4** Whoever takes a node out of the queue on behalf of its owner stores
//!   [`DONE`] with Release as its last access; the owner loads it with Acquire
//!   and has the node to itself again. (The reference that `finish_while` has lives a
//!   little longer. All of a node that is finished is inside of cells, which
//!   makes that harmless: its `request` is, too.)
//! - **Q5** No code of a user (a waker's clone, wake and drop among it) runs
//!   while the lock of a queue is held: wakers are cloned before, and moved out
//!   to be woken or dropped after.
//! - **Q6** `stage` is touched by the owner only, and says no more than the owner
//!   knows without asking what others did: so the compiler, too, knows what there
//!   is to do for a future that is ready at once, namely nothing.

mod node;
mod side;

use core::marker::PhantomData;
use core::ptr;
use core::task::Waker;

pub(crate) use self::node::{
    DONE, FRESH, GRANTED, IDLE, LOOKING, MARKED, Node, OVER, PARKED, POLLED, WAITING,
};
use crate::sync::{Flavour, Ordering, QueueLock, QueueLockGuard, Threads, const_unless_loom};

/// The list of waiters of one primitive, behind its lock.
pub(crate) struct Queue<R, F> {
    lock: QueueLock<Node<R>, F>,
    /// Makes what has a queue neither `Send` nor `Sync`, unless it is said here.
    _nodes: PhantomData<*const Node<R>>,
}

// SAFETY: the queue reaches its nodes as Q2 says, from whatever thread, and
// drops none. (Of the flavour `Local` this would not be true: its lock locks
// nobody out.)
unsafe impl<R: Send + Sync> Send for Queue<R, Threads> {}
// SAFETY: as above.
unsafe impl<R: Send + Sync> Sync for Queue<R, Threads> {}

impl<R, F: Flavour> Queue<R, F> {
    const_unless_loom! {
        pub(crate) const fn new() -> Self {
            Queue { lock: QueueLock::new(), _nodes: PhantomData }
        }
    }

    #[inline]
    pub(crate) fn lock(&self) -> LockedQueue<'_, R> {
        LockedQueue {
            guard: self.lock.lock(),
        }
    }

    /// Locks the queue for a later poll of `node` by `waker`.
    ///
    /// If the node still waits, it is woken by `waker` from here on. Beside the
    /// locked queue, a waker may be returned that was replaced, or not needed. It
    /// must not be dropped before the lock is released (Q5): bind it first, as the
    /// order of the pair says.
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and used with this queue.
    pub(crate) unsafe fn lock_to_poll(
        &self,
        node: &Node<R>,
        waker: &Waker,
    ) -> (Option<Waker>, LockedQueue<'_, R>) {
        // SAFETY: passed on.
        unsafe { self.keep_to_poll(self.lock(), node, waker) }
    }

    /// As [`lock_to_poll`](Self::lock_to_poll), where the queue is locked already.
    ///
    /// # Safety
    ///
    /// As for [`lock_to_poll`](Self::lock_to_poll).
    pub(crate) unsafe fn keep_to_poll<'q>(
        &'q self,
        mut queue: LockedQueue<'q, R>,
        node: &Node<R>,
        waker: &Waker,
    ) -> (Option<Waker>, LockedQueue<'q, R>) {
        let mut clone = None;
        loop {
            let waits = matches!(queue.state_of(node), WAITING | PARKED | MARKED);
            // SAFETY: a node that waits is linked here.
            if !waits || unsafe { queue.is_of_task(node, waker) } {
                return (clone, queue);
            }
            if let Some(clone) = clone {
                // SAFETY: the node waits here.
                let replaced = unsafe { queue.replace_waker(node, clone) };
                return (Some(replaced), queue);
            }
            // The lock is released for the clone; look again afterwards.
            drop(queue);
            clone = Some(waker.clone());
            queue = self.lock();
        }
    }

    /// Whether nobody was in the queue a moment ago. A waiter that came before
    /// the caller, in the order of some lock that both have held, is seen.
    #[inline]
    pub(crate) fn looks_empty(&self) -> bool {
        self.lock.looks_empty()
    }
}

/// A queue whose lock is held. While it is, linked nodes stay alive (Q1).
pub(crate) struct LockedQueue<'q, R> {
    guard: QueueLockGuard<'q, Node<R>>,
}

impl<'q, R> LockedQueue<'q, R> {
    /// The first node.
    ///
    /// # Safety
    ///
    /// The reference is not used once its node has left by `finish_while`, nor
    /// once the lock is released.
    #[inline]
    pub(crate) unsafe fn head(&self) -> Option<&'q Node<R>> {
        // SAFETY: the head is null or a linked node, alive by Q1; the caller
        // promises not to use it for longer.
        unsafe { self.guard.head().cast_const().as_ref() }
    }

    /// The node behind `node`, or `None` at the end.
    ///
    /// # Safety
    ///
    /// `node` is linked here. For the result as for [`head`](Self::head).
    #[inline]
    pub(crate) unsafe fn next(&self, node: &Node<R>) -> Option<&'q Node<R>> {
        // SAFETY: Q2; neighbours of a linked node are linked, hence alive (Q1),
        // and the caller promises not to use them for longer.
        unsafe {
            let next = node.next.get();
            if ptr::eq(next, self.guard.head()) {
                None
            } else {
                next.as_ref()
            }
        }
    }

    /// The node before `node`, or `None` at the head.
    ///
    /// # Safety
    ///
    /// As for [`next`](Self::next).
    #[inline]
    pub(crate) unsafe fn prev(&self, node: &Node<R>) -> Option<&'q Node<R>> {
        if ptr::eq(self.guard.head(), node) {
            return None;
        }
        // SAFETY: as in `next`.
        unsafe { node.prev.get().as_ref() }
    }

    /// Links an idle node at the end, as [`WAITING`].
    ///
    /// # Safety
    ///
    /// The node is idle, and its owner keeps Q1 from here on.
    #[inline]
    pub(crate) unsafe fn push_back(&mut self, node: &Node<R>, waker: Waker) {
        // SAFETY: passed on.
        unsafe { self.insert_before(None, node, waker) }
    }

    /// Links an idle node before another, or at the end, as [`WAITING`].
    ///
    /// # Safety
    ///
    /// As for [`push_back`](Self::push_back); `before` is linked here.
    pub(crate) unsafe fn insert_before(
        &mut self,
        before: Option<&Node<R>>,
        node: &Node<R>,
        waker: Waker,
    ) {
        // SAFETY: Q2; an idle node owns no waker (Q3).
        unsafe {
            node.stamp.set(0);
            node.waker.put(waker);
        }
        node.state.store(WAITING, Ordering::Relaxed);
        // SAFETY: passed on.
        unsafe { self.link(before, node) }
    }

    /// # Safety
    ///
    /// `node` is not linked, `before` is linked here.
    #[inline]
    unsafe fn link(&mut self, before: Option<&Node<R>>, node: &Node<R>) {
        let head = self.guard.head();
        let node_ptr: *const Node<R> = node;
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1). In a
        // circular list the end is where the head's `prev` is.
        unsafe {
            let Some(next) = before.or(head.cast_const().as_ref()) else {
                node.prev.set(node_ptr);
                node.next.set(node_ptr);
                self.guard.set_head(node_ptr.cast_mut());
                return;
            };
            let prev = next.prev.get();
            node.prev.set(prev);
            node.next.set(next);
            (*prev).next.set(node_ptr);
            next.prev.set(node_ptr);
            if before.is_some() && ptr::eq(next, head) {
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
    unsafe fn unlink(&mut self, node: &Node<R>) {
        // SAFETY: Q2 for every node touched; neighbours are alive (Q1).
        unsafe {
            let next = node.next.get();
            if ptr::eq(next, node) {
                self.guard.set_head(ptr::null_mut());
            } else {
                let prev = node.prev.get();
                (*prev).next.set(next);
                (*next).prev.set(prev);
                if ptr::eq(self.guard.head(), node) {
                    self.guard.set_head(next.cast_mut());
                }
            }
        }
    }

    /// Marks a waiting node as [`GRANTED`], where it stands, and returns the
    /// waker to wake once the lock is released.
    ///
    /// # Safety
    ///
    /// The node is [`WAITING`] here.
    #[inline]
    pub(crate) unsafe fn grant(&mut self, node: &Node<R>) -> Waker {
        node.state.store(GRANTED, Ordering::Relaxed);
        // SAFETY: Q2, Q3.
        unsafe {
            node.stamp.set(0);
            node.waker.take()
        }
    }

    /// Makes a granted node wait again, before `before` or at the end.
    ///
    /// # Safety
    ///
    /// `node` is [`GRANTED`] and `before` another node, both linked here;
    /// `waker` is one of the node's task.
    pub(crate) unsafe fn ungrant(
        &mut self,
        node: &Node<R>,
        before: Option<&Node<R>>,
        waker: Waker,
    ) {
        // SAFETY: passed on; a granted node owns no waker (Q3).
        unsafe {
            self.unlink(node);
            self.insert_before(before, node, waker);
        }
    }

    /// Marks a waiting node as [`MARKED`], where it stands.
    ///
    /// # Safety
    ///
    /// The node is [`WAITING`] here.
    pub(crate) unsafe fn mark(&mut self, node: &Node<R>, stamp: u32) {
        node.state.store(MARKED, Ordering::Relaxed);
        // SAFETY: Q2.
        unsafe { node.stamp.set(stamp) }
    }

    /// Takes a node that owns a waker out of the queue for its owner, who finds
    /// it idle. Returns the waker, to drop once the lock is released.
    ///
    /// # Safety
    ///
    /// The node is [`WAITING`], [`PARKED`] or [`MARKED`] here, and the caller acts
    /// for its owner.
    #[inline]
    pub(crate) unsafe fn withdraw_waiting(&mut self, node: &Node<R>) -> Waker {
        node.reset();
        // SAFETY: Q2, Q3.
        unsafe {
            self.unlink(node);
            node.waker.take()
        }
    }

    /// Takes a node that owns no waker out of the queue for its owner, who finds
    /// it idle.
    ///
    /// # Safety
    ///
    /// The node is [`GRANTED`] or [`LOOKING`] here, and the caller acts for its
    /// owner.
    #[inline]
    pub(crate) unsafe fn withdraw_granted(&mut self, node: &Node<R>) {
        node.reset();
        // SAFETY: Q2.
        unsafe { self.unlink(node) }
    }

    /// Takes nodes out of the queue, from the head on, for as long as `leaves`
    /// agrees, on behalf of their owners, who find them [`DONE`]. Hands out the
    /// wakers, to wake once the lock is released.
    ///
    /// The links between those who leave are not kept up: it takes about as long
    /// as reading an array of them would.
    ///
    /// # Safety
    ///
    /// Nodes that `leaves` agrees to are [`WAITING`] or [`MARKED`] here. `leaves`
    /// and `woken` run no code of a user.
    #[inline]
    pub(crate) unsafe fn finish_while(
        &mut self,
        mut leaves: impl FnMut(&Node<R>) -> bool,
        mut woken: impl FnMut(Waker),
    ) {
        // SAFETY: Q2, Q3 for every node touched. A node is not touched once it is
        // `DONE`; those behind it are linked until it is their turn, hence alive
        // (Q1).
        unsafe {
            let Some(mut node) = self.head() else {
                return;
            };
            let last = node.prev.get();
            let mut any = false;
            while leaves(node) {
                any = true;
                let next = node.next.get();
                let was_last = ptr::eq(node, last);
                woken(node.waker.take());
                // Release: pairs with the Acquire of `Node::state` (Q4).
                node.state.store(DONE, Ordering::Release);
                if was_last {
                    self.guard.set_head(ptr::null_mut());
                    return;
                }
                node = &*next;
            }
            if any {
                node.prev.set(last);
                (*last).next.set(node);
                self.guard.set_head((&raw const *node).cast_mut());
            }
        }
    }

    /// A granted node begins to look, where it stands: its owner has entered.
    ///
    /// # Safety
    ///
    /// The node is [`GRANTED`] here, and the caller acts for its owner.
    pub(crate) unsafe fn look(&mut self, node: &Node<R>) {
        node.state.store(LOOKING, Ordering::Relaxed);
    }

    /// A node that has looked is parked, where it stands, until it is
    /// [unparked](Self::unpark).
    ///
    /// # Safety
    ///
    /// The node is [`LOOKING`] here.
    pub(crate) unsafe fn park(&mut self, node: &Node<R>, waker: Waker) {
        node.state.store(PARKED, Ordering::Relaxed);
        // SAFETY: Q2; a node that looks owns no waker (Q3).
        unsafe {
            node.stamp.set(0);
            node.waker.put(waker);
        }
    }

    /// Links an idle node before another, or at the end, as [`PARKED`].
    ///
    /// # Safety
    ///
    /// As for [`insert_before`](Self::insert_before).
    pub(crate) unsafe fn insert_parked(
        &mut self,
        before: Option<&Node<R>>,
        node: &Node<R>,
        waker: Waker,
    ) {
        // SAFETY: passed on.
        unsafe { self.insert_before(before, node, waker) };
        node.state.store(PARKED, Ordering::Relaxed);
    }

    /// A parked node waits again, where it stands.
    ///
    /// # Safety
    ///
    /// The node is [`PARKED`] here.
    pub(crate) unsafe fn unpark(&mut self, node: &Node<R>) {
        node.state.store(WAITING, Ordering::Relaxed);
    }

    /// Whether `node` was registered with a waker of this task.
    ///
    /// # Safety
    ///
    /// The node is linked here.
    #[inline]
    pub(crate) unsafe fn is_of_task(&self, node: &Node<R>, waker: &Waker) -> bool {
        // SAFETY: Q2; a linked node was registered with a waker.
        unsafe { node.waker.is(waker) }
    }

    /// Gives a node another waker; the old one is dropped by the caller once
    /// the lock is released.
    ///
    /// # Safety
    ///
    /// The node is [`WAITING`], [`PARKED`] or [`MARKED`] here.
    pub(crate) unsafe fn replace_waker(&mut self, node: &Node<R>, waker: Waker) -> Waker {
        // SAFETY: Q2, Q3.
        unsafe {
            let old = node.waker.take();
            node.waker.put(waker);
            old
        }
    }

    /// The state of a linked node.
    #[inline]
    pub(crate) fn state_of(&self, node: &Node<R>) -> u8 {
        node.state.load(Ordering::Relaxed)
    }

    /// # Safety
    ///
    /// The node is linked here, or idle and the caller's own.
    #[inline]
    pub(crate) unsafe fn set_stamp(&mut self, node: &Node<R>, stamp: u32) {
        // SAFETY: Q2.
        unsafe { node.stamp.set(stamp) }
    }

    /// How many nodes are in the given state. Walks the whole list.
    pub(crate) fn count(&self, state: u8) -> usize {
        let mut count = 0;
        // SAFETY: nothing is unlinked or unlocked meanwhile.
        let mut node = unsafe { self.head() };
        while let Some(current) = node {
            count += usize::from(self.state_of(current) == state);
            // SAFETY: as above.
            node = unsafe { self.next(current) };
        }
        count
    }
}
