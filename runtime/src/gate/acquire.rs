//! Acquiring, waiting to acquire, and cancelling.

use core::mem;
use core::task::{Poll, Waker};

use super::policy::{Grants, Policy};
use super::task_grants::UnusedGrant;
use super::{Gate, QUEUED};
use crate::blocking::take_impatience;
use crate::platform::{Flavour, Ordering};
use crate::queue::{FutureState, LockedQueue, Node, NodePtr, Request, State};
use crate::watching::Caller;

// A parameter `_queue` of these functions is proof that the queue is locked.

/// What a waiter waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A permit.
    Plain,
    /// A permit under which its condition is true (`when`).
    Conditional,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Admits `request`, which has priority, ahead of all queued nodes, if that is possible at
    /// once.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    pub(crate) fn try_acquire_with_priority(&self, request: P::Request) -> bool {
        debug_assert!(P::has_priority(request));
        let queue = self.queue.lock();
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(admitted) = P::admit(word & !P::FLAGS, request) {
            // Acquire: pairs with the Release of those who released.
            match self.word.compare_exchange_weak(
                word,
                admitted | (word & P::FLAGS),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => {
                    drop(queue);
                    self.holder
                        .set(Caller::here(), || self.acquired_as(request, || "a lock"));
                    return true;
                }
                Err(now) => word = now,
            }
        }
        false
    }

    /// The slow path of a poll, once [`try_acquire`](Self::try_acquire) has failed: acquires,
    /// joins the queue with the node of a pinned future, or, if it has joined before, checks
    /// whether it was granted.
    ///
    /// # Safety
    ///
    /// The node is pinned and used with this gate only, and is
    /// [cancelled](Self::cancel) before it goes away.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn poll_acquire(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        // SAFETY: passed on.
        unsafe {
            if node.state() == State::Idle {
                // Not its first poll: a sibling gave its grant up (`LockedQueue::retire`).
                if node.future_state() == FutureState::Polled
                    && self.try_acquire_quietly(node.request)
                {
                    return Poll::Ready(());
                }
                self.poll_join(node, waker, Waiter::Plain)
            } else {
                self.poll_queued(node, waker)
            }
        }
    }

    /// # Safety
    ///
    /// As for [`poll_acquire`](Self::poll_acquire), and the node is idle.
    pub(super) unsafe fn poll_join(
        &self,
        node: &Node<P::Request>,
        waker: &Waker,
        waiter: Waiter,
    ) -> Poll<()> {
        // If this panics, or the drop below, the node is unchanged (F2 of `Acquiring`).
        let clone = waker.clone();
        let mut queue = self.queue.lock();
        if self.acquire_or_mark_queued(&queue, node.request) {
            // It keeps its place among the conditional waiters.
            if waiter == Waiter::Conditional && self.has_conditional_waiters() {
                node.set_future_state(FutureState::Polled);
                // SAFETY: the node is idle, and the caller keeps Q1. No node is queued, as
                // this one has acquired.
                unsafe { queue.push_evaluating(node.as_ptr()) };
            }
            drop(queue);
            // SAFETY: passed on; it has acquired.
            return unsafe { self.finish_acquiring(node, waiter, || drop(clone)) };
        }
        node.set_future_state(FutureState::Polled);
        // SAFETY: the node is idle, and the caller keeps Q1; then it is queued here,
        // with a waker of this task.
        unsafe {
            self.join(&mut queue, node.as_ptr(), node.request, clone);
            match self.find_unused_grant(&mut queue, node, waker, waiter) {
                UnusedGrant::None => Poll::Pending,
                // A newcomer has seen no grant before: nothing is taken at the first poll.
                UnusedGrant::Unseen(_)
                | UnusedGrant::Revoked(_)
                | UnusedGrant::Sufficient(_)
                | UnusedGrant::Insufficient(_) => self.poll_waiting(queue, node, waker, waiter),
            }
        }
    }

    /// # Safety
    ///
    /// As for [`poll_acquire`](Self::poll_acquire), and the node was not idle.
    unsafe fn poll_queued(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        let mut queue = self.queue.lock();
        let own = node.as_ptr();
        // SAFETY: the node is the caller's own, linked here if it is granted.
        unsafe {
            if queue.state_of(own) == State::Granted {
                self.grants.ended(own);
                queue.withdraw_without_waker(own);
                return Poll::Ready(());
            }
            self.poll_waiting(queue, node, waker, Waiter::Plain)
        }
    }

    /// As [`poll_queued`](Self::poll_queued), if the node was not granted when
    /// the queue was locked, or if the waiter is conditional.
    ///
    /// # Safety
    ///
    /// As for [`poll_queued`](Self::poll_queued).
    #[inline(never)]
    pub(super) unsafe fn poll_waiting<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
        waiter: Waiter,
    ) -> Poll<()> {
        let own = node.as_ptr();
        let out_of_patience = !F::LOCAL && take_impatience();
        let mut locked = Some(queue);
        // A clone for an owner, made while the queue is not locked (Q5).
        let mut clone: Option<Waker> = None;
        // Each iteration either returns, or has unlocked the queue to run user code and must look
        // again.
        loop {
            let queue = locked.take().unwrap_or_else(|| self.queue.lock());
            // SAFETY: the node is the caller's own. While the queue is locked, it is
            // linked here, unless it is idle.
            unsafe {
                let (spare, mut queue) = self.queue.register(queue, node, waker);
                match queue.state_of(own) {
                    State::Granted | State::Unclaimed => {
                        return self.pick_up_grant(queue, node, waiter, (spare, clone));
                    }
                    // A sibling gave its grant up (`LockedQueue::retire`): it has to join again.
                    State::Idle => {
                        drop(queue);
                        // Before anything is acquired: a drop may panic.
                        drop((spare, clone));
                        return self.poll_join(node, waker, waiter);
                    }
                    State::Waiting | State::Unsatisfied => {}
                    // `register` turned `Woken` into `Waiting`; a waiter does not stay
                    // `Evaluating` between polls; the other two occur only at a signal.
                    State::Woken | State::Evaluating | State::Notified | State::Unlinked => {
                        debug_assert!(false, "no state of a node that is polled at a gate");
                        return Poll::Pending;
                    }
                }
                match self.find_unused_grant(&mut queue, node, waker, waiter) {
                    UnusedGrant::None => {
                        // An unsatisfied waiter waits for a change, not for a permit.
                        if !out_of_patience || queue.state_of(own) != State::Waiting {
                            return Poll::Pending;
                        }
                        return self.take_over((spare, clone), queue, node);
                    }
                    UnusedGrant::Unseen(owner) => {
                        let Some((mut queue, clone)) = with_clone(queue, &mut clone, waker) else {
                            continue;
                        };
                        let (marked, _unused) = self.mark_unclaimed(&mut queue, own, owner, clone);
                        drop(queue);
                        if marked {
                            waker.wake_by_ref();
                        }
                        return Poll::Pending;
                    }
                    // The task may have several revoked owners. Each gets a waker of its own, one
                    // per iteration, since the one granted next must be able to wake the task
                    // even if the others have been dropped.
                    UnusedGrant::Revoked(owner) => {
                        if let Some((mut queue, clone)) = with_clone(queue, &mut clone, waker) {
                            queue.give_waker(owner, clone);
                        }
                    }
                    UnusedGrant::Sufficient(owner) => {
                        let taken = self.take_grant(&mut queue, node, owner);
                        let (request, granted) = (node.request, taken.granted);
                        return self.finish_acquiring(node, waiter, || {
                            self.update_word_and_serve(queue, taken.first, |word| {
                                P::admit(P::release(word, granted), request)
                            });
                            drop((taken.waker, spare, clone));
                        });
                    }
                    UnusedGrant::Insufficient(owner) => self.give_back(queue, own, owner),
                }
            }
        }
    }

    /// Completes a poll whose node is granted. `unused` is dropped once the queue is unlocked
    /// (Q5).
    ///
    /// # Safety
    ///
    /// As for [`poll_queued`](Self::poll_queued), and the node is granted.
    #[inline(always)]
    unsafe fn pick_up_grant<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
        waiter: Waiter,
        unused: impl Sized,
    ) -> Poll<()> {
        let own = node.as_ptr();
        // SAFETY: the node is the caller's own, and granted here.
        unsafe {
            self.grants.ended(own);
            let old_waker = match waiter {
                Waiter::Plain => queue.withdraw(own),
                Waiter::Conditional => queue.begin_evaluation(own),
            };
            drop(queue);
            self.finish_acquiring(node, waiter, || drop((old_waker, unused)))
        }
    }

    /// The last step of a poll that has acquired. `finish` may run user code: if it
    /// panics, the permit is released.
    ///
    /// # Safety
    ///
    /// As for [`poll_acquire`](Self::poll_acquire), and the request of the node has been granted.
    pub(super) unsafe fn finish_acquiring(
        &self,
        node: &Node<P::Request>,
        waiter: Waiter,
        finish: impl FnOnce(),
    ) -> Poll<()> {
        struct ReleaseOnDrop<'g, P: Policy, F: Flavour> {
            gate: &'g Gate<P, F>,
            node: &'g Node<P::Request>,
            waiter: Waiter,
        }

        impl<P: Policy, F: Flavour> Drop for ReleaseOnDrop<'_, P, F> {
            #[inline]
            fn drop(&mut self) {
                if self.waiter == Waiter::Conditional {
                    // SAFETY: as the caller of `finish_acquiring` promises.
                    unsafe { self.gate.satisfied(self.node) }
                }
                self.gate.release_unchanged(self.node.request);
            }
        }

        let release_on_drop = ReleaseOnDrop {
            gate: self,
            node,
            waiter,
        };
        finish();
        mem::forget(release_on_drop);
        Poll::Ready(())
    }

    /// Acquires if possible; otherwise sets `QUEUED`, so that the caller can join the queue.
    fn acquire_or_mark_queued(
        &self,
        _queue: &LockedQueue<'_, P::Request>,
        request: P::Request,
    ) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            // Not before the queued nodes. `QUEUED` stays set while we hold the queue lock (G2).
            if word & QUEUED != 0 && !P::has_priority(request) {
                return false;
            }
            let admitted = P::admit(word & !P::FLAGS, request);
            let new = admitted.map_or(word | QUEUED, |admitted| admitted | (word & P::FLAGS));
            // With `QUEUED` set, the word stays what it is while we hold the queue lock (G2).
            if new == word && word & QUEUED != 0 {
                return admitted.is_some();
            }
            // Acquire: pairs with the Release of those who released.
            match self
                .word
                .compare_exchange_weak(word, new, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return admitted.is_some(),
                Err(now) => word = now,
            }
        }
    }

    /// Links the node into the queue: at its end, or before all queued nodes if `request` has
    /// priority.
    ///
    /// # Safety
    ///
    /// The node is idle and waits for `request`, and its owner keeps Q1.
    unsafe fn join(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: NodePtr<P::Request>,
        request: P::Request,
        waker: Waker,
    ) {
        // SAFETY: passed on.
        unsafe {
            if P::has_priority(request) {
                queue.insert_before(self.grants.first_waiter(queue, None), node, waker);
                self.grants.set_first_waiter(Some(node));
            } else {
                queue.push_back(node, waker);
                self.grants.pushed(node);
            }
        }
    }

    /// Takes a node out of the queue, wherever it stands; if it was granted, passes the grant on.
    ///
    /// # Safety
    ///
    /// The node is pinned and was used with this gate only.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, node: &Node<P::Request>) {
        if node.state() == State::Idle {
            return;
        }
        let own = node.as_ptr();
        let mut queue = self.queue.lock();
        // SAFETY: the node is the caller's own, and linked here where it is queued.
        unsafe {
            if !queue.state_of(own).is_queued() {
                return self.cancel_unqueued(queue, node);
            }
            let behind = queue.next(own);
            let was_first = match queue.prev(own) {
                Some(before) => !queue.state_of(before).is_queued(),
                None => true,
            };
            // Dropped after the queue is unlocked (Q5) and the nodes behind are served.
            let _waker = queue.withdraw(own);
            if was_first {
                self.grants.set_first_waiter(behind);
                // The nodes behind may be admitted although this one was not.
                self.update_word_and_serve(queue, behind, Some);
            } else {
                drop(queue);
            }
        }
    }

    /// [`cancel`](Self::cancel), for a node that is not queued.
    ///
    /// # Safety
    ///
    /// As for [`cancel`](Self::cancel), and the node is not queued in `queue`.
    #[inline(never)]
    unsafe fn cancel_unqueued<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
    ) {
        let (own, request) = (node.as_ptr(), node.request);
        // SAFETY: the node is the caller's own, and linked here unless it is idle. It
        // is in the state that was matched.
        unsafe {
            match queue.state_of(own) {
                // A sibling gave its grant up (`LockedQueue::retire`).
                State::Idle => {}
                // Not at a gate, or queued.
                State::Notified | State::Unlinked | State::Waiting | State::Woken => {}
                State::Granted | State::Unclaimed => {
                    let behind = queue.next(own);
                    self.grants.ended(own);
                    // Dropped after the queue is unlocked (Q5), and the grant is passed on.
                    let _waker = queue.withdraw(own);
                    self.update_word_and_serve(queue, behind, |word| {
                        Some(P::release(word, request))
                    });
                }
                // A guard, or its drop, accounts for the permit.
                State::Evaluating => queue.withdraw_without_waker(own),
                State::Unsatisfied => {
                    let waker = queue.withdraw(own);
                    drop(queue);
                    drop(waker);
                }
            }
        }
    }
}

/// Takes `clone`, with the queue still locked; or, if there is none, unlocks the queue and makes
/// one for the next iteration (Q5).
#[inline(always)]
fn with_clone<'q, R: Request>(
    queue: LockedQueue<'q, R>,
    clone: &mut Option<Waker>,
    waker: &Waker,
) -> Option<(LockedQueue<'q, R>, Waker)> {
    if let Some(clone) = clone.take() {
        return Some((queue, clone));
    }
    drop(queue);
    *clone = Some(waker.clone());
    None
}
