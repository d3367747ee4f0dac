//! Sequential reference model of a gate: holders, and a queue of waiters.
//!
//! For each step, it has the acquisitions, the wake-ups and their order, and the wakers
//! that are kept. The common part of the primitives is here; their [`Rules`] say what
//! may be held together.
//!
//! - Waiters are served in order, none before another. A request with priority (an
//!   upgrade) stands before all others.
//! - A grant belongs to the task. A waiter that is polled notes a grant of its own task
//!   that has not been picked up, and wakes its task. If it is still there at the next
//!   poll, the two change places if the waiter is admitted with it; else the grant is given
//!   back, its owner stands right behind the waiter, and the queue is served.
//! - A waiter with a condition evaluates it when it is served, keeps its place if the
//!   condition is false, and is queued again once what is guarded may have changed.

use std::collections::VecDeque;
use std::fmt::Debug;

use crate::tasks::{TASKS, Task};

/// How many grants of its task a waiter searches: a departure from the contract, which
/// has no limit.
const MOST_GRANTS: usize = 8;

/// The rules of what may be held together.
pub(crate) trait Rules {
    /// The request of a waiter.
    type Request: Copy + Debug;

    /// Whether `request` can be held beside the current holders.
    fn admits(&self, request: Self::Request) -> bool;

    /// `request` is held from here on.
    fn acquire(&mut self, request: Self::Request);

    /// `request` is released.
    fn release(&mut self, request: Self::Request);

    /// Whether a grant suffices for `request`, by itself.
    fn covers(_granted: Self::Request, _request: Self::Request) -> bool {
        true
    }

    /// Whether `request` stands before all others.
    fn has_priority(_request: Self::Request) -> bool {
        false
    }

    /// Whether a holder of `request` may change the guarded data.
    fn may_mutate(_request: Self::Request) -> bool {
        true
    }
}

/// A future, by number.
pub(crate) type WaiterId = u32;

/// A future in the queue.
struct Waiter<R> {
    id: WaiterId,
    task: Task,
    request: R,
    state: State,
    /// The grant of the same task that was noted at the last poll.
    noted: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Queued,
    /// Served, and not polled since. Each grant has a number. Where another waiter has
    /// noted it, a waker of the task is kept.
    Granted {
        number: u64,
        is_noted: bool,
    },
    /// Its condition was false; waits for a change.
    Unsatisfied,
}

/// A gate with its queue.
pub(crate) struct Reference<R: Rules> {
    pub(crate) inside: R,
    /// In order. The queued waiters are behind the others.
    waiters: VecDeque<Waiter<R::Request>>,
    grants: u64,
    /// The tasks that were woken, in order, for others to take.
    pub(crate) woken: Vec<Task>,
}

/// The polling task, and what panics meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Poll {
    pub(crate) task: Task,
    /// Whether the task's waker can be cloned.
    pub(crate) clones: bool,
    /// A task whose wake panics.
    pub(crate) wake_panics: Option<Task>,
}

/// The result of a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Polled {
    Pending,
    Ready,
    /// The clone of the waker has panicked.
    ClonePanicked,
    /// The condition has panicked.
    ConditionPanicked,
}

impl<R: Rules> Reference<R> {
    pub(crate) fn new(inside: R) -> Self {
        Reference {
            inside,
            waiters: VecDeque::new(),
            grants: 0,
            woken: Vec::new(),
        }
    }

    /// The number of waiters that have not been granted.
    pub(crate) fn waiting(&self) -> usize {
        let waits = |waiter: &&Waiter<_>| !matches!(waiter.state, State::Granted { .. });
        self.waiters.iter().filter(waits).count()
    }

    /// Whether a waiter is queued.
    pub(crate) fn is_queued(&self) -> bool {
        self.first_queued() < self.waiters.len()
    }

    /// Adds the wakers that are kept.
    pub(crate) fn count_wakers(&self, kept: &mut [usize; TASKS]) {
        for waiter in &self.waiters {
            let keeps = match waiter.state {
                State::Queued | State::Unsatisfied => true,
                State::Granted { is_noted, .. } => is_noted,
            };
            kept[usize::from(waiter.task)] += usize::from(keeps);
        }
    }

    /// The index of the first queued waiter.
    fn first_queued(&self) -> usize {
        let queued = |waiter: &Waiter<_>| waiter.state == State::Queued;
        let first = self.waiters.iter().position(queued);
        first.unwrap_or(self.waiters.len())
    }

    fn find(&self, id: WaiterId) -> Option<usize> {
        self.waiters.iter().position(|waiter| waiter.id == id)
    }

    fn remove(&mut self, at: usize) -> Waiter<R::Request> {
        self.waiters.remove(at).expect("a waiter stands there")
    }

    /// Puts a waiter into the queue, in a state.
    fn insert(&mut self, at: usize, waiter: Waiter<R::Request>, state: State) {
        let noted = None;
        let waiter = Waiter {
            state,
            noted,
            ..waiter
        };
        self.waiters.insert(at, waiter);
    }

    /// Grants what is admitted, in order.
    fn serve(&mut self) {
        for waiter in &mut self.waiters {
            if waiter.state == State::Queued {
                if !self.inside.admits(waiter.request) {
                    break;
                }
                self.inside.acquire(waiter.request);
                self.grants += 1;
                waiter.state = State::Granted {
                    number: self.grants,
                    is_noted: false,
                };
                waiter.noted = None;
                self.woken.push(waiter.task);
            }
        }
    }

    /// Acquires if it is admitted and nobody is queued.
    pub(crate) fn try_acquire(&mut self, request: R::Request) -> bool {
        let turn = !self.is_queued() || R::has_priority(request);
        let acquires = turn && self.inside.admits(request);
        if acquires {
            self.inside.acquire(request);
        }
        acquires
    }

    /// Changes the holders. `mutated`: the guarded data may have changed.
    pub(crate) fn change(&mut self, mutated: bool, change: impl FnOnce(&mut R)) {
        if mutated {
            for waiter in &mut self.waiters {
                if waiter.state == State::Unsatisfied {
                    waiter.state = State::Queued;
                }
            }
        }
        change(&mut self.inside);
        self.serve();
    }

    /// A guard is dropped.
    pub(crate) fn release(&mut self, request: R::Request) {
        self.change(R::may_mutate(request), |inside| inside.release(request));
    }

    /// A future is dropped.
    pub(crate) fn cancel(&mut self, id: WaiterId) {
        if let Some(at) = self.find(id) {
            let waiter = self.remove(at);
            self.change(false, |inside| {
                if let State::Granted { .. } = waiter.state {
                    inside.release(waiter.request);
                }
            });
        }
    }

    /// A poll of a future without a condition.
    pub(crate) fn poll(&mut self, id: WaiterId, request: R::Request, poll: Poll) -> Polled {
        self.poll_to_acquire(id, request, poll, false)
    }

    fn poll_to_acquire(
        &mut self,
        id: WaiterId,
        request: R::Request,
        poll: Poll,
        conditional: bool,
    ) -> Polled {
        match self.find(id) {
            None => {
                let at_once = !self.is_queued() && self.inside.admits(request);
                if !at_once && !poll.clones {
                    return Polled::ClonePanicked;
                }
                if self.try_acquire(request) {
                    return Polled::Ready;
                }
                let at = if R::has_priority(request) {
                    self.first_queued()
                } else {
                    self.waiters.len()
                };
                let waiter = Waiter {
                    id,
                    task: poll.task,
                    request,
                    state: State::Queued,
                    noted: None,
                };
                self.insert(at, waiter, State::Queued);
            }
            Some(at) => {
                let waiter = &mut self.waiters[at];
                if let State::Granted { .. } = waiter.state {
                    self.remove(at);
                    return Polled::Ready;
                }
                if waiter.task != poll.task {
                    if !poll.clones {
                        return Polled::ClonePanicked;
                    }
                    waiter.task = poll.task;
                    waiter.noted = None;
                }
            }
        }
        self.find_unused_grant(id, request, &poll, conditional)
    }

    /// A waiter looks for a grant of its task that has not been picked up.
    fn find_unused_grant(
        &mut self,
        id: WaiterId,
        request: R::Request,
        poll: &Poll,
        conditional: bool,
    ) -> Polled {
        loop {
            let Some(me) = self.find(id) else {
                return Polled::Pending;
            };
            if let State::Granted { .. } = self.waiters[me].state {
                self.remove(me);
                return Polled::Ready;
            }
            let noted = self.waiters[me].noted;
            let is_first = me == self.first_queued();
            // The unused grants of the task, the oldest first, and whether each is enough.
            let mut grants: Vec<(u64, bool)> = Vec::new();
            for owner in &self.waiters {
                if let (State::Granted { number, .. }, true) =
                    (owner.state, owner.task == poll.task)
                {
                    self.inside.release(owner.request);
                    let enough = !conditional
                        && (is_first || R::covers(owner.request, request))
                        && self.inside.admits(request);
                    self.inside.acquire(owner.request);
                    if enough || !R::has_priority(owner.request) {
                        grants.push((number, enough));
                    }
                }
            }
            grants.sort_unstable();
            grants.truncate(MOST_GRANTS);
            let found = grants.iter().find(|(number, _)| Some(*number) == noted);
            let Some(&(number, enough)) = found.or(grants.first()) else {
                return Polled::Pending;
            };
            let owner = self.owner_of(number);
            if found.is_none() {
                // Marked. A waker of the task is stored with the owner.
                if !poll.clones {
                    return Polled::ClonePanicked;
                }
                self.waiters[me].noted = Some(number);
                self.waiters[owner].state = State::Granted {
                    number,
                    is_noted: true,
                };
                self.woken.push(poll.task);
                return Polled::Pending;
            }
            if enough {
                self.change_places(me, owner, request);
                let before = self.woken.len();
                self.serve();
                if self.has_panicked(before, poll) {
                    // The acquisition is rolled back.
                    self.release(request);
                }
                return Polled::Ready;
            }
            self.give_back(me, owner);
            let before = self.woken.len();
            self.serve();
            if self.has_panicked(before, poll) {
                return Polled::Pending;
            }
        }
    }

    fn owner_of(&self, grant: u64) -> usize {
        let owner = self.waiters.iter().position(
            |waiter| matches!(waiter.state, State::Granted { number, .. } if number == grant),
        );
        owner.expect("it was found a moment ago")
    }

    /// Whether a wake-up since `before` has panicked.
    fn has_panicked(&self, before: usize, poll: &Poll) -> bool {
        let mut woken = self.woken[before..].iter();
        woken.any(|&task| Some(task) == poll.wake_panics)
    }

    /// The waiter at `me` acquires with the grant at `owner`, which takes its place.
    fn change_places(&mut self, me: usize, owner: usize, request: R::Request) {
        // The owner is before the waiter.
        self.remove(me);
        let owner = self.remove(owner);
        self.inside.release(owner.request);
        let place = if R::has_priority(owner.request) {
            self.first_queued()
        } else {
            me - 1
        };
        self.insert(place, owner, State::Queued);
        self.inside.acquire(request);
    }

    /// The grant at `owner` is given back. The owner is queued right behind the waiter at `me`, or
    /// leaves the queue if that waiter is unsatisfied.
    fn give_back(&mut self, me: usize, owner: usize) {
        let unsatisfied = self.waiters[me].state == State::Unsatisfied;
        let owner_waiter = self.remove(owner);
        self.inside.release(owner_waiter.request);
        if !unsatisfied {
            // `me` has moved up by one.
            self.insert(me, owner_waiter, State::Queued);
        }
    }

    /// A poll of a future with a condition, and what that is; `None` is a panic.
    pub(crate) fn poll_conditional(
        &mut self,
        id: WaiterId,
        request: R::Request,
        poll: Poll,
        condition: Option<bool>,
    ) -> Polled {
        let granted = |&at: &usize| matches!(self.waiters[at].state, State::Granted { .. });
        let place = self.find(id).filter(granted);
        let before = self.woken.len();
        let polled = self.poll_to_acquire(id, request, poll, true);
        if polled != Polled::Ready || self.has_panicked(before, &poll) {
            return polled;
        }
        match condition {
            Some(true) => Polled::Ready,
            Some(false) if poll.clones => {
                // A granted waiter keeps its place; one that was not queued comes
                // before the queued ones.
                let place = place.unwrap_or_else(|| self.first_queued());
                let granted_beside = self.waiters.iter().any(|waiter| {
                    matches!(waiter.state, State::Granted { .. })
                        && waiter.task == poll.task
                        && !R::has_priority(waiter.request)
                });
                let waiter = Waiter {
                    id,
                    task: poll.task,
                    request,
                    state: State::Unsatisfied,
                    noted: None,
                };
                self.insert(place, waiter, State::Unsatisfied);
                self.change(false, |inside| inside.release(request));
                // The task has an unused grant: it is noted.
                if granted_beside {
                    return self.poll_conditional(id, request, poll, condition);
                }
                Polled::Pending
            }
            // The condition panics, or the clone of the waker that is to be kept.
            condition => {
                self.release(request);
                if condition.is_some() {
                    Polled::ClonePanicked
                } else {
                    Polled::ConditionPanicked
                }
            }
        }
    }
}
