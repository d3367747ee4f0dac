//! Futures and guards of a primitive with a gate, beside their reference
//! model.

use crate::flavour::Rc;
use std::fmt::Debug;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::pin::Pin;
use std::task::Poll;

use crate::driver::{Subject, slots};
use crate::random::Random;
use crate::reference::{self, Polled, Reference, Rules, WaiterId};
use crate::shown::waiters;
use crate::tasks::{Panics, TASKS, Task, Tasks, attempt, some_panic, some_task};

/// What is special about one primitive with a gate.
pub(crate) trait Kind: Sized + 'static {
    /// The model of the holders.
    type Rules: Rules;
    type Primitive: Debug;
    type Guard<'a>;
    /// A step that other primitives do not have.
    type Extra: Copy + Debug;

    fn new(size: usize) -> (Self::Primitive, Self::Rules);

    /// The kinds of requests.
    fn request(random: &mut Random) -> Asks<Self>;

    fn extra(random: &mut Random) -> Self::Extra;

    /// A future, borrowed or owned.
    fn enter<'a>(
        primitive: &'a Rc<Self::Primitive>,
        request: Asks<Self>,
        owned: bool,
    ) -> Entering<'a, Self>;

    fn try_acquire<'a>(
        primitive: &'a Rc<Self::Primitive>,
        request: Asks<Self>,
        owned: bool,
    ) -> Option<Self::Guard<'a>>;

    /// The request that the drop of a guard releases.
    fn claim(guard: &Self::Guard<'_>) -> Asks<Self>;

    /// What the condition of a request is now, if it has one.
    fn condition(_inside: &Self::Rules, _request: Asks<Self>) -> Option<bool> {
        None
    }

    /// The future of this request was dropped, and has left the queue.
    fn dropped(_reference: &mut Reference<Self::Rules>, _request: Asks<Self>) {}

    fn step(world: &mut World<'_, Self>, extra: Self::Extra);

    /// The primitive shows the state of the model.
    fn check(world: &World<'_, Self>);
}

/// A request.
pub(crate) type Asks<K> = <<K as Kind>::Rules as Rules>::Request;

/// A future for a guard.
pub(crate) type Entering<'a, K> = Pin<Box<dyn Future<Output = <K as Kind>::Guard<'a>> + 'a>>;

/// One step of a primitive with a gate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step<R, X> {
    what: What<R, X>,
    panics: Option<Panics>,
}

#[derive(Clone, Copy, Debug)]
enum What<R, X> {
    /// Polls the future in a slot (a number to be taken modulo). If the slot is empty, makes a
    /// future with this request.
    Poll {
        slot: usize,
        task: Task,
        request: R,
        owned: bool,
    },
    /// Drops the future in a slot.
    Drop { slot: usize },
    /// Tries to acquire.
    Try { request: R, owned: bool },
    /// Drops a guard.
    Release { guard: usize },
    /// Leaks the future in a slot.
    ForgetFuture { slot: usize },
    /// Leaks a guard.
    ForgetGuard { guard: usize },
    /// A step of this primitive only.
    Extra(X),
}

/// A future, and its waiter in the model.
struct Slot<'a, K: Kind> {
    who: WaiterId,
    request: Asks<K>,
    future: Entering<'a, K>,
}

/// A primitive and its model, in the middle of a schedule.
pub(crate) struct World<'a, K: Kind> {
    pub(crate) primitive: &'a Rc<K::Primitive>,
    pub(crate) reference: Reference<K::Rules>,
    pub(crate) guards: Vec<K::Guard<'a>>,
    slots: Vec<Option<Slot<'a, K>>>,
    tasks: Tasks,
    panics: Option<Panics>,
    created: WaiterId,
    steps: usize,
}

impl<'a, K: Kind> World<'a, K> {
    fn new(primitive: &'a Rc<K::Primitive>, inside: K::Rules, size: usize) -> Self {
        World {
            primitive,
            reference: Reference::new(inside),
            guards: Vec::new(),
            slots: (0..slots(size)).map(|_| None).collect(),
            tasks: Tasks::new(),
            panics: None,
            created: 0,
            steps: 0,
        }
    }

    /// Does to the primitive what the model has done. `None` if that panics, as it must
    /// if it wakes a task whose wake panics.
    #[track_caller]
    pub(crate) fn act<T>(&mut self, act: impl FnOnce() -> T) -> Option<T> {
        let panics = self.wakes_with_panic();
        self.tasks.arm(self.panics);
        let acted = attempt(act);
        assert_eq!(acted.is_none(), panics, "it panics (left), and should");
        acted
    }

    /// Whether the model has woken a task whose wake panics.
    pub(crate) fn wakes_with_panic(&self) -> bool {
        let wakes = |&task: &Task| self.panics == Some(Panics::Wake(task));
        self.reference.woken.iter().any(wakes)
    }

    /// A guard, by a number.
    pub(crate) fn guard(&self, number: usize) -> Option<usize> {
        number.checked_rem(self.guards.len())
    }

    /// There is one more future, in a slot that is free.
    pub(crate) fn create(&mut self, request: Asks<K>, future: Entering<'a, K>) {
        if let Some(free) = self.slots.iter().position(Option::is_none) {
            self.create_in(free, request, future);
        } else {
            K::dropped(&mut self.reference, request);
            self.act(|| drop(future));
        }
    }

    fn create_in(&mut self, slot: usize, request: Asks<K>, future: Entering<'a, K>) {
        self.created += 1;
        self.slots[slot] = Some(Slot {
            who: self.created,
            request,
            future,
        });
    }

    fn poll(&mut self, slot: usize, task: Task) {
        let Some(Slot {
            who,
            request,
            mut future,
        }) = self.slots[slot].take()
        else {
            return;
        };
        let poll = reference::Poll {
            task,
            clones: self.panics != Some(Panics::Clone(task)),
            wake_panics: match self.panics {
                Some(Panics::Wake(task)) => Some(task),
                _ => None,
            },
        };
        let reference = &mut self.reference;
        let expected = match K::condition(&reference.inside, request) {
            None => reference.poll(who, request, poll),
            Some(look) => {
                let look = Some(look).filter(|_| self.panics != Some(Panics::Look));
                reference.poll_conditional(who, request, poll, look)
            }
        };
        let expected = match expected {
            _ if self.wakes_with_panic() => None,
            Polled::Pending => Some(false),
            Polled::Ready => Some(true),
            Polled::ClonePanicked | Polled::ConditionPanicked => None,
        };
        self.tasks.arm(self.panics);
        let polled = self
            .tasks
            .poll(task, |cx| attempt(|| future.as_mut().poll(cx)));
        let ready = polled.as_ref().map(Poll::is_ready);
        assert_eq!(
            ready, expected,
            "the poll is ready, if it does not panic (left), and should be"
        );
        if let Some(Poll::Ready(guard)) = polled {
            self.guards.push(guard);
        } else {
            self.slots[slot] = Some(Slot {
                who,
                request,
                future,
            });
        }
    }

    fn drop_slot(&mut self, slot: usize) {
        if let Some(slot) = self.slots[slot].take() {
            self.reference.cancel(slot.who);
            K::dropped(&mut self.reference, slot.request);
            self.act(|| drop(slot.future));
        }
    }

    fn drop_guard(&mut self, guard: usize) {
        if let Some(at) = self.guard(guard) {
            let guard = self.guards.swap_remove(at);
            self.reference.release(K::claim(&guard));
            self.act(|| drop(guard));
        }
    }

    fn take(&mut self, step: Step<Asks<K>, K::Extra>) {
        self.panics = step.panics;
        let slots = self.slots.len();
        match step.what {
            What::Poll {
                slot,
                task,
                request,
                owned,
            } => {
                let slot = slot % slots;
                if self.slots[slot].is_none() {
                    let future = K::enter(self.primitive, request, owned);
                    self.create_in(slot, request, future);
                }
                self.poll(slot, task);
            }
            What::Drop { slot } => self.drop_slot(slot % slots),
            What::Try { request, owned } => {
                let entered = K::try_acquire(self.primitive, request, owned);
                assert_eq!(
                    entered.is_some(),
                    self.reference.try_acquire(request),
                    "the try succeeds (left), and should"
                );
                self.guards.extend(entered);
            }
            What::Release { guard } => self.drop_guard(guard),
            What::ForgetFuture { slot } => mem::forget(self.slots[slot % slots].take()),
            What::ForgetGuard { guard } => {
                if let Some(at) = self.guard(guard) {
                    mem::forget(self.guards.swap_remove(at));
                }
            }
            What::Extra(extra) => K::step(self, extra),
        }
        self.check();
    }

    #[track_caller]
    fn check(&mut self) {
        let mut kept = [0; TASKS];
        self.reference.count_wakers(&mut kept);
        self.tasks.disarm_and_check(&self.reference.woken, &kept);
        self.reference.woken.clear();
        self.panics = None;
        K::check(self);
        self.steps += 1;
        if self.steps % 32 == 0 {
            assert_eq!(
                waiters(&**self.primitive),
                self.reference.waiting(),
                "waiters"
            );
        }
    }

    /// Everything is dropped, in order.
    fn finish(mut self) {
        assert_eq!(
            waiters(&**self.primitive),
            self.reference.waiting(),
            "waiters"
        );
        for slot in 0..self.slots.len() {
            self.drop_slot(slot);
            self.check();
        }
        while !self.guards.is_empty() {
            self.drop_guard(0);
            self.check();
        }
    }
}

/// A primitive with a gate, as the driver takes it.
pub(crate) struct Gated<K>(PhantomData<K>);

impl<K: Kind> Subject for Gated<K> {
    type Step = Step<Asks<K>, K::Extra>;

    fn step(random: &mut Random) -> Self::Step {
        let slot = random.below(1 << 10);
        let guard = random.below(16);
        let what = match random.below(1_000) {
            0..500 => What::Poll {
                slot,
                task: some_task(random),
                request: K::request(random),
                owned: random.one_in(3),
            },
            500..600 => What::Drop { slot },
            600..680 => What::Try {
                request: K::request(random),
                owned: random.one_in(3),
            },
            680..880 => What::Release { guard },
            880 => What::ForgetFuture { slot },
            881 => What::ForgetGuard { guard },
            _ => What::Extra(K::extra(random)),
        };
        let panics = some_panic(random);
        Step { what, panics }
    }

    fn run(size: usize, steps: &[Self::Step]) {
        let (primitive, inside) = K::new(size);
        let primitive = Rc::new(primitive);
        let mut world = World::<K>::new(&primitive, inside, size);
        for &step in steps {
            world.take(step);
        }
        world.finish();
    }

    fn simpler(step: Self::Step) -> Option<Self::Step> {
        step.panics?;
        let panics = None;
        Some(Step { panics, ..step })
    }
}
