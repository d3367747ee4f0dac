//! Conditions that a release evaluates on behalf of their waiters: see "Conditions".

use core::mem;
use core::ptr::NonNull;
use std::panic::{self, AssertUnwindSafe};

use super::Gate;
use super::policy::Policy;
use crate::queue::{Evaluator, LockedQueue, NodePtr, State};
use crate::sync::Flavour;
use crate::sync::thread;

/// An evaluation that is under way on this thread, and those around it.
struct Evaluation {
    node: *const (),
    around: *const Evaluation,
}

impl Evaluation {
    /// Evaluates a condition for the waiter of a node. A panic is left to the waiter, who
    /// evaluates it again if it may be true.
    ///
    /// # Safety
    ///
    /// As for [`Evaluator::evaluate`].
    unsafe fn run(node: *const (), evaluator: Evaluator) -> bool {
        let evaluation = Evaluation {
            node,
            around: thread::evaluations().cast(),
        };
        thread::set_evaluations((&raw const evaluation).cast());
        // SAFETY: passed on.
        let evaluate = AssertUnwindSafe(|| unsafe { evaluator.evaluate() });
        let result = panic::catch_unwind(evaluate);
        thread::set_evaluations(evaluation.around.cast());
        result.unwrap_or_else(|payload| {
            // Its destructor could panic in turn.
            mem::forget(payload);
            true
        })
    }

    /// Whether a condition is evaluated on this thread for the waiter of a node.
    fn is_of(node: *const ()) -> bool {
        let mut evaluation: *const Evaluation = thread::evaluations().cast();
        // SAFETY: the evaluations of this thread are on its stack, further down.
        while let Some(this) = unsafe { evaluation.as_ref() } {
            if this.node == node {
                return true;
            }
            evaluation = this.around;
        }
        false
    }
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// What is guarded may have changed, and is still held for the caller alone. Evaluates
    /// the conditions that this thread may evaluate, and queues the waiters again from the
    /// first one on whose condition is true, or is not known to be false.
    ///
    /// While a condition is evaluated the queue is not locked; its node stays linked (G8).
    #[cold]
    #[inline(never)]
    pub(super) fn evaluate_conditions<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
    ) -> LockedQueue<'q, P::Request> {
        // A second panic would end the process.
        let may_evaluate = !std::thread::panicking();
        let mut next = queue.head();
        // SAFETY: nodes reached from the head are linked, as the queue is locked whenever
        // they are looked at; one that is examined stays linked (G8).
        unsafe {
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                if queue.state_of(node) == State::Unsatisfied {
                    let evaluator = queue.evaluator_of(node);
                    if !(may_evaluate && evaluator.is_for(thread::id())) {
                        self.requeue_unsatisfied(&mut queue, node);
                        break;
                    }
                    queue.begin_examination(node);
                    drop(queue);
                    let is_true = Evaluation::run(node.as_ptr().cast(), evaluator);
                    queue = self.queue.lock();
                    queue.end_examination(node);
                    if is_true {
                        self.requeue_unsatisfied(&mut queue, node);
                        break;
                    }
                }
                next = queue.next(node);
            }
        }
        queue
    }
}

/// Waits for another thread that evaluates the condition of a node, for the drop of its
/// waiter.
#[cold]
pub(super) fn wait_for_evaluation<R: crate::queue::Request>(node: NodePtr<R>) {
    let node: NonNull<()> = node.cast();
    if Evaluation::is_of(node.as_ptr()) {
        // The closure that runs would be dropped.
        std::eprintln!("async-monitor: a condition of `when` drops the section that waits for it");
        std::process::abort();
    }
    thread::yield_now();
}
