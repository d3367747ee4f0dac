//! `Condition`, with a `Mutex`.

use std::pin::Pin;
use std::task::Poll;

use crate::flavour::{Condition, Mutex, MutexGuard};

use crate::driver::{Subject, check, slots};
use crate::lock::OneAtATime;
use crate::random::Random;
use crate::reference::{Poll as ModelPoll, Polled, Reference, WaiterId};
use crate::shown::waiters;
use crate::tasks::{
    Panics, TASKS, Task, Tasks, attempt, look_panics, panic_on_demand, some_panic, some_task,
};

/// This count notifies all.
const ALL: usize = usize::MAX;

#[derive(Clone, Copy, Debug)]
struct Step {
    what: What,
    panics: Option<Panics>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Polls the future in a slot. Where there is none, one is made, that locks.
    Poll {
        slot: usize,
        task: Task,
    },
    /// Makes a future that waits, of the guard, in a slot that is free: for any
    /// notification, or for the value to be so large.
    Wait {
        slot: usize,
        at_least: Option<u32>,
    },
    Drop {
        slot: usize,
    },
    Try,
    /// Drops the guard.
    Release,
    /// Notifies as many, and writes, with the guard.
    Notify {
        count: usize,
        value: u32,
    },
}

/// The state of a future in the model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Has the guard that it was made of.
    Holds,
    /// Waits for a notification, or would if it had not panicked.
    Waits,
    /// Was notified by the notification of this number.
    Notified(u32),
    /// Locks, and perhaps has a notification to pass on.
    Locks(Option<u32>),
    /// Has panicked and has nothing.
    Over,
}

struct Slot<'a> {
    who: WaiterId,
    stage: Stage,
    at_least: Option<u32>,
    /// Has panicked in the middle: may be dropped, and not be polled.
    is_dead: bool,
    future: Pin<Box<dyn Future<Output = MutexGuard<'a, u32>> + 'a>>,
}

/// A waiter, and the number of the last notification when it joined.
struct Person {
    who: WaiterId,
    task: Task,
    since: u32,
}

struct World<'a> {
    mutex: &'a Mutex<u32>,
    condition: &'a Condition,
    guard: Option<MutexGuard<'a, u32>>,
    slots: Vec<Option<Slot<'a>>>,
    tasks: Tasks,
    created: WaiterId,
    reference: Reference<OneAtATime>,
    waits: Vec<Person>,
    notifications: u32,
    value: u32,
}

impl<'a> World<'a> {
    fn take(&mut self, Step { what, panics }: Step) {
        self.tasks.arm(panics);
        let slots = self.slots.len();
        match what {
            What::Poll { slot, task } => self.poll(slot % slots, task, panics),
            What::Wait { slot, at_least } => self.wait(slot % slots, at_least),
            What::Drop { slot } => self.drop_slot(slot % slots, panics),
            What::Try => {
                let guard = self.mutex.try_lock();
                assert_eq!(guard.is_some(), self.reference.try_acquire(()), "the try");
                if guard.is_some() {
                    self.guard = guard;
                }
            }
            What::Release => {
                if let Some(guard) = self.guard.take() {
                    self.reference.release(());
                    self.act(panics, || drop(guard));
                }
            }
            What::Notify { count, value } => {
                if let Some(mut guard) = self.guard.take() {
                    *guard = value;
                    self.value = value;
                    self.notifications += 1;
                    for _ in 0..count.min(slots) {
                        self.notify_next(self.notifications);
                    }
                    let condition = self.condition;
                    self.act(panics, || match count {
                        1 => condition.notify_one(&guard),
                        ALL => condition.notify_all(&guard),
                        count => condition.notify(&guard, count),
                    });
                    self.guard = Some(guard);
                }
            }
        }

        let mut kept = [0; TASKS];
        self.reference.count_wakers(&mut kept);
        for person in &self.waits {
            kept[usize::from(person.task)] += 1;
        }
        self.tasks.disarm_and_check(&self.reference.woken, &kept);
        self.reference.woken.clear();
        assert_eq!(self.mutex.is_locked(), self.reference.inside.taken);
        if let Some(guard) = &self.guard {
            assert_eq!(**guard, self.value);
        }
    }

    fn check_waiters(&self) {
        assert_eq!(waiters(self.mutex), self.reference.waiting(), "waiters");
        assert_eq!(waiters(self.condition), self.waits.len(), "waiters");
    }

    /// Does to the primitive what the model has done.
    #[track_caller]
    fn act<T>(&self, panics: Option<Panics>, act: impl FnOnce() -> T) -> Option<T> {
        let wakes = |&task: &Task| panics == Some(Panics::Wake(task));
        let acted = attempt(act);
        let panics = self.reference.woken.iter().any(wakes);
        assert_eq!(acted.is_none(), panics, "it panics (left), and should");
        acted
    }

    /// Passes the notification with this number to the first waiter that joined before it.
    fn notify_next(&mut self, number: u32) {
        if self.waits.first().is_some_and(|one| one.since < number) {
            let Person { who, task, .. } = self.waits.remove(0);
            self.reference.woken.push(task);
            let slot = self.slots.iter_mut().flatten().find(|slot| slot.who == who);
            slot.expect("nobody is forgotten").stage = Stage::Notified(number);
        }
    }

    fn wait(&mut self, slot: usize, at_least: Option<u32>) {
        if self.slots[slot].is_some() {
            return;
        }
        let Some(guard) = self.guard.take() else {
            return;
        };
        self.created += 1;
        self.slots[slot] = Some(Slot {
            who: self.created,
            stage: Stage::Holds,
            at_least,
            is_dead: false,
            future: match at_least {
                None => Box::pin(self.condition.wait(guard)),
                Some(at_least) => Box::pin(self.condition.wait_for(guard, move |value| {
                    if look_panics() {
                        panic_on_demand()
                    }
                    *value >= at_least
                })),
            },
        });
    }

    fn drop_slot(&mut self, slot: usize, panics: Option<Panics>) {
        let Some(Slot {
            who, stage, future, ..
        }) = self.slots[slot].take()
        else {
            return;
        };
        match stage {
            Stage::Holds => self.reference.release(()),
            Stage::Waits => self.waits.retain(|person| person.who != who),
            Stage::Notified(number) => self.notify_next(number),
            Stage::Locks(notification) => {
                self.reference.cancel(who);
                if let Some(number) = notification {
                    self.notify_next(number);
                }
            }
            Stage::Over => {}
        }
        self.act(panics, || drop(future));
    }

    fn poll(&mut self, slot: usize, task: Task, panics: Option<Panics>) {
        let mut entry = self.slots[slot].take().unwrap_or_else(|| {
            self.created += 1;
            Slot {
                who: self.created,
                stage: Stage::Locks(None),
                at_least: None,
                is_dead: false,
                future: Box::pin(self.mutex.lock()),
            }
        });
        if entry.is_dead {
            self.slots[slot] = Some(entry);
            return;
        }
        let expected = self.expected(&mut entry, task, panics);
        let future = entry.future.as_mut();
        let polled = self.tasks.poll(task, |cx| attempt(|| future.poll(cx)));
        let ready = polled.as_ref().map(Poll::is_ready);
        assert_eq!(
            ready, expected,
            "the poll is ready, if it does not panic (left), and should be"
        );
        match polled {
            Some(Poll::Ready(guard)) => self.guard = Some(guard),
            _ => self.slots[slot] = Some(entry),
        }
    }

    /// Whether a poll is ready, or `None` if it panics.
    fn expected(
        &mut self,
        entry: &mut Slot<'a>,
        task: Task,
        panics: Option<Panics>,
    ) -> Option<bool> {
        let who = entry.who;
        let clones = panics != Some(Panics::Clone(task));
        let wake_panics = match panics {
            Some(Panics::Wake(task)) => Some(task),
            _ => None,
        };
        let wakes = |reference: &Reference<_>| {
            reference
                .woken
                .iter()
                .any(|&task| Some(task) == wake_panics)
        };
        // Whether it has the lock, and the guard not looked at the value.
        let mut has_come_back = false;
        loop {
            match entry.stage {
                Stage::Holds => {
                    let looks = entry.at_least.is_some() || has_come_back;
                    if looks && entry.at_least.is_none() {
                        return Some(true);
                    }
                    if looks && panics == Some(Panics::Look) {
                        self.reference.release(());
                        (entry.stage, entry.is_dead) = (Stage::Over, true);
                        return None;
                    }
                    if entry.at_least.is_some_and(|least| self.value >= least) {
                        return Some(true);
                    }
                    if !clones {
                        self.reference.release(());
                        (entry.stage, entry.is_dead) = (Stage::Over, true);
                        return None;
                    }
                    entry.stage = Stage::Waits;
                    self.waits.push(Person {
                        who,
                        task,
                        since: self.notifications,
                    });
                    let before = self.reference.woken.len();
                    self.reference.release(());
                    let woken = &self.reference.woken[before..];
                    if woken.iter().any(|&task| Some(task) == wake_panics) {
                        // It stays queued until its drop.
                        entry.is_dead = true;
                        return None;
                    }
                    return Some(false);
                }
                Stage::Waits => {
                    let person = self.waits.iter_mut().find(|person| person.who == who);
                    let person = person.expect("it waits");
                    if person.task != task && !clones {
                        return None;
                    }
                    person.task = task;
                    return Some(false);
                }
                Stage::Notified(number) => entry.stage = Stage::Locks(Some(number)),
                Stage::Locks(notification) => {
                    let polled = self.reference.poll(
                        who,
                        (),
                        ModelPoll {
                            task,
                            clones,
                            wake_panics,
                        },
                    );
                    if wakes(&self.reference) {
                        return None;
                    }
                    match polled {
                        Polled::Pending => return Some(false),
                        Polled::Ready if notification.is_none() => return Some(true),
                        Polled::Ready => {
                            entry.stage = Stage::Holds;
                            has_come_back = true;
                        }
                        Polled::ClonePanicked | Polled::ConditionPanicked => return None,
                    }
                }
                Stage::Over => unreachable!("it is not polled"),
            }
        }
    }
}

struct Conditions;

impl Subject for Conditions {
    type Step = Step;

    fn step(random: &mut Random) -> Step {
        let slot = random.below(1 << 10);
        let value = random.below(4) as u32;
        let what = match random.below(100) {
            0..50 => What::Poll {
                slot,
                task: some_task(random),
            },
            50..65 => What::Wait {
                slot,
                at_least: Some(value).filter(|_| random.one_in(2)),
            },
            65..72 => What::Drop { slot },
            72..80 => What::Try,
            80..90 => What::Release,
            _ => What::Notify {
                count: random.of(&[0, 1, 1, 2, ALL]),
                value,
            },
        };
        let panics = some_panic(random);
        Step { what, panics }
    }

    fn run(size: usize, steps: &[Step]) {
        let (mutex, condition) = (Mutex::new(0), Condition::new());
        let mut world = World {
            mutex: &mutex,
            condition: &condition,
            guard: None,
            slots: (0..slots(size)).map(|_| None).collect(),
            tasks: Tasks::new(),
            created: 0,
            reference: Reference::new(OneAtATime::default()),
            waits: Vec::new(),
            notifications: 0,
            value: 0,
        };
        for (index, &step) in steps.iter().enumerate() {
            world.take(step);
            if index % 32 == 0 {
                world.check_waiters();
            }
        }
        for slot in 0..world.slots.len() {
            let what = What::Drop { slot };
            world.take(Step { what, panics: None });
        }
        world.check_waiters();
    }

    fn simpler(step: Step) -> Option<Step> {
        step.panics?;
        let panics = None;
        Some(Step { panics, ..step })
    }
}

#[test]
fn condition() {
    check::<Conditions>();
}
