//! The meaning of a gate's word, and the record of its grants.

use core::ptr::{self, NonNull};
use core::sync::atomic::AtomicPtr;
use core::task::Waker;

use super::FLAGS;
use crate::platform::Ordering;
use crate::queue::{GrantIndex, LockedQueue, NodePtr, Request, State, TreeLinks};
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

/// At most one node is granted at a time. It and the first queued node need no record: they are
/// at the head, or between the unsatisfied nodes and the queued ones (G9).
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
                if queue.state_of(node) == State::Unsatisfied {
                    return first_queued_behind(queue, node);
                }
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
                let grant = match queue.state_of(node) {
                    State::Unsatisfied => grant_behind(queue, node)?,
                    state if state.is_granted() => node,
                    _ => {
                        next = queue.next(node);
                        continue;
                    }
                };
                return queue.is_of_task(grant, waker).then_some(grant);
            }
        }
        None
    }
}

/// The grant behind an unsatisfied node. There may be many such nodes.
///
/// # Safety
///
/// The node is linked in `queue`.
#[cold]
#[inline(never)]
unsafe fn grant_behind<R: Request>(
    queue: &LockedQueue<'_, R>,
    unsatisfied: NodePtr<R>,
) -> Option<NodePtr<R>> {
    // SAFETY: the nodes are linked here.
    unsafe {
        let last = match first_queued_behind(queue, unsatisfied) {
            Some(first) => queue.prev(first)?,
            None => queue.last()?,
        };
        let grant = Some(last).filter(|last| queue.state_of(*last).is_granted());
        debug_assert_eq!(
            grant,
            from_the_front(queue, unsatisfied, State::is_granted),
            "G9"
        );
        grant
    }
}

/// The first queued node behind an unsatisfied one. There may be many such nodes before it, or many
/// queued ones behind it: takes as many steps as there are of the fewer ones.
///
/// # Safety
///
/// The node is linked in `queue`.
#[cold]
#[inline(never)]
unsafe fn first_queued_behind<R: Request>(
    queue: &LockedQueue<'_, R>,
    unsatisfied: NodePtr<R>,
) -> Option<NodePtr<R>> {
    let (mut first, mut last) = (unsatisfied, queue.last()?);
    // SAFETY: the nodes are linked here.
    unsafe {
        while !queue.state_of(first).is_queued() {
            // Nothing queued is before such a node (G6). One that evaluates proves nothing (T5).
            if matches!(
                queue.state_of(last),
                State::Unsatisfied | State::Granted | State::Unclaimed
            ) {
                first = queue.next(last)?;
                // At most one of these evaluates.
                while !queue.state_of(first).is_queued() {
                    first = queue.next(first)?;
                }
                break;
            }
            first = queue.next(first)?;
            last = queue.prev(last)?;
        }
        debug_assert_eq!(
            Some(first),
            from_the_front(queue, unsatisfied, State::is_queued)
        );
    }
    Some(first)
}

/// The first node in such a state, from `front` on: what the others find in fewer steps.
///
/// # Safety
///
/// `front` is linked in `queue`.
unsafe fn from_the_front<R: Request>(
    queue: &LockedQueue<'_, R>,
    front: NodePtr<R>,
    is_it: impl Fn(State) -> bool,
) -> Option<NodePtr<R>> {
    let mut next = Some(front);
    // SAFETY: the nodes are linked here.
    unsafe {
        while let Some(node) = next.filter(|node| !is_it(queue.state_of(*node))) {
            next = queue.next(node);
        }
    }
    next
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

#[cfg(all(
    test,
    feature = "std",
    not(any(async_monitor_loom, async_monitor_shuttle))
))]
mod tests {
    use core::any::TypeId;
    use core::pin::Pin;
    use core::ptr;
    use core::task::{Context, Waker};
    use std::boxed::Box;
    use std::vec::Vec;

    use super::Grants;
    use crate::gate::{Exclusive, Gate};
    use crate::queue::{ConditionalNode, Evaluator, NodePtr, Object, State};

    const UNSATISFIED: usize = 6;

    fn node() -> Pin<Box<ConditionalNode<()>>> {
        Box::pin(ConditionalNode::new(()))
    }

    fn first_waiter(gate: &Gate<Exclusive>) -> Option<NodePtr<()>> {
        let queue = gate.queue.lock();
        // SAFETY: the queue is the gate's.
        unsafe { gate.grants.first_waiter(&queue, None) }
    }

    /// One that evaluates is behind the unsatisfied ones, and one behind it is queued, or none.
    #[test]
    fn the_first_queued_one_behind_many_unsatisfied_ones() {
        let object = Object::new(ptr::null(), TypeId::of::<()>());
        let (waker, mut cx) = (Waker::noop(), Context::from_waker(Waker::noop()));
        let gate = Gate::<Exclusive>::new(0);
        let nodes: Vec<_> = (0..=UNSATISFIED).map(|_| node()).collect();
        let (evaluates, last) = (node(), node());
        // SAFETY: the nodes are pinned and cancelled; no condition uses the null object.
        unsafe {
            for (index, node) in nodes.iter().enumerate() {
                assert!(gate.poll_turn(&node.node, &mut cx).is_ready());
                let evaluator = Evaluator::new(object, |_| false);
                let evaluator = Some(evaluator).filter(|_| index < UNSATISFIED);
                let (again, next) = gate.unsatisfied_turn(node, waker.clone(), evaluator);
                assert!(!again && next.is_none());
            }
            assert!(gate.poll_turn(&evaluates.node, &mut cx).is_ready());
            assert_eq!(evaluates.node.state(), State::Evaluating);
            assert_eq!(first_waiter(&gate), None);

            // The owner of the last one has to look itself.
            assert!(gate.on_mutation(Some(object)).is_none());
            let queued = &nodes[UNSATISFIED];
            assert_eq!(queued.node.state(), State::Waiting);
            assert_eq!(nodes[0].node.state(), State::Unsatisfied);
            assert_eq!(first_waiter(&gate), Some(queued.node.as_ptr()));

            assert!(gate.poll_turn(&last.node, &mut cx).is_pending());
            assert_eq!(first_waiter(&gate), Some(queued.node.as_ptr()));
            gate.cancel(&queued.node);
            assert_eq!(first_waiter(&gate), Some(last.node.as_ptr()));

            for node in nodes.iter().chain([&last, &evaluates]) {
                gate.cancel(&node.node);
            }
            assert_eq!(first_waiter(&gate), None);
        }
    }
}
