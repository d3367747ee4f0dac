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
//! The lowest bits are [`QUEUED`] and [`PARKED_BIT`]; the others belong to the
//! policy.
//!
//! | `QUEUED` | `PARKED_BIT` | queue | acquire | release |
//! |---|---|---|---|---|
//! | 0 | 0 | nobody waits; there may be granted nodes | one compare-exchange if the policy admits, else join the queue | one compare-exchange |
//! | 0 | 1 | some wait for news only | the same | if it may be news, under the lock of the queue: unpark all, serve from the head |
//! | 1 | any | at least one node waits | join the queue | under the lock of the queue: if it may be news, unpark all; serve from the head |
//!
//! # The queue
//!
//! ```text
//! head -> [granted | looking | parked]* -> [waiting]*
//! ```
//!
//! A release serves the nodes that wait, in order, as long as the policy admits
//! them: it counts them into the word (the permit is handed over there and
//! then), marks them granted, and wakes them after it has unlocked the queue. A
//! granted node stays linked, in front of all that wait, until its owner is
//! polled or dropped, or a sibling takes the grant.
//!
//! # Conditions
//!
//! A conditional waiter (`when`) enters like any other, and looks. If what it sees
//! is not what it waits for, it leaves again, which is no news to anybody, and is
//! parked where it stood. A release that may have changed what is guarded (news)
//! lets all who are parked wait again, and each of them looks once, in order. So
//! nobody has to remember to notify, a look does not cause another, and a release
//! where nobody is parked costs what it always does.
//!
//! # Invariants
//!
//! - **G1** `QUEUED` is set exactly when a node waits, and `PARKED_BIT` whenever
//!   one is parked. Both change only under the lock of the queue.
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
//! - **G6** No node is parked behind one that waits: one that has looked was
//!   before all that wait. News come only from those who were alone inside, hence
//!   where no node is granted or looking, so that unparked nodes come to stand
//!   before all others that wait.
//! - **G7** A node is parked, and `PARKED_BIT` set, in the hold of the lock of the
//!   queue in which it leaves the gate: whoever enters after its look releases
//!   with the bit in sight.
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
use crate::queue::{GRANTED, IDLE, LOOKING, LockedQueue, Node, PARKED, Queue, WAITING};
use crate::sync::{AtomicUsize, Ordering};
use crate::wake::WakeBatch;

/// Somebody waits (G1).
pub(crate) const QUEUED: usize = 1;
/// Somebody has looked, and waits for something new to see (G1).
const PARKED_BIT: usize = 1 << 1;
/// The bits that are not the policy's.
pub(crate) const FLAGS: usize = QUEUED | PARKED_BIT;
/// The lowest bit of the policy.
pub(crate) const FIRST_BIT: usize = 1 << 2;

/// What the word of a gate means.
///
/// The functions get and return words without [`FLAGS`].
pub(crate) trait Policy: Sized {
    /// What a waiter asks for.
    type Request: Copy + Send + Sync;

    /// Where the first node that waits is remembered.
    type Front: Front<Self::Request>;

    /// The word after `request` has entered, if it may enter.
    fn admit(word: usize, request: Self::Request) -> Option<usize>;

    /// The word after `request` has turned back: the inverse of `admit`.
    fn retract(word: usize, request: Self::Request) -> usize;

    /// Whether who leaves with `request` may have changed what is guarded.
    #[inline]
    fn may_change(_request: Self::Request) -> bool {
        true
    }

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

    /// The first node that waits. It is `from`, or behind it, where that is
    /// given.
    ///
    /// # Safety
    ///
    /// As for [`LockedQueue::head`].
    unsafe fn get<'q>(
        &self,
        queue: &LockedQueue<'q, R>,
        from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>>;

    /// Remembers the first node that waits.
    fn set(&self, first: Option<&Node<R>>);
}

/// At most one node is granted at a time: the first node that waits is near, and
/// need not be remembered.
pub(crate) struct OneGrant;

impl<R> Front<R> for OneGrant {
    const NEW: Self = OneGrant;

    #[inline]
    unsafe fn get<'q>(
        &self,
        queue: &LockedQueue<'q, R>,
        from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>> {
        // SAFETY: passed on.
        unsafe {
            let mut node = from.or_else(|| queue.head());
            while let Some(passed) = node.filter(|node| queue.state_of(node) != WAITING) {
                node = queue.next(passed);
            }
            node
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
    unsafe fn get<'q>(
        &self,
        _queue: &LockedQueue<'q, R>,
        _from: Option<&'q Node<R>>,
    ) -> Option<&'q Node<R>> {
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
        let queue = self.queue.lock();
        queue.count(WAITING) + queue.count(PARKED)
    }

    /// Enters if that is possible at once and nobody waits.
    #[inline]
    pub(crate) fn try_enter(&self, request: P::Request) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & QUEUED != 0 {
                return false;
            }
            let Some(entered) = P::admit(word & !FLAGS, request) else {
                return false;
            };
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered | (word & PARKED_BIT),
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
        while let Some(entered) = P::admit(word & !FLAGS, request) {
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered | (word & FLAGS),
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
        self.change(P::may_change(request), |word| {
            Some(P::retract(word, request))
        });
    }

    /// Changes the word in a way that may let others in, unless `change` refuses
    /// to. Returns whether it did. `news` says that there may be something new
    /// to see for those who are parked.
    #[inline]
    pub(crate) fn change(&self, news: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        let wanted = if news { FLAGS } else { QUEUED };
        match self.try_change(wanted, &change) {
            Some(changed) => changed,
            None => self.change_with_news(news, change),
        }
    }

    /// Changes the word, unless `change` refuses to, if nobody waits for it, as
    /// the bits in `wanted` say.
    #[inline]
    fn try_change(&self, wanted: usize, change: impl Fn(usize) -> Option<usize>) -> Option<bool> {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & wanted != 0 {
                return None;
            }
            let Some(changed) = change(word & !FLAGS) else {
                return Some(false);
            };
            let changed = changed | (word & FLAGS);
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

    #[cold]
    fn change_with_news(&self, news: bool, change: impl Fn(usize) -> Option<usize>) -> bool {
        let mut queue = self.queue.lock();
        if news {
            self.unpark_all(&mut queue);
        }
        self.change_queued(queue, None, change)
    }

    /// Changes the word, unless `change` refuses to, and serves those who wait,
    /// of whom the first is `from` or behind it, where that is given.
    #[cold]
    fn change_queued<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        change: impl Fn(usize) -> Option<usize>,
    ) -> bool {
        // Where nobody waits, nobody can begin to while we hold the lock (G1).
        if let Some(changed) = self.try_change(QUEUED, &change) {
            return changed;
        }
        let mut batch = WakeBatch::new();
        let Some(mut more) = self.serve(&mut queue, from, &mut batch, change) else {
            return false;
        };
        drop(queue);
        batch.wake_all();
        while more {
            let mut queue = self.queue.lock();
            more = self
                .serve(&mut queue, None, &mut batch, Some)
                .unwrap_or(false);
            drop(queue);
            batch.wake_all();
        }
        true
    }

    /// All who are parked wait again, where they stand: there is something new
    /// to see.
    fn unpark_all(&self, queue: &mut LockedQueue<'_, P::Request>) {
        if self.word.load(Ordering::Relaxed) & PARKED_BIT == 0 {
            return;
        }
        let mut first = None;
        // SAFETY: nothing is unlinked here; a node that is unparked is parked.
        unsafe {
            let mut next = queue.head();
            // Nobody is parked behind the first one that waits (G6).
            while let Some(node) = next.filter(|node| queue.state_of(node) != WAITING) {
                if queue.state_of(node) == PARKED {
                    queue.unpark(node);
                    first = first.or(Some(node));
                }
                next = queue.next(node);
            }
        }
        // The bit may outlast those who were parked, if they were cancelled.
        if first.is_some() {
            self.front.set(first);
            self.replace_flags(0, QUEUED);
        }
        self.replace_flags(PARKED_BIT, 0);
    }

    /// Under the lock of the queue: takes some flags out of the word and puts
    /// others in.
    fn replace_flags(&self, out: usize, new: usize) {
        let mut word = self.word.load(Ordering::Relaxed);
        while let Err(now) = self.word.compare_exchange_weak(
            word,
            (word & !out) | new,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            word = now;
        }
    }

    /// Changes the word and grants whom it then admits, in order. Returns
    /// whether the batch was full before all were served, or `None` if `change`
    /// refused.
    ///
    /// Does nothing, not even the change, where nobody waits.
    fn serve<'q>(
        &self,
        queue: &mut LockedQueue<'q, P::Request>,
        from: Option<&'q Node<P::Request>>,
        batch: &mut WakeBatch,
        change: impl Fn(usize) -> Option<usize>,
    ) -> Option<bool> {
        let before = self.word.load(Ordering::Relaxed);
        if before & QUEUED == 0 {
            return Some(false);
        }
        let mut word = change(before & !FLAGS)?;
        let mut more = false;
        // SAFETY: nothing is unlinked here, and the lock is held throughout.
        let mut first = unsafe { self.front.get(queue, from) };
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
        word |= before & PARKED_BIT;
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
            let may_enter = word & QUEUED == 0 || P::comes_first(request);
            let entered = P::admit(word & !FLAGS, request).filter(|_| may_enter);
            let new = entered.map_or(word | QUEUED, |entered| entered | (word & FLAGS));
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
            let first = self.front.get(queue, None);
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
        let word = self.word.load(Ordering::Relaxed) & !FLAGS;
        // SAFETY: nothing is unlinked here; all nodes seen are linked.
        unsafe {
            let mut next = queue.head();
            while let Some(owner) = next.filter(|owner| queue.state_of(owner) != WAITING) {
                next = queue.next(owner);
                if queue.state_of(owner) != GRANTED || !queue.is_of_task(owner, waker) {
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
        let word = P::retract(word & !FLAGS, owner.request) | (word & FLAGS);
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
            match self.front.get(queue, None) {
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

    /// As [`poll_enter`](Self::poll_enter), but a node that stood in the queue
    /// keeps its place there until it [settles](Self::settle) or
    /// [parks](Self::park).
    ///
    /// # Safety
    ///
    /// As for [`poll_enter`](Self::poll_enter).
    pub(crate) unsafe fn poll_look(
        &self,
        node: &Node<P::Request>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        if node.state() == IDLE && self.try_enter(node.request) {
            return Poll::Ready(());
        }
        if node.state() != IDLE {
            // SAFETY: passed on.
            let (_replaced, mut queue) = unsafe { self.queue.lock_to_poll(node, cx.waker()) };
            match queue.state_of(node) {
                GRANTED => {
                    // SAFETY: the node is granted here, and ours.
                    unsafe { queue.look(node) };
                    return Poll::Ready(());
                }
                // A sibling's grant is of no use to one that waits for news.
                PARKED => return Poll::Pending,
                _ => {}
            }
        }
        // SAFETY: passed on. Where it enters, as a newcomer or by the grant of
        // a sibling, it has left the queue.
        unsafe { self.poll_queued(node, cx.waker()) }
    }

    /// The condition is true: the node leaves the queue, inside.
    ///
    /// # Safety
    ///
    /// The node is the caller's own, and [`poll_look`](Self::poll_look) has let it
    /// in.
    pub(crate) unsafe fn settle(&self, node: &Node<P::Request>) {
        if node.state() != IDLE {
            let mut queue = self.queue.lock();
            // SAFETY: the node is looking.
            unsafe { queue.withdraw_granted(node) }
        }
    }

    /// The condition is false: the node leaves the gate, which is no news for
    /// the others, and keeps its place until there are some.
    ///
    /// # Safety
    ///
    /// As for [`settle`](Self::settle), and there is no guard of what it was
    /// granted.
    pub(crate) unsafe fn park(&self, node: &Node<P::Request>, waker: Waker) {
        let mut queue = self.queue.lock();
        // SAFETY: a node that looks keeps its place; an idle one came before
        // all that wait now, as nobody waited when it entered.
        let behind = unsafe {
            if queue.state_of(node) == IDLE {
                let first = self.front.get(&queue, None);
                queue.insert_parked(first, node, waker);
            } else {
                queue.park(node, waker);
            }
            queue.next(node)
        };
        self.replace_flags(0, PARKED_BIT);
        let request = node.request;
        self.change_queued(queue, behind, |word| Some(P::retract(word, request)));
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
