//! Waiting for a condition at a sync lock: see `gate::turn`.
//!
//! A waiter waits for its turn as any future does, holding nothing. With the turn it acquires
//! the lock and evaluates its condition. Then it either keeps lock and turn, in the guard, or
//! gives both back. It parks its thread for the lock, as every section does, and never for the
//! turn.

#[cfg(feature = "alloc")]
use alloc::boxed::Box;
#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use alloc::sync::Arc;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll};

use super::turns::Turns;
use crate::LockId;
use crate::blocking::block_on;
use crate::checking::{self, Awaits, Op, SyncOp};
use crate::gate::polled_after_completion;
use crate::queue::{ConditionalNode, Evaluator, State};
use crate::request::{Mode, Resource};
use crate::traits::sync_lock::{SyncLock, SyncRwLock};
use crate::wake::wake_one;
use crate::watching::{Ask, Watch};
use crate::when::Evaluate;

/// A sync lock of this crate, at which sections can wait for a condition.
///
/// # Safety
///
/// Turns and guards are those of the lock itself.
#[diagnostic::on_unimplemented(
    message = "`when` cannot wait at this lock: it does not know when somebody has changed what it guards",
    label = "a section of this lock cannot have a condition",
    note = "use `async_monitor::sync::Lock`, `sync::Mutex` or `sync::RwLock`"
)]
pub unsafe trait ConditionalSyncLock: SyncLock {
    /// The turns of its conditional waiters.
    fn turns(&self) -> &Turns;

    /// Acquires the lock for a waiter that has the turn, and passes the turn to the guard.
    ///
    /// # Safety
    ///
    /// The caller has the turn.
    unsafe fn acquire_with_turn(&self) -> Self::Guard<'_>;

    /// Releases the lock after a section that has changed nothing, and keeps the turn for
    /// the caller.
    fn release_without_turn<'a>(guard: Self::Guard<'a>)
    where
        Self: 'a;

    /// Stands for a guard, while a condition is evaluated by the holder of the lock.
    ///
    /// # Safety
    ///
    /// The caller holds the lock exclusively, uses no other guard of it meanwhile, and
    /// forgets this one.
    unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_>;
}

/// The same, to read.
///
/// # Safety
///
/// As for [`ConditionalSyncLock`].
pub unsafe trait ConditionalSyncRwLock: ConditionalSyncLock + SyncRwLock {
    /// As [`acquire_with_turn`](ConditionalSyncLock::acquire_with_turn).
    ///
    /// # Safety
    ///
    /// The caller has the turn.
    unsafe fn read_with_turn(&self) -> Self::ReadGuard<'_>;

    /// As [`release_without_turn`](ConditionalSyncLock::release_without_turn).
    fn release_read_without_turn<'a>(guard: Self::ReadGuard<'a>)
    where
        Self: 'a;

    /// As [`guard_to_evaluate`](ConditionalSyncLock::guard_to_evaluate).
    ///
    /// # Safety
    ///
    /// As for `guard_to_evaluate`.
    unsafe fn read_guard_to_evaluate(&self) -> Self::ReadGuard<'_>;
}

/// Implements [`SyncLock`] and [`ConditionalSyncLock`] for a lock that has methods `lock_id`,
/// `turns` and `acquire_with_turn`, and two methods that acquire, which the invocation names.
macro_rules! conditional_sync_lock {
    (
        $lock:ty[$($generics:tt)*] => $guard:ty, $acquire:ident, $try_acquire:ident,
        |$this:ident| $hold:expr
    ) => {
        impl<$($generics)*> crate::traits::sync_lock::SyncLock for $lock {
            type Guard<'a> = $guard where Self: 'a;

            #[inline]
            fn acquire(&self) -> Self::Guard<'_> {
                <$lock>::$acquire(self)
            }

            #[inline]
            fn try_acquire(&self) -> Option<Self::Guard<'_>> {
                <$lock>::$try_acquire(self)
            }

            #[inline]
            fn id(&self) -> crate::LockId {
                self.lock_id()
            }

            #[inline]
            fn __watched_id(&self) -> Option<crate::LockId> {
                Some(self.lock_id())
            }

            #[inline]
            fn __release_unchanged<'a>($this: Self::Guard<'a>)
            where
                Self: 'a,
            {
                $hold.release_unchanged();
            }

            #[inline]
            unsafe fn __release_object<'a>(
                $this: Self::Guard<'a>,
                object: impl FnOnce() -> crate::queue::Object,
            ) where
                Self: 'a,
            {
                let hold = $hold;
                // SAFETY: passed on.
                unsafe { hold.release_object(object) }
            }
        }

        // SAFETY: turns and guards are those of the lock.
        unsafe impl<$($generics)*> $crate::sync::when::ConditionalSyncLock for $lock {
            #[inline]
            fn turns(&self) -> &$crate::sync::turns::Turns {
                <$lock>::turns(self)
            }

            #[inline]
            unsafe fn acquire_with_turn(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { <$lock>::acquire_with_turn(self) }
            }

            #[inline]
            fn release_without_turn<'a>($this: Self::Guard<'a>)
            where
                Self: 'a,
            {
                $hold.release_without_turn();
            }

            #[inline]
            unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { <$lock>::guard_to_evaluate(self) }
            }
        }
    };
}

pub(super) use conditional_sync_lock;

macro_rules! through_pointer {
    ($($pointer:ty),*) => {$(
        // SAFETY: passed on.
        unsafe impl<L: ConditionalSyncLock + ?Sized> ConditionalSyncLock for $pointer {
            #[inline]
            fn turns(&self) -> &Turns {
                L::turns(self)
            }

            #[inline]
            unsafe fn acquire_with_turn(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { L::acquire_with_turn(self) }
            }

            #[inline]
            fn release_without_turn<'a>(guard: Self::Guard<'a>)
            where
                Self: 'a,
            {
                L::release_without_turn(guard);
            }

            #[inline]
            unsafe fn guard_to_evaluate(&self) -> Self::Guard<'_> {
                // SAFETY: passed on.
                unsafe { L::guard_to_evaluate(self) }
            }
        }

        // SAFETY: passed on.
        unsafe impl<L: ConditionalSyncRwLock + ?Sized> ConditionalSyncRwLock for $pointer {
            #[inline]
            unsafe fn read_with_turn(&self) -> Self::ReadGuard<'_> {
                // SAFETY: passed on.
                unsafe { L::read_with_turn(self) }
            }

            #[inline]
            fn release_read_without_turn<'a>(guard: Self::ReadGuard<'a>)
            where
                Self: 'a,
            {
                L::release_read_without_turn(guard);
            }

            #[inline]
            unsafe fn read_guard_to_evaluate(&self) -> Self::ReadGuard<'_> {
                // SAFETY: passed on.
                unsafe { L::read_guard_to_evaluate(self) }
            }
        }
    )*};
}

through_pointer!(&L);
#[cfg(feature = "alloc")]
through_pointer!(Box<L>, Rc<L>, Arc<L>);

/// A waiter at the turns of a lock.
struct Waiter<'a> {
    turns: &'a Turns,
    node: ConditionalNode<()>,
    watch: Watch,
}

impl Waiter<'_> {
    /// Waits for the turn.
    #[inline]
    fn poll(self: Pin<&Self>, cx: &mut Context<'_>) -> Poll<()> {
        // The first poll has a place of its own, and may be refused. Later ones are scheduling
        // points, too.
        if checking::IS_ON
            && !checking::arrives(self.turns, Op::Sync(SyncOp::Turn), self.watch.place())
        {
            return Poll::Pending;
        }
        // SAFETY: the node is pinned as we are, used with this gate only, and cancelled by
        // our drop.
        let polled = unsafe { self.turns.gate.poll_turn(&self.node.node, cx) };
        if polled.is_pending() {
            self.wait(cx);
            checking::pending(self.turns, Awaits::Truth);
        }
        polled
    }

    /// It waits, after a poll.
    #[inline]
    fn wait(self: Pin<&Self>, cx: &Context<'_>) {
        let ask = || Ask {
            resource: Resource::When,
            lock: LockId::of(self.turns),
            mode: Mode::Shared,
            type_name: || "a lock of `sync`",
            holder: None,
            held: None,
            permits: None,
            relocks: None,
        };
        // SAFETY: node and watch are pinned as we are, and dropped together.
        unsafe { self.watch.wait(ask, self.node.as_ptr(), cx.waker()) };
    }

    /// Leaves the queue, and keeps the turn.
    #[inline]
    fn leave_queue(self: Pin<&Self>) {
        // SAFETY: the callers have the turn.
        unsafe { self.turns.gate.satisfied(&self.node.node) }
        self.watch.over();
    }
}

impl Drop for Waiter<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.node.node.state() != State::Idle {
            self.turns.announce(SyncOp::Leave);
        }
        // SAFETY: the node was pinned if it was ever linked, and used with this gate only.
        unsafe { self.turns.gate.cancel(&self.node.node) }
    }
}

/// Takes the waiter out of the queue if an evaluation panics.
struct LeaveQueueOnDrop<'p, 'a>(Pin<&'p Waiter<'a>>);

impl Drop for LeaveQueueOnDrop<'_, '_> {
    #[inline]
    fn drop(&mut self) {
        self.0.leave_queue();
    }
}

/// Takes the waiter out of the queue and passes the turn on, if there is a panic before the
/// guard exists that would do so.
struct GiveOnDrop<'p, 'a>(Pin<&'p Waiter<'a>>);

impl Drop for GiveOnDrop<'_, '_> {
    #[cold]
    fn drop(&mut self) {
        self.0.leave_queue();
        if let Some(waker) = self.0.turns.gate.release_turn(false, || None) {
            wake_one(waker);
        }
    }
}

/// How the guards of an `E` are made and released.
///
/// Its type mentions no trait, for the same reason as that of `GuardMaker`.
#[allow(missing_debug_implementations)]
pub struct TurnGuards<'a, E: ?Sized, G> {
    entered: &'a E,
    acquire: unsafe fn(&'a E) -> G,
    release: fn(G),
}

impl<'a, E: ?Sized, G> TurnGuards<'a, E, G> {
    /// # Safety
    ///
    /// `acquire` acquires the lock for a waiter that has the turn of it, and leaves the turn
    /// to the guard. `release` releases it and leaves the turn to the caller.
    #[inline]
    pub unsafe fn new(entered: &'a E, acquire: unsafe fn(&'a E) -> G, release: fn(G)) -> Self {
        TurnGuards {
            entered,
            acquire,
            release,
        }
    }
}

/// Waits for a sync lock and a condition; see [`when`].
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct SyncWhen<'a, E: ?Sized, G, F> {
    /// `None` once the future has completed.
    waiter: Option<Waiter<'a>>,
    guards: TurnGuards<'a, E, G>,
    condition: F,
    evaluator: Option<Evaluator>,
}

/// Waits until `condition` is true of what a lock guards, and returns the guard of the lock.
///
/// # Safety
///
/// `turns` and `guards` are of one lock. Evaluating `condition` does not replace the guard by
/// another one.
#[inline]
pub unsafe fn when<'a, E: ?Sized, G, F>(
    turns: &'a Turns,
    guards: TurnGuards<'a, E, G>,
    condition: F,
) -> SyncWhen<'a, E, G, F>
where
    F: Evaluate<G>,
{
    SyncWhen {
        waiter: Some(Waiter {
            turns,
            node: ConditionalNode::new(()),
            watch: Watch::new(),
        }),
        guards,
        condition,
        evaluator: None,
    }
}

impl<'a, E: ?Sized, G, F> SyncWhen<'a, E, G, F>
where
    F: Evaluate<G>,
{
    /// Lets a releasing section evaluate the condition, too. `evaluator` must evaluate the same
    /// condition.
    #[inline]
    pub(crate) fn evaluated_by(mut self, evaluator: Option<Evaluator>) -> Self {
        self.evaluator = evaluator;
        self
    }

    /// Parks the thread until the condition is true.
    #[inline]
    pub fn block(self) -> G {
        block_on(self)
    }
}

impl<G, E: ?Sized, F> Future for SyncWhen<'_, E, G, F>
where
    F: Evaluate<G>,
{
    type Output = G;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<G> {
        // SAFETY: the waiter is pinned as we are, not moved, and dropped in place; the
        // rest is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(waiter) = &this.waiter else {
            polled_after_completion()
        };
        let gate = &waiter.turns.gate;
        // SAFETY: as above.
        let waiter = unsafe { Pin::new_unchecked(waiter) };
        let (guard, leave_queue_on_drop) = loop {
            if waiter.poll(cx).is_pending() {
                return Poll::Pending;
            }
            let give_on_drop = GiveOnDrop(waiter);
            let cloned_waker = cx.waker().clone();
            // SAFETY: the waiter has the turn, and leaves it to the guard.
            let mut guard = unsafe { (this.guards.acquire)(this.guards.entered) };
            mem::forget(give_on_drop);
            // If the condition panics, first take the waiter out of the queue, then release the
            // lock: no node may be evaluating when a guard is dropped.
            let leave_queue_on_drop = LeaveQueueOnDrop(waiter);
            // SAFETY: the node is the waiter's own, and evaluates; pinned as above.
            let cloned_waker = match unsafe { gate.give_up_turn(&waiter.node, cloned_waker) } {
                Err(cloned_waker) => cloned_waker,
                Ok(waker) => {
                    waiter.wait(cx);
                    mem::forget(leave_queue_on_drop);
                    (this.guards.release)(guard);
                    if let Some(waker) = waker {
                        wake_one(waker);
                    }
                    checking::pending(waiter.turns, Awaits::Truth);
                    return Poll::Pending;
                }
            };
            if this.condition.evaluate(&mut guard) {
                // Not the last reference to the task: the caller of `poll` has another waker.
                drop(cloned_waker);
                break (guard, leave_queue_on_drop);
            }
            mem::forget(leave_queue_on_drop);
            // SAFETY: as above. The lock is held, and the turn ours.
            let (again, waker) =
                unsafe { gate.unsatisfied_turn(&waiter.node, cloned_waker, this.evaluator) };
            (this.guards.release)(guard);
            if let Some(waker) = waker {
                wake_one(waker);
            }
            if !again {
                waiter.wait(cx);
                checking::pending(waiter.turns, Awaits::Truth);
                return Poll::Pending;
            }
        };
        drop(leave_queue_on_drop);
        gate.holder()
            .correct(waiter.watch.place(), || LockId::of(waiter.turns));
        this.waiter = None;
        Poll::Ready(guard)
    }
}
