//! What lets tasks in one after the other: the mechanism behind `Lock`, `Mutex`,
//! `RwLock` and the semaphores.
//!
//! A [`Gate`] is one word and a wait queue. What the word counts, and when a
//! request may enter, is the [`Policy`] of the primitive: two pure functions on
//! the word. Everything else (who is next, waking, cancelling, the rule for
//! futures of one task) is here, once.
//!
//! # The word
//!
//! The lowest bit is [`QUEUED`]; the others belong to the policy.
//!
//! | `QUEUED` | queue | acquire | release |
//! |---|---|---|---|
//! | 0 | nobody waits; there may be granted nodes | one compare-exchange if the policy admits, else join the queue | one compare-exchange |
//! | 1 | at least one node waits | join the queue | under the lock of the queue: serve from the head |
//!
//! # The queue
//!
//! ```text
//! head -> [granted]* -> [waiting]*
//! ```
//!
//! A release serves the nodes that wait, in order, as long as the policy admits
//! them: it counts them into the word (the permit is handed over there and
//! then), marks them granted, and wakes them after it has unlocked the queue. A
//! granted node stays linked, in front of all that wait, until its owner is
//! polled or dropped, or a sibling takes the grant.
//!
//! # Invariants
//!
//! - **G1** `QUEUED` is set exactly when a node waits, and changes only under
//!   the lock of the queue.
//! - **G2** While `QUEUED` is set, the word is written only under the lock of
//!   the queue; whoever has that lock has the word to itself. Hence nobody
//!   enters past a node that waits: a newcomer's compare-exchange expects a
//!   word without `QUEUED`.
//! - **G3** Whenever the lock of the queue is released, the first node that
//!   waits is one that the policy does not admit, or whoever released the lock
//!   is about to take it again and serve on.
//! - **G4** The word counts every guard that exists and every granted node.
//! - **G5** A grant is consumed under the lock of the queue, by the owner's
//!   poll, by the owner's drop, which gives it on, or by a sibling; so by one of
//!   them only.
//!
//! # Orderings
//!
//! Entering is an Acquire operation on the word, leaving a Release one, and
//! every write of the word is a read-modify-write, so that the release sequence
//! of each leaver lasts until somebody enters. A grant is passed through the
//! lock of the queue, which orders the leaver before the owner's poll.
//!
//! # Grants belong to the task
//!
//! A task may wait twice at one gate, in two futures of which it polls only the
//! second (the "futurelock" of Oxide's RFD 609). Were a grant bound to the
//! future, the first future would keep it for ever. So a future that waits looks
//! whether a granted node was registered by a waker of its own task. The first
//! time it sees such a grant, it remembers it (the grant's ticket), wakes its
//! task and returns Pending: perhaps the owner is merely polled after it. If the
//! same grant is still there at its next poll, it takes it, and the owner waits
//! again, at the head of the line. Where the grant is too little (one permit of
//! two that are asked for; a read where a write is), it is given back all the
//! same, and the future waits for the rest at the head of the line, before the
//! owner.

use core::fmt;
use core::marker::PhantomData;
use core::mem::{self, ManuallyDrop};
use core::pin::Pin;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicU32 as PlainAtomicU32};
use core::task::{Context, Poll, Waker};
use std::sync::Arc;

use crate::async_lock::LockId;
use crate::queue::{GRANTED, IDLE, LockedQueue, Node, Queue, WAITING};
use crate::sync::{AtomicUsize, Ordering};
use crate::wake::WakeBatch;

/// Somebody waits (G1).
pub(crate) const QUEUED: usize = 1;

/// What the word of a gate means.
///
/// The functions get and return words without [`QUEUED`].
pub(crate) trait Policy: Sized {
    /// What a waiter asks for.
    type Request: Copy + Send + Sync;

    /// Where the first node that waits is remembered.
    type Front: Front<Self::Request>;

    /// The word after `request` has entered, if it may enter.
    fn admit(word: usize, request: Self::Request) -> Option<usize>;

    /// The word after `request` has turned back: the inverse of `admit`.
    fn retract(word: usize, request: Self::Request) -> usize;

    /// Whether `request` enters before all that wait.
    #[inline]
    fn comes_first(_request: Self::Request) -> bool {
        false
    }
}

/// The place where the nodes that wait begin, behind those that are granted.
/// Used under the lock of the queue only.
pub(crate) trait Front<R> {
    /// Nobody waits.
    const NEW: Self;

    /// The first node that waits.
    ///
    /// # Safety
    ///
    /// As for [`LockedQueue::head`].
    unsafe fn get<'q>(&self, queue: &LockedQueue<'q, R>) -> Option<&'q Node<R>>;

    /// Remembers the first node that waits.
    fn set(&self, first: Option<&Node<R>>);
}

/// At most one node is granted at a time: the first node that waits is the head
/// or the one behind it, and need not be remembered.
pub(crate) struct OneGrant;

impl<R> Front<R> for OneGrant {
    const NEW: Self = OneGrant;

    #[inline]
    unsafe fn get<'q>(&self, queue: &LockedQueue<'q, R>) -> Option<&'q Node<R>> {
        // SAFETY: passed on.
        unsafe {
            let head = queue.head()?;
            if queue.state_of(head) == GRANTED {
                queue.next(head)
            } else {
                Some(head)
            }
        }
    }

    #[inline]
    fn set(&self, _first: Option<&Node<R>>) {}
}

/// Any number of nodes is granted.
pub(crate) struct ManyGrants<R>(AtomicPtr<Node<R>>);

impl<R> Front<R> for ManyGrants<R> {
    // The constant is an initial value, never used in place.
    #[allow(clippy::declare_interior_mutable_const)]
    const NEW: Self = ManyGrants(AtomicPtr::new(ptr::null_mut()));

    #[inline]
    unsafe fn get<'q>(&self, _queue: &LockedQueue<'q, R>) -> Option<&'q Node<R>> {
        // SAFETY: null or a node that waits, hence is linked; passed on.
        unsafe { self.0.load(Ordering::Relaxed).as_ref() }
    }

    #[inline]
    fn set(&self, first: Option<&Node<R>>) {
        let first = first.map_or(ptr::null_mut(), |node| (&raw const *node).cast_mut());
        self.0.store(first, Ordering::Relaxed);
    }
}

/// A word that admits requests, and those that wait for it. See the module.
pub(crate) struct Gate<P: Policy> {
    word: AtomicUsize,
    queue: Queue<P::Request>,
    front: P::Front,
    _policy: PhantomData<P>,
}

impl<P: Policy> Gate<P> {
    #[cfg(not(async_monitor_loom))]
    pub(crate) const fn new(word: usize) -> Self {
        Gate {
            word: AtomicUsize::new(word),
            queue: Queue::new(),
            front: P::Front::NEW,
            _policy: PhantomData,
        }
    }

    #[cfg(async_monitor_loom)]
    pub(crate) fn new(word: usize) -> Self {
        Gate {
            word: AtomicUsize::new(word),
            queue: Queue::new(),
            front: P::Front::NEW,
            _policy: PhantomData,
        }
    }

    /// The word as it was a moment ago.
    #[inline]
    pub(crate) fn word(&self) -> usize {
        self.word.load(Ordering::Relaxed)
    }

    /// How many wait and have not been granted.
    pub(crate) fn waiters(&self) -> usize {
        self.queue.lock().count(WAITING)
    }

    /// Enters if that is possible at once and nobody waits.
    #[inline]
    pub(crate) fn try_enter(&self, request: P::Request) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & QUEUED != 0 {
                return false;
            }
            let Some(entered) = P::admit(word, request) else {
                return false;
            };
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Enters if that is possible at once, before all that wait, for requests
    /// that come first.
    pub(crate) fn try_enter_first(&self, request: P::Request) -> bool {
        debug_assert!(P::comes_first(request));
        let _queue = self.queue.lock();
        let mut word = self.word.load(Ordering::Relaxed);
        while let Some(entered) = P::admit(word & !QUEUED, request) {
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered | (word & QUEUED),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Gives back what `request` has been granted.
    #[inline]
    pub(crate) fn leave(&self, request: P::Request) {
        self.change(|word| Some(P::retract(word, request)));
    }

    /// Changes the word in a way that may let others in, unless `change` refuses
    /// to. Returns whether it did.
    #[inline]
    pub(crate) fn change(&self, change: impl Fn(usize) -> Option<usize>) -> bool {
        match self.try_change(&change) {
            Some(changed) => changed,
            None => self.change_queued(self.queue.lock(), change),
        }
    }

    /// Changes the word, unless `change` refuses to, if nobody waits.
    #[inline]
    fn try_change(&self, change: impl Fn(usize) -> Option<usize>) -> Option<bool> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & QUEUED != 0 {
                return None;
            }
            let Some(changed) = change(word) else {
                return Some(false);
            };
            // Release: pairs with the Acquire of those who enter. Acquire is
            // not needed: the one who leaves reads nothing that others left.
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

    /// Changes the word, unless `change` refuses to, and serves those who wait.
    #[cold]
    fn change_queued(
        &self,
        mut queue: LockedQueue<'_, P::Request>,
        change: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // Where nobody waits, nobody can begin to while we hold the lock (G1).
        if let Some(changed) = self.try_change(&change) {
            return changed;
        }
        let mut batch = WakeBatch::new();
        let Some(mut more) = self.serve(&mut queue, &mut batch, change) else {
            return false;
        };
        drop(queue);
        batch.wake_all();
        while more {
            let mut queue = self.queue.lock();
            more = self.serve(&mut queue, &mut batch, Some).unwrap_or(false);
            drop(queue);
            batch.wake_all();
        }
        true
    }

    /// Changes the word and grants whom it then admits, in order. Returns
    /// whether the batch was full before all were served, or `None` if `change`
    /// refused.
    ///
    /// Does nothing, not even the change, where nobody waits.
    fn serve(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        batch: &mut WakeBatch,
        change: impl Fn(usize) -> Option<usize>,
    ) -> Option<bool> {
        let before = self.word.load(Ordering::Relaxed);
        if before & QUEUED == 0 {
            return Some(false);
        }
        let mut word = change(before & !QUEUED)?;
        let mut more = false;
        // SAFETY: nothing is unlinked here, and the lock is held throughout.
        let mut first = unsafe { self.front.get(queue) };
        while let Some(node) = first {
            let Some(entered) = P::admit(word, node.request) else {
                break;
            };
            if batch.is_full() {
                more = true;
                break;
            }
            word = entered;
            // SAFETY: nodes from the front on wait (see the module); `next` as
            // above.
            unsafe {
                batch.push(queue.grant(node));
                first = queue.next(node);
            }
        }
        self.front.set(first);
        if first.is_some() {
            word |= QUEUED;
        }
        if word != before {
            // We have the word to ourselves (G2). Release: the change may be
            // one of a leaver. Acquire: what it orders may be passed on.
            self.word.swap(word, Ordering::AcqRel);
        }
        Some(more)
    }

    /// Enters, or joins the queue with the node of a future that is pinned.
    ///
    /// # Safety
    ///
    /// The node is pinned and used with this gate only, and is
    /// [cancelled](Self::cancel) before it goes away.
    #[inline]
    pub(crate) unsafe fn poll_enter(
        &self,
        node: &Node<P::Request>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if node.state() == IDLE && self.try_enter(node.request) {
            return Poll::Ready(());
        }
        // SAFETY: passed on.
        unsafe { self.poll_queued(node, cx.waker()) }
    }

    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter).
    #[cold]
    unsafe fn poll_queued(&self, node: &Node<P::Request>, waker: &Waker) -> Poll<()> {
        // A clone for a sibling, made while the queue is not locked (Q5).
        let mut clone: Option<Waker> = None;
        loop {
            // SAFETY: passed on.
            let (mut spare, mut queue) = unsafe { self.queue.lock_to_poll(node, waker) };
            let entered = match queue.state_of(node) {
                GRANTED => {
                    // SAFETY: the node is granted here.
                    unsafe { queue.withdraw_granted(node) };
                    true
                }
                IDLE => {
                    let entered = self.enter_or_mark_queued(&queue, node.request);
                    if let Some(waker) = spare.take_if(|_| !entered) {
                        // SAFETY: the node is idle, and the caller keeps Q1.
                        unsafe { self.join(&mut queue, node, waker) };
                    }
                    entered
                }
                _ => false,
            };
            if entered {
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
                        self.change_queued(queue, change);
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
        struct Undo<'g, P: Policy>(&'g Gate<P>, P::Request);

        impl<P: Policy> Drop for Undo<'_, P> {
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
            let queued = word & QUEUED;
            let may_enter = queued == 0 || P::comes_first(request);
            let entered = P::admit(word & !QUEUED, request).filter(|_| may_enter);
            let new = entered.map_or(word | QUEUED, |entered| entered | queued);
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
            let first = self.front.get(queue);
            let comes_first = P::comes_first(node.request);
            queue.insert_before(first.filter(|_| comes_first), node, waker);
            if first.is_none() || comes_first {
                self.front.set(Some(node));
            }
        }
    }

    /// Looks whether the task of `waker` has a grant that another of its futures
    /// leaves unused.
    ///
    /// # Safety
    ///
    /// `node` waits in `queue`. For the result as for [`LockedQueue::head`].
    unsafe fn look_for_sibling<'q>(
        &self,
        queue: &mut LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
    ) -> Sibling<'q, P::Request> {
        let word = self.word.load(Ordering::Relaxed) & !QUEUED;
        // SAFETY: nothing is unlinked here; all nodes seen are linked.
        unsafe {
            let mut next = queue.head();
            while let Some(owner) = next.filter(|owner| queue.state_of(owner) == GRANTED) {
                next = queue.next(owner);
                if !queue.is_of_task(owner, waker) {
                    continue;
                }
                let enough = P::admit(P::retract(word, owner.request), node.request).is_some();
                // Who comes first must not come to stand behind another.
                if !enough && P::comes_first(owner.request) {
                    continue;
                }
                if owner.stamp() == 0 {
                    queue.set_stamp(owner, new_ticket());
                }
                if node.stamp() != owner.stamp() {
                    queue.set_stamp(node, owner.stamp());
                    return Sibling::Seen;
                }
                return if enough {
                    Sibling::Enough(owner)
                } else {
                    Sibling::TooLittle(owner)
                };
            }
        }
        Sibling::None
    }

    /// Takes `node` out of the queue, to enter with the grant of `owner`, which
    /// waits again, first. Returns the change of the word that does it.
    ///
    /// # Safety
    ///
    /// In `queue`, `node` waits with a waker of the task of `owner`, and
    /// [`look_for_sibling`](Self::look_for_sibling) has found in this hold that
    /// the grant of `owner` is enough.
    unsafe fn take_grant(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        owner: &Node<P::Request>,
    ) -> impl Fn(usize) -> Option<usize> + use<P> {
        // SAFETY: as the caller promises.
        unsafe {
            let behind = self.first_but(queue, node);
            let waker = queue.withdraw_waiting(node);
            queue.ungrant(owner, behind, waker);
        }
        self.front.set(Some(owner));
        // Requests are copied out: neither node may be referred to once the
        // queue is unlocked. `QUEUED` stays set, as `owner` waits; so the word
        // is ours (G2), and still one that admits the request.
        let (mine, theirs) = (node.request, owner.request);
        move |word| P::admit(P::retract(word, theirs), mine)
    }

    /// Takes back the grant of `owner`, which is not enough for `node`; both wait
    /// from here on at the head, `node` first. What the owner had is kept for
    /// `node`, as nobody is admitted before it.
    ///
    /// # Safety
    ///
    /// As for [`take_grant`](Self::take_grant), but that the grant is too little;
    /// `waker` is one of the task.
    unsafe fn change_places(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        owner: &Node<P::Request>,
        waker: Waker,
    ) {
        // SAFETY: as the caller promises.
        unsafe {
            let behind = self.first_but(queue, node);
            let own = queue.withdraw_waiting(node);
            queue.insert_before(behind, node, own);
            queue.ungrant(owner, behind, waker);
        }
        self.front.set(Some(node));
        let word = self.word.load(Ordering::Relaxed);
        // As somebody waits, the word is ours (G2), and the bit stays set.
        let word = P::retract(word & !QUEUED, owner.request) | QUEUED;
        self.word.swap(word, Ordering::AcqRel);
    }

    /// The first node that waits, apart from `node`, which waits too.
    ///
    /// # Safety
    ///
    /// As for [`LockedQueue::head`].
    unsafe fn first_but<'q>(
        &self,
        queue: &LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
    ) -> Option<&'q Node<P::Request>> {
        // SAFETY: passed on.
        unsafe {
            match self.front.get(queue) {
                Some(first) if ptr::eq(first, node) => queue.next(node),
                first => first,
            }
        }
    }

    /// Takes a node out of the queue, wherever it stands, and gives on what it
    /// was granted.
    ///
    /// # Safety
    ///
    /// The node is pinned and was used with this gate only.
    #[inline]
    pub(crate) unsafe fn cancel(&self, node: &Node<P::Request>) {
        if node.state() != IDLE {
            // SAFETY: passed on.
            unsafe { self.cancel_queued(node) }
        }
    }

    /// # Safety
    ///
    /// As for [`cancel`](Self::cancel), and the node is linked.
    #[cold]
    unsafe fn cancel_queued(&self, node: &Node<P::Request>) {
        // Dropped last, after the lock of the queue is released (Q5) and what
        // the node held has been given on.
        let _waker;
        let mut queue = self.queue.lock();
        if queue.state_of(node) == GRANTED {
            // SAFETY: the node is granted here.
            unsafe { queue.withdraw_granted(node) };
            self.change_queued(queue, |word| Some(P::retract(word, node.request)));
            return;
        }
        // SAFETY: the node waits here.
        unsafe {
            let first = self.front.get(&queue);
            let was_first = first.is_some_and(|first| ptr::eq(first, node));
            if was_first {
                self.front.set(queue.next(node));
            }
            _waker = queue.withdraw_waiting(node);
            if was_first {
                // Those behind may be admitted where it was not.
                self.change_queued(queue, Some);
            }
        }
    }
}

/// What a task leaves unused.
enum Sibling<'q, R> {
    /// No grant.
    None,
    /// A grant that was not there at the last poll: come back for it.
    Seen,
    /// A grant that was, and with which the future can enter.
    Enough(&'q Node<R>),
    /// A grant that was, but that does not suffice.
    TooLittle(&'q Node<R>),
}

impl<P: Policy> fmt::Debug for Gate<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("word", &self.word())
            .field("waiters", &self.waiters())
            .finish()
    }
}

/// A number by which a grant is known again. Zero is no ticket.
fn new_ticket() -> u32 {
    // No part of the protocol, hence no loom type: any distinct numbers do.
    static NEXT: PlainAtomicU32 = PlainAtomicU32::new(1);
    loop {
        let ticket = NEXT.fetch_add(1, Ordering::Relaxed);
        if ticket != 0 {
            return ticket;
        }
    }
}

/// A primitive with a gate.
pub(crate) trait Gated {
    /// What the word of the gate means.
    type Policy: Policy;

    /// The gate.
    fn gate(&self) -> &Gate<Self::Policy>;
}

/// A way to keep a primitive alive and reach its gate: `&L` or `Arc<L>`.
pub(crate) trait Handle {
    /// What the word of the gate means.
    type Policy: Policy;

    /// The gate.
    fn gate(&self) -> &Gate<Self::Policy>;
}

impl<L: Gated + ?Sized> Handle for &L {
    type Policy = L::Policy;

    #[inline]
    fn gate(&self) -> &Gate<Self::Policy> {
        L::gate(self)
    }
}

impl<L: Gated + ?Sized> Handle for Arc<L> {
    type Policy = L::Policy;

    #[inline]
    fn gate(&self) -> &Gate<Self::Policy> {
        L::gate(self)
    }
}

/// A place inside a gate, which is left on drop: the inside of every guard.
///
/// `C` says which request was granted, in as few bytes as the guard needs.
pub(crate) struct Inside<H: Handle, C: Claim<H>> {
    handle: H,
    claim: C,
}

/// Something small that says which request was granted.
pub(crate) trait Claim<H: Handle>: Copy + Into<<H::Policy as Policy>::Request> {}

impl<H: Handle, C: Copy + Into<<H::Policy as Policy>::Request>> Claim<H> for C {}

impl<H: Handle, C: Claim<H>> Inside<H, C> {
    /// For those to whom the gate has granted `claim`.
    #[inline]
    pub(crate) fn new(handle: H, claim: C) -> Self {
        Inside { handle, claim }
    }

    /// The primitive.
    #[inline]
    pub(crate) fn handle(&self) -> &H {
        &self.handle
    }

    /// What is held.
    #[inline]
    pub(crate) fn claim(&self) -> C {
        self.claim
    }

    /// Changes what the drop will give back.
    #[inline]
    pub(crate) fn set_claim(&mut self, claim: C) {
        self.claim = claim;
    }

    /// Keeps what was granted, and leaves it to the caller to give it back.
    #[inline]
    pub(crate) fn into_handle(self) -> H {
        let this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so the handle is
        // read out once. A claim is `Copy` and needs no drop.
        unsafe { ptr::read(&raw const this.handle) }
    }

    /// Leaves the gate.
    #[inline]
    pub(crate) fn leave(self) -> H {
        let claim = self.claim;
        let handle = self.into_handle();
        handle.gate().leave(claim.into());
        handle
    }

    /// Which lock this is.
    #[inline]
    pub(crate) fn lock_id(&self) -> LockId {
        LockId::of(self.handle.gate())
    }
}

impl<H: Handle, C: Claim<H>> Drop for Inside<H, C> {
    #[inline]
    fn drop(&mut self) {
        self.handle.gate().leave(self.claim.into());
    }
}

/// The future of entering a gate: the inside of every named future. Returns its
/// handle, from which the caller makes a guard.
pub(crate) struct Entering<H: Handle> {
    /// `None` once the future has completed.
    handle: Option<H>,
    node: Node<<H::Policy as Policy>::Request>,
}

impl<H: Handle> Entering<H> {
    #[inline]
    pub(crate) fn new(handle: H, request: <H::Policy as Policy>::Request) -> Self {
        Entering {
            handle: Some(handle),
            node: Node::new(request),
        }
    }

    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<H> {
        // SAFETY: the node is not moved out of the pinned future; the handle is
        // not pinned with it.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(handle) = &this.handle else {
            polled_after_completion()
        };
        // SAFETY: the node is pinned as we are, used with this gate only, and
        // cancelled by our drop.
        if unsafe { handle.gate().poll_enter(&this.node, cx) }.is_pending() {
            return Poll::Pending;
        }
        match this.handle.take() {
            Some(handle) => Poll::Ready(handle),
            None => polled_after_completion(),
        }
    }

    /// What the future waits for.
    #[inline]
    pub(crate) fn request(&self) -> <H::Policy as Policy>::Request {
        self.node.request
    }

    /// Whether the future has returned its handle.
    pub(crate) fn is_terminated(&self) -> bool {
        self.handle.is_none()
    }
}

impl<H: Handle> Drop for Entering<H> {
    #[inline]
    fn drop(&mut self) {
        if let Some(handle) = &self.handle {
            // SAFETY: the node was pinned if it was ever linked, and used with
            // this gate only.
            unsafe { handle.gate().cancel(&self.node) }
        }
    }
}

#[cold]
#[track_caller]
pub(crate) fn polled_after_completion() -> ! {
    panic!("the future was polled again after it had completed")
}

/// Defines the named futures of a primitive around [`Entering`].
///
/// `Name[generics][parameters] for Handle => Guard, request expression;` where the guard has
/// a function `new(handle)`.
macro_rules! entering_future {
    ($($(#[$doc:meta])* $name:ident[$($generics:tt)*][$($params:tt)*] for $handle:ty => $guard:ty, request $request:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// It does nothing until it is polled, and may be dropped at any time:
        /// see the cancel safety of the method.
        #[must_use = "futures do nothing unless they are awaited"]
        pub struct $name<$($generics)*> {
            entering: $crate::gate::Entering<$handle>,
        }

        impl<$($generics)*> $name<$($params)*> {
            #[inline]
            pub(crate) fn new(handle: $handle) -> Self {
                Self { entering: $crate::gate::Entering::new(handle, $request) }
            }
        }

        impl<$($generics)*> ::core::future::Future for $name<$($params)*> {
            type Output = $guard;

            #[inline]
            fn poll(
                self: ::core::pin::Pin<&mut Self>,
                cx: &mut ::core::task::Context<'_>,
            ) -> ::core::task::Poll<Self::Output> {
                // SAFETY: the only field is pinned with the struct.
                let entering = unsafe { self.map_unchecked_mut(|this| &mut this.entering) };
                entering.poll(cx).map(<$guard>::new)
            }
        }

        impl<$($generics)*> ::core::fmt::Debug for $name<$($params)*> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("terminated", &self.entering.is_terminated())
                    .finish_non_exhaustive()
            }
        }
    )*};
}

pub(crate) use entering_future;
