//! Release and hand-off.

use core::task::Waker;

use super::policy::{Grants, Policy};
use super::{CONDITIONAL, Gate, QUEUED};
use crate::platform::{Flavour, Ordering};
use crate::queue::{LockedQueue, NodePtr, State};
use crate::traits::lock_id::LockId;
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
        let in_the_way = Self::flags_in_the_way(Self::may_mutate(request));
        if self.try_update_word(in_the_way, release).is_none() {
            self.release_queued(request);
        }
    }

    /// Releases the permit of `request`, whose holder has changed nothing: no condition is
    /// evaluated again.
    #[inline]
    pub(crate) fn release_unchanged(&self, request: P::Request) {
        self.gives_back(request);
        self.update_word(false, |word| Some(P::release(word, request)));
    }

    #[cold]
    #[inline(never)]
    pub(super) fn release_queued(&self, request: P::Request) {
        let queue = self.lock_and_requeue(Self::may_mutate(request));
        self.release_locked(queue, request);
    }

    /// Releases under the queue lock, and serves the queue.
    #[inline(always)]
    pub(super) fn release_locked<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        request: P::Request,
    ) {
        // As `update_word_and_serve`, but inlined: this is every hand-off.
        let release = |word| Some(P::release(word, request));
        if self.try_update_word(QUEUED, release).is_none() {
            let word = self.word.load(Ordering::Relaxed);
            self.serve_inlined(queue, None, P::release(word & !P::FLAGS, request));
        }
    }

    /// Locks the queue. If the guarded data may have been `mutated`, the conditional waiters
    /// are queued again.
    #[inline]
    fn lock_and_requeue(&self, mutated: bool) -> LockedQueue<'_, P::Request> {
        self.record_mutation(mutated);
        let mut queue = self.queue.lock();
        if mutated && self.has_conditional_waiters() {
            self.requeue_unsatisfied(&mut queue, None);
        }
        queue
    }

    /// Whether a conditional waiter may be waiting for a change of the data.
    #[inline]
    pub(crate) fn has_conditional_waiters(&self) -> bool {
        // Relaxed: whoever has set the bit had the permit before the caller (G7), or held the
        // lock that the caller holds (T1).
        self.word.load(Ordering::Relaxed) & CONDITIONAL & P::FLAGS != 0
    }

    /// For watching: records the releaser, if conditional waiters wait for its change.
    #[inline]
    pub(super) fn record_mutation(&self, mutated: bool) {
        let is_waited_for = || mutated && self.has_conditional_waiters();
        self.holder
            .record_change_if(LockId::of(self), is_waited_for);
    }

    /// Updates the word in a way that may admit others, unless `update` returns `None`.
    /// Returns whether the word was written. `mutated`: the guarded data may have changed, so
    /// that conditions have to be evaluated again.
    #[inline]
    pub(crate) fn update_word(
        &self,
        mutated: bool,
        update: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        match self.try_update_word(Self::flags_in_the_way(mutated), &update) {
            Some(written) => written,
            None => self.lock_and_update_word(mutated, update),
        }
    }

    /// The flags with which the word cannot be updated without the queue lock, as waiters wait
    /// for it: those that are queued and, if the data was `mutated`, the conditional ones.
    #[inline]
    pub(super) fn flags_in_the_way(mutated: bool) -> usize {
        if mutated { P::FLAGS } else { QUEUED }
    }

    /// Updates the word, unless `update` returns `None`, and returns whether it was written.
    /// Returns `None` if a flag of `in_the_way` is set: the queue has to be locked first.
    #[inline]
    pub(super) fn try_update_word(
        &self,
        in_the_way: usize,
        update: impl Fn(usize) -> Option<usize>,
    ) -> Option<bool> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & in_the_way != 0 {
                return None;
            }
            let Some(new_word) = update(word & !P::FLAGS) else {
                return Some(false);
            };
            let new_word = new_word | (word & P::FLAGS);
            // Release: pairs with the Acquire of those who acquire. Acquire is
            // not needed: a release reads nothing that others wrote.
            match self.word.compare_exchange_weak(
                word,
                new_word,
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(true),
                Err(now) => word = now,
            }
        }
    }

    #[cold]
    fn lock_and_update_word(&self, mutated: bool, update: impl Fn(usize) -> Option<usize>) -> bool {
        self.update_word_and_serve(self.lock_and_requeue(mutated), None, update)
    }

    /// Updates the word, unless `update` returns `None`, and serves the queue. Returns whether
    /// the word was written. The search for the first queued node starts at `from`, if given:
    /// no node before it is queued.
    #[inline]
    pub(super) fn update_word_and_serve<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        from: Option<NodePtr<P::Request>>,
        update: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // If no node is queued, none can be while we hold the lock (G1).
        if let Some(written) = self.try_update_word(QUEUED, &update) {
            return written;
        }
        // If a node is queued, the word is ours (G2).
        let word = self.word.load(Ordering::Relaxed);
        let Some(new_word) = update(word & !P::FLAGS) else {
            return false;
        };
        self.serve(queue, from, new_word);
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
        self.serve_inlined(queue, from, word);
    }

    /// [`serve`](Self::serve), inlined.
    #[inline(always)]
    fn serve_inlined<'q>(
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
        self.store_word(&queue, &serving, granted);
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
            self.store_word(&queue, &serving, true);
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

    /// Stores the updated word, and the first node that is still queued. `granted`: at least
    /// one waiter was granted. `_queue` is proof that the queue is locked.
    #[inline]
    pub(super) fn store_word(
        &self,
        _queue: &LockedQueue<'_, P::Request>,
        serving: &Serving<P>,
        granted: bool,
    ) {
        self.grants.set_first_waiter(serving.first);
        let before = self.word.load(Ordering::Relaxed);
        let mut word = serving.word | (before & CONDITIONAL & P::FLAGS);
        // If nobody can acquire before this grant is released, leaving `QUEUED` set excludes
        // nobody who could get in now, and saves the next waiter that joins a write.
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
        let (first, some_stay) = Self::find_first_to_requeue(queue, from);
        // SAFETY: nodes reached from the head are linked, as the queue stays locked.
        unsafe {
            let mut next = first;
            // No unsatisfied node is behind the first one that is queued (G6).
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
            self.clear_and_set_flags(0, QUEUED);
        }
        if !some_stay {
            self.clear_and_set_flags(CONDITIONAL, 0);
        }
    }

    /// The first unsatisfied node to queue again: `from`, if it is still in the queue, or the
    /// first of all. And whether unsatisfied nodes before it stay as they are.
    ///
    /// This is a walk of its own: `from` may have left the queue while it was unlocked, which is
    /// known only at the end of the walk. Then all nodes are queued again.
    fn find_first_to_requeue(
        queue: &LockedQueue<'_, P::Request>,
        from: Option<NodePtr<P::Request>>,
    ) -> (Option<NodePtr<P::Request>>, bool) {
        let mut first = None;
        let mut next = queue.head();
        // SAFETY: nodes reached from the head are linked, as the queue is locked.
        unsafe {
            // No unsatisfied node is behind the first one that is queued (G6).
            while let Some(node) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(node);
                if queue.state_of(node) == State::Unsatisfied {
                    if from == Some(node) {
                        return (from, first.is_some());
                    }
                    first = first.or(Some(node));
                }
            }
        }
        (first, false)
    }

    /// Clears the flags `clear` and sets the flags `set` in the word, under the queue lock.
    pub(super) fn clear_and_set_flags(&self, clear: usize, set: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        // Acquire: pairs with the Release of those who released, for those who are
        // granted under the queue lock from here on.
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            (word & !clear) | set,
            Ordering::Acquire,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }
}
