//! What the word of a gate means, and where its line begins.

use core::ptr;
use core::sync::atomic::AtomicPtr;

use super::FLAGS;
use crate::queue::{LockedQueue, Node, WAITING};
use crate::sync::Ordering;

/// What the word of a gate means.
///
/// The functions get and return words without [`FLAGS`].
pub(crate) trait Policy: Sized {
    /// What a waiter asks for.
    type Request: Copy + Send + Sync;

    /// Where the first node that waits is remembered.
    type Front: Front<Self::Request>;

    /// The flags that are ever set: a policy may be of use to conditions, or not.
    const FLAGS: usize = FLAGS;

    /// Whether nobody may enter while anybody is inside.
    const ONE_AT_A_TIME: bool = false;

    /// The word after `request` has entered, if it may enter.
    fn admit(word: usize, request: Self::Request) -> Option<usize>;

    /// The word after `request` has turned back: the inverse of `admit`.
    fn retract(word: usize, request: Self::Request) -> usize;

    /// Whether who leaves with `request` may have changed what is guarded.
    #[inline]
    fn may_change(_request: Self::Request) -> bool {
        true
    }

    /// Whether `request` enters before all that wait.
    #[inline]
    fn comes_first(_request: Self::Request) -> bool {
        false
    }
}

/// The place where the nodes that wait begin, behind those that are granted.
/// Used under the lock of the queue only.
pub(crate) trait Front<R> {
    /// Nobody waits.
    const NEW: Self;

    /// The first node that waits. It is `from`, or behind it, where that is
    /// given.
    ///
    /// # Safety
    ///
    /// As for [`LockedQueue::head`].
    unsafe fn get<'q>(
        &self,
        queue: &LockedQueue<'q, R>,
        from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>>;

    /// Remembers the first node that waits.
    fn set(&self, first: Option<&Node<R>>);

    /// A node has come to wait, behind all others.
    fn joined(&self, node: &Node<R>);
}

/// At most one node is granted at a time: the first node that waits is near, and
/// need not be remembered.
pub(crate) struct OneGrant;

impl<R> Front<R> for OneGrant {
    const NEW: Self = OneGrant;

    #[inline]
    unsafe fn get<'q>(
        &self,
        queue: &LockedQueue<'q, R>,
        from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>> {
        // SAFETY: passed on.
        unsafe {
            let mut node = from.or_else(|| queue.head());
            while let Some(passed) = node.filter(|node| queue.state_of(node) != WAITING) {
                node = queue.next(passed);
            }
            node
        }
    }

    #[inline]
    fn set(&self, _first: Option<&Node<R>>) {}

    #[inline]
    fn joined(&self, _node: &Node<R>) {}
}

/// Any number of nodes is granted.
pub(crate) struct ManyGrants<R>(AtomicPtr<Node<R>>);

impl<R> Front<R> for ManyGrants<R> {
    // The constant is an initial value, never used in place.
    #[allow(clippy::declare_interior_mutable_const)]
    const NEW: Self = ManyGrants(AtomicPtr::new(ptr::null_mut()));

    #[inline]
    unsafe fn get<'q>(
        &self,
        _queue: &LockedQueue<'q, R>,
        _from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>> {
        // SAFETY: null or a node that waits, hence is linked; passed on.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }

    #[inline]
    fn set(&self, first: Option<&Node<R>>) {
        let first = first.map_or(ptr::null_mut(), |node| (&raw const *node).cast_mut());
        self.0.store(first, Ordering::Relaxed);
    }

    #[inline]
    fn joined(&self, node: &Node<R>) {
        if self.0.load(Ordering::Relaxed).is_null() {
            self.set(Some(node));
        }
    }
}
