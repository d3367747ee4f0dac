//! The operations of a gate, as announced to a [checker](crate::checking).

use super::Gate;
use super::acquire::Waiter;
use super::policy::Policy;
use crate::checking::{self, Awaits, Checked, GateOp, LastRun, Op};
use crate::platform::Flavour;
use crate::queue::{FutureState, Node};
use crate::request::Mode;
use crate::watching::Caller;

impl<P: Policy, F> Checked for Gate<P, F> {
    fn last_run(&self) -> &LastRun {
        &self.queue.last_run
    }
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    #[inline]
    fn is_semaphore(request: P::Request) -> bool {
        matches!(P::mode(request), Mode::Permits(_))
    }

    /// A future is about to poll its request. If this returns false, it must return `Pending`.
    #[inline]
    pub(crate) fn polls(
        &self,
        node: &Node<P::Request>,
        is_first: bool,
        waiter: Waiter,
        place: Caller,
    ) -> bool {
        let request = node.request;
        let op = match node.future_state() {
            FutureState::Completed => return true,
            FutureState::Init if is_first => {
                if P::has_priority(request) && !Self::is_semaphore(request) {
                    GateOp::Upgrade
                } else {
                    GateOp::Arrive {
                        is_exclusive: P::ONE_AT_A_TIME,
                        is_shared: waiter == Waiter::Plain && P::mode(request) == Mode::Shared,
                        is_semaphore: Self::is_semaphore(request),
                    }
                }
            }
            FutureState::Init | FutureState::Polled => GateOp::Poll,
        };
        checking::arrives(self, Op::Gate(op), place)
    }

    /// An attempt to acquire, by a public method.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(crate) fn attempt(&self, request: P::Request) -> bool {
        self.attempts(request, Caller::here());
        let acquired = self.try_acquire(request);
        if acquired {
            checking::entered(self);
        }
        acquired
    }

    /// An operation that reads the word, and may change it, is about to begin.
    #[inline]
    pub(crate) fn attempts(&self, request: P::Request, place: Caller) {
        let is_shared = P::mode(request) == Mode::Shared;
        checking::op_at(self, Op::Gate(GateOp::Try { is_shared }), place);
    }

    /// The permit of a request is about to be released, or changed.
    #[inline]
    pub(crate) fn gives_back(&self, request: P::Request) {
        let is_semaphore = Self::is_semaphore(request);
        let is_exclusive = P::ONE_AT_A_TIME;
        checking::op(
            self,
            Op::Gate(GateOp::Release {
                is_semaphore,
                is_exclusive,
            }),
        );
    }

    /// Whether the holder of `request` may have changed the guarded data.
    #[inline]
    pub(super) fn may_mutate(request: P::Request) -> bool {
        P::may_mutate(request) && !checking::only_looks()
    }

    /// A section with a false condition is about to give its permit back.
    #[inline]
    pub(crate) fn parks(&self) {
        checking::op(self, Op::Gate(GateOp::Park));
    }

    /// A request that was polled is about to be dropped.
    #[inline]
    pub(crate) fn leaves(&self, node: &Node<P::Request>) {
        let is_semaphore = Self::is_semaphore(node.request);
        checking::op(self, Op::Gate(GateOp::Leave { is_semaphore }));
    }

    /// The state of the gate is about to be read.
    #[inline]
    pub(crate) fn looks(&self) {
        checking::op(self, Op::Gate(GateOp::Look));
    }

    /// The poll of a request returns `Pending`.
    #[inline]
    pub(crate) fn waits(&self, awaits: Awaits) {
        checking::pending(self, awaits);
    }
}
