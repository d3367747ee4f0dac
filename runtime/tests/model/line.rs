//! The model of all that has a gate: a line of people in front of it, as one
//! would draw it on a blackboard.

use std::collections::VecDeque;
use std::fmt::Debug;

use crate::tasks::{TASKS, Task};

/// Who may be inside together.
pub(crate) trait Rules {
    /// What one may ask for.
    type Request: Copy + Debug;

    /// Whether there is room for `request`.
    fn admits(&self, request: Self::Request) -> bool;

    /// `request` enters.
    fn enter(&mut self, request: Self::Request);

    /// What entered as `request` leaves.
    fn leave(&mut self, request: Self::Request);

    /// Whether `request` stands before all others.
    fn goes_first(_request: Self::Request) -> bool {
        false
    }

    /// Whether what is guarded may have changed when `request` leaves.
    fn is_news(_request: Self::Request) -> bool {
        true
    }
}

/// Somebody, by number.
pub(crate) type Who = u32;

/// Somebody in line.
struct Person<R> {
    who: Who,
    task: Task,
    request: R,
    state: State,
    /// The grant of the same task that was seen at the last poll.
    seen: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    /// Was let in, and has not been polled since. Each grant has a number.
    Granted(u64),
    /// Has looked, and waits for news.
    Parked,
}

/// A gate with a line in front.
pub(crate) struct Line<R: Rules> {
    pub(crate) inside: R,
    /// In order. Those who wait stand behind the others.
    people: VecDeque<Person<R::Request>>,
    grants: u64,
    /// The tasks that were woken, in order, for others to take.
    pub(crate) woken: Vec<Task>,
}

/// What a poll has come to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Polled {
    Pending,
    Ready,
    /// The clone of the waker has panicked.
    ClonePanicked,
    /// The condition has panicked.
    LookPanicked,
}

impl<R: Rules> Line<R> {
    pub(crate) fn new(inside: R) -> Self {
        Line {
            inside,
            people: VecDeque::new(),
            grants: 0,
            woken: Vec::new(),
        }
    }

    /// How many wait, parked or not.
    pub(crate) fn waiting(&self) -> usize {
        let granted = |person: &&Person<_>| matches!(person.state, State::Granted(_));
        self.people.len() - self.people.iter().filter(granted).count()
    }

    /// Whether somebody waits who would enter if there was room.
    pub(crate) fn is_queued(&self) -> bool {
        self.first() < self.people.len()
    }

    /// Adds the wakers that are kept for those in line.
    pub(crate) fn count_wakers(&self, kept: &mut [usize; TASKS]) {
        for person in &self.people {
            let keeps = !matches!(person.state, State::Granted(_));
            kept[usize::from(person.task)] += usize::from(keeps);
        }
    }

    /// Where those who wait begin.
    fn first(&self) -> usize {
        let waits = |person: &Person<_>| person.state == State::Waits;
        self.people
            .iter()
            .position(waits)
            .unwrap_or(self.people.len())
    }

    fn find(&self, who: Who) -> Option<usize> {
        self.people.iter().position(|person| person.who == who)
    }

    fn take(&mut self, at: usize) -> Person<R::Request> {
        self.people.remove(at).expect("somebody stands there")
    }

    /// Puts somebody into the line, who from there on is in this state.
    fn put(&mut self, at: usize, person: Person<R::Request>, state: State) {
        let seen = None;
        let person = Person {
            state,
            seen,
            ..person
        };
        self.people.insert(at, person);
    }

    /// Lets in from the line, in order.
    fn serve(&mut self) {
        for person in self.people.iter_mut() {
            if person.state == State::Waits {
                if !self.inside.admits(person.request) {
                    break;
                }
                self.inside.enter(person.request);
                self.grants += 1;
                person.state = State::Granted(self.grants);
                person.seen = None;
                self.woken.push(person.task);
            }
        }
    }

    /// Enters if there is room and nobody waits.
    pub(crate) fn try_enter(&mut self, request: R::Request) -> bool {
        let turn = !self.is_queued() || R::goes_first(request);
        let enters = turn && self.inside.admits(request);
        if enters {
            self.inside.enter(request);
        }
        enters
    }

    /// Changes who is inside.
    pub(crate) fn change(&mut self, news: bool, change: impl FnOnce(&mut R)) {
        if news {
            for person in &mut self.people {
                if person.state == State::Parked {
                    person.state = State::Waits;
                }
            }
        }
        change(&mut self.inside);
        self.serve();
    }

    /// Somebody leaves.
    pub(crate) fn leave(&mut self, request: R::Request) {
        self.change(R::is_news(request), |inside| inside.leave(request));
    }

    /// Somebody who may be in line goes away.
    pub(crate) fn cancel(&mut self, who: Who) {
        if let Some(at) = self.find(who) {
            let person = self.take(at);
            self.change(false, |inside| {
                if let State::Granted(_) = person.state {
                    inside.leave(person.request);
                }
            });
        }
    }

    /// A poll by a task, whose waker can be cloned or not. `wake_panics` is a
    /// task whose wake panics.
    pub(crate) fn poll(
        &mut self,
        who: Who,
        request: R::Request,
        task: Task,
        clones: bool,
        wake_panics: Option<Task>,
    ) -> Polled {
        match self.find(who) {
            None => {
                let at_once = !self.is_queued() && self.inside.admits(request);
                if !at_once && !clones {
                    return Polled::ClonePanicked;
                }
                if self.try_enter(request) {
                    return Polled::Ready;
                }
                let at = if R::goes_first(request) {
                    self.first()
                } else {
                    self.people.len()
                };
                let person = Person {
                    who,
                    task,
                    request,
                    state: State::Waits,
                    seen: None,
                };
                self.put(at, person, State::Waits);
            }
            Some(at) => {
                let person = &mut self.people[at];
                if let State::Granted(_) = person.state {
                    self.take(at);
                    return Polled::Ready;
                }
                if person.task != task && !clones {
                    return Polled::ClonePanicked;
                }
                person.task = task;
                if person.state == State::Parked {
                    return Polled::Pending;
                }
            }
        }
        self.look_for_sibling(who, request, task, clones, wake_panics)
    }

    /// Somebody who waits looks for a grant of the same task that is not used.
    fn look_for_sibling(
        &mut self,
        who: Who,
        request: R::Request,
        task: Task,
        clones: bool,
        wake_panics: Option<Task>,
    ) -> Polled {
        loop {
            let mut enough = false;
            let mut grant = 0;
            let owner = (0..self.people.len()).find(|&at| {
                let owner = &self.people[at];
                let (State::Granted(number), true) = (owner.state, owner.task == task) else {
                    return false;
                };
                grant = number;
                self.inside.leave(owner.request);
                enough = self.inside.admits(request);
                self.inside.enter(owner.request);
                enough || !R::goes_first(owner.request)
            });
            let (Some(owner), Some(me)) = (owner, self.find(who)) else {
                return Polled::Pending;
            };
            if self.people[me].seen != Some(grant) {
                self.people[me].seen = Some(grant);
                self.woken.push(task);
                return Polled::Pending;
            }
            if !enough && !clones {
                return Polled::ClonePanicked;
            }
            let me = self.take(me);
            let owner = self.take(owner);
            self.inside.leave(owner.request);
            let first = self.first();
            self.put(first, owner, State::Waits);
            if !enough {
                self.put(first, me, State::Waits);
                continue;
            }
            self.inside.enter(request);
            let before = self.woken.len();
            self.serve();
            if self.woken[before..]
                .iter()
                .any(|&task| Some(task) == wake_panics)
            {
                // Nobody hears of the entry.
                self.leave(request);
            }
            return Polled::Ready;
        }
    }

    /// A poll of somebody who wants to see something. `look` says what is seen;
    /// `None` is a panic.
    pub(crate) fn poll_and_look(
        &mut self,
        who: Who,
        request: R::Request,
        task: Task,
        clones: bool,
        wake_panics: Option<Task>,
        look: Option<bool>,
    ) -> Polled {
        let granted = |&at: &usize| matches!(self.people[at].state, State::Granted(_));
        let place = self.find(who).filter(granted);
        let before = self.woken.len();
        let polled = self.poll(who, request, task, clones, wake_panics);
        let undone = self.woken[before..]
            .iter()
            .any(|&task| Some(task) == wake_panics);
        if polled != Polled::Ready || undone {
            return polled;
        }
        match look {
            Some(true) => Polled::Ready,
            Some(false) if clones => {
                // Who was granted stays there; who came in past the line, or in
                // a sibling's stead, stands before those who wait.
                let place = place.unwrap_or_else(|| self.first());
                let person = Person {
                    who,
                    task,
                    request,
                    state: State::Parked,
                    seen: None,
                };
                self.put(place, person, State::Parked);
                self.change(false, |inside| inside.leave(request));
                Polled::Pending
            }
            // The condition panics, or the clone of the waker that is to be kept.
            look => {
                self.leave(request);
                if look.is_some() {
                    Polled::ClonePanicked
                } else {
                    Polled::LookPanicked
                }
            }
        }
    }
}
