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
//! | 1 | any | a node waits, or did when the lock was last handed over | join the queue | under the lock of the queue: if it may be news, unpark all; serve from the head |
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
//! - **G1** `QUEUED` is set whenever a node waits, and `PARKED_BIT` whenever one is
//!   parked. Both change only under the lock of the queue. Without a node that
//!   waits, `QUEUED` is set only where the policy admits nobody, until the next
//!   one leaves.
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
//! Entering is an Acquire operation on the word, leaving a Release one. While
//! `QUEUED` is not set, every write of the word is a read-modify-write, so that
//! the release sequence of each leaver lasts until somebody enters, or until
//! somebody sets `QUEUED`, which is an Acquire too. While it is set, only the
//! holder of the lock of the queue writes (G2), and the lock orders what was
//! acquired so far before a plain Release store. A grant is passed through the
//! lock of the queue, which orders the leaver before the owner's poll.
//!
//! # Costs
//!
//! In read-modify-write operations, which is what takes the time:
//!
//! | | |
//! |---|---|
//! | enter, leave, nobody in the way | one each |
//! | join the queue | one, for the lock of the queue; the first to join sets `QUEUED` by another |
//! | leave and hand over | one, for the lock of the queue, however many wait |
//! | poll of one that was granted, cancel | one, for the lock of the queue |
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

mod enter;
mod future;
mod look;
mod permit;
mod policy;
mod serve;
mod sibling;

use core::marker::PhantomData;

pub(crate) use self::future::{Entering, entering_future, polled_after_completion};
pub(crate) use self::permit::{GatePermit, Gated, guard_traits};
use self::policy::Front;
pub(crate) use self::policy::{ManyGrants, OneGrant, Policy};
use crate::queue::{PARKED, Queue, WAITING};
use crate::sync::{Flavour, Ordering, Threads, Word};

/// Somebody waits (G1).
pub(crate) const QUEUED: usize = 1;
/// Somebody has looked, and waits for something new to see (G1).
const PARKED_BIT: usize = 1 << 1;
/// The bits that are not the policy's.
pub(crate) const FLAGS: usize = QUEUED | PARKED_BIT;
/// The lowest bit of the policy.
pub(crate) const FIRST_BIT: usize = 1 << 2;

/// A word that admits requests, and those that wait for it. See the module.
pub(crate) struct Gate<P: Policy, F = Threads> {
    word: Word<F>,
    queue: Queue<P::Request, F>,
    front: P::Front,
    _policy: PhantomData<P>,
}

impl<P: Policy, F: Flavour> Gate<P, F> {
    #[cfg(not(async_monitor_loom))]
    pub(crate) const fn new(word: usize) -> Self {
        Gate {
            word: Word::new(word),
            queue: Queue::new(),
            front: P::Front::NEW,
            _policy: PhantomData,
        }
    }

    #[cfg(async_monitor_loom)]
    pub(crate) fn new(word: usize) -> Self {
        Gate {
            word: Word::new(word),
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
            let Some(entered) = P::admit(word & !P::FLAGS, request) else {
                return false;
            };
            // Acquire: pairs with the Release of those who left.
            match self.word.compare_exchange_weak(
                word,
                entered | (word & PARKED_BIT & P::FLAGS),
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
    }
}
