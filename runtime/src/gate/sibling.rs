//! The rule for futures of one task: see "Grants belong to the task".

use core::cell::Cell;
use core::ptr;
use core::sync::atomic::AtomicU32 as PlainAtomicU32;
use core::task::Waker;

use super::Gate;
use super::policy::{Front, Policy};
use crate::queue::{GRANTED, LockedQueue, Node, WAITING};
use crate::sync::{Flavour, Ordering};

/// What a task leaves unused.
pub(super) enum Sibling<'q, R> {
    /// No grant.
    None,
    /// A grant that was not there at the last poll: come back for it.
    Seen,
    /// A grant that was, and with which the future can enter.
    Enough(&'q Node<R>),
    /// A grant that was, but that does not suffice.
    TooLittle(&'q Node<R>),
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Looks whether the task of `waker` has a grant that another of its futures
    /// leaves unused.
    ///
    /// # Safety
    ///
    /// `node` waits in `queue`. For the result as for [`LockedQueue::head`].
    pub(super) unsafe fn look_for_sibling<'q>(
        &self,
        queue: &mut LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
    ) -> Sibling<'q, P::Request> {
        let word = self.word.load(Ordering::Relaxed) & !P::FLAGS;
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
                    queue.set_stamp(owner, new_ticket::<F>());
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
    pub(super) unsafe fn take_grant(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        owner: &Node<P::Request>,
    ) -> impl Fn(usize) -> Option<usize> + use<P, F> {
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
    pub(super) unsafe fn change_places(
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
        let word = P::retract(word & !P::FLAGS, owner.request) | (word & P::FLAGS);
        self.word.store(word, Ordering::Release);
    }

    /// The first node that waits, apart from `node`, which waits too.
    ///
    /// # Safety
    ///
    /// As for [`LockedQueue::head`].
    pub(super) unsafe fn first_but<'q>(
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
}

/// A number by which a grant is known again. Zero is no ticket.
#[inline]
fn new_ticket<F: Flavour>() -> u32 {
    // No part of the protocol, hence no loom type: any numbers do that are
    // distinct at one gate, and a gate for one thread stays there (T1).
    static NEXT: PlainAtomicU32 = PlainAtomicU32::new(1);
    thread_local! {
        static LOCAL_NEXT: Cell<u32> = const { Cell::new(1) };
    }
    loop {
        let ticket = if F::LOCAL {
            let ticket = LOCAL_NEXT.get();
            LOCAL_NEXT.set(ticket.wrapping_add(1));
            ticket
        } else {
            NEXT.fetch_add(1, Ordering::Relaxed)
        };
        if ticket != 0 {
            return ticket;
        }
    }
}
