//! Entering, waiting to enter, and giving up.

use core::mem;
use core::task::{Poll, Waker};

use super::policy::{Front, Policy};
use super::sibling::Sibling;
use super::{Gate, QUEUED};
use crate::queue::{GRANTED, IDLE, LOOKING, LockedQueue, Node, PARKED, POLLED, WAITING};
use crate::sync::{Flavour, Ordering};

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Enters if that is possible at once, before all that wait, for requests
    /// that come first.
    pub(crate) fn try_enter_first(&self, request: P::Request) -> bool {
        debug_assert!(P::comes_first(request));
        let _queue = self.queue.lock();
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(entered) = P::admit(word & !P::FLAGS, request) {
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered | (word & P::FLAGS),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Enters, or joins the queue with the node of a future that is pinned, or
    /// has joined it and looks whether it was let in: what a poll does once
    /// [`try_enter`](Self::try_enter) has failed.
    ///
    /// # Safety
    ///
    /// The node is pinned and used with this gate only, and is
    /// [cancelled](Self::cancel) before it goes away.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn poll_enter(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        // SAFETY: passed on.
        unsafe {
            if node.state() == IDLE {
                self.poll_join(node, waker)
            } else {
                self.poll_queued(node, waker)
            }
        }
    }

    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter), and the node is idle.
    unsafe fn poll_join(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        // Should this panic, or the drop below, the node is as it was (F2).
        let clone = waker.clone();
        let mut queue = self.queue.lock();
        if self.enter_or_mark_queued(&queue, node.request) {
            drop(queue);
            return self.entered(node.request, || drop(clone));
        }
        node.set_stage(POLLED);
        // SAFETY: the node is idle, and the caller keeps Q1; then it waits here,
        // with a waker of this task.
        unsafe {
            self.join(&mut queue, node, clone);
            match self.look_for_sibling(&mut queue, node, waker) {
                // A newcomer has no ticket: nothing is taken at the first poll.
                Sibling::None => Poll::Pending,
                _ => {
                    drop(queue);
                    waker.wake_by_ref();
                    Poll::Pending
                }
            }
        }
    }

    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter), and the node is linked.
    unsafe fn poll_queued(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        let mut queue = self.queue.lock();
        if queue.state_of(node) == GRANTED {
            // SAFETY: the node is granted here.
            unsafe { queue.withdraw_granted(node) };
            return Poll::Ready(());
        }
        // SAFETY: passed on.
        unsafe { self.poll_waiting(queue, node, waker) }
    }

    /// As [`poll_queued`](Self::poll_queued), where the node was not granted when
    /// the queue was locked.
    ///
    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter), and the node is linked.
    #[inline(never)]
    unsafe fn poll_waiting<'q>(
        &'q self,
        queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
    ) -> Poll<()> {
        let mut locked = Some(queue);
        // A clone for a sibling, made while the queue is not locked (Q5).
        let mut clone: Option<Waker> = None;
        loop {
            let queue = locked.take().unwrap_or_else(|| self.queue.lock());
            // SAFETY: passed on.
            let (spare, mut queue) = unsafe { self.queue.keep_to_poll(queue, node, waker) };
            if queue.state_of(node) == GRANTED {
                // SAFETY: the node is granted here.
                unsafe { queue.withdraw_granted(node) };
                drop(queue);
                return self.entered(node.request, || drop((spare, clone)));
            }
            // SAFETY: the node waits here, with a waker of this task.
            match unsafe { self.look_for_sibling(&mut queue, node, waker) } {
                Sibling::None => return Poll::Pending,
                Sibling::Seen => {
                    drop(queue);
                    waker.wake_by_ref();
                    return Poll::Pending;
                }
                Sibling::Enough(owner) => {
                    // SAFETY: as above; the owner was found in this hold.
                    let change = unsafe { self.take_grant(&mut queue, node, owner) };
                    return self.entered(node.request, || {
                        self.change_queued(queue, None, change);
                        drop((spare, clone));
                    });
                }
                Sibling::TooLittle(owner) => match clone.take() {
                    // SAFETY: as above.
                    Some(waker) => unsafe {
                        self.change_places(&mut queue, node, owner, waker);
                    },
                    None => {
                        drop(queue);
                        clone = Some(waker.clone());
                    }
                },
            }
        }
    }

    /// Last step of a poll that has entered. What runs code of a user comes
    /// here: should it panic, nobody hears of the entry, so it is undone.
    fn entered(&self, request: P::Request, finish: impl FnOnce()) -> Poll<()> {
        struct Undo<'g, P: Policy, F: Flavour>(&'g Gate<P, F>, P::Request);

        impl<P: Policy, F: Flavour> Drop for Undo<'_, P, F> {
            #[inline]
            fn drop(&mut self) {
                self.0.leave(self.1);
            }
        }

        let undo = Undo(self, request);
        finish();
        mem::forget(undo);
        Poll::Ready(())
    }

    /// Enters if possible; otherwise marks that somebody waits, for the caller
    /// to join the queue.
    fn enter_or_mark_queued(
        &self,
        _queue: &LockedQueue<'_, P::Request>,
        request: P::Request,
    ) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            // Not before those who wait. `QUEUED` stays set while we hold the lock of
            // the queue (G2).
            if word & QUEUED != 0 && !P::comes_first(request) {
                return false;
            }
            let entered = P::admit(word & !P::FLAGS, request);
            let new = entered.map_or(word | QUEUED, |entered| entered | (word & P::FLAGS));
            // With `QUEUED` set, the word stays what it is while we hold the lock
            // of the queue (G2).
            if new == word && word & QUEUED != 0 {
                return entered.is_some();
            }
            // Acquire: pairs with the Release of those who left.
            match self
                .word
                .compare_exchange_weak(word, new, Ordering::Acquire, Ordering::Relaxed)
            {
                Ok(_) => return entered.is_some(),
                Err(now) => word = now,
            }
        }
    }

    /// # Safety
    ///
    /// The node is idle, and its owner keeps Q1.
    unsafe fn join(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        waker: Waker,
    ) {
        // SAFETY: passed on; nothing is unlinked here.
        unsafe {
            if P::comes_first(node.request) {
                queue.insert_before(self.front.get(queue, None), node, waker);
                self.front.set(Some(node));
            } else {
                queue.push_back(node, waker);
                self.front.joined(node);
            }
        }
    }

    /// Takes a node out of the queue, wherever it stands, and gives on what it
    /// was granted.
    ///
    /// # Safety
    ///
    /// The node is pinned and was used with this gate only.
    #[cold]
    #[inline(never)]
    pub(crate) unsafe fn cancel(&self, node: &Node<P::Request>) {
        if node.state() == IDLE {
            return;
        }
        // Dropped last, after the lock of the queue is released (Q5) and what
        // the node held has been given on.
        let _waker;
        let mut queue = self.queue.lock();
        let state = queue.state_of(node);
        // SAFETY: the node is linked here, in the state that was matched.
        unsafe {
            let behind = queue.next(node);
            match state {
                GRANTED => {
                    queue.withdraw_granted(node);
                    let request = node.request;
                    self.change_queued(queue, behind, |word| Some(P::retract(word, request)));
                }
                // A guard, or its drop, accounts for what was granted.
                LOOKING => queue.withdraw_granted(node),
                PARKED => _waker = queue.withdraw_waiting(node),
                _ => {
                    let before = queue.prev(node);
                    let was_first = before.is_none_or(|node| queue.state_of(node) != WAITING);
                    if was_first {
                        self.front.set(behind);
                    }
                    _waker = queue.withdraw_waiting(node);
                    if was_first {
                        // Those behind may be admitted where it was not.
                        self.change_queued(queue, behind, Some);
                    }
                }
            }
        }
    }
}
