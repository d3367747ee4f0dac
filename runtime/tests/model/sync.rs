//! The conditional waiters of a sync lock, beside the rules of the contract.
//!
//! The lock decides which waiter has the turn, and in which order tasks are woken. The rules:
//!
//! - No waiter acquires while its condition is false, nor while that of a waiter before it is
//!   true (if each future is a task of its own; futures of one task may change places).
//! - Once all woken tasks have been polled, nobody waits with a condition that is
//!   true.
//! - A condition is evaluated again only after a section that may have changed something.
//! - At the end no waker is kept, and the lock is free.

use std::cell::Cell;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use async_monitor::__private::{ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards, sync_when};
use async_monitor::SyncLock;
use async_monitor::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::driver::{Subject, check, slots};
use crate::random::Random;
use crate::tasks::{
    Panics, TASKS, Task, Tasks, attempt, look_panics, panic_on_demand, some_panic, some_task,
};

/// How many polls of woken tasks it takes at most until nobody is woken any more.
const POLLS: usize = 10_000;

/// Waits until the value is large enough.
#[derive(Clone, Copy, Debug)]
struct Request {
    at_least: u32,
    reads: bool,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Polls the future in a slot (a number to be taken modulo). If the slot is empty, makes a
    /// future with this request.
    Poll {
        slot: usize,
        task: Task,
        request: Request,
    },
    Drop {
        slot: usize,
    },
    ForgetFuture {
        slot: usize,
    },
    /// A section without a condition.
    Set {
        value: u32,
    },
    /// The same, to read.
    Read,
    /// The same, to write, but releases without a change.
    Look,
    /// A section without a condition that goes on.
    Hold,
    /// The section that goes on ends.
    Release {
        value: u32,
    },
    /// Woken tasks are polled until none is woken.
    Settle,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    what: What,
    panics: Option<Panics>,
}

enum Guard<'a> {
    Read(RwLockReadGuard<'a, u32>),
    Write(RwLockWriteGuard<'a, u32>),
}

impl Guard<'_> {
    fn value(&self) -> u32 {
        match self {
            Guard::Read(guard) => **guard,
            Guard::Write(guard) => **guard,
        }
    }
}

type Entering<'a> = Pin<Box<dyn Future<Output = Guard<'a>> + 'a>>;

struct Slot<'a> {
    future: Entering<'a>,
    request: Request,
    task: Task,
    /// Its place in the queue, since its first poll.
    place: usize,
    /// A poll has panicked: it may have left its place.
    has_panicked: bool,
    has_to_be_polled: bool,
}

struct World<'a> {
    lock: &'a RwLock<u32>,
    /// How many sections may have changed something.
    changes: Rc<Cell<usize>>,
    value: u32,
    slots: Vec<Option<Slot<'a>>>,
    guard: Option<Guard<'a>>,
    /// Whether the guard is that of a section without a condition, beside which no condition
    /// can be evaluated.
    is_plain: bool,
    /// Each future is a task of its own.
    alone: bool,
    has_forgotten: bool,
    places: usize,
    tasks: Tasks,
    panics: Option<Panics>,
}

fn condition(request: Request, changes: &Rc<Cell<usize>>) -> impl FnMut(u32) -> bool + 'static {
    let changes = Rc::clone(changes);
    let mut evaluated_at = None;
    move |value| {
        assert_ne!(evaluated_at, Some(changes.get()), "nothing has changed");
        if look_panics() {
            panic_on_demand()
        }
        let is_true = value >= request.at_least;
        evaluated_at = Some(changes.get()).filter(|_| !is_true);
        is_true
    }
}

fn enter<'a>(
    lock: &'a RwLock<u32>,
    request: Request,
    mut condition: impl FnMut(u32) -> bool + 'a,
) -> Entering<'a> {
    // SAFETY: turns and guards are those of the lock, and the conditions leave the guards
    // where they are.
    unsafe {
        if request.reads {
            let guards = TurnGuards::new(
                lock,
                <RwLock<u32> as ConditionalSyncRwLock>::read_with_turn,
                <RwLock<u32> as ConditionalSyncRwLock>::release_read_without_turn,
            );
            let condition = move |guard: &mut RwLockReadGuard<'a, u32>| condition(**guard);
            let future = sync_when(ConditionalSyncLock::turns(lock), guards, condition);
            Box::pin(Entered(future, Guard::Read))
        } else {
            let guards = TurnGuards::new(
                lock,
                <RwLock<u32> as ConditionalSyncLock>::acquire_with_turn,
                <RwLock<u32> as ConditionalSyncLock>::release_without_turn,
            );
            let condition = move |guard: &mut RwLockWriteGuard<'a, u32>| condition(**guard);
            let future = sync_when(ConditionalSyncLock::turns(lock), guards, condition);
            Box::pin(Entered(future, Guard::Write))
        }
    }
}

/// A future of either guard. Unlike an `async` block, it can be polled after a panic.
struct Entered<F, G>(F, G);

impl<'a, F: Future, G: Fn(F::Output) -> Guard<'a>> Future for Entered<F, G> {
    type Output = Guard<'a>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Guard<'a>> {
        // SAFETY: the future is pinned as we are.
        let (future, guard) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.0), &this.1)
        };
        future.poll(cx).map(guard)
    }
}

impl<'a> World<'a> {
    /// Does something, with the panic armed; the woken tasks have to be polled.
    fn act<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.tasks.arm(self.panics.take());
        let acted = attempt(|| act(self));
        for task in self.tasks.disarm() {
            for slot in self.slots.iter_mut().flatten() {
                slot.has_to_be_polled |= slot.task == task;
            }
        }
        acted
    }

    fn poll(&mut self, at: usize, task: Task, request: Request) {
        if self.is_plain && self.guard.is_some() {
            return;
        }
        let task = if self.alone { at as Task } else { task };
        let mut slot = self.slots[at].take().unwrap_or_else(|| {
            self.places += 1;
            Slot {
                future: enter(self.lock, request, condition(request, &self.changes)),
                request,
                task,
                place: self.places,
                has_panicked: false,
                has_to_be_polled: false,
            }
        });
        slot.task = task;
        slot.has_to_be_polled = false;
        // Woken meanwhile, it has to be polled again: so it is there.
        let mut future = mem::replace(&mut slot.future, Box::pin(std::future::pending()));
        self.slots[at] = Some(slot);
        let polled = self.act(|world| world.tasks.poll(task, |cx| future.as_mut().poll(cx)));
        let slot = self.slots[at].as_mut().expect("it is there");
        slot.future = future;
        match polled {
            Some(Poll::Pending) => {}
            Some(Poll::Ready(guard)) => {
                assert!(self.guard.is_none(), "two at a time");
                let entered = self.slots[at].take().expect("it is there");
                assert_eq!(guard.value(), self.value);
                assert!(self.value >= entered.request.at_least, "it is false");
                let overtaken = self.slots.iter().flatten().find(|slot| {
                    slot.place < entered.place
                        && self.value >= slot.request.at_least
                        && !slot.has_panicked
                });
                if self.alone && !entered.has_panicked {
                    assert!(overtaken.is_none(), "it overtakes one whose turn it is");
                }
                self.guard = Some(guard);
                self.is_plain = false;
            }
            None => {
                slot.has_panicked = true;
                slot.has_to_be_polled = true;
                // A condition that panics leaves a guard to drop, as any section does.
                self.changes.set(self.changes.get() + 1);
            }
        }
    }

    fn release(&mut self, value: u32) {
        match self.guard.take() {
            Some(Guard::Write(mut guard)) => {
                self.value = value;
                self.changes.set(self.changes.get() + 1);
                self.act(|_| {
                    *guard = value;
                    drop(guard);
                });
            }
            Some(guard) => {
                self.act(|_| drop(guard));
            }
            None => {}
        }
    }

    /// Polls woken tasks until none is woken.
    fn settle(&mut self) {
        self.release(self.value);
        for _ in 0..POLLS {
            let next = self
                .slots
                .iter()
                .position(|slot| slot.as_ref().is_some_and(|slot| slot.has_to_be_polled));
            let Some(at) = next else {
                return self.check_settled();
            };
            let slot = self.slots[at].as_ref().expect("it was found");
            let (task, request) = (slot.task, slot.request);
            self.poll(at, task, request);
            let takes = request.at_least.min(self.value);
            self.release(self.value - takes);
        }
        panic!("tasks are woken for ever");
    }

    fn check_settled(&self) {
        if self.has_forgotten {
            // It may have the turn, for ever.
            return;
        }
        let left_behind = self
            .slots
            .iter()
            .flatten()
            .find(|slot| self.value >= slot.request.at_least);
        assert!(left_behind.is_none(), "somebody is left behind");
    }

    fn take(&mut self, step: Step) {
        self.panics = step.panics;
        let slots = self.slots.len();
        match step.what {
            What::Poll {
                slot,
                task,
                request,
            } if self.guard.is_none() || !self.is_plain => self.poll(slot % slots, task, request),
            What::Drop { slot } => {
                if let Some(slot) = self.slots[slot % slots].take() {
                    self.act(|_| drop(slot.future));
                }
            }
            What::ForgetFuture { slot } => {
                if let Some(slot) = self.slots[slot % slots].take() {
                    mem::forget(slot.future);
                    self.has_forgotten = true;
                }
            }
            What::Release { value } => self.release(value),
            What::Settle => {
                self.panics = None;
                self.settle();
            }
            _ if self.guard.is_some() => {}
            What::Poll { .. } => {}
            What::Set { value } => {
                self.hold();
                self.release(value);
            }
            What::Read => {
                let guard = Guard::Read(self.lock.read());
                assert_eq!(guard.value(), self.value);
                drop(guard);
                assert!(self.tasks.disarm().is_empty(), "to read is no change");
            }
            What::Look => {
                let guard = self.lock.try_write().expect("nobody has it");
                <RwLock<u32> as SyncLock>::__release_unchanged(guard);
                assert!(self.tasks.disarm().is_empty(), "to look is no change");
            }
            What::Hold => self.hold(),
        }
    }

    fn hold(&mut self) {
        let guard = self.lock.try_write().expect("nobody has it");
        assert_eq!(*guard, self.value);
        self.guard = Some(Guard::Write(guard));
        self.is_plain = true;
    }

    fn finish(mut self) {
        self.panics = None;
        self.settle();
        for at in 0..self.slots.len() {
            let slot = self.slots[at].take();
            self.act(|_| drop(slot));
        }
        assert!(self.lock.try_write().is_some());
        if !self.has_forgotten {
            assert_eq!(self.tasks.kept(), [0; TASKS], "wakers are kept");
            let request = Request {
                at_least: 0,
                reads: false,
            };
            self.poll(0, 0, request);
            assert!(self.guard.is_some(), "nobody is in the way");
        }
    }
}

struct SyncLocks;

impl Subject for SyncLocks {
    type Step = Step;

    fn step(random: &mut Random) -> Step {
        let slot = random.below(1 << 10);
        let value = random.below(6) as u32;
        let what = match random.below(1_000) {
            0..450 => What::Poll {
                slot,
                task: some_task(random),
                request: Request {
                    at_least: random.below(6) as u32,
                    reads: random.one_in(3),
                },
            },
            450..550 => What::Drop { slot },
            550..750 => What::Set { value },
            750..780 => What::Read,
            780..800 => What::Look,
            800..830 => What::Hold,
            830..950 => What::Release { value },
            950..999 => What::Settle,
            _ => What::ForgetFuture { slot },
        };
        let panics = some_panic(random);
        Step { what, panics }
    }

    fn run(size: usize, steps: &[Step]) {
        let lock = RwLock::new(0);
        let alone = size % 2 == 0;
        let slots = if alone { TASKS } else { slots(size) };
        let mut world = World {
            lock: &lock,
            changes: Rc::default(),
            value: 0,
            slots: (0..slots).map(|_| None).collect(),
            guard: None,
            is_plain: false,
            alone,
            has_forgotten: false,
            places: 0,
            tasks: Tasks::new(),
            panics: None,
        };
        for &step in steps {
            world.take(step);
        }
        world.finish();
    }

    fn simpler(step: Step) -> Option<Step> {
        step.panics?;
        Some(Step {
            panics: None,
            ..step
        })
    }
}

#[test]
fn turns() {
    check::<SyncLocks>();
}
