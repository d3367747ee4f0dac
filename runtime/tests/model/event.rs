//! `Event`.

use std::mem;
use std::pin::Pin;
use std::task::Poll;

use crate::flavour::Event;
use crate::flavour::future::EventWait;

use crate::driver::{Subject, check, slots};
use crate::random::Random;
use crate::shown::waiters;
use crate::tasks::{Panics, TASKS, Task, Tasks, attempt, some_panic, some_task};

#[derive(Clone, Copy, Debug)]
struct Step {
    what: What,
    panics: Option<Panics>,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Polls the future in a slot; makes one if the slot is empty.
    Poll {
        slot: usize,
        task: Task,
    },
    Drop {
        slot: usize,
    },
    Forget {
        slot: usize,
    },
    Set,
    Clear,
}

/// A future, and its state in the model.
struct Slot<'a> {
    who: u32,
    has_passed: bool,
    future: Pin<Box<EventWait<'a>>>,
}

/// The event, and its model: a flag and a queue.
struct World<'a> {
    event: &'a Event,
    slots: Vec<Option<Slot<'a>>>,
    tasks: Tasks,
    created: u32,
    is_set: bool,
    line: Vec<(u32, Task)>,
}

impl World<'_> {
    fn take(&mut self, Step { what, panics }: Step) {
        let mut woken = Vec::new();
        self.tasks.arm(panics);
        let slots = self.slots.len();
        let (acted, clone_panics) = match what {
            What::Poll { slot, task } => self.poll(slot % slots, task, panics),
            What::Drop { slot } => {
                if let Some(slot) = self.slots[slot % slots].take() {
                    self.line.retain(|&(who, _)| who != slot.who);
                }
                (true, false)
            }
            What::Forget { slot } => {
                mem::forget(self.slots[slot % slots].take());
                (true, false)
            }
            What::Set => {
                if !mem::replace(&mut self.is_set, true) {
                    for (who, task) in self.line.drain(..) {
                        woken.push(task);
                        let slot = self.slots.iter_mut().flatten().find(|slot| slot.who == who);
                        slot.into_iter().for_each(|slot| slot.has_passed = true);
                    }
                }
                (attempt(|| self.event.set()).is_some(), false)
            }
            What::Clear => {
                self.is_set = false;
                self.event.clear();
                (true, false)
            }
        };
        let wakes = |&task: &Task| panics == Some(Panics::Wake(task));
        let panics = clone_panics || woken.iter().any(wakes);
        assert_eq!(!acted, panics, "it panics (left), and should");

        let mut kept = [0; TASKS];
        for &(_, task) in &self.line {
            kept[usize::from(task)] += 1;
        }
        self.tasks.disarm_and_check(&woken, &kept);
        assert_eq!(self.event.is_set(), self.is_set);
    }

    /// Whether the poll did not panic, and whether the clone of a waker does.
    fn poll(&mut self, slot: usize, task: Task, panics: Option<Panics>) -> (bool, bool) {
        let event = self.event;
        let created = &mut self.created;
        let entry = self.slots[slot].get_or_insert_with(|| {
            *created += 1;
            Slot {
                who: *created,
                has_passed: false,
                future: Box::pin(event.wait()),
            }
        });
        let place = self.line.iter_mut().find(|(who, _)| *who == entry.who);
        let ready = entry.has_passed || (place.is_none() && self.is_set);
        let is_known = place.as_ref().is_some_and(|(_, known)| *known == task);
        let clone_panics = !ready && !is_known && panics == Some(Panics::Clone(task));
        if !ready && !clone_panics {
            match place {
                Some((_, registered)) => *registered = task,
                None => self.line.push((entry.who, task)),
            }
        }
        let future = entry.future.as_mut();
        let polled = self.tasks.poll(task, |cx| attempt(|| future.poll(cx)));
        if let Some(polled) = polled {
            assert_eq!(polled.is_ready(), ready, "ready (left), and should be");
        }
        if let Some(Poll::Ready(())) = polled {
            self.slots[slot] = None;
        }
        (polled.is_some(), clone_panics)
    }
}

struct Events;

impl Subject for Events {
    type Step = Step;

    fn step(random: &mut Random) -> Step {
        let slot = random.below(1 << 10);
        let task = some_task(random);
        let what = match random.below(200) {
            0..120 => What::Poll { slot, task },
            120..150 => What::Drop { slot },
            150 => What::Forget { slot },
            151..170 => What::Set,
            _ => What::Clear,
        };
        let panics = some_panic(random);
        Step { what, panics }
    }

    fn run(size: usize, steps: &[Step]) {
        let event = Event::new();
        let mut world = World {
            event: &event,
            slots: (0..slots(size)).map(|_| None).collect(),
            tasks: Tasks::new(),
            created: 0,
            is_set: false,
            line: Vec::new(),
        };
        for (index, &step) in steps.iter().enumerate() {
            world.take(step);
            if index % 32 == 0 {
                assert_eq!(waiters(&event), world.line.len(), "waiters");
            }
        }
        for slot in 0..world.slots.len() {
            let what = What::Drop { slot };
            world.take(Step { what, panics: None });
        }
        assert_eq!(waiters(&event), world.line.len(), "waiters");
    }

    fn simpler(step: Step) -> Option<Step> {
        step.panics?;
        let panics = None;
        Some(Step { panics, ..step })
    }
}

#[test]
fn event() {
    check::<Events>();
}
