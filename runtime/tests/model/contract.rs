//! The contract about the queue of a lock, as a sequential state machine. It was written
//! from the text of the contract alone, without knowledge of the code that it checks or of
//! `reference`. That is why there are two models: `reference` follows the code in
//! everything observable, wakers and panics included; this one models less, and finds
//! where both the code and `reference` differ from the contract.
//!
//! Every lock is modelled alike: a number of _slots_, and one _token_ for the right to
//! upgrade. A lock has one slot and a semaphore one for each permit. A reader takes one
//! slot of very many, an upgradable reader the token as well, a writer all of both;
//! and an upgrade takes all slots but the one that it has.
//!
//! There is one queue, in the order of first polls. A waiter in it is _queued_, or
//! _granted_: its request is set apart for it and its task has been woken, but it
//! has not been polled since. It keeps its place until it is served or dropped, as a
//! waiter with a condition comes back to it.
//!
//! If the contract leaves a case open, a comment says so, and the model
//! follows the code. If the code differs from the contract, there is a constant
//! in [`as_built`]; turned off, the model follows the contract.

/// Where the code differs from the contract.
mod as_built {
    /// A waiter whose condition did not hold, and that is polled without any change since,
    /// gives up a grant of its task too; but the owner loses its place, and is queued
    /// again when it is polled. (The contract: the owner is queued right behind its
    /// sibling.)
    pub(super) const OWNER_LEAVES_THE_LINE: bool = true;
}

use as_built::OWNER_LEAVES_THE_LINE;

/// Many enough that readers never run out of slots.
pub(crate) const ALL: usize = 1 << 20;

/// What a request takes from the free slots and the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) slots: usize,
    pub(crate) token: bool,
}

impl Amount {
    pub(crate) const READ: Amount = Amount {
        slots: 1,
        token: false,
    };
    pub(crate) const UPGRADABLE: Amount = Amount {
        slots: 1,
        token: true,
    };
    pub(crate) const UPGRADE: Amount = Amount {
        slots: ALL - 1,
        token: false,
    };
    pub(crate) const WRITE: Amount = Amount {
        slots: ALL,
        token: true,
    };

    pub(crate) const fn permits(permits: usize) -> Amount {
        Amount {
            slots: permits,
            token: false,
        }
    }

    /// Whether `other` is a part of this.
    fn covers(self, other: Amount) -> bool {
        self.slots >= other.slots && (self.token || !other.token)
    }

    fn add(&mut self, other: Amount) {
        self.slots += other.slots;
        assert!(!(self.token && other.token), "a token that was there twice");
        self.token |= other.token;
    }

    fn take(&mut self, other: Amount) {
        assert!(self.covers(other), "more was taken than there is");
        self.slots -= other.slots;
        self.token &= !other.token;
    }
}

/// The kind of a request in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Plain,
    /// It goes before all others: the queued waiters could not enter anyway while the
    /// upgradable guard exists.
    Upgrade,
    /// It has a `when`: it acquires to evaluate, and keeps the lock if the condition holds.
    Conditional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) kind: Kind,
    pub(crate) amount: Amount,
}

/// Futures and tasks have numbers, which the test gives.
pub(crate) type Future = usize;
pub(crate) type Task = usize;
/// Each grant has a number of its own, and a later one has a greater number.
type Grant = u64;

#[derive(Clone, Debug)]
struct Waiter {
    future: Future,
    /// Of the waker of the last poll.
    task: Task,
    request: Request,
    grant: Option<Grant>,
    /// The grant of its task that it found unpolled at its last poll.
    noted: Option<Grant>,
    /// The epoch in which its condition was last found not to hold.
    looked: Option<u64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Gate {
    pub(crate) free: Amount,
    line: Vec<Waiter>,
    /// How often the guarded data may have changed.
    epoch: u64,
    grants: Grant,
    /// The tasks that were woken since the test has looked.
    pub(crate) woken: Vec<Task>,
    /// How often a condition was evaluated.
    pub(crate) looks: usize,
}

impl Gate {
    pub(crate) fn new(free: Amount) -> Gate {
        Gate {
            free,
            line: Vec::new(),
            epoch: 0,
            grants: 0,
            woken: Vec::new(),
            looks: 0,
        }
    }

    /// Polls a future with the waker of `task`, and says whether it is ready.
    /// `holds` tells whether its condition holds now.
    pub(crate) fn poll(
        &mut self,
        future: Future,
        task: Task,
        request: Request,
        holds: bool,
    ) -> bool {
        if request.amount == Amount::permits(0) {
            return true;
        }
        if let Some(place) = self.place(future) {
            self.line[place].task = task;
        } else {
            let waiter = Waiter {
                future,
                task,
                request,
                grant: None,
                noted: None,
                looked: None,
            };
            // Its place is taken now. If nobody is before it, it is served at once.
            let place = if request.kind == Kind::Upgrade {
                0
            } else {
                self.line.len()
            };
            self.line.insert(place, waiter);
            self.serve(Some(future));
        }
        if self.is_granted(future) {
            if let Some(served) = self.pick_up(future, holds) {
                return served;
            }
        }
        self.ask_siblings(future, holds)
    }

    /// Drops a future that is not ready yet. What an upgrade holds is dropped with it.
    pub(crate) fn cancel(&mut self, future: Future) {
        if let Some(place) = self.place(future) {
            let waiter = self.line.remove(place);
            if waiter.grant.is_some() {
                self.free.add(waiter.request.amount);
            }
            self.serve(None);
        }
    }

    /// Takes something without waiting, and without overtaking a waiter for it.
    pub(crate) fn try_take(&mut self, amount: Amount) -> bool {
        let nothing = amount == Amount::permits(0);
        let free = nothing || !self.is_awaited() && self.free.covers(amount);
        if free {
            self.free.take(amount);
        }
        free
    }

    /// An upgrade that does not wait. No waiter is before it.
    pub(crate) fn try_upgrade(&mut self) -> bool {
        let free = self.free.covers(Amount::UPGRADE);
        if free {
            self.free.take(Amount::UPGRADE);
        }
        free
    }

    /// Something is given back, or added. `change`: it could
    /// have made a condition true, as the release of a holder that could write.
    pub(crate) fn give(&mut self, amount: Amount, change: bool) {
        self.free.add(amount);
        self.epoch += u64::from(change);
        self.serve(None);
    }

    /// Whether a queued waiter would be overtaken.
    pub(crate) fn is_awaited(&self) -> bool {
        self.line.iter().any(|waiter| self.wants(waiter))
    }

    pub(crate) fn is_granted(&self, future: Future) -> bool {
        self.place(future)
            .is_some_and(|place| self.line[place].grant.is_some())
    }

    /// The unused grants.
    pub(crate) fn set_apart(&self) -> usize {
        let granted = self.line.iter().filter(|waiter| waiter.grant.is_some());
        granted.map(|waiter| waiter.request.amount.slots).sum()
    }

    /// How many are in the queue and have not been granted.
    pub(crate) fn waiting(&self) -> usize {
        let waits = |waiter: &&Waiter| waiter.grant.is_none();
        self.line.iter().filter(waits).count()
    }

    /// The invariants between any two steps.
    pub(crate) fn check(&self) {
        if let Some(first) = self.line.iter().find(|waiter| self.wants(waiter)) {
            assert!(
                !self.free.covers(first.request.amount),
                "nothing keeps {first:?} waiting"
            );
        }
        let upgrades = self
            .line
            .iter()
            .filter(|waiter| waiter.request.kind == Kind::Upgrade);
        assert!(upgrades.count() <= 1, "two upgrades at a time");
        let upgrade = self
            .line
            .iter()
            .position(|waiter| waiter.request.kind == Kind::Upgrade);
        assert!(
            upgrade.is_none_or(|place| place == 0),
            "something is before an upgrade"
        );
    }

    fn place(&self, future: Future) -> Option<usize> {
        self.line.iter().position(|waiter| waiter.future == future)
    }

    /// Whether a waiter would take the lock if it could. A waiter with a false condition
    /// does not, until something has changed.
    fn wants(&self, waiter: &Waiter) -> bool {
        waiter.grant.is_none() && !self.is_parked(waiter)
    }

    /// Whether a waiter has evaluated since the last change.
    fn is_parked(&self, waiter: &Waiter) -> bool {
        waiter.looked == Some(self.epoch)
    }

    /// Grants free slots to the queue, in order. `polled` is being polled and
    /// need not be woken.
    fn serve(&mut self, polled: Option<Future>) {
        for place in 0..self.line.len() {
            if !self.wants(&self.line[place]) {
                continue;
            }
            let waiter = &mut self.line[place];
            if !self.free.covers(waiter.request.amount) {
                return;
            }
            self.free.take(waiter.request.amount);
            self.grants += 1;
            waiter.grant = Some(self.grants);
            waiter.noted = None;
            if Some(waiter.future) != polled {
                self.woken.push(waiter.task);
            }
        }
    }

    /// A granted waiter is polled. Says whether it is served, if its poll ends with that: it
    /// does not where its condition is false beside a grant that its task does not use.
    fn pick_up(&mut self, future: Future, holds: bool) -> Option<bool> {
        let place = self.place(future).expect("it is in line");
        let conditional = self.line[place].request.kind == Kind::Conditional;
        self.looks += usize::from(conditional);
        if !conditional || holds {
            self.line.remove(place);
            return Some(true);
        }
        // It has only evaluated, which is not a change: no other evaluates because of it.
        let amount = self.line[place].request.amount;
        self.line[place].grant = None;
        self.line[place].looked = Some(self.epoch);
        // (What is granted from here on wakes its task anyway.)
        let unused = !self.grants_for(place).is_empty();
        self.free.add(amount);
        self.serve(None);
        (!unused).then_some(false)
    }

    /// A waiter is polled that has to wait, perhaps because of an unused grant of its own task.
    fn ask_siblings(&mut self, future: Future, holds: bool) -> bool {
        let place = self.place(future).expect("it is in line");
        let Waiter { task, request, .. } = self.line[place];
        let grants = self.grants_for(place);
        let known = self.line[place].noted.take();
        let Some(unused) = known.filter(|known| grants.contains(known)) else {
            // The first time, it lets the others of its task run. (The contract speaks of
            // one grant. If there are several, it is the oldest; so it makes no difference
            // here that a search ends after eight.)
            let noted = grants.first().copied();
            self.woken.extend(noted.map(|_| task));
            self.line[place].noted = noted;
            return false;
        };
        let owner = self
            .line
            .iter()
            .position(|waiter| waiter.grant == Some(unused));
        let mut owner = self.line.remove(owner.expect("it is in line"));
        owner.grant = None;
        self.free.add(owner.request.amount);
        let place = self.place(future).expect("it is in line");
        // Other free slots are for the first in the queue, which is served with them anyway.
        let first = self.line.iter().position(|waiter| self.wants(waiter));
        let takes = if first == Some(place) {
            self.free
        } else {
            owner.request.amount
        };
        if request.kind != Kind::Conditional && takes.covers(request.amount) {
            self.free.take(request.amount);
            self.line.remove(place);
            self.insert(place, owner);
            self.serve(None);
            return true;
        }
        if !(OWNER_LEAVES_THE_LINE && self.is_parked(&self.line[place])) {
            self.insert(place + 1, owner);
        }
        // It is woken like any other, though it is being polled. (The contract does not
        // exclude that.)
        self.serve(None);
        if self.is_granted(future) {
            if let Some(served) = self.pick_up(future, holds) {
                return served;
            }
        }
        self.ask_siblings(future, holds)
    }

    /// An owner comes back to the queue, before the queued waiters from a place on. Waiters that
    /// were granted, or have evaluated, were before all of these. (The contract does not
    /// say where the owner comes back to if its grant is given up for an upgrade, or is one
    /// itself: an upgrade's place is before all others.)
    fn insert(&mut self, mut place: usize, owner: Waiter) {
        if owner.request.kind == Kind::Upgrade {
            place = 0;
        } else {
            while self
                .line
                .get(place)
                .is_some_and(|waiter| !self.wants(waiter))
            {
                place += 1;
            }
        }
        self.line.insert(place, owner);
    }

    /// The grants that the task of a waiter has not picked up, the oldest first.
    ///
    /// The grant of an upgrade is among them for a plain reader, which could read beside the
    /// guard that is to be upgraded. (The contract says both that nothing comes before an
    /// upgrade and that a sibling takes a grant that suffices.)
    fn grants_for(&self, place: usize) -> Vec<Grant> {
        let asks = &self.line[place];
        let reads = asks.request
            == Request {
                kind: Kind::Plain,
                amount: Amount::READ,
            };
        let upgrades = reads;
        let own = self.line.iter().filter(|waiter| waiter.task == asks.task);
        let own = own.filter(|waiter| upgrades || waiter.request.kind != Kind::Upgrade);
        let mut grants: Vec<Grant> = own.filter_map(|waiter| waiter.grant).collect();
        grants.sort_unstable();
        grants
    }
}
