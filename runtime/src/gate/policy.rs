//! The meaning of a gate's word, and the record of its grants.

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;
use core::task::Waker;

use super::FLAGS;
use crate::platform::Ordering;
use crate::queue::{GrantIndex, LockedQueue, NodePtr, Request, TreeLinks};
use crate::request::Mode;

/// The meaning of a gate's word.
///
/// The functions get and return words without [`FLAGS`].
pub(crate) trait Policy: Sized {
    /// The request of a waiter.
    type Request: Request + Copy + Send + Sync;

    /// The record of the grants.
    type Grants: Grants<Self::Request>;

    /// The flags that are ever set: without data to guard, there are no conditional waiters.
    const FLAGS: usize = FLAGS;

    /// Whether an admitted request keeps all others out.
    const ONE_AT_A_TIME: bool = false;

    /// The word after `request` has been admitted, if it can be.
    fn admit(word: usize, request: Self::Request) -> Option<usize>;

    /// The mode of `request`, for watching.
    #[inline]
    fn mode(_request: Self::Request) -> Mode {
        Mode::Exclusive
    }

    /// The mode in which a gate is held while a request waits, for watching: as far as it follows
    /// from the word and the total number of `permits`.
    #[inline]
    fn held(_word: usize, _permits: Option<usize>) -> Option<Mode> {
        Some(Mode::Exclusive)
    }

    /// The word after `request` has been released: the inverse of `admit`.
    fn release(word: usize, request: Self::Request) -> usize;

    /// Whether a holder of `request` can change the guarded data.
    #[inline]
    fn may_mutate(_request: Self::Request) -> bool {
        true
    }

    /// Whether the permit of `granted` alone suffices for `request`.
    #[inline]
    fn covers(_granted: Self::Request, _request: Self::Request) -> bool {
        true
    }

    /// Whether `request` is served before all others that are queued.
    #[inline]
    fn has_priority(_request: Self::Request) -> bool {
        false
    }
}

/// The record of a gate's grants, and its first queued node. Used under the queue lock
/// only.
pub(crate) trait Grants<R: Request> {
    /// Nobody waits.
    const NEW: Self;

    /// The first queued node: `from` or a node behind it, if `from` is given.
    ///
    /// # Safety
    ///
    /// `from` is linked in `queue`, which is the gate's.
    unsafe fn first_waiter(
        &self,
        queue: &LockedQueue<'_, R>,
        from: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>>;

    /// Remembers the first queued node.
    fn set_first_waiter(&self, first: Option<NodePtr<R>>);

    /// A node was queued behind all others.
    fn pushed(&self, node: NodePtr<R>);

    /// A node has been granted.
    ///
    /// # Safety
    ///
    /// The queue is locked.
    unsafe fn granted(&self, node: NodePtr<R>);

    /// The grant of a node ends.
    ///
    /// # Safety
    ///
    /// The queue is locked, and the node is granted.
    unsafe fn ended(&self, node: NodePtr<R>);

    /// A granted node that was registered with a waker of the same parts: the first, or
    /// the next one behind `after`.
    ///
    /// # Safety
    ///
    /// The queue is the gate's, and `after` is granted.
    unsafe fn next_of_task(
        &self,
        queue: &LockedQueue<'_, R>,
        waker: &Waker,
        after: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>>;
}

/// At most one node is granted at a time: it and the first queued node are near the
/// head, and need no record.
pub(crate) struct OneGrant;

impl<R: Request> Grants<R> for OneGrant {
    const NEW: Self = OneGrant;

    #[inline]
    unsafe fn first_waiter(
        &self,
        queue: &LockedQueue<'_, R>,
        from: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>> {
        let mut next = from.or_else(|| queue.head());
        // SAFETY: the nodes are linked here.
        unsafe {
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
            }
        }
        next
    }

    #[inline]
    fn set_first_waiter(&self, _first: Option<NodePtr<R>>) {}

    #[inline]
    fn pushed(&self, _node: NodePtr<R>) {}

    #[inline]
    unsafe fn granted(&self, _node: NodePtr<R>) {}

    #[inline]
    unsafe fn ended(&self, _node: NodePtr<R>) {}

    #[inline]
    unsafe fn next_of_task(
        &self,
        queue: &LockedQueue<'_, R>,
        waker: &Waker,
        after: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>> {
        if after.is_some() {
            return None;
        }
        let mut next = queue.head();
        // SAFETY: the nodes are linked here.
        unsafe {
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                if queue.state_of(node).is_granted() {
                    return queue.is_of_task(node, waker).then_some(node);
                }
                next = queue.next(node);
            }
        }
        None
    }
}

/// Any number of nodes is granted at a time.
pub(crate) struct ManyGrants<R: Request<Links = TreeLinks<R>>> {
    first_waiter: AtomicPtr<crate::queue::Node<R>>,
    index: GrantIndex<R>,
}

impl<R: Request<Links = TreeLinks<R>>> Grants<R> for ManyGrants<R> {
    // The constant is an initial value, never used in place.
    #[allow(clippy::declare_interior_mutable_const)]
    const NEW: Self = ManyGrants {
        first_waiter: AtomicPtr::new(ptr::null_mut()),
        index: GrantIndex::new(),
    };

    #[inline]
    unsafe fn first_waiter(
        &self,
        _queue: &LockedQueue<'_, R>,
        _from: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>> {
        NonNull::new(self.first_waiter.load(Ordering::Relaxed))
    }

    #[inline]
    fn set_first_waiter(&self, first: Option<NodePtr<R>>) {
        let first = first.map_or(ptr::null_mut(), NonNull::as_ptr);
        self.first_waiter.store(first, Ordering::Relaxed);
    }

    #[inline]
    fn pushed(&self, node: NodePtr<R>) {
        if self.first_waiter.load(Ordering::Relaxed).is_null() {
            self.set_first_waiter(Some(node));
        }
    }

    #[inline]
    unsafe fn granted(&self, node: NodePtr<R>) {
        // SAFETY: passed on (X1).
        unsafe { self.index.insert(node) }
    }

    #[inline]
    unsafe fn ended(&self, node: NodePtr<R>) {
        // SAFETY: passed on (X1).
        unsafe { self.index.remove(node) }
    }

    #[inline]
    unsafe fn next_of_task(
        &self,
        _queue: &LockedQueue<'_, R>,
        waker: &Waker,
        after: Option<NodePtr<R>>,
    ) -> Option<NodePtr<R>> {
        // SAFETY: passed on.
        unsafe { self.index.next_of(waker, after) }
    }
}
