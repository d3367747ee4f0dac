//! `Barrier`.

use std::pin::Pin;
use std::task::Poll;

use async_monitor::Barrier;
use async_monitor::future::BarrierWait;

use crate::driver::{Subject, check, slots};
use crate::random::Random;
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
    Abort,
    Reset,
}

/// The decision for a waiter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// Passes, with an index.
    Passes(usize),
    /// Leaves with an error.
    Leaves,
}

/// A future, and its state in the model.
struct Slot<'a> {
    who: u32,
    fate: Option<Fate>,
    future: Pin<Box<BarrierWait<'a>>>,
}

/// The barrier, and the model of its waiters.
struct World<'a> {
    barrier: &'a Barrier,
    parties: usize,
    slots: Vec<Option<Slot<'a>>>,
    tasks: Tasks,
    created: u32,
    is_broken: bool,
    line: Vec<(u32, Task)>,
    woken: Vec<Task>,
}

impl World<'_> {
    /// The number of waiters, from the first on, with a decision.
    fn decide(&mut self, count: usize, fate: impl Fn(usize) -> Fate) {
        for (index, (who, task)) in self.line.drain(..count).enumerate() {
            self.woken.push(task);
            let slot = self.slots.iter_mut().flatten().find(|slot| slot.who == who);
            slot.expect("nobody is forgotten").fate = Some(fate(index));
        }
    }

    /// How many are leaving, and have not returned yet.
    fn leaving(&self) -> usize {
        let leaves = |slot: &&Slot<'_>| slot.fate == Some(Fate::Leaves);
        self.slots.iter().flatten().filter(leaves).count()
    }

    /// A leaving waiter has left; after the last one, the waiters that arrived
    /// meanwhile are counted.
    fn left(&mut self) {
        if self.leaving() == 0 {
            let parties = self.parties;
            let whole = self.line.len() / parties * parties;
            self.decide(whole, |index| Fate::Passes(index % parties));
        }
    }

    fn take(&mut self, Step { what, panics }: Step) {
        self.tasks.arm(panics);
        let slots = self.slots.len();
        match what {
            What::Poll { slot, task } => self.poll(slot % slots, task, panics),
            What::Drop { slot } => {
                if let Some(slot) = self.slots[slot % slots].take() {
                    self.line.retain(|&(who, _)| who != slot.who);
                    if slot.fate == Some(Fate::Leaves) {
                        self.left();
                    }
                    self.act(panics, || drop(slot.future));
                }
            }
            What::Abort | What::Reset => {
                let barrier = self.barrier;
                self.is_broken = matches!(what, What::Abort);
                self.decide(self.line.len(), |_| Fate::Leaves);
                self.act(panics, || match what {
                    What::Abort => barrier.abort(),
                    _ => barrier.reset(),
                });
            }
        }

        let mut kept = [0; TASKS];
        for &(_, task) in &self.line {
            kept[usize::from(task)] += 1;
        }
        self.tasks.disarm_and_check(&self.woken, &kept);
        self.woken.clear();
        assert_eq!(self.barrier.is_broken(), self.is_broken);
        let counted = self.leaving() == 0;
        let waiting = if counted { self.line.len() } else { 0 };
        assert_eq!(self.barrier.n_waiting(), waiting, "n_waiting");
    }

    /// Does to the primitive what the model has done.
    fn act<T>(&self, panics: Option<Panics>, act: impl FnOnce() -> T) -> Option<T> {
        let wakes = |&task: &Task| panics == Some(Panics::Wake(task));
        let acted = attempt(act);
        let panics = self.woken.iter().any(wakes);
        assert_eq!(acted.is_none(), panics, "it panics (left), and should");
        acted
    }

    fn poll(&mut self, slot: usize, task: Task, panics: Option<Panics>) {
        let barrier = self.barrier;
        let entry = self.slots[slot].get_or_insert_with(|| {
            self.created += 1;
            Slot {
                who: self.created,
                fate: None,
                future: Box::pin(barrier.wait()),
            }
        });
        let who = entry.who;
        let fate = entry.fate.take();
        let place = self.line.iter().position(|&(other, _)| other == who);
        let clones = fate.is_none() && place.is_none_or(|at| self.line[at].1 != task);
        if clones && panics == Some(Panics::Clone(task)) {
            let future = entry.future.as_mut();
            let polled = self.tasks.poll(task, |cx| attempt(|| future.poll(cx)));
            assert!(polled.is_none(), "the clone panics, and the poll does not");
            return;
        }
        let expected = match (fate, place) {
            (Some(Fate::Passes(index)), _) => Some(Ok(index)),
            (Some(Fate::Leaves), _) => {
                self.left();
                Some(Err(()))
            }
            (None, Some(at)) => {
                self.line[at].1 = task;
                None
            }
            (None, None) if self.is_broken => Some(Err(())),
            (None, None) if self.leaving() == 0 && self.line.len() + 1 == self.parties => {
                self.decide(self.line.len(), Fate::Passes);
                Some(Ok(self.parties - 1))
            }
            (None, None) => {
                self.line.push((who, task));
                None
            }
        };
        let Some(mut entry) = self.slots[slot].take() else {
            unreachable!("it was just there")
        };
        let future = entry.future.as_mut();
        let polled = self.act(panics, || self.tasks.poll(task, |cx| future.poll(cx)));
        match polled {
            Some(Poll::Ready(result)) => {
                let result = result.map(|passed| passed.index()).map_err(|_| ());
                assert_eq!(Some(result), expected, "ready, and should be (right)");
            }
            Some(Poll::Pending) => {
                assert_eq!(None, expected, "pending, and should be (right)");
                self.slots[slot] = Some(entry);
            }
            // Its decision is lost with the panic: it arrives again.
            None => self.slots[slot] = Some(entry),
        }
    }
}

struct Barriers;

impl Subject for Barriers {
    type Step = Step;

    fn step(random: &mut Random) -> Step {
        let slot = random.below(1 << 10);
        let task = some_task(random);
        let what = match random.below(200) {
            0..145 => What::Poll { slot, task },
            145..180 => What::Drop { slot },
            180..184 => What::Abort,
            _ => What::Reset,
        };
        let panics = some_panic(random);
        Step { what, panics }
    }

    fn run(size: usize, steps: &[Step]) {
        // Of a few, or of more than one batch of wakers.
        let parties = if slots(size) > 40 { 36 } else { size % 5 };
        let barrier = Barrier::new(parties);
        let mut world = World {
            barrier: &barrier,
            parties: parties.max(1),
            slots: (0..slots(size)).map(|_| None).collect(),
            tasks: Tasks::new(),
            created: 0,
            is_broken: false,
            line: Vec::new(),
            woken: Vec::new(),
        };
        for &step in steps {
            world.take(step);
        }
        for slot in 0..world.slots.len() {
            let what = What::Drop { slot };
            world.take(Step { what, panics: None });
        }
    }

    fn simpler(step: Step) -> Option<Step> {
        step.panics?;
        let panics = None;
        Some(Step { panics, ..step })
    }
}

#[test]
fn barrier() {
    check::<Barriers>();
}
