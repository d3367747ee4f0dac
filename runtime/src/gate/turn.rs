//! A gate whose permit is a turn: the right to evaluate a condition at a lock that is not
//! this gate.
//!
//! A sync lock (`crate::sync`) wraps a platform lock. Beside it stands a gate at which only
//! conditional waiters wait. A waiter that has the turn acquires the lock, evaluates its
//! condition, and passes the turn on. Sections without a condition bypass the gate. So,
//! unlike at an async lock, the data may change while a waiter has the turn.
//!
//! # States
//!
//! Those of the gate. The order of the queue differs (T5), and so do these steps:
//!
//! | from | to | when |
//! |---|---|---|
//! | `Unsatisfied` | `Waiting` | a section that may have changed the data releases the lock, with the turn or without |
//! | `Granted`, `Unclaimed` | `Woken`, `Waiting` | the same, where a waiter before it is queued again: the turn is taken back |
//! | `Evaluating` | `Waiting` | the owner has acquired the lock, and a waiter before it was queued again meanwhile: it gives the turn up |
//!
//! # Invariants
//!
//! - **T1** The lock is held, in any mode, when a node becomes unsatisfied, and exclusively when
//!   unsatisfied nodes are queued again. (One that is dropped leaves at any time.) `CONDITIONAL`
//!   changes with them. So a section that releases the lock and finds no such bit leaves no waiter
//!   behind that has not seen its change.
//! - **T2** A waiter does not evaluate while a waiter before it is queued: that one evaluates
//!   first. A change that comes between the grant of a turn and the owner's acquisition of
//!   the lock sets [`REQUEUED`]: the owner then looks whether there is such a waiter.
//! - **T3** The functions here are called with the lock held, but for `poll_turn`, and for
//!   `release_turn` by a waiter that panics before it has the lock. The only user code
//!   that they run is a condition, and only while the queue is unlocked. They wake nobody: they
//!   return at most one waker, and the caller wakes it after it has released the lock, because
//!   a wake-up may poll a task that acquires the lock.
//! - **T4** Locks are acquired in this order: the lock, then the queue.
//! - **T5** An `Evaluating` node may stand behind queued ones, from a change until its owner
//!   has acquired the lock and gives the turn up (T2). The turn is not free meanwhile, so no
//!   node is granted. Granted and unsatisfied nodes are before all that are queued, as at
//!   every gate: a grant behind a node that is queued again is taken back, which leaves a
//!   `Woken` node behind a `Waiting` one.

use core::task::{Context, Poll, Waker};

use super::acquire::Waiter;
use super::evaluation::Evaluated;
use super::policies::Exclusive;
use super::policy::{Grants, Policy};
use super::release::Serving;
use super::{CONDITIONAL, FIRST_BIT, Gate, QUEUED};
use crate::panics;
use crate::platform::{Flavour, Ordering};
use crate::queue::{ConditionalNode, Evaluator, LockedQueue, Node, NodePtr, Object, State};

/// Set when waiters are queued again while the turn is taken (T2). Written only with the lock
/// held.
const REQUEUED: usize = FIRST_BIT << 1;

type NodeAt = NodePtr<()>;

impl<F: Flavour> Gate<Exclusive, F> {
    /// As [`poll_conditional`](Self::poll_conditional). A newcomer that takes the turn while
    /// others are unsatisfied is linked behind them, to keep its place should it give the turn
    /// up.
    ///
    /// # Safety
    ///
    /// As for `poll_conditional`.
    pub(crate) unsafe fn poll_turn(&self, node: &Node<()>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: passed on. If it acquires at once, it is not in the queue.
        unsafe {
            if node.state() != State::Idle {
                self.poll_conditional(node, cx)
            } else if self.try_acquire_alone() {
                self.holder.mark_outdated();
                Poll::Ready(())
            } else {
                self.poll_join(node, cx.waker(), Waiter::Conditional)
            }
        }
    }

    /// Acquires the turn if it is free and nobody waits, neither for it nor for a change. As only
    /// a waiter with the turn becomes unsatisfied, none is then while the caller has it.
    #[inline]
    fn try_acquire_alone(&self) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        while word & <Exclusive as Policy>::FLAGS == 0 {
            let Some(admitted) = Exclusive::admit(word, ()) else {
                return false;
            };
            // Acquire: pairs with the Release of those who released.
            match self.word.compare_exchange_weak(
                word,
                admitted,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Called when a holder of the lock without the turn may have changed the data. Evaluates
    /// conditions on behalf of their waiters, if they can be evaluated for `object`.
    #[cold]
    #[must_use = "wake it once the lock is released"]
    pub(crate) fn on_mutation(&self, object: Option<Object>) -> Option<Waker> {
        let from = self.first_to_evaluate(object)?;
        let mut queue = self.queue.lock();
        let (first, granted) = Self::find_revocable(&queue, from);
        let first = first?;
        if let Some(granted) = granted {
            // SAFETY: the node is granted, and linked here, as the queue is locked. It keeps
            // its place (T2).
            unsafe {
                let behind = queue.next(granted);
                self.grants.ended(granted);
                queue.revoke(granted, behind);
            }
        }
        self.requeue_unsatisfied(&mut queue, Some(first));
        // Only now: until `QUEUED` is set, as a node is queued, a newcomer may take the turn,
        // or give it back. From here on the word is ours (G2).
        let mut word = self.word.load(Ordering::Relaxed) & !<Exclusive as Policy>::FLAGS;
        if granted.is_some() {
            word = Exclusive::release(word, ());
        }
        if Exclusive::admit(word, ()).is_none() {
            word |= REQUEUED;
        }
        self.serve_turn(&mut queue, word)
    }

    /// The first waiter to queue again (all of them, if the inner one is `None`); `None` if
    /// all conditions have been evaluated, and are false.
    fn first_to_evaluate(&self, object: Option<Object>) -> Option<Option<NodeAt>> {
        let Some(object) = object.filter(|_| panics::can_be_caught()) else {
            return Some(None);
        };
        // As in `release_object`: the caller holds the lock exclusively, so nodes neither
        // become unsatisfied nor are queued again meanwhile (T1).
        match self.evaluate_conditions(object) {
            Evaluated::AllFalse => None,
            Evaluated::UpTo(first) => Some(first),
        }
    }

    /// The first waiter to queue again: `from`, or the first of all if that has left the queue;
    /// and a granted waiter behind it.
    fn find_revocable(
        queue: &LockedQueue<'_, ()>,
        from: Option<NodeAt>,
    ) -> (Option<NodeAt>, Option<NodeAt>) {
        let (mut first, mut is_from) = (None, false);
        let (mut granted, mut behind_from) = (None, None);
        let mut next = queue.head();
        // SAFETY: nodes reached from the head are linked, as the queue is locked.
        unsafe {
            // None is behind the first one that is queued (G6).
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
                let state = queue.state_of(node);
                if state == State::Unsatisfied {
                    first = first.or(Some(node));
                    is_from |= from == Some(node);
                } else if state.is_granted() && first.is_some() {
                    granted = Some(node);
                    behind_from = granted.filter(|_| is_from);
                }
            }
        }
        if is_from {
            (from, behind_from)
        } else {
            (first, granted)
        }
    }

    /// Gives the turn to the first queued waiter, if it is free in `word`.
    ///
    /// The word is the caller's (G2).
    fn serve_turn(&self, queue: &mut LockedQueue<'_, ()>, word: usize) -> Option<Waker> {
        // SAFETY: without a node to begin at.
        let first = unsafe { self.grants.first_waiter(queue, None) };
        let mut serving = Serving { word, first };
        let mut waker = None;
        let granted = self.grant_next(queue, &mut serving, &mut waker);
        self.store_word(queue, &serving, granted);
        waker
    }

    /// A holder of the lock that has the turn passes the turn on, before it releases the lock.
    #[must_use = "wake it once the lock is released"]
    #[inline]
    pub(crate) fn release_turn(
        &self,
        mutated: bool,
        object: impl FnOnce() -> Option<Object>,
    ) -> Option<Waker> {
        let release = |word| Some(Exclusive::release(word, ()));
        if self
            .try_update_word(Self::flags_in_the_way(mutated), release)
            .is_some()
        {
            return None;
        }
        self.release_turn_queued(mutated, object())
    }

    #[cold]
    fn release_turn_queued(&self, mutated: bool, object: Option<Object>) -> Option<Waker> {
        let requeued = if mutated && self.has_conditional_waiters() {
            self.first_to_evaluate(object)
        } else {
            None
        };
        let mut queue = self.queue.lock();
        if let Some(from) = requeued {
            self.requeue_unsatisfied(&mut queue, from);
        }
        self.release_turn_locked(queue)
    }

    /// Releases the turn, and serves the queue.
    fn release_turn_locked(&self, mut queue: LockedQueue<'_, ()>) -> Option<Waker> {
        let release = |word| Some(Exclusive::release(word, ()));
        // If no node is queued, none can be while we hold the lock (G1).
        if self.try_update_word(QUEUED, release).is_some() {
            return None;
        }
        let word = self.word.load(Ordering::Relaxed) & !<Exclusive as Policy>::FLAGS;
        self.serve_turn(&mut queue, Exclusive::release(word, ()))
    }

    /// As [`unsatisfied`](Self::unsatisfied), with the lock held. Beside the waker to wake, it
    /// returns whether the waiter has to be polled again.
    ///
    /// # Safety
    ///
    /// As for `unsatisfied`.
    #[must_use = "wake it once the lock is released"]
    pub(crate) unsafe fn unsatisfied_turn(
        &self,
        node: &ConditionalNode<()>,
        cloned_waker: Waker,
        evaluator: Option<Evaluator>,
    ) -> (bool, Option<Waker>) {
        let own = node.as_ptr();
        let mut queue = self.queue.lock();
        // SAFETY: as in `unsatisfied`: a node that evaluates keeps its place; an idle one
        // came before all that are queued now, or they would have the turn before it (T2).
        let again = unsafe {
            queue.set_evaluator(node, evaluator);
            if queue.state_of(own) == State::Idle {
                let first = self.grants.first_waiter(&queue, None);
                queue.insert_unsatisfied(first, own, cloned_waker);
            } else {
                queue.mark_unsatisfied(own, cloned_waker);
            }
            queue.woken_anywhere() > 0
        };
        self.clear_and_set_flags(0, CONDITIONAL);
        (again, self.release_turn_locked(queue))
    }

    /// The owner of `node`, which has the turn and the lock, gives the turn up if a waiter
    /// before it was queued again meanwhile (T2), and is queued in its place. Returns
    /// `cloned_waker` if it keeps the turn.
    ///
    /// # Safety
    ///
    /// As for [`satisfied`](Self::satisfied). The node is pinned, used with this gate only,
    /// and [cancelled](Self::cancel) before it goes away.
    pub(crate) unsafe fn give_up_turn(
        &self,
        node: &ConditionalNode<()>,
        cloned_waker: Waker,
    ) -> Result<Option<Waker>, Waker> {
        // Relaxed: it changes with the lock held, which the caller holds.
        if self.word.load(Ordering::Relaxed) & REQUEUED == 0 {
            return Err(cloned_waker);
        }
        let own = node.as_ptr();
        let mut queue = self.queue.lock();
        self.clear_and_set_flags(REQUEUED, 0);
        // SAFETY: nodes reached from the head are linked, as the queue is locked; the own
        // node evaluates, or is idle.
        unsafe {
            let is_linked = queue.state_of(own) != State::Idle;
            let mut next = queue.head();
            while let Some(other) = next.filter(|other| *other != own) {
                if queue.state_of(other).is_queued() {
                    break;
                }
                next = queue.next(other);
            }
            if next.is_none_or(|first| first == own) {
                return Err(cloned_waker);
            }
            if is_linked {
                queue.requeue_evaluating(own, cloned_waker);
            } else {
                // It acquired the turn while no node was unsatisfied, or took it over.
                node.node
                    .set_future_state(crate::queue::FutureState::Polled);
                queue.push_back(own, cloned_waker);
            }
        }
        // `QUEUED` is set, as a node is queued (G1).
        Ok(self.release_turn_locked(queue))
    }
}
