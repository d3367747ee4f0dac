//! Futures that wait for a lock and a condition: the run-time side of the option `when`.
//!
//! After Hoare's conditional critical regions: the condition is evaluated with the lock
//! held, whenever the guarded data may have changed. See the [gate](crate::gate) for how.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::checking::{self, Awaits};
use crate::gate::{Access, Exclusive, Gate, Shared, Waiter, polled_after_completion};
use crate::platform::{Flavour, Local, Threads};
use crate::queue::{ConditionalNode, Evaluator, State};
use crate::request::Resource;
use crate::traits::lock::{AsyncLock, AsyncRwLock};
use crate::watching::Watch;

/// A lock whose sections can wait for a condition.
///
/// # Safety
///
/// Waiter and guard belong to the lock itself.
#[diagnostic::on_unimplemented(
    message = "`when` cannot wait at `{Self}`: it does not know when somebody has changed what it guards",
    label = "a section of this lock cannot have a condition",
    note = "use `async_monitor::Lock`, `Mutex` or `RwLock`, or wait with a `Condition`"
)]
pub unsafe trait ConditionalLock: AsyncLock {
    /// A waiter that is not queued yet.
    fn waiter(&self) -> ConditionalWaiter<'_>;

    /// The guard of a waiter that has been granted.
    ///
    /// # Safety
    ///
    /// A waiter of this lock has been granted, and no other guard of it is used while this
    /// one is.
    unsafe fn granted_guard(&self) -> Self::Guard<'_>;
}

/// A lock whose read sections can wait for a condition.
///
/// # Safety
///
/// Waiter and guard belong to the lock itself.
#[diagnostic::on_unimplemented(
    message = "`when` cannot wait at `{Self}` to read",
    label = "a read section of this lock cannot have a condition",
    note = "use `async_monitor::RwLock`"
)]
pub unsafe trait ConditionalRwLock: AsyncRwLock {
    /// A waiter to read that is not queued yet.
    fn read_waiter(&self) -> ConditionalWaiter<'_>;

    /// The guard of a waiter that has been granted.
    ///
    /// # Safety
    ///
    /// As for [`ConditionalLock::granted_guard`].
    unsafe fn granted_read_guard(&self) -> Self::ReadGuard<'_>;
}

/// Implements [`ConditionalLock`] for a lock with an exclusive gate.
macro_rules! conditional_lock {
    ($lock:ty[$($generics:tt)*] => $guard:path) => {
        // SAFETY: both are made from the lock's gate.
        unsafe impl<$($generics)*> $crate::when::ConditionalLock for $lock {
            #[inline]
            fn waiter(&self) -> $crate::when::ConditionalWaiter<'_> {
                $crate::when::NewWaiter::exclusive_waiter($crate::gate::Gated::gate(self))
            }

            #[inline]
            unsafe fn granted_guard(&self) -> Self::Guard<'_> {
                $guard(self)
            }
        }
    };
}

pub(crate) use conditional_lock;

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        // SAFETY: passed on.
        unsafe impl<L: ConditionalLock + ?Sized> ConditionalLock for $pointer {
            #[inline]
            fn waiter(&self) -> ConditionalWaiter<'_> {
                L::waiter(self)
            }

            #[inline]
            unsafe fn granted_guard(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { L::granted_guard(self) }
            }
        }

        // SAFETY: passed on.
        unsafe impl<L: ConditionalRwLock + ?Sized> ConditionalRwLock for $pointer {
            #[inline]
            fn read_waiter(&self) -> ConditionalWaiter<'_> {
                L::read_waiter(self)
            }

            #[inline]
            unsafe fn granted_read_guard(&self) -> Self::ReadGuard<'_> {
                // SAFETY: passed on.
                unsafe { L::granted_read_guard(self) }
            }
        }
    )*};
}

through_pointer!(&L);
#[cfg(feature = "alloc")]
through_pointer!(Box<L>, Rc<L>, Arc<L>);

/// A waiter with a condition, at a lock of any kind: its place in the queue.
#[allow(missing_debug_implementations)]
pub struct ConditionalWaiter<'a>(WaiterAt<'a>, Watch);

enum WaiterAt<'a> {
    Exclusive(&'a Gate<Exclusive>, ConditionalNode<()>),
    Shared(&'a Gate<Shared>, ConditionalNode<Access>),
    LocalExclusive(&'a Gate<Exclusive, Local>, ConditionalNode<()>),
    LocalShared(&'a Gate<Shared, Local>, ConditionalNode<Access>),
}

// SAFETY: a waiter touches its gate only once it has been polled, and only `When` polls it. The
// `When` of a local lock is not `Send`, because by the contract of `when`, `make_guard` is not.
unsafe impl Send for ConditionalWaiter<'_> {}
// SAFETY: `&ConditionalWaiter` has no operations.
unsafe impl Sync for ConditionalWaiter<'_> {}

/// Creates conditional waiters at the gates of a flavour.
pub(crate) trait NewWaiter: Flavour + Sized {
    fn exclusive_waiter(gate: &Gate<Exclusive, Self>) -> ConditionalWaiter<'_>;

    fn shared_waiter(gate: &Gate<Shared, Self>, access: Access) -> ConditionalWaiter<'_>;
}

impl NewWaiter for Threads {
    #[inline]
    fn exclusive_waiter(gate: &Gate<Exclusive>) -> ConditionalWaiter<'_> {
        ConditionalWaiter(
            WaiterAt::Exclusive(gate, ConditionalNode::new(())),
            Watch::new(),
        )
    }

    #[inline]
    fn shared_waiter(gate: &Gate<Shared>, access: Access) -> ConditionalWaiter<'_> {
        ConditionalWaiter(
            WaiterAt::Shared(gate, ConditionalNode::new(access)),
            Watch::new(),
        )
    }
}

impl NewWaiter for Local {
    #[inline]
    fn exclusive_waiter(gate: &Gate<Exclusive, Local>) -> ConditionalWaiter<'_> {
        ConditionalWaiter(
            WaiterAt::LocalExclusive(gate, ConditionalNode::new(())),
            Watch::new(),
        )
    }

    #[inline]
    fn shared_waiter(gate: &Gate<Shared, Local>, access: Access) -> ConditionalWaiter<'_> {
        ConditionalWaiter(
            WaiterAt::LocalShared(gate, ConditionalNode::new(access)),
            Watch::new(),
        )
    }
}

/// The same expression for either gate.
macro_rules! at_gate {
    ($waiter:expr, |$gate:ident, $node:ident| $code:expr) => {
        match &$waiter.0 {
            WaiterAt::Exclusive($gate, $node) => $code,
            WaiterAt::Shared($gate, $node) => $code,
            WaiterAt::LocalExclusive($gate, $node) => $code,
            WaiterAt::LocalShared($gate, $node) => $code,
        }
    };
}

impl ConditionalWaiter<'_> {
    /// Waits to be granted, to evaluate the condition.
    #[inline]
    fn poll(self: Pin<&Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: the node is pinned as we are, used with this gate only, and
        // cancelled by our drop.
        at_gate!(self, |gate, node| unsafe {
            let ask = || gate.described(&node.node, Resource::When, || "a lock", None);
            let is_first = node.node.state() == State::Idle;
            if checking::IS_ON
                && !gate.polls(&node.node, is_first, Waiter::Conditional, self.1.place())
            {
                return Poll::Pending;
            }
            self.1.ask(ask, cx.waker());
            let result = gate.poll_conditional(&node.node, cx);
            if result.is_pending() {
                self.1.wait(ask, node.as_ptr(), cx.waker());
                gate.waits(Awaits::Permit);
            } else {
                checking::entered(*gate);
            }
            result
        })
    }

    /// The condition is true: keeps the permit.
    #[inline]
    fn leave_queue(self: Pin<&Self>) {
        // SAFETY: the callers have been granted.
        at_gate!(self, |gate, node| unsafe {
            gate.satisfied(&node.node);
            self.1
                .acquired(gate.holder(), || gate.acquired_by(&node.node, || "a lock"));
        });
    }

    /// The condition is false: gives the permit back until a change. Returns
    /// whether to poll again.
    ///
    /// # Safety
    ///
    /// The caller has acquired, and has no guard any more.
    #[inline]
    unsafe fn unsatisfied(
        self: Pin<&Self>,
        cloned_waker: Waker,
        waker: &Waker,
        evaluator: Option<Evaluator>,
    ) -> bool {
        // SAFETY: passed on.
        at_gate!(self, |gate, node| unsafe {
            gate.parks();
            let polls_again = gate.unsatisfied(node, cloned_waker, waker, evaluator);
            if !polls_again {
                let ask = || gate.described(&node.node, Resource::When, || "a lock", None);
                self.1.wait(ask, node.as_ptr(), waker);
                gate.waits(Awaits::Truth);
            }
            polls_again
        })
    }
}

impl Drop for ConditionalWaiter<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the node was pinned if it was ever linked, and used with this
        // gate only.
        at_gate!(self, |gate, node| unsafe {
            if checking::IS_ON && node.node.state() != State::Idle {
                gate.leaves(&node.node);
            }
            gate.cancel(&node.node);
        });
    }
}

/// Takes the waiter out of the queue if an evaluation panics.
struct LeaveQueueOnDrop<'p, 'a>(Pin<&'p ConditionalWaiter<'a>>);

impl Drop for LeaveQueueOnDrop<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.0.leave_queue();
    }
}

/// Makes guards, for a waiter that has been granted.
pub trait MakeGuard<G> {
    #[doc(hidden)]
    fn make(&mut self) -> G;
}

impl<G, F: FnMut() -> G> MakeGuard<G> for F {
    #[inline]
    fn make(&mut self) -> G {
        self()
    }
}

/// Makes the guard of an object.
///
/// Unlike that of a closure, its type mentions no trait. If `Send` of a future depended on
/// the impls of the object, the compiler could not prove it for an object with lifetimes
/// (rust-lang/rust#100013).
#[allow(missing_debug_implementations)]
pub struct GuardMaker<'a, E: ?Sized, G> {
    entered: &'a E,
    granted: unsafe fn(&'a E) -> G,
}

impl<'a, E: ?Sized, G> GuardMaker<'a, E, G> {
    /// # Safety
    ///
    /// The safety conditions of `granted` hold whenever a guard is made.
    #[inline]
    pub unsafe fn new(entered: &'a E, granted: unsafe fn(&'a E) -> G) -> Self {
        GuardMaker { entered, granted }
    }
}

impl<E: ?Sized, G> MakeGuard<G> for GuardMaker<'_, E, G> {
    #[inline]
    fn make(&mut self) -> G {
        // SAFETY: the caller of `new` has promised it.
        unsafe { (self.granted)(self.entered) }
    }
}

/// A condition: evaluated with the guard of a lock.
pub trait Evaluate<G> {
    #[doc(hidden)]
    fn evaluate(&mut self, guard: &mut G) -> bool;
}

impl<G, F: FnMut(&mut G) -> bool> Evaluate<G> for F {
    #[inline]
    fn evaluate(&mut self, guard: &mut G) -> bool {
        self(guard)
    }
}

/// Waits for a lock and a condition; see [`when`].
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct When<'a, G, M, F> {
    /// `None` once the future has completed.
    waiter: Option<ConditionalWaiter<'a>>,
    make_guard: M,
    condition: F,
    evaluator: Option<Evaluator>,
    _guard: core::marker::PhantomData<fn() -> G>,
}

/// Waits until `condition` is true of what a lock guards, and returns the guard of the lock.
///
/// # Safety
///
/// - `make_guard` creates the guard of a granted waiter, of the lock of `waiter`. Forgetting that
///   guard leaks nothing but the hold on the lock.
/// - Evaluating `condition` does not replace the guard by another one.
/// - If the lock is confined to one thread, so is `make_guard`.
#[inline]
pub unsafe fn when<'a, G, M, F>(
    waiter: ConditionalWaiter<'a>,
    make_guard: M,
    condition: F,
) -> When<'a, G, M, F>
where
    M: MakeGuard<G>,
    F: Evaluate<G>,
{
    When {
        waiter: Some(waiter),
        make_guard,
        condition,
        evaluator: None,
        _guard: core::marker::PhantomData,
    }
}

impl<G, M, F> When<'_, G, M, F> {
    /// Lets a releasing section evaluate the condition, too. `evaluator` must evaluate the same
    /// condition.
    #[inline]
    pub(crate) fn evaluated_by(mut self, evaluator: Option<Evaluator>) -> Self {
        self.evaluator = evaluator;
        self
    }
}

impl<G, M, F> Future for When<'_, G, M, F>
where
    M: MakeGuard<G>,
    F: Evaluate<G>,
{
    type Output = G;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        // SAFETY: the waiter is pinned as we are, not moved, and dropped in
        // place; the closures are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(waiter) = &this.waiter else {
            polled_after_completion()
        };
        // SAFETY: as above.
        let waiter = unsafe { Pin::new_unchecked(waiter) };
        let (guard, leave_queue_on_drop) = loop {
            if waiter.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let mut guard = this.make_guard.make();
            // If the condition or the waker panics, first take the waiter out of the queue, then
            // release the lock: no node may be evaluating when a guard is dropped (G6).
            let leave_queue_on_drop = LeaveQueueOnDrop(waiter);
            if this.condition.evaluate(&mut guard) {
                break (guard, leave_queue_on_drop);
            }
            let cloned_waker = cx.waker().clone();
            mem::forget(leave_queue_on_drop);
            mem::forget(guard);
            // SAFETY: the permit has been acquired, and no guard is left.
            if !unsafe { waiter.unsatisfied(cloned_waker, cx.waker(), this.evaluator) } {
                return Poll::Pending;
            }
        };
        drop(leave_queue_on_drop);
        this.waiter = None;
        Poll::Ready(guard)
    }
}
