//! The mechanism behind `Lock`, `Mutex`, `RwLock` and the semaphores: admits requests
//! in order, and queues those it cannot admit yet. Terms: see the glossary in ARCHITECTURE.md.
//!
//! A [`Gate`] is one word and a wait queue. What the word counts, and when a
//! request is admitted, is the [`Policy`] of the primitive: two pure functions on
//! the word. Everything else (order, wake-ups, cancelling, the rule for
//! futures of one task) is here, once.
//!
//! # The word
//!
//! The lowest bits are [`QUEUED`] and [`CONDITIONAL`]; the others belong to the
//! policy.
//!
//! | `QUEUED` | `CONDITIONAL` | queue | acquire | release |
//! |---|---|---|---|---|
//! | 0 | 0 | nothing is queued; there may be grants | one compare-exchange if the policy admits, else join the queue | one compare-exchange |
//! | 0 | 1 | conditional waiters wait for a change | the same | if the data may have changed, under the queue lock: queue them all again, serve from the head; else one compare-exchange |
//! | 1 | any | a node is queued, or was at the last hand-off | join the queue | under the queue lock: if the data may have changed, queue the conditional waiters again; serve from the head |
//!
//! # The queue
//!
//! ```text
//! head -> [Granted | Unclaimed | Evaluating | Unsatisfied]* -> [Waiting | Woken]*
//! ```
//!
//! A node is *queued* in the states of the second group. A release *serves* the queue: it grants
//! the queued nodes in order, as long as the policy admits them. To grant a node is to count its
//! permit in the word, to mark the node `Granted`, and to wake its owner after the queue has
//! been unlocked. A granted node stays linked, before all queued nodes,
//! until its owner is polled or dropped, or the grant is given up for another.
//!
//! *Owner*: the future of the node. *Sibling*: another waiting future of the same task.
//!
//! | from | to | when |
//! |---|---|---|
//! | `Idle` | `Waiting` | a poll finds the gate closed |
//! | `Waiting`, `Woken` | `Granted` | a release serves the node; the owner of a `Woken` one was woken before |
//! | `Granted`, `Unclaimed` | `Idle` | the owner is polled, and gets the permit; or dropped, and passes it on |
//! | `Granted`, `Unclaimed` | `Evaluating` | the same, for a conditional waiter |
//! | `Granted` | `Unclaimed` | a sibling is polled before the owner: it marks the grant and stores a waker of the task |
//! | `Unclaimed` | `Waiting` | the sibling is polled again: the grant is given up for it |
//! | `Unclaimed` | `Idle` | the same, where the sibling is `Unsatisfied`: the owner has to join again |
//! | `Granted` | `Woken` | a parked thread takes the grant over, or revokes it for a request with priority (from `Unclaimed`, to `Waiting`) |
//! | `Woken` | `Waiting` | the owner is polled, or a sibling stores a waker |
//! | `Idle` | `Evaluating` | a conditional waiter finds the gate open after all, while others are unsatisfied |
//! | `Evaluating` | `Idle` | the condition is true |
//! | `Evaluating`, `Idle` | `Unsatisfied` | the condition is false |
//! | `Unsatisfied` | `Waiting` | what is guarded may have changed |
//! | `Waiting`, `Woken`, `Unsatisfied` | `Idle` | the future is dropped |
//!
//! # Conditions
//!
//! A conditional waiter (`when`) acquires like any other, and evaluates its condition.
//! If that is false, it gives the permit back without waking other conditional waiters
//! and keeps its place in the queue. A release that may have changed what is guarded
//! queues all conditional waiters again, and each of them evaluates its condition once,
//! in order. So no notification is needed, an evaluation does not cause another,
//! and a release without conditional waiters costs nothing extra.
//!
//! Usually a condition is still false. So a release evaluates it itself, while it holds the lock,
//! and wakes the waiter only if needed. Two checks make this sound, because a waiter may have
//! been leaked while pinned, and then everything that it borrowed may be gone:
//!
//! - the closure captures nothing;
//! - the waiter waits at the object that is being released: same address, same type, same lock.
//!
//! The first waiter whose condition is true, or can only be evaluated by its owner, is queued
//! again, and so are all behind it. A condition that panics counts as true, so that its owner
//! evaluates it again and panics in its own task.
//!
//! # Invariants
//!
//! - **G1** `QUEUED` is set whenever a node is queued, and `CONDITIONAL` whenever one is
//!   unsatisfied. Both change only under the queue lock. Without a node that is queued,
//!   `QUEUED` may stay set until the next release, but only while the policy admits nothing.
//! - **G2** While `QUEUED` is set, the word is written only with the queue locked. Hence no
//!   newcomer overtakes a queued node: its compare-exchange expects a word without `QUEUED`.
//! - **G3** Whenever the queue is unlocked, the policy does not admit the first queued
//!   node, or the thread that unlocked it is about to lock it again and serve on.
//! - **G4** The word counts every guard that exists and every granted node.
//! - **G5** A grant is consumed exactly once, with the queue locked: by the owner's poll, by the
//!   owner's drop (which passes it on), by a sibling, or by a parked thread.
//! - **G6** No unsatisfied node is behind a queued one: a node that evaluated its
//!   condition was before all that are queued. Only an exclusive holder can change
//!   the guarded data, hence only its release queues conditional waiters again. No node is
//!   granted or evaluates then, so they end up before all others that are queued.
//! - **G7** A node becomes unsatisfied and `CONDITIONAL` is set while the queue is locked for the
//!   release of its permit: a later holder sees the bit when it releases.
//! - **G8** An unsatisfied node is that of a [`ConditionalNode`](crate::queue::ConditionalNode),
//!   linked by a pointer to all of it, whose evaluator is set. While there is an exclusive
//!   holder, no node becomes unsatisfied, and only its owner's drop or that holder ends
//!   the state.
//! - **G9** Where one request is admitted at a time, no node is between a grant and the first
//!   queued node: that is whom a release grants, and no node becomes unsatisfied while there is a
//!   grant.
//!
//! # Orderings
//!
//! Acquiring is an Acquire operation on the word, releasing a Release operation. While `QUEUED`
//! is not set, every write of the word is a read-modify-write, so that the release sequence of
//! each release lasts until the next acquisition, or until `QUEUED` is set, which is an Acquire
//! operation, too. While it is set, the word is written only under the queue lock (G2), and
//! the lock orders everything acquired so far before a plain Release store. A grant is passed
//! through the queue lock, which orders the release before the owner's poll.
//!
//! # Costs
//!
//! In read-modify-write operations, which is what takes the time:
//!
//! | | |
//! |---|---|
//! | acquire, release, uncontended | one each |
//! | join the queue | one, for the queue lock; the first to join sets `QUEUED` by another |
//! | release and hand off | one, for the queue lock, however many are queued |
//! | poll of a granted future, cancel | one, for the queue lock |
//!
//! Where many grants are out at once, they are found by task in a
//! [search tree](crate::queue::GrantIndex), so that no poll walks over grants of other tasks.
//!
//! # Grants belong to the task
//!
//! A task may wait twice at one gate, in two futures of which it polls only the
//! second (the "futurelock" of Oxide's RFD 609). Were a grant bound to the
//! future, the first future would keep it for ever. So a waiting future (the *sibling*) looks
//! for a grant whose future (the *owner*) was registered with a waker of the same task. The
//! first time it finds such a grant, it remembers the grant's ticket, marks the grant
//! `Unclaimed`, stores a waker of the task in the owner's node, wakes its task and returns
//! Pending: perhaps the owner is merely polled after it. If the same grant is still there at
//! its next poll, the task gives it up:
//!
//! - If the permit suffices for the sibling, the sibling acquires, and the owner takes its
//!   place in the queue. For the first in the queue, it may suffice together with the free
//!   permits.
//! - If it does not suffice (one permit of two requested, a read grant for a write request,
//!   any grant for an unsatisfied condition), it is given back, and the queue
//!   is served in order. The sibling keeps its place, and the owner is queued right behind
//!   it. (An unsatisfied sibling has no place among the queued nodes. Then the
//!   owner leaves the queue until it is polled: at the head, it would be granted again at
//!   once.)
//!
//! So no other task is overtaken: the permit goes to the sibling, whose place the owner
//! takes, or to the head of the queue. A request with priority (an upgrade) keeps the head,
//! and its grant is given up only for a sibling for which it is enough.
//!
//! If a condition is false while the task has another unused grant (both to read), the waiter
//! is polled once more at once, and marks that grant.
//!
//! **Same task.** Two live wakers with equal data and vtable pointers (their *parts*, see
//! `Waker::will_wake`) wake the same task. The owner's waker was consumed by the grant, so its
//! pointers may since have been reused by another task. Hence a sibling must present the same
//! waker at two polls, and its node keeps a clone in between: the pointers cannot be reused
//! while that clone lives. (A waker whose clones have different parts never counts as the same,
//! for example one whose vtable is a constant with several addresses. None of the tested
//! executors has such wakers; under Miri, those made from an `Arc` are such wakers.)
//!
//! # Threads that park
//!
//! A thread that waits in one of the `*_blocking` forms may be the very one that should
//! poll the owner of a grant. So it wakes up after a millisecond (and after twice as long
//! each time, up to a tenth of a second) and checks the grants. The first parked thread in the
//! queue revokes *stale* grants, those that it already saw at its previous check, if a request
//! is then admitted:
//!
//! | first queued node | request that is granted | the owners of the revoked grants |
//! |---|---|---|
//! | the thread's, or one without priority | the thread's | are queued at the head |
//! | another's, with priority (an upgrade) | the first node's; the thread waits on | are queued right behind it |
//!
//! Nothing is revoked if it would not suffice. A grant of a request with priority is never
//! revoked. The owners are queued again in their order. They have been woken and not polled
//! since, so granting them again needs no other wake-up (the state `Woken`), until the owner or
//! a sibling is polled, and stores a waker. A sibling stores one in every such node of its task:
//! its poll has used up the wake-up. It finds them by walking the queue, which it does only while
//! there is such a node in the process (Q8).

mod acquire;
mod conditional;
mod evaluation;
mod future;
mod operations;
mod permit;
mod policies;
mod policy;
mod release;
mod take_over;
mod task_grants;
mod turn;

use core::marker::PhantomData;

pub(crate) use self::acquire::Waiter;
pub(crate) use self::future::{Acquiring, acquiring_future, polled_after_completion};
pub(crate) use self::permit::{GatePermit, Gated, guard_traits};
pub(crate) use self::policies::{
    Access, Counting, Exclusive, LOCKED, PERMIT, READER, Shared, UPGRADABLE, WRITER,
};
use self::policy::Grants;
pub(crate) use self::policy::Policy;
use crate::checking;
use crate::platform::{Flavour, Ordering, Threads, Word, const_unless_loom};
use crate::queue::{Node, Queue, State};
use crate::request::{Mode, Resource};
use crate::traits::lock_id::LockId;
use crate::watching::{Acquisition, Ask, Caller, Holder, Permits, Site};

/// A node is queued (G1).
pub(crate) const QUEUED: usize = 1;
/// A conditional waiter waits for a change (G1).
pub(crate) const CONDITIONAL: usize = 1 << 1;
/// The bits that do not belong to the policy.
pub(crate) const FLAGS: usize = QUEUED | CONDITIONAL;
/// The lowest bit of the policy.
pub(crate) const FIRST_BIT: usize = 1 << 2;

/// A word that admits requests, and the queue of those it has not admitted yet. See the
/// module.
pub(crate) struct Gate<P: Policy, F = Threads> {
    word: Word<F>,
    queue: Queue<P::Request, F>,
    grants: P::Grants,
    holder: Holder,
    _policy: PhantomData<P>,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    const_unless_loom! {
        pub(crate) const fn new(word: usize) -> Self {
            Gate {
                word: Word::new(word),
                queue: Queue::new(),
                grants: P::Grants::NEW,
                holder: Holder::new(),
                _policy: PhantomData,
            }
        }
    }

    /// The word as it was a moment ago.
    #[inline]
    pub(crate) fn word(&self) -> usize {
        self.word.load(Ordering::Relaxed)
    }

    /// The number of waiters that have not been granted.
    pub(crate) fn waiters(&self) -> usize {
        self.queue
            .lock()
            .count(|state| state.is_queued() || state == State::Unsatisfied)
    }

    /// The last known holder, for watching.
    #[inline]
    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The description of a request, for watching.
    #[inline]
    pub(crate) fn described<'a>(
        &'a self,
        node: &Node<P::Request>,
        resource: Resource,
        type_name: fn() -> &'static str,
        permits: Option<&'a Permits>,
    ) -> Ask<'a> {
        let mode = P::mode(node.request);
        Ask {
            permits,
            relocks: None,
            resource: match mode {
                Mode::Permits(_) => Resource::Semaphore,
                Mode::Exclusive | Mode::Shared | Mode::Upgradable | Mode::Upgrade => resource,
            },
            lock: LockId::of(self),
            mode,
            type_name,
            holder: Some(&self.holder),
            held: P::held(self.word() & !P::FLAGS, permits.and_then(Permits::total)),
        }
    }

    /// What a holder of `request` has acquired, for watching.
    #[inline]
    pub(crate) fn acquired_as(
        &self,
        request: P::Request,
        type_name: fn() -> &'static str,
    ) -> Acquisition {
        Acquisition {
            lock: LockId::of(self),
            mode: P::mode(request),
            type_name,
        }
    }

    /// The same, of the future of `node`.
    #[inline]
    pub(crate) fn acquired_by(
        &self,
        node: &Node<P::Request>,
        type_name: fn() -> &'static str,
    ) -> Acquisition {
        self.acquired_as(node.request, type_name)
    }

    /// [`try_acquire_quietly`](Self::try_acquire_quietly), with the caller as the holder.
    #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
    #[inline]
    pub(crate) fn try_acquire(&self, request: P::Request) -> bool {
        let acquired = self.try_acquire_quietly(request);
        if acquired {
            self.holder
                .set(Caller::here(), || self.acquired_as(request, || "a lock"));
        }
        acquired
    }

    /// [`try_acquire_quietly`](Self::try_acquire_quietly), with a section as the holder.
    #[inline]
    pub(crate) fn try_acquire_by(&self, request: P::Request, site: &'static Site) -> bool {
        let acquired = !checking::is_task() && self.try_acquire_quietly(request);
        if acquired {
            self.holder
                .set_section(site, || self.acquired_as(request, || "a lock"));
        }
        acquired
    }

    /// Acquires if that is possible without waiting and nothing is queued. Does not record the
    /// holder.
    #[inline]
    pub(crate) fn try_acquire_quietly(&self, request: P::Request) -> bool {
        let mut word = self.word.load(Ordering::Relaxed);
        loop {
            if word & QUEUED != 0 {
                return false;
            }
            let Some(admitted) = P::admit(word & !P::FLAGS, request) else {
                return false;
            };
            // Acquire: pairs with the Release of those who released.
            match self.word.compare_exchange_weak(
                word,
                admitted | (word & CONDITIONAL & P::FLAGS),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }
}
