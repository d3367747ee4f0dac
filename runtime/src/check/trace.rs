//! The events of a run, and the happens-before relation on them.
//!
//! Each event has a vector *clock*: for each task, how many of its events happen before this one,
//! by the order of each task, by conflicts, and by wake-ups. An event may contain releases,
//! which are not events of their own; so clocks count in parts of events. An event that follows by
//! a conflict happens after the first part, the operation. An event that follows by a release
//! happens after that release. The next event of the task itself happens after the *tail*: the
//! clock, joined with the release that allowed the event to acquire.

use std::vec::Vec;

use super::relation::Operation;
use super::session::{MAX_TASKS, NO_EVENT, NO_TASK};

/// A scheduling choice: a task, and whether it goes on, is cancelled, or one of its timers
/// expires.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Choice(u8);

/// A set of choices, by a bit for each.
pub(super) type Choices = u128;

/// How many of the timers that a task awaits at one time may expire.
pub(super) const MAX_TIMERS: usize = 6;

/// The choices of a task.
const KINDS: u8 = 2 + MAX_TIMERS as u8;

/// The bits of the choices by which a task goes on.
pub(super) const GO: Choices = Choices::MAX / 0xff;
/// The bits of the choices by which a task is cancelled.
pub(super) const CANCEL: Choices = GO << 1;

impl Choice {
    pub(super) fn go(task: usize) -> Self {
        Choice(task as u8 * KINDS)
    }

    pub(super) fn cancel(task: usize) -> Self {
        Choice(task as u8 * KINDS + 1)
    }

    /// `timer` is less than [`MAX_TIMERS`].
    pub(super) fn expire(task: usize, timer: usize) -> Self {
        Choice(task as u8 * KINDS + 2 + timer as u8)
    }

    pub(super) fn task(self) -> usize {
        usize::from(self.0 / KINDS)
    }

    pub(super) fn is_go(self) -> bool {
        self.0 % KINDS == 0
    }

    pub(super) fn is_cancel(self) -> bool {
        self.0 % KINDS == 1
    }

    /// The timer that expires.
    pub(super) fn timer(self) -> Option<usize> {
        usize::from(self.0 % KINDS).checked_sub(2)
    }

    pub(super) fn bit(self) -> Choices {
        1 << self.0
    }

    /// All choices of its task.
    pub(super) fn of_task(self) -> Choices {
        0xff << (self.0 / KINDS * KINDS)
    }

    /// The first choice of a set.
    pub(super) fn first(set: Choices) -> Option<Self> {
        (set != 0).then(|| Choice(set.trailing_zeros() as u8))
    }
}

/// A moment in an event: after how many of its releases.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Moment {
    event: u32,
    releases: u8,
}

impl Moment {
    /// Before all events.
    pub(super) const NEVER: Moment = Moment {
        event: NO_EVENT,
        releases: 0,
    };

    pub(super) fn new(event: u32, releases: u8) -> Self {
        Moment { event, releases }
    }
}

/// The clock units of one event.
const EVENT: u32 = 256;

#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) choice: Choice,
    /// The operation that it begins with.
    pub(super) operation: Option<Operation>,
    /// Its number among those of its task, from 1, as clocks count.
    local: u32,
    /// The previous event of its task.
    prev: u32,
    /// The previous event at the same primitive.
    prev_here: u32,
    /// The tasks that it has woken, or whose poll it begins, of those that observe `Pending`.
    pub(super) woken: u32,
    /// Its task is cancelled in the queue of a lock.
    pub(super) leaves_queue: bool,
}

/// The effects of an event, known once it has taken place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect {
    pub(super) woken_by: Moment,
    /// The release that allowed it to acquire, which happens before the next event.
    pub(super) acquired_after: Moment,
    pub(super) woken: u32,
    pub(super) leaves_queue: bool,
}

impl Effect {
    /// No event.
    pub(super) const NONE: Effect = Effect {
        woken_by: Moment::NEVER,
        acquired_after: Moment::NEVER,
        woken: 0,
        leaves_queue: false,
    };
}

/// An event that races with the last one, at the same primitive or by a wake-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Race(pub(super) usize);

#[derive(Clone, Default)]
pub(super) struct Trace {
    pub(super) events: Vec<Event>,
    clocks: Vec<u32>,
    tails: Vec<u32>,
    /// How many of the events this run has done so far.
    len: usize,
    last: [u32; MAX_TASKS],
    /// The last event at each primitive.
    here: Vec<u32>,
    /// The events that wake tasks that observe `Pending`.
    waking: Vec<u32>,
    tasks: usize,
}

impl Trace {
    /// A new run, whose first `kept` events are those of the last one.
    pub(super) fn begin_run(&mut self, kept: usize) {
        self.events.truncate(kept);
        self.clocks.truncate(kept * MAX_TASKS);
        self.tails.truncate(kept * MAX_TASKS);
        self.len = 0;
        self.last = [NO_EVENT; MAX_TASKS];
        self.here.clear();
        self.waking.clear();
        self.tasks = 0;
    }

    pub(super) fn set_tasks(&mut self, tasks: usize) {
        self.tasks = tasks;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn clock(&self, event: usize, task: usize) -> u32 {
        self.clocks[event * MAX_TASKS + task]
    }

    /// Whether the event `a` happens before `b`, or is `b`.
    pub(super) fn is_before(&self, a: usize, b: usize) -> bool {
        let event = &self.events[a];
        self.clock(b, event.choice.task()) >= event.local
    }

    /// Whether a moment happens before the next event of a task.
    pub(super) fn is_known(&self, moment: Moment, task: usize) -> bool {
        let last = self.last[task];
        if last == NO_EVENT || moment.event == NO_EVENT {
            return false;
        }
        let event = &self.events[moment.event as usize];
        if event.choice.task() == task {
            return true;
        }
        let tail = self.tails[last as usize * MAX_TASKS + event.choice.task()];
        tail >= event.local + u32::from(moment.releases)
    }

    /// The task of the last event.
    pub(super) fn last_task(&self) -> usize {
        match self.len.checked_sub(1) {
            Some(last) => self.events[last].choice.task(),
            None => NO_TASK,
        }
    }

    /// Whether the next event is one of those that were kept.
    pub(super) fn is_replay(&self) -> bool {
        self.len < self.events.len()
    }

    /// The next event takes place, as before.
    pub(super) fn replay(&mut self) {
        let event = self.events[self.len];
        self.link(&event);
    }

    fn link(&mut self, event: &Event) {
        let index = self.len as u32;
        self.last[event.choice.task()] = index;
        if let Some(operation) = event.operation {
            self.set_here(operation.id, index);
        }
        if event.woken != 0 {
            self.waking.push(index);
        }
        self.len += 1;
    }

    fn here(&self, id: u32) -> u32 {
        self.here.get(id as usize).copied().unwrap_or(NO_EVENT)
    }

    fn set_here(&mut self, id: u32, event: u32) {
        let id = id as usize;
        if self.here.len() <= id {
            self.here.resize(id + 1, NO_EVENT);
        }
        self.here[id] = event;
    }

    fn join(&mut self, event: usize, other: u32) {
        let (to, from) = (event * MAX_TASKS, other as usize * MAX_TASKS);
        let mut task = 0;
        while task < self.tasks {
            let clock = self.clocks[from + task];
            if self.clocks[to + task] < clock {
                self.clocks[to + task] = clock;
            }
            task += 1;
        }
    }

    /// Joins a clock with the clock of `moment`.
    fn join_moment(&self, clocks: &mut [u32], moment: Moment) {
        if moment.event == NO_EVENT {
            return;
        }
        let event = moment.event as usize;
        let mut task = 0;
        while task < self.tasks {
            let clock = self.tails[event * MAX_TASKS + task];
            if clocks[task] < clock {
                clocks[task] = clock;
            }
            task += 1;
        }
        let event = &self.events[event];
        let task = event.choice.task();
        clocks[task] = clocks[task].max(event.local + u32::from(moment.releases));
    }

    /// Adds a new event. Puts the events that it races with into `races`.
    pub(super) fn push(
        &mut self,
        choice: Choice,
        operation: Option<Operation>,
        effect: Effect,
        races: &mut Vec<Race>,
    ) {
        let index = self.len;
        let task = choice.task();
        let prev = self.last[task];
        let prev_here = operation.map_or(NO_EVENT, |operation| self.here(operation.id));
        let local = match prev {
            NO_EVENT => EVENT,
            prev => self.events[prev as usize].local + EVENT,
        };
        let mut clock = [0; MAX_TASKS];
        if prev != NO_EVENT {
            self.join_moment(&mut clock, Moment::new(prev, 0));
        }
        self.join_moment(&mut clock, effect.woken_by);
        clock[task] = local;
        self.clocks.truncate(index * MAX_TASKS);
        self.clocks.extend_from_slice(&clock);
        let event = Event {
            choice,
            operation,
            local,
            prev,
            prev_here,
            woken: effect.woken,
            leaves_queue: effect.leaves_queue,
        };
        self.find_races(index, &event, races);
        let mut tail = [0; MAX_TASKS];
        tail.copy_from_slice(&self.clocks[index * MAX_TASKS..(index + 1) * MAX_TASKS]);
        self.join_moment(&mut tail, effect.acquired_after);
        self.tails.truncate(index * MAX_TASKS);
        self.tails.extend_from_slice(&tail);
        self.events.push(event);
        self.link(&event);
    }

    /// Takes the last event back, which has woken nobody.
    pub(super) fn pop(&mut self) {
        if let Some(event) = self.events.pop() {
            self.len -= 1;
            self.clocks.truncate(self.len * MAX_TASKS);
            self.tails.truncate(self.len * MAX_TASKS);
            self.last[event.choice.task()] = event.prev;
            if let Some(operation) = event.operation {
                self.set_here(operation.id, event.prev_here);
            }
        }
    }

    /// From the last event back: the events that conflict with `event`, and happen before it by no
    /// other way.
    fn find_races(&mut self, index: usize, event: &Event, races: &mut Vec<Race>) {
        let task = event.choice.task();
        let mut here = event.prev_here;
        let mut waking = if event.woken == 0 {
            0
        } else {
            self.waking.len()
        };
        loop {
            let by_wake = match waking {
                0 => NO_EVENT,
                waking => self.waking[waking - 1],
            };
            // The later of the two.
            let candidate = match (here, by_wake) {
                (NO_EVENT, NO_EVENT) => break,
                (NO_EVENT, other) | (other, NO_EVENT) => other,
                (a, b) => a.max(b),
            };
            let other = self.events[candidate as usize];
            let mut conflicts = false;
            if candidate == here {
                here = other.prev_here;
                conflicts = match (other.operation, event.operation) {
                    (Some(a), Some(b)) => a.conflicts(b),
                    _ => false,
                };
            }
            if candidate == by_wake {
                waking -= 1;
                conflicts |= other.woken & event.woken != 0;
            }
            let its_task = other.choice.task();
            if its_task == task || !conflicts {
                continue;
            }
            if self.clock(index, its_task) < other.local {
                races.push(Race(candidate as usize));
                self.join(index, candidate);
            }
        }
    }

    /// The choices that may come first if the race of an event with the last one is reversed: the
    /// initials of the events that do not happen after it, up to the last one.
    pub(super) fn initials(&self, race: Race) -> (Choices, Choice) {
        let last = self.len - 1;
        let mut initials = 0;
        for event in race.0 + 1..=last {
            if event != last && self.is_before(race.0, event) {
                continue;
            }
            let is_first = (race.0 + 1..event)
                .all(|other| self.is_before(race.0, other) || !self.is_before(other, event));
            if is_first {
                initials |= self.events[event].choice.bit();
            }
        }
        (initials, self.events[last].choice)
    }
}
