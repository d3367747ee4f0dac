//! Acquiring, waiting to acquire, and cancelling.

use core::mem;
use core::task::{Poll, Waker};

use super::policy::{Grants, Policy};
use super::task_grants::UnusedGrant;
use super::{CONDITIONAL, Gate, QUEUED};
use crate::blocking::take_impatience;
use crate::platform::{Flavour, Ordering};
use crate::queue::{FutureState, LockedQueue, Node, NodePtr, State};
use crate::watching::Caller;

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Acquires a request with priority, before all queued nodes, if that is possible at once.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    pub(crate) fn try_acquire_first(&self, request: P::Request) -> bool {
        debug_assert!(P::has_priority(request));
        let _queue = self.queue.lock();
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
                // Not its first poll: its grant was given up on its behalf.
                if node.future_state() == FutureState::Polled
                    && self.try_acquire_quietly(node.request)
                {
                    return Poll::Ready(());
                }
                self.poll_join(node, waker, false)
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
        conditional: bool,
    ) -> Poll<()> {
        // If this panics, or the drop below, the node is unchanged (F2 of `Acquiring`).
        let clone = waker.clone();
        let mut queue = self.queue.lock();
        if self.acquire_or_mark_queued(&queue, node.request) {
            let evaluates = conditional && self.word() & CONDITIONAL & P::FLAGS != 0;
            if evaluates {
                node.set_future_state(FutureState::Polled);
                // SAFETY: the node is idle, and the caller keeps Q1. No node is queued, as
                // this one has acquired.
                unsafe { queue.push_evaluating(node.as_ptr()) };
            }
            drop(queue);
            // SAFETY: passed on; it has acquired.
            return unsafe { self.acquired(node, conditional, || drop(clone)) };
        }
        node.set_future_state(FutureState::Polled);
        // SAFETY: the node is idle, and the caller keeps Q1; then it is queued here,
        // with a waker of this task.
        unsafe {
            self.join(&mut queue, node.as_ptr(), node.request, clone);
            match self.find_unused_grant(&mut queue, node, waker, conditional) {
                UnusedGrant::None => Poll::Pending,
                // A newcomer has seen no grant before: nothing is taken at the first poll.
                _ => self.poll_waiting(queue, node, waker, conditional),
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
                queue.withdraw_granted(own);
                return Poll::Ready(());
            }
            self.poll_waiting(queue, node, waker, false)
        }
    }

    /// As [`poll_queued`](Self::poll_queued), if the node was not granted when
    /// the queue was locked, or if the waiter is `conditional`.
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
        conditional: bool,
    ) -> Poll<()> {
        let own = node.as_ptr();
        let out_of_patience = !F::LOCAL && take_impatience();
        let mut locked = Some(queue);
        // A clone for an owner, made while the queue is not locked (Q5).
        let mut clone: Option<Waker> = None;
        loop {
            let queue = locked.take().unwrap_or_else(|| self.queue.lock());
            // SAFETY: the node is the caller's own. While the queue is locked, it is
            // linked here, unless it is idle.
            unsafe {
                let (spare, mut queue) = self.queue.register(queue, node, waker);
                match queue.state_of(own) {
                    State::Granted | State::Unclaimed => {
                        self.grants.ended(own);
                        let left = if conditional {
                            queue.begin_evaluation(own)
                        } else {
                            queue.withdraw(own)
                        };
                        drop(queue);
                        return self.acquired(node, conditional, || drop((left, spare, clone)));
                    }
                    // Its grant was given up on its behalf.
                    State::Idle => {
                        drop(queue);
                        // Before anything is acquired: a drop may panic.
                        drop((spare, clone));
                        return self.poll_join(node, waker, conditional);
                    }
                    State::Waiting | State::Unsatisfied => {}
                    // Not after `register`, and not at a gate.
                    State::Woken | State::Evaluating | State::Notified | State::Unlinked => {
                        return Poll::Pending;
                    }
                }
                match self.find_unused_grant(&mut queue, node, waker, conditional) {
                    UnusedGrant::None => {
                        // An unsatisfied waiter waits for a change, not for a permit.
                        if !out_of_patience || queue.state_of(own) != State::Waiting {
                            return Poll::Pending;
                        }
                        return self.take_over((spare, clone), queue, node);
                    }
                    UnusedGrant::New(owner) => match clone.take() {
                        Some(clone) => {
                            let (marked, _unused) =
                                self.mark_unclaimed(&mut queue, own, owner, clone);
                            drop(queue);
                            if marked {
                                waker.wake_by_ref();
                            }
                            return Poll::Pending;
                        }
                        None => {
                            drop(queue);
                            clone = Some(waker.clone());
                        }
                    },
                    // Each of them gets a waker of its own, one per iteration: when one is granted
                    // next, the others may have been dropped.
                    UnusedGrant::TakenOver(owner) => match clone.take() {
                        Some(clone) => {
                            queue.store_waker(owner, clone);
                            drop(queue);
                        }
                        None => {
                            drop(queue);
                            clone = Some(waker.clone());
                        }
                    },
                    UnusedGrant::SufficientGrants(owner) => {
                        let taken = self.take_grant(&mut queue, node, owner);
                        let (mine, theirs) = (node.request, taken.granted);
                        return self.acquired(node, conditional, || {
                            self.change_queued(queue, taken.first, |word| {
                                P::admit(P::release(word, theirs), mine)
                            });
                            drop((taken.waker, spare, clone));
                        });
                    }
                    UnusedGrant::TooLittle(owner) => self.give_back(queue, own, owner),
                }
            }
        }
    }

    /// The last step of a poll that has acquired. `finish` may run user code: if it
    /// panics, the permit is released.
    ///
    /// # Safety
    ///
    /// As for [`poll_acquire`](Self::poll_acquire), and the request of the node has been granted.
    pub(super) unsafe fn acquired(
        &self,
        node: &Node<P::Request>,
        conditional: bool,
        finish: impl FnOnce(),
    ) -> Poll<()> {
        struct ReleaseOnDrop<'g, P: Policy, F: Flavour> {
            gate: &'g Gate<P, F>,
            node: &'g Node<P::Request>,
            conditional: bool,
        }

        impl<P: Policy, F: Flavour> Drop for ReleaseOnDrop<'_, P, F> {
            #[inline]
            fn drop(&mut self) {
                if self.conditional {
                    // SAFETY: as the caller of `acquired` promises.
                    unsafe { self.gate.satisfied(self.node) }
                }
                self.gate.release_unchanged(self.node.request);
            }
        }

        let release_on_drop = ReleaseOnDrop {
            gate: self,
            node,
            conditional,
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

    /// Takes a node out of the queue, from any place, and passes its grant on.
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
                return self.cancel_served(queue, node);
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
                self.change_queued(queue, behind, Some);
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
    unsafe fn cancel_served<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
    ) {
        let (own, request) = (node.as_ptr(), node.request);
        // SAFETY: the node is the caller's own, and linked here unless it is idle. It
        // is in the state that was matched.
        unsafe {
            match queue.state_of(own) {
                // Its grant was given up on its behalf.
                State::Idle => {}
                // Not at a gate, or queued.
                State::Notified | State::Unlinked | State::Waiting | State::Woken => {}
                State::Granted | State::Unclaimed => {
                    let behind = queue.next(own);
                    self.grants.ended(own);
                    // Dropped after the queue is unlocked (Q5), and the grant is passed on.
                    let _waker = queue.withdraw(own);
                    self.change_queued(queue, behind, |word| Some(P::release(word, request)));
                }
                // A guard, or its drop, accounts for the permit.
                State::Evaluating => queue.withdraw_granted(own),
                State::Unsatisfied => {
                    let waker = queue.withdraw(own);
                    drop(queue);
                    drop(waker);
                }
            }
        }
    }
}
