//! Conditions that a release evaluates on behalf of their waiters: see "Conditions".

use core::cell::Cell;
use core::mem::MaybeUninit;

use super::policy::Policy;
use super::{CONDITIONAL, Gate};
use crate::panics;
use crate::platform::Flavour;
use crate::queue::{ConditionFn, NodePtr, Object, State};

/// How many conditions are copied out of their nodes at a time. The next batch is found by
/// another walk from the head, as the queue was unlocked meanwhile.
const BATCH: usize = 16;

/// How many batches are evaluated after the first. The remaining conditions are left to their
/// owners, as each batch walks over all nodes before it.
const MAX_BATCHES: usize = 15;

/// Conditions to evaluate, each with its node.
struct Batch<P: Policy> {
    conditions: [MaybeUninit<(NodePtr<P::Request>, ConditionFn)>; BATCH],
    len: usize,
}

/// Why a batch ends.
enum End<P: Policy> {
    /// There are no more unsatisfied nodes.
    Last,
    /// There is at least this one more.
    Full(NodePtr<P::Request>),
    /// The condition of this node is left to its owner.
    Owners(NodePtr<P::Request>),
    /// The last node of the previous batch has left the queue.
    Lost,
}

/// The result of an evaluation.
pub(super) enum Evaluated<P: Policy> {
    /// All conditions are false.
    AllFalse,
    /// The conditions before this node are false; without a node, none is known to be.
    UpTo(Option<NodePtr<P::Request>>),
}

impl<P: Policy> Batch<P> {
    #[inline]
    fn new() -> Self {
        Batch {
            conditions: [const { MaybeUninit::uninit() }; BATCH],
            len: 0,
        }
    }

    /// Returns whether there was room.
    #[inline]
    fn push(&mut self, node: NodePtr<P::Request>, condition: ConditionFn) -> bool {
        let Some(slot) = self.conditions.get_mut(self.len) else {
            return false;
        };
        slot.write((node, condition));
        self.len += 1;
        true
    }

    /// The last node.
    #[inline]
    fn last(&self) -> Option<NodePtr<P::Request>> {
        let last = self.conditions.get(self.len.wrapping_sub(1))?;
        // SAFETY: the first `len` have been written.
        Some(unsafe { last.assume_init() }.0)
    }

    /// The first node whose condition is true.
    ///
    /// # Safety
    ///
    /// The conditions are for `object`, whose lock the caller holds exclusively.
    #[inline]
    unsafe fn first_true(&self, object: Object) -> Option<NodePtr<P::Request>> {
        let evaluated = Cell::new(None);
        let evaluate = || {
            for condition in &self.conditions[..self.len] {
                // SAFETY: the first `len` have been written.
                let (node, condition) = unsafe { condition.assume_init() };
                evaluated.set(Some(node));
                // SAFETY: passed on.
                if unsafe { condition.is_true(object) } {
                    return Some(node);
                }
            }
            None
        };
        // The owner gets the panic when it evaluates the condition itself.
        panics::catch_and_forget(evaluate).unwrap_or_else(|| evaluated.get())
    }
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// As [`release`](Self::release), for the holder of a lock of `object`.
    ///
    /// # Safety
    ///
    /// As for [`GatePermit::release_object`](super::GatePermit::release_object).
    #[inline]
    pub(crate) unsafe fn release_object(
        &self,
        request: P::Request,
        object: impl FnOnce() -> Object,
    ) {
        self.gives_back(request);
        let release = |word| Some(P::release(word, request));
        let in_the_way = Self::flags_in_the_way(Self::may_mutate(request));
        if self.try_update_word(in_the_way, release).is_none() {
            self.release_queued_object(request, object());
        }
    }

    #[cold]
    #[inline(never)]
    fn release_queued_object(&self, request: P::Request, object: Object) {
        let must_evaluate = self.has_conditional_waiters() && Self::may_mutate(request);
        if !must_evaluate || !panics::can_be_caught() {
            return self.release_queued(request);
        }
        self.record_mutation(true);
        match self.evaluate_conditions(object) {
            Evaluated::AllFalse => {
                self.update_word(false, |word| Some(P::release(word, request)));
            }
            Evaluated::UpTo(first) => {
                let mut queue = self.queue.lock();
                self.requeue_unsatisfied(&mut queue, first);
                self.release_locked(queue, request);
            }
        }
    }

    /// Evaluates the conditions of unsatisfied waiters in their order, up to the first that
    /// is true or left to its owner.
    ///
    /// The caller holds the lock exclusively. So no node becomes unsatisfied meanwhile,
    /// and none is queued again: nodes are only dropped (G8).
    pub(super) fn evaluate_conditions(&self, object: Object) -> Evaluated<P> {
        let mut after = None;
        let mut batches_left = MAX_BATCHES;
        loop {
            let mut batch = Batch::new();
            let end = self.next_conditions(object, after, &mut batch);
            // SAFETY: the conditions are for `object`, as `next_conditions` says.
            let first_true = unsafe { batch.first_true(object) };
            if first_true.is_some() {
                return Evaluated::UpTo(first_true);
            }
            match end {
                End::Last => return Evaluated::AllFalse,
                End::Full(_) if batches_left > 0 => {
                    batches_left -= 1;
                    after = batch.last();
                }
                End::Full(node) | End::Owners(node) => return Evaluated::UpTo(Some(node)),
                End::Lost => return Evaluated::UpTo(None),
            }
        }
    }

    /// The conditions for `object` of the next unsatisfied nodes, behind `after`.
    #[inline]
    fn next_conditions(
        &self,
        object: Object,
        mut after: Option<NodePtr<P::Request>>,
        batch: &mut Batch<P>,
    ) -> End<P> {
        let is_first = after.is_none();
        let queue = self.queue.lock();
        let mut next = queue.head();
        // SAFETY: nodes reached from the head are linked, as the queue is locked.
        unsafe {
            // None is behind the first one that is queued (G6).
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
                if after.is_some() {
                    after = after.filter(|after| *after != node);
                } else if queue.state_of(node) == State::Unsatisfied {
                    let Some(condition) = queue.condition_of(node, object) else {
                        return End::Owners(node);
                    };
                    if !batch.push(node, condition) {
                        return End::Full(node);
                    }
                }
            }
        }
        if after.is_some() {
            return End::Lost;
        }
        if is_first && batch.len == 0 {
            // The bit has outlasted the unsatisfied nodes, which were cancelled. None is added, as
            // the caller holds the lock.
            self.clear_and_set_flags(CONDITIONAL, 0);
        }
        End::Last
    }
}

#[cfg(all(
    test,
    feature = "std",
    not(any(async_monitor_loom, async_monitor_shuttle))
))]
mod tests {
    use core::any::TypeId;
    use core::pin::pin;
    use core::ptr;
    use core::task::{Context, Waker};

    use crate::gate::{CONDITIONAL, Exclusive, Gate};
    use crate::queue::{ConditionalNode, Object};

    /// Releases are as fast again as before there was a waiter.
    #[test]
    fn a_waiter_that_was_dropped_costs_one_release() {
        let object = Object::new(ptr::null(), TypeId::of::<()>());
        let (waker, mut cx) = (Waker::noop(), Context::from_waker(Waker::noop()));
        let (gate, turns) = (Gate::<Exclusive>::new(0), Gate::<Exclusive>::new(0));
        let (waiter, at_turns) = (
            pin!(ConditionalNode::new(())),
            pin!(ConditionalNode::new(())),
        );
        // SAFETY: the nodes are pinned and cancelled; nobody uses the null object, as there is no
        // condition for it.
        unsafe {
            assert!(gate.poll_conditional(&waiter.node, &mut cx).is_ready());
            assert!(!gate.unsatisfied(&waiter, waker.clone(), waker, None));
            assert_eq!(gate.word(), CONDITIONAL);
            gate.cancel(&waiter.node);
            assert!(gate.try_acquire_quietly(()));
            gate.release_object((), || object);

            assert!(turns.poll_turn(&at_turns.node, &mut cx).is_ready());
            let (again, next) = turns.unsatisfied_turn(&at_turns, waker.clone(), None);
            assert!(!again && next.is_none() && turns.has_conditional_waiters());
            turns.cancel(&at_turns.node);
            assert!(turns.on_mutation(Some(object)).is_none());
        }
        assert_eq!((gate.word(), turns.word()), (0, 0));
    }
}
