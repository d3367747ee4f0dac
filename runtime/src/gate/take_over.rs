//! Threads that park take over grants that are not picked up: see "Threads that park".

use core::task::Poll;

use super::Gate;
use super::acquire::Waiter;
use super::policy::{Grants, Policy};
use super::task_grants::ticket_at;
use crate::blocking::took_over;
use crate::platform::{Flavour, Ordering};
use crate::queue::{LockedQueue, Node, NodePtr, State};

/// The stale grants that have to be revoked to admit a request.
struct StaleGrants<P: Policy> {
    /// The oldest grant, where the search began.
    first: NodePtr<P::Request>,
    /// How many stale grants must be revoked.
    count: usize,
    /// The word once they are revoked.
    revoked: usize,
    /// The word once the request is admitted, too.
    admitted: usize,
    /// The newest ticket that the thread recorded at its previous call.
    recorded: u32,
}

/// Whether the grant with `ticket` already existed at the thread's last check, when `recorded`
/// was the newest ticket (0: no check yet). Tickets only grow, apart from wrap-around.
fn is_stale(ticket: u32, recorded: u32) -> bool {
    recorded != 0 && ticket != 0 && ticket.wrapping_sub(recorded) as i32 <= 0
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    /// Called by a thread that has been parked for a while. Revokes the grants that it already saw
    /// at its previous call, and acquires with them; if there are none, records the current ones
    /// for the next call. If a request with priority is queued, that request is granted instead.
    /// `unused` is dropped once the queue is unlocked (Q5).
    ///
    /// # Safety
    ///
    /// In `queue`, `node` is [`Waiting`](State::Waiting), and the caller's own.
    #[cold]
    pub(super) unsafe fn take_over<'q>(
        &'q self,
        unused: impl Sized,
        mut queue: LockedQueue<'q, P::Request>,
        node: &Node<P::Request>,
    ) -> Poll<()> {
        let own = node.as_ptr();
        // SAFETY: the node is linked here; so are all others that are seen, as the queue
        // stays locked.
        unsafe {
            debug_assert_eq!(queue.state_of(own), State::Waiting);
            queue.set_is_thread(own);
            let first = self.grants.first_waiter(&queue, None);
            let overtaken =
                first.filter(|first| *first != own && P::has_priority(queue.request_of(*first)));
            let request = overtaken.map_or(node.request, |first| queue.request_of(first));
            let Some(stale) = self.stale_grants(&mut queue, own, request) else {
                return Poll::Pending;
            };
            took_over();
            // The owners are queued again at the head, in their order, behind the request
            // that is admitted.
            let before = if overtaken.is_some() || first == Some(own) {
                first.and_then(|first| queue.next(first))
            } else {
                first
            };
            if let Some(overtaken) = overtaken {
                self.revoke_oldest(&mut queue, &stale, before);
                // `QUEUED` is set; so the word is ours (G2).
                self.update_word_and_serve(queue, Some(overtaken), |_| Some(stale.revoked));
                drop(unused);
                return Poll::Pending;
            }
            let waker = queue.withdraw(own);
            self.revoke_oldest(&mut queue, &stale, before);
            self.grants.set_first_waiter(Some(stale.first));
            // `QUEUED` stays set, as the owners are queued; so the word is ours (G2).
            self.finish_acquiring(node, Waiter::Plain, || {
                self.update_word_and_serve(queue, Some(stale.first), |_| Some(stale.admitted));
                drop((waker, unused));
            })
        }
    }

    /// Finds the oldest stale grants that have to be revoked to admit `request`. Records the
    /// current grants in `own` for the next call.
    ///
    /// # Safety
    ///
    /// As for [`take_over`](Self::take_over), with `own` as the node.
    unsafe fn stale_grants(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        own: NodePtr<P::Request>,
        request: P::Request,
    ) -> Option<StaleGrants<P>> {
        // `QUEUED` is set, as the node is queued; so the word is ours (G2).
        let mut word = self.word.load(Ordering::Relaxed) & !P::FLAGS;
        let mut enough: Option<StaleGrants<P>> = None;
        let (mut count, mut newest) = (0, 0);
        // SAFETY: the nodes are linked here.
        unsafe {
            let recorded = queue.ticket_of(own);
            let mut oldest: Option<NodePtr<P::Request>> = None;
            let mut next = queue.head();
            while let Some(grant) = next.filter(|node| !queue.state_of(*node).is_queued()) {
                next = queue.next(grant);
                if !queue.state_of(grant).is_granted() {
                    continue;
                }
                newest = ticket_at::<P, F>(queue, grant);
                let stale = is_stale(newest, recorded);
                let granted = queue.request_of(grant);
                if enough.is_some() || !stale || P::has_priority(granted) {
                    continue;
                }
                count += 1;
                word = P::release(word, granted);
                let first = *oldest.get_or_insert(grant);
                enough = P::admit(word, request).map(|admitted| StaleGrants {
                    first,
                    count,
                    revoked: word,
                    admitted,
                    recorded,
                });
            }
            queue.set_ticket(own, newest);
            // Of the parked threads, only the first in the queue takes over.
            while let Some(other) = next.filter(|other| *other != own) {
                if queue.is_thread(other) {
                    return None;
                }
                next = queue.next(other);
            }
        }
        enough
    }

    /// Queues the owners of the oldest grants again, before `before`.
    ///
    /// # Safety
    ///
    /// `stale` was found since the queue was locked; `before` is queued in `queue`.
    unsafe fn revoke_oldest(
        &self,
        queue: &mut LockedQueue<'_, P::Request>,
        stale: &StaleGrants<P>,
        before: Option<NodePtr<P::Request>>,
    ) {
        let mut next = Some(stale.first);
        let mut remaining = stale.count;
        // SAFETY: the nodes are linked here.
        unsafe {
            while let Some(grant) = next.filter(|_| remaining > 0) {
                next = queue.next(grant);
                if queue.state_of(grant).is_granted()
                    && is_stale(queue.ticket_of(grant), stale.recorded)
                    && !P::has_priority(queue.request_of(grant))
                {
                    remaining -= 1;
                    self.grants.ended(grant);
                    queue.revoke(grant, before);
                }
            }
        }
    }
}
