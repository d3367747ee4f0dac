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
//!   and has the node to itself again. (The reference that `finish` has lives a
//!   little longer. All of a node that is finished is inside of cells, which
//!   makes that harmless: its `request` is, too.)
//! - **Q5** No code of a user (a waker's clone, wake and drop among it) runs
//!   while the lock of a queue is held: wakers are cloned before, and moved out
//!   to be woken or dropped after.

use core::marker::{PhantomData, PhantomPinned};
use core::mem::ManuallyDrop;
use core::ptr;
use core::task::{RawWakerVTable, Waker};

use crate::sync::{AtomicU32, Ordering, QueueLock, QueueLockGuard, SharedCell, const_unless_loom};

/// Not linked; nobody but the owner knows of the node.
pub(crate) const IDLE: u32 = 0;
/// Linked, to be served in turn.
pub(crate) const WAITING: u32 = 1;
/// Linked, served and woken; the owner has not been polled since.
pub(crate) const GRANTED: u32 = 2;
/// Linked, served, and about to be unlinked and woken by whoever served it.
pub(crate) const MARKED: u32 = 3;
/// Not linked any more; what the owner waited for has happened.
pub(crate) const DONE: u32 = 4;
/// Linked; the owner has looked, found its condition false, and sleeps until
/// there is something new to see.
pub(crate) const PARKED: u32 = 5;
/// Linked; the owner has entered and is looking.
pub(crate) const LOOKING: u32 = 6;

/// The place of one waiter in a queue.
pub(crate) struct Node<R> {
    prev: SharedCell<*const Node<R>>,
    next: SharedCell<*const Node<R>>,
    waker: WakerSlot,
    state: AtomicU32,
    stamp: SharedCell<u32>,
    /// What the waiter waits for.
    pub(crate) request: R,
    _pinned: PhantomPinned,
}

// SAFETY: what is shared of a node is touched as Q2 and Q4 say, from whatever
// thread; `request` is only read while the node is linked, and `R: Copy` types
// of this crate have no ties to a thread.
unsafe impl<R: Send> Send for Node<R> {}
// SAFETY: as above.
unsafe impl<R: Sync> Sync for Node<R> {}

impl<R> Node<R> {
    #[inline]
    pub(crate) fn new(request: R) -> Self {
        Node {
            prev: SharedCell::new(ptr::null()),
            next: SharedCell::new(ptr::null()),
            waker: WakerSlot::new(),
            state: AtomicU32::new(IDLE),
            stamp: SharedCell::new(0),
            request,
            _pinned: PhantomPinned,
        }
    }

    /// The state, for the owner: `DONE` makes what came before it visible.
    #[inline]
    pub(crate) fn state(&self) -> u32 {
        // Acquire: pairs with the Release of `finish` (Q4).
        self.state.load(Ordering::Acquire)
    }

    /// Makes a node that is not linked ready to be used again.
    #[inline]
    pub(crate) fn reset(&self) {
        self.state.store(IDLE, Ordering::Relaxed);
    }

    /// The number that was last noted at the node.
    ///
    /// # Safety
    ///
    /// The caller owns the node and has seen [`DONE`], or holds the lock of its
    /// queue.
    #[inline]
    pub(crate) unsafe fn stamp(&self) -> u32 {
        // SAFETY: no writer is left (Q4), or the lock keeps writers away (Q2).
        unsafe { self.stamp.get() }
    }
}

/// Two words that hold a waker, or only remember which one it was.
struct WakerSlot {
    data: SharedCell<*const ()>,
    vtable: SharedCell<Option<&'static RawWakerVTable>>,
}

impl WakerSlot {
    #[inline]
    fn new() -> Self {
        WakerSlot {
            data: SharedCell::new(ptr::null()),
            vtable: SharedCell::new(None),
        }
    }

    /// # Safety
    ///
    /// Q2, and by Q3 the slot owns no waker.
    #[inline]
    unsafe fn put(&self, waker: Waker) {
        let waker = ManuallyDrop::new(waker);
        // SAFETY: Q2.
        unsafe {
            self.data.set(waker.data());
            self.vtable.set(Some(waker.vtable()));
        }
    }

    /// # Safety
    ///
    /// Q2, and by Q3 the slot owns a waker; the caller ends the state in which
    /// it does.
    #[inline]
    unsafe fn take(&self) -> Waker {
        // SAFETY: Q2; the parts are those of a waker that was forgotten in
        // `put` and has not been taken since (Q3).
        unsafe {
            let vtable = self.vtable.get().unwrap_unchecked();
            Waker::new(self.data.get(), vtable)
        }
    }

    /// Whether this is, or was, a waker of the same task.
    ///
    /// # Safety
    ///
    /// Q2.
    #[inline]
    unsafe fn is(&self, other: &Waker) -> bool {
        // SAFETY: Q2.
        let (data, vtable) = unsafe { (self.data.get(), self.vtable.get()) };
        data == other.data() && vtable.is_some_and(|vtable| ptr::eq(vtable, other.vtable()))
    }
}

/// The list of waiters of one primitive, behind its lock.
pub(crate) struct Queue<R> {
    lock: QueueLock<Node<R>>,
    _nodes: PhantomData<*const Node<R>>,
}

// SAFETY: the queue reaches its nodes as Q2 says, from whatever thread, and
// drops none.
unsafe impl<R: Send + Sync> Send for Queue<R> {}
// SAFETY: as above.
unsafe impl<R: Send + Sync> Sync for Queue<R> {}

impl<R> Queue<R> {
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

    /// Locks the queue for a poll of `node` by `waker`.
    ///
    /// A node that waits is woken by `waker` from here on. Beside the locked
    /// queue, a waker is returned: for an idle node, a clone to join the queue
    /// with; otherwise the one that was replaced, if any. It must not be dropped
    /// before the lock is released (Q5): bind it first, as the order of the pair
    /// says.
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and idle or used with this queue.
    pub(crate) unsafe fn lock_to_poll(
        &self,
        node: &Node<R>,
        waker: &Waker,
    ) -> (Option<Waker>, LockedQueue<'_, R>) {
        let mut clone = (node.state() == IDLE).then(|| waker.clone());
        loop {
            let mut queue = self.lock();
            let waits = matches!(queue.state_of(node), WAITING | PARKED | MARKED);
            if !waits || queue.is_of_task(node, waker) {
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
    /// The reference is not used once its node is unlinked by `finish`, nor
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

    /// Takes a waiting or marked node out of the queue on behalf of its owner,
    /// who finds it [`DONE`]. Returns the waker to wake once the lock is
    /// released. The node must not be touched any more.
    ///
    /// # Safety
    ///
    /// The node is [`WAITING`] or [`MARKED`] here.
    #[inline]
    pub(crate) unsafe fn finish(&mut self, node: &Node<R>) -> Waker {
        // SAFETY: Q2, Q3.
        unsafe {
            self.unlink(node);
            let waker = node.waker.take();
            // Release: pairs with the Acquire of `Node::state` (Q4).
            node.state.store(DONE, Ordering::Release);
            waker
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
    #[inline]
    pub(crate) fn is_of_task(&self, node: &Node<R>, waker: &Waker) -> bool {
        // SAFETY: Q2.
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
    pub(crate) fn state_of(&self, node: &Node<R>) -> u32 {
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
    pub(crate) fn count(&self, state: u32) -> usize {
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
