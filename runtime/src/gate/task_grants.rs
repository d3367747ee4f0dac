//! Grants belong to the task, not to the future: see "Grants belong to the task".

#[cfg(feature = "std")]
use core::cell::Cell;
#[cfg(target_has_atomic = "ptr")]
use core::sync::atomic::AtomicU32 as PlainAtomicU32;
use core::task::Waker;

use super::Gate;
use super::acquire::Waiter;
use super::policy::{Grants, Policy};
#[cfg(not(target_has_atomic = "ptr"))]
use crate::platform::AtomicU32 as PlainAtomicU32;
use crate::platform::{Flavour, Ordering};
use crate::queue::{LockedQueue, Node, NodePtr, State};

/// How many unused grants of its task a future searches for the one it has marked. A
/// task with more of them may need more polls to give them up.
const MAX_GRANTS: usize = 8;

/// An unused grant of a waiter's task.
pub(super) enum UnusedGrant<P: Policy> {
    /// No grant.
    None,
    /// A grant that this waiter has not seen before: mark it, and check again at the next poll.
    Unseen(NodePtr<P::Request>),
    /// A grant that was revoked, whose owner has no waker: nothing would wake the task at the next
    /// grant.
    Revoked(NodePtr<P::Request>),
    /// A grant seen at an earlier poll, with which the request is admitted.
    Sufficient(NodePtr<P::Request>),
    /// A grant seen at an earlier poll, with which the request is not admitted.
    Insufficient(NodePtr<P::Request>),
}

/// A grant that a sibling has taken. `QUEUED` stays set, as its owner is queued; so the
/// word is ours (G2) until the queue is unlocked, and admits the sibling once `granted` is
/// released.
pub(super) struct Taken<P: Policy> {
    /// The sibling's waker, to drop once the queue is unlocked.
    pub(super) waker: Option<Waker>,
    /// The first queued node.
    pub(super) first: Option<NodePtr<P::Request>>,
    pub(super) granted: P::Request,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Finds an unused grant of the task of `waker`. Usually there is none.
    ///
    /// # Safety
    ///
    /// `node` waits in `queue`, registered with `waker`.
    #[inline]
    pub(super) unsafe fn find_unused_grant(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
        waiter: Waiter,
    ) -> UnusedGrant<P> {
        // SAFETY: as the caller promises; the grant is linked, as the queue stays locked.
        unsafe {
            if let Some(oldest) = self.grants.next_of_task(queue, waker, None) {
                let found = self.choose_grant(queue, node, waker, waiter, oldest);
                if !matches!(found, UnusedGrant::None) {
                    return found;
                }
            }
            if F::LOCAL || queue.woken_anywhere() == 0 {
                return UnusedGrant::None;
            }
            self.find_revoked(queue, waker)
        }
    }

    /// # Safety
    ///
    /// As for [`find_unused_grant`](Self::find_unused_grant), and `oldest` is the oldest
    /// grant of the task.
    #[inline(never)]
    unsafe fn choose_grant(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        waker: &Waker,
        waiter: Waiter,
        oldest: NodePtr<P::Request>,
    ) -> UnusedGrant<P> {
        let own = node.as_ptr();
        let word = self.word.load(Ordering::Relaxed) & !P::FLAGS;
        let mut unseen = None;
        // SAFETY: all nodes seen are linked, as the queue stays locked.
        unsafe {
            let seen = queue.ticket_of(own);
            let is_first = self.grants.first_waiter(queue, None) == Some(own);
            let mut next = Some(oldest);
            for _ in 0..MAX_GRANTS {
                let Some(owner) = next else { break };
                next = self.grants.next_of_task(queue, waker, next);
                let granted = queue.request_of(owner);
                // Only the first in the queue may add free permits to the grant, so that
                // nobody is overtaken.
                let enough = waiter == Waiter::Plain
                    && (is_first || P::covers(granted, node.request))
                    && P::admit(P::release(word, granted), node.request).is_some();
                // A request with priority would be granted again at once; and if the waiter
                // is not queued, others would overtake that request.
                if !enough && P::has_priority(granted) {
                    continue;
                }
                if seen != 0 && queue.ticket_of(owner) == seen {
                    return if enough {
                        UnusedGrant::Sufficient(owner)
                    } else {
                        UnusedGrant::Insufficient(owner)
                    };
                }
                unseen = unseen.or(Some(owner));
            }
        }
        unseen.map_or(UnusedGrant::None, UnusedGrant::Unseen)
    }

    /// Finds a grant of the task of `waker` that was revoked, by a thread or in a turn gate:
    /// nothing else would wake the task at the next grant.
    ///
    /// # Safety
    ///
    /// As for [`find_unused_grant`](Self::find_unused_grant).
    #[cold]
    unsafe fn find_revoked(
        &self,
        queue: &LockedQueue<'_, P::Request>,
        waker: &Waker,
    ) -> UnusedGrant<P> {
        let mut remaining = queue.woken_anywhere();
        // SAFETY: all nodes seen are linked, as the queue stays locked.
        unsafe {
            // Usually before all queued nodes; in a turn gate, perhaps behind the waiter
            // (T5).
            let mut next = self.grants.first_waiter(queue, None);
            while let Some(owner) = next.filter(|_| remaining > 0) {
                if queue.state_of(owner) == State::Woken {
                    if queue.is_of_task(owner, waker) {
                        return UnusedGrant::Revoked(owner);
                    }
                    remaining -= 1;
                }
                next = queue.next(owner);
            }
        }
        UnusedGrant::None
    }

    /// Marks the grant of `owner` as seen by `node`, and stores a waker of the task in it. Returns
    /// whether it has, and the waker if it is not used, to drop once the queue is unlocked.
    ///
    /// A clone may have other parts than its original. Such a clone does not identify the task,
    /// and must not replace the waker by whose parts the grant is found (X1).
    ///
    /// # Safety
    ///
    /// In `queue`, `node` waits with a waker of the task of `owner`, which is granted.
    pub(super) unsafe fn mark_unclaimed(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: NodePtr<P::Request>,
        owner: NodePtr<P::Request>,
        waker: Waker,
    ) -> (bool, Option<Waker>) {
        // SAFETY: as the caller promises.
        unsafe {
            if !queue.is_of_task(owner, &waker) {
                return (false, Some(waker));
            }
            let ticket = ticket_at::<P, F>(queue, owner);
            queue.set_ticket(node, ticket);
            if queue.state_of(owner) == State::Unclaimed {
                return (true, Some(waker));
            }
            queue.give_waker(owner, waker);
            (true, None)
        }
    }

    /// `node` leaves the queue, to acquire with the grant of `owner`, which takes its
    /// place there (the head, if it has priority).
    ///
    /// # Safety
    ///
    /// In `queue`, `node` waits with a waker of the task of `owner`, and
    /// [`find_unused_grant`](Self::find_unused_grant) has found, since the queue was locked,
    /// that the grant of `owner` is enough.
    pub(super) unsafe fn take_grant(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        node: &Node<P::Request>,
        owner: NodePtr<P::Request>,
    ) -> Taken<P> {
        let own = node.as_ptr();
        // SAFETY: as the caller promises.
        unsafe {
            let granted = queue.request_of(owner);
            let first = self.grants.first_waiter(queue, None);
            let behind = queue.next(own);
            let to_the_head = first == Some(own) || P::has_priority(granted);
            let before = if first == Some(own) || !to_the_head {
                behind
            } else {
                first
            };
            let waker = queue.withdraw(own);
            self.grants.ended(owner);
            queue.revoke(owner, before);
            let first = if to_the_head { Some(owner) } else { first };
            self.grants.set_first_waiter(first);
            Taken {
                waker,
                first,
                granted,
            }
        }
    }

    /// Revokes the grant of `owner`, which does not suffice for `node`, and serves the
    /// queue. `node` keeps its place, and `owner` is queued right behind it. If `node` is
    /// unsatisfied, hence not queued, `owner` leaves the queue: it would be granted again at
    /// once, for ever.
    ///
    /// # Safety
    ///
    /// As for [`take_grant`](Self::take_grant), but that the grant is too little.
    #[cold]
    pub(super) unsafe fn give_back<'q>(
        &'q self,
        mut queue: LockedQueue<'q, P::Request>,
        node: NodePtr<P::Request>,
        owner: NodePtr<P::Request>,
    ) {
        // Dropped after the queue is unlocked (Q5).
        let mut _unused = None;
        // SAFETY: as the caller promises.
        let granted = unsafe {
            let granted = queue.request_of(owner);
            self.grants.ended(owner);
            if queue.state_of(node) == State::Unsatisfied {
                _unused = queue.retire(owner);
            } else {
                let behind = queue.next(node);
                queue.revoke(owner, behind);
            }
            granted
        };
        self.update_word_and_serve(queue, None, |word| Some(P::release(word, granted)));
    }
}

/// The ticket of a grant, by which it is known again.
///
/// # Safety
///
/// The node is granted in `queue`.
pub(super) unsafe fn ticket_at<P: Policy, F: Flavour>(
    queue: &mut LockedQueue<'_, P::Request>,
    node: NodePtr<P::Request>,
) -> u32 {
    // SAFETY: passed on.
    unsafe {
        let mut ticket = queue.ticket_of(node);
        if ticket == 0 {
            ticket = new_ticket::<F>();
            queue.set_ticket(node, ticket);
        }
        ticket
    }
}

/// A number that no other grant has. Zero is not a ticket.
#[inline]
fn new_ticket<F: Flavour>() -> u32 {
    // Not a part of the protocol, hence not a loom type: the numbers need only be distinct
    // within a gate, and a local gate stays on its thread (LF1).
    static NEXT: PlainAtomicU32 = PlainAtomicU32::new(1);
    #[cfg(feature = "std")]
    thread_local! {
        static LOCAL_NEXT: Cell<u32> = const { Cell::new(1) };
    }
    let next = || {
        #[cfg(feature = "std")]
        if F::LOCAL {
            let ticket = LOCAL_NEXT.get();
            LOCAL_NEXT.set(ticket.wrapping_add(1));
            return ticket;
        }
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
    loop {
        let ticket = next();
        if ticket != 0 {
            return ticket;
        }
    }
}
