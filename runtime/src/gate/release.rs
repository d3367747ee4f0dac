//! Release and hand-off.

use core::task::Waker;

use super::policy::{Grants, Policy};
use super::{CONDITIONAL, Gate, QUEUED};
use crate::platform::{Flavour, Ordering};
use crate::queue::{LockedQueue, NodePtr, State};
use crate::traits::lock::LockId;
use crate::wake::{CAPACITY, WakeBatch, wake_one};

/// The state of a queue that is being served: the word, without flags, and the first queued
/// node.
pub(super) struct Serving<P: Policy> {
    pub(super) word: usize,
    pub(super) first: Option<NodePtr<P::Request>>,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Releases the permit of `request`.
    #[inline]
    pub(crate) fn release(&self, request: P::Request) {
        self.gives_back(request);
        let release = |word| Some(P::release(word, request));
        let wanted = Self::wanted(Self::may_mutate(request));
        if self.try_change(wanted, release).is_none() {
            self.release_queued(request);
        }
    }

    /// Releases the permit of `request`, whose holder has changed nothing: no condition is
    /// evaluated again.
    #[inline]
    pub(crate) fn release_unchanged(&self, request: P::Request) {
        self.gives_back(request);
        self.change(false, |word| Some(P::release(word, request)));
    }

    #[cold]
    #[inline(never)]
    pub(super) fn release_queued(&self, request: P::Request) {
        let queue = self.lock_after_change(Self::may_mutate(request));
        self.release_locked(queue, request);
    }

    /// Releases under the queue lock, and serves the queue.
    #[inline(always)]
    pub(super) fn release_locked<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        request: P::Request,
    ) {
        // As `change_queued`, but in one piece: this is every hand-off.
        let release = |word| Some(P::release(word, request));
        if self.try_change(QUEUED, release).is_none() {
            let word = self.word.load(Ordering::Relaxed);
            self.serve_here(queue, None, P::release(word & !P::FLAGS, request));
        }
    }

    /// Locks the queue. If the guarded data may have `changed`, the conditional waiters
    /// are queued again.
    #[inline]
    fn lock_after_change(&self, changed: bool) -> LockedQueue<'_, P::Request> {
        self.tell_of_change(changed);
        let mut queue = self.queue.lock();
        if changed && self.word.load(Ordering::Relaxed) & CONDITIONAL & P::FLAGS != 0 {
            self.requeue_unsatisfied(&mut queue, None);
        }
        queue
    }

    /// For watching: records the releaser, if conditional waiters wait for its change.
    #[inline]
    pub(super) fn tell_of_change(&self, changed: bool) {
        let is_waited_for =
            || changed && self.word.load(Ordering::Relaxed) & CONDITIONAL & P::FLAGS != 0;
        self.holder
            .record_change_if(LockId::of(self), is_waited_for);
    }

    /// Changes the word in a way that may admit others, unless `change` returns `None`.
    /// Returns whether it did. `mutated`: the guarded data may have changed, so that
    /// conditions have to be evaluated again.
    #[inline]
    pub(crate) fn change(&self, mutated: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        match self.try_change(Self::wanted(mutated), &change) {
            Some(changed) => changed,
            None => self.change_locked(mutated, change),
        }
    }

    /// The bits that say that a waiter waits for a change of the word.
    #[inline]
    pub(super) fn wanted(mutated: bool) -> usize {
        if mutated { P::FLAGS } else { QUEUED }
    }

    /// Changes the word, unless `change` returns `None`. Returns `None` itself if a bit of
    /// `wanted` is set, as the change then has to be made under the queue lock.
    #[inline]
    pub(super) fn try_change(
        &self,
        wanted: usize,
        change: impl Fn(usize) -> Option<usize>,
    ) -> Option<bool> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & wanted != 0 {
                return None;
            }
            let Some(changed) = change(word & !P::FLAGS) else {
                return Some(false);
            };
            let changed = changed | (word & P::FLAGS);
            // Release: pairs with the Acquire of those who acquire. Acquire is
            // not needed: a release reads nothing that others wrote.
            match self.word.compare_exchange_weak(
                word,
                changed,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(true),
                Err(now) => word = now,
            }
        }
    }

    #[cold]
    fn change_locked(&self, mutated: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        self.change_queued(self.lock_after_change(mutated), None, change)
    }

    /// Changes the word, unless `change` returns `None`, and serves the queue. Its first
    /// queued node is `from` or behind it, if `from` is given.
    #[inline]
    pub(super) fn change_queued<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        from: Option<NodePtr<P::Request>>,
        change: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // If no node is queued, none can be while we hold the lock (G1).
        if let Some(changed) = self.try_change(QUEUED, &change) {
            return changed;
        }
        // If a node is queued, the word is ours (G2).
        let word = self.word.load(Ordering::Relaxed);
        let Some(changed) = change(word & !P::FLAGS) else {
            return false;
        };
        self.serve(queue, from, changed);
        true
    }

    /// Sets the word, after granting the queued requests that it admits, in order, and
    /// wakes the owners.
    fn serve<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        from: Option<NodePtr<P::Request>>,
        word: usize,
    ) {
        self.serve_here(queue, from, word);
    }

    /// [`serve`](Self::serve), as part of the caller.
    #[inline(always)]
    fn serve_here<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        from: Option<NodePtr<P::Request>>,
        word: usize,
    ) {
        // SAFETY: `from` is linked here, as the queue is locked.
        let first = unsafe { self.grants.first_waiter(&queue, from) };
        let mut serving = Serving { word, first };
        // Usually one node is granted, and needs no batch.
        let mut waker = None;
        let granted = self.grant_next(&mut queue, &mut serving, &mut waker);
        if granted && Self::admits_another(&queue, &serving) {
            return self.serve_many(queue, serving, waker);
        }
        self.store(&queue, &serving, granted);
        drop(queue);
        if let Some(waker) = waker {
            wake_one(waker);
        }
    }

    #[cold]
    #[inline(never)]
    fn serve_many<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        mut serving: Serving<P>,
        waker: Option<Waker>,
    ) {
        let mut batch = WakeBatch::new();
        waker.into_iter().for_each(|waker| batch.push(waker));
        loop {
            // Work under the queue lock is bounded by the size of a batch.
            for _ in 0..CAPACITY {
                let mut waker = None;
                if batch.is_full() || !self.grant_next(&mut queue, &mut serving, &mut waker) {
                    break;
                }
                waker.into_iter().for_each(|waker| batch.push(waker));
            }
            let more = Self::admits_another(&queue, &serving);
            self.store(&queue, &serving, true);
            drop(queue);
            batch.wake_all();
            if !more {
                return;
            }
            queue = self.queue.lock();
            let word = self.word.load(Ordering::Relaxed);
            if word & QUEUED == 0 {
                return;
            }
            serving.word = word & !P::FLAGS;
            // SAFETY: no node is passed.
            serving.first = unsafe { self.grants.first_waiter(&queue, None) };
        }
    }

    /// Whether the next queued node can be granted.
    #[inline]
    fn admits_another(queue: &LockedQueue<'_, P::Request>, serving: &Serving<P>) -> bool {
        serving.first.is_some_and(|node| {
            // SAFETY: the node is linked, as the queue has been locked since it was found.
            let request = unsafe { queue.request_of(node) };
            P::admit(serving.word, request).is_some()
        })
    }

    /// Grants the next queued node, if the word admits it. Returns whether it did, and
    /// puts the waker to wake, if there is one, into `waker`.
    #[inline]
    pub(super) fn grant_next(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        serving: &mut Serving<P>,
        waker: &mut Option<Waker>,
    ) -> bool {
        let Some(node) = serving.first else {
            return false;
        };
        // SAFETY: the node is linked, as the queue has been locked since it was found. It is
        // queued, as are all nodes behind the first queued one (see the module). In a turn
        // gate, one of them may evaluate, but then the turn is not free (T5).
        unsafe {
            let Some(word) = P::admit(serving.word, queue.request_of(node)) else {
                return false;
            };
            serving.word = word;
            serving.first = queue.next(node);
            *waker = queue.grant(node);
            self.holder.mark_outdated();
            self.grants.granted(node);
        }
        true
    }

    /// Stores the updated word and first queued node. `granted`: at least one waiter
    /// was granted.
    #[inline]
    pub(super) fn store(
        &self,
        _queue: &LockedQueue<'_, P::Request>,
        serving: &Serving<P>,
        granted: bool,
    ) {
        self.grants.set_first_waiter(serving.first);
        let before = self.word.load(Ordering::Relaxed);
        let mut word = serving.word | (before & CONDITIONAL & P::FLAGS);
        // If nobody can acquire before this grant is released, a set `QUEUED` keeps nobody
        // out, and the next waiter to join has nothing to write.
        if serving.first.is_some() || (P::ONE_AT_A_TIME && granted) {
            word |= QUEUED;
        }
        if word != before {
            // A store suffices, as the word is ours (G2). Release: pairs with the
            // Acquire of those who acquire.
            self.word.store(word, Ordering::Release);
        }
    }

    /// Queues unsatisfied nodes again, in their places, as their conditions may be true now:
    /// those from `from` on, or all if `from` is not given or not in the queue any more.
    #[cold]
    pub(super) fn requeue_unsatisfied(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        from: Option<NodePtr<P::Request>>,
    ) {
        let mut first = None;
        let mut any_left = false;
        // SAFETY: nodes reached from the head are linked, as the queue stays locked.
        unsafe {
            // None is behind the first one that is queued (G6).
            let mut next = queue.head();
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
                if queue.state_of(node) == State::Unsatisfied {
                    if from == Some(node) {
                        any_left = first.is_some();
                        first = from;
                        break;
                    }
                    first = first.or(Some(node));
                }
            }
            let mut next = first;
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
                if queue.state_of(node) == State::Unsatisfied {
                    queue.requeue(node);
                }
            }
        }
        // The bit may outlast the unsatisfied nodes, if they were cancelled.
        if first.is_some() {
            self.grants.set_first_waiter(first);
            self.replace_flags(0, QUEUED);
        }
        if !any_left {
            self.replace_flags(CONDITIONAL, 0);
        }
    }

    /// Clears the flags `out` and sets the flags `new` in the word, under the queue lock.
    pub(super) fn replace_flags(&self, out: usize, new: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        // Acquire: pairs with the Release of those who released, for those who are
        // granted under the queue lock from here on.
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            (word & !out) | new,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }
}
