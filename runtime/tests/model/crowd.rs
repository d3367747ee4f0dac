//! Random crowds at every lock, beside the model of the contract.
//!
//! A few tasks have several futures each, of which they poll some, all, or one only,
//! as a `select!` or a `join!` would; and after each step the lock agrees with the
//! model. In the end each task is polled only after it was woken, and everything ends.
//!
//! A long run: `ASYNC_MONITOR_STEPS=10_000_000 cargo test --release -p async-monitor
//! --no-default-features --features std --test model crowd`.

use std::cell::Cell;
use std::fmt::{self, Debug, Formatter};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex};
use std::task::{Context, Wake, Waker};

use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};

use crate::contract::{Amount, Gate, Kind, Request};
use crate::driver::{Subject, check};
use crate::flavour::{
    BoundedSemaphore, BoundedSemaphorePermit, Lock, LockGuard, Mutex, MutexGuard, RwLock,
    RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, SemaphorePermit,
};
use crate::random::Random;
use crate::shown::waiters;
use crate::wakers::waker;

/// How many tasks there may be, besides those of a single poll.
const TASKS: usize = 4;
/// How many futures there may be at a time.
const SLOTS: usize = 20;
/// The guarded number counts modulo this, and a condition waits for one value.
const VALUES: usize = 3;
/// No crowd takes longer to end.
const TURNS: usize = 20_000;

enum Primitive {
    Lock(Lock),
    Mutex(Mutex<usize>),
    RwLock(RwLock<usize>),
    Semaphore(Semaphore),
    Bounded(BoundedSemaphore),
}

#[allow(dead_code, reason = "some are only dropped")]
enum Guard<'a> {
    Lock(LockGuard<'a>),
    Mutex(MutexGuard<'a, usize>),
    Read(RwLockReadGuard<'a, usize>),
    Upgradable(RwLockUpgradableReadGuard<'a, usize>),
    Write(RwLockWriteGuard<'a, usize>),
    Permit(SemaphorePermit<'a>),
    Bounded(BoundedSemaphorePermit<'a>),
}

impl Guard<'_> {
    fn amount(&self) -> Amount {
        match self {
            Guard::Lock(_) | Guard::Mutex(_) => Amount::permits(1),
            Guard::Read(_) => Amount::READ,
            Guard::Upgradable(_) => Amount::UPGRADABLE,
            Guard::Write(_) => Amount::WRITE,
            Guard::Permit(permit) => Amount::permits(permit.num_permits()),
            Guard::Bounded(permit) => Amount::permits(permit.num_permits()),
        }
    }

    fn could_change(&self) -> bool {
        matches!(self, Guard::Lock(_) | Guard::Mutex(_) | Guard::Write(_))
    }
}

/// The kind of a request. A lock without that kind uses the one that it has.
#[derive(Clone, Copy, Debug)]
enum Asks {
    Permits(usize),
    Read,
    Upgradable,
    Write,
    ReadWhen(usize),
    WriteWhen(usize),
}

impl Asks {
    fn some(random: &mut Random) -> Asks {
        match random.below(12) {
            0..3 => Asks::Read,
            3..5 => Asks::Upgradable,
            5..8 => Asks::Write,
            8 => Asks::ReadWhen(random.below(VALUES)),
            9 | 10 => Asks::WriteWhen(random.below(VALUES)),
            _ => Asks::Permits(if random.one_in(40) {
                usize::MAX
            } else {
                random.below(5)
            }),
        }
    }

    /// As this lock understands it.
    fn of(self, primitive: &Primitive) -> Asks {
        match (primitive, self) {
            (Primitive::Lock(_), _) => Asks::Permits(1),
            (Primitive::Mutex(_), Asks::WriteWhen(_)) => self,
            (Primitive::Mutex(_), _) => Asks::Permits(1),
            (Primitive::RwLock(_), Asks::Permits(_)) => Asks::Write,
            (Primitive::RwLock(_), _) => self,
            (_, Asks::Permits(_)) => self,
            (_, Asks::Write) => Asks::Permits(3),
            (_, Asks::Upgradable | Asks::WriteWhen(_)) => Asks::Permits(2),
            _ => Asks::Permits(1),
        }
    }

    fn amount(self, primitive: &Primitive) -> Amount {
        match self {
            Asks::Permits(permits) => Amount::permits(permits),
            Asks::WriteWhen(_) if matches!(primitive, Primitive::Mutex(_)) => Amount::permits(1),
            Asks::Read | Asks::ReadWhen(_) => Amount::READ,
            Asks::Upgradable => Amount::UPGRADABLE,
            Asks::Write | Asks::WriteWhen(_) => Amount::WRITE,
        }
    }

    fn condition(self) -> Option<usize> {
        match self {
            Asks::ReadWhen(value) | Asks::WriteWhen(value) => Some(value),
            _ => None,
        }
    }
}

type Waiting<'a> = Pin<Box<dyn Future<Output = Guard<'a>> + 'a>>;

fn enter<'a>(primitive: &'a Primitive, asks: Asks, looks: &'a Cell<usize>) -> Waiting<'a> {
    let look = move |now: usize, wanted: usize| {
        looks.set(looks.get() + 1);
        now == wanted
    };
    match (primitive, asks) {
        (Primitive::Lock(lock), _) => Box::pin(async { Guard::Lock(lock.acquire().await) }),
        (Primitive::Mutex(mutex), Asks::WriteWhen(value)) => {
            let look = move |guard: &mut MutexGuard<'a, usize>| look(**guard, value);
            // SAFETY: the guard is of the lock, and holds nothing but it.
            let entered = unsafe { when(mutex.waiter(), || mutex.granted_guard(), look) };
            Box::pin(async { Guard::Mutex(entered.await) })
        }
        (Primitive::Mutex(mutex), _) => Box::pin(async { Guard::Mutex(mutex.lock().await) }),
        (Primitive::RwLock(lock), Asks::Read) => Box::pin(async { Guard::Read(lock.read().await) }),
        (Primitive::RwLock(lock), Asks::Upgradable) => {
            Box::pin(async { Guard::Upgradable(lock.upgradable_read().await) })
        }
        (Primitive::RwLock(lock), Asks::ReadWhen(value)) => {
            let look = move |guard: &mut RwLockReadGuard<'a, usize>| look(**guard, value);
            // SAFETY: the guard is of the lock, and holds nothing but it.
            let entered = unsafe { when(lock.read_waiter(), || lock.granted_read_guard(), look) };
            Box::pin(async { Guard::Read(entered.await) })
        }
        (Primitive::RwLock(lock), Asks::WriteWhen(value)) => {
            let look = move |guard: &mut RwLockWriteGuard<'a, usize>| look(**guard, value);
            // SAFETY: the guard is of the lock, and holds nothing but it.
            let entered = unsafe { when(lock.waiter(), || lock.granted_guard(), look) };
            Box::pin(async { Guard::Write(entered.await) })
        }
        (Primitive::RwLock(lock), _) => Box::pin(async { Guard::Write(lock.write().await) }),
        (Primitive::Semaphore(semaphore), Asks::Permits(permits)) => {
            Box::pin(async move { Guard::Permit(semaphore.acquire_many(permits).await) })
        }
        (Primitive::Bounded(semaphore), Asks::Permits(permits)) => {
            Box::pin(async move { Guard::Bounded(semaphore.acquire_many(permits).await) })
        }
        _ => unreachable!("no such request of a semaphore"),
    }
}

fn try_acquire(primitive: &Primitive, asks: Asks) -> Option<Guard<'_>> {
    match (primitive, asks) {
        (Primitive::Lock(lock), _) => lock.try_acquire().map(Guard::Lock),
        (Primitive::Mutex(mutex), _) => mutex.try_lock().map(Guard::Mutex),
        (Primitive::RwLock(lock), Asks::Read | Asks::ReadWhen(_)) => {
            lock.try_read().map(Guard::Read)
        }
        (Primitive::RwLock(lock), Asks::Upgradable) => {
            lock.try_upgradable_read().map(Guard::Upgradable)
        }
        (Primitive::RwLock(lock), _) => lock.try_write().map(Guard::Write),
        (Primitive::Semaphore(semaphore), Asks::Permits(permits)) => {
            semaphore.try_acquire_many(permits).map(Guard::Permit)
        }
        (Primitive::Bounded(semaphore), Asks::Permits(permits)) => {
            semaphore.try_acquire_many(permits).map(Guard::Bounded)
        }
        _ => unreachable!("no such request of a semaphore"),
    }
}

/// Futures and guards are taken by number, modulo how many there are.
#[derive(Clone, Copy)]
enum Step {
    /// A future that is not polled yet.
    Create {
        slot: usize,
        task: usize,
        asks: Asks,
    },
    /// By its own task.
    Poll {
        slot: usize,
    },
    /// It belongs to this task from now on.
    PollAs {
        slot: usize,
        task: usize,
    },
    /// With a waker that nobody else has.
    PollAlone {
        slot: usize,
    },
    /// All futures of a task are polled, in some order.
    Turn {
        task: usize,
        backwards: bool,
    },
    /// A task makes as many requests as there are slots left.
    Fill {
        task: usize,
        asks: Asks,
    },
    Cancel {
        slot: usize,
    },
    Try(Asks),
    Release {
        guard: usize,
    },
    /// The guarded number is incremented, if the guard can write.
    Write {
        guard: usize,
    },
    Upgrade {
        guard: usize,
        slot: usize,
    },
    TryUpgrade {
        guard: usize,
    },
    Downgrade {
        guard: usize,
    },
    /// Permits are forgotten.
    Forget {
        guard: usize,
    },
    Split {
        guard: usize,
        permits: usize,
    },
    Merge {
        guard: usize,
    },
    /// Permits are added to a semaphore, or released to a bounded one.
    Add {
        permits: usize,
    },
}

impl Debug for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Step::Create { slot, task, asks } => {
                write!(
                    f,
                    "future {slot} of task {task} asks for {asks:?}, not polled yet"
                )
            }
            Step::Poll { slot } => write!(f, "future {slot} is polled"),
            Step::PollAs { slot, task } => write!(f, "future {slot} is polled by task {task}"),
            Step::PollAlone { slot } => write!(f, "future {slot} is polled by a task of its own"),
            Step::Turn { task, backwards } => {
                let order = if *backwards { "backwards" } else { "in order" };
                write!(f, "task {task} polls all that it has, {order}")
            }
            Step::Fill { task, asks } => {
                write!(f, "task {task} asks for {asks:?} in all slots left")
            }
            Step::Cancel { slot } => write!(f, "future {slot} is dropped"),
            Step::Try(asks) => write!(f, "a try for {asks:?}"),
            Step::Release { guard } => write!(f, "guard {guard} is dropped"),
            Step::Write { guard } => write!(f, "guard {guard} writes"),
            Step::Upgrade { guard, slot } => {
                write!(f, "guard {guard} goes into an upgrade, future {slot}")
            }
            Step::TryUpgrade { guard } => write!(f, "guard {guard} tries to upgrade"),
            Step::Downgrade { guard } => write!(f, "guard {guard} is downgraded"),
            Step::Forget { guard } => write!(f, "permit {guard} is forgotten"),
            Step::Split { guard, permits } => write!(f, "permit {guard} is split, {permits} off"),
            Step::Merge { guard } => write!(f, "permit {guard} takes the last one in"),
            Step::Add { permits } => write!(f, "{permits} permits are added"),
        }
    }
}

/// The waker of a task notes that it was woken.
struct Woken {
    task: usize,
    log: Arc<StdMutex<Vec<usize>>>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.log.lock().expect("nobody panics").push(self.task);
    }
}

struct Slot<'a> {
    /// The future's number in the model.
    number: usize,
    task: usize,
    polled: bool,
    asks: Asks,
    request: Request,
    future: Waiting<'a>,
}

struct World<'a> {
    primitive: &'a Primitive,
    gate: Gate,
    /// How many tasks there are, besides those of a single poll.
    tasks: usize,
    /// Of permits: the initial number, and how many are forgotten.
    bound: usize,
    forgotten: usize,
    /// What is guarded.
    value: usize,
    /// How often a condition was evaluated, and how often it should have been.
    looks: &'a Cell<usize>,
    expected_looks: usize,
    slots: Vec<Option<Slot<'a>>>,
    guards: Vec<Guard<'a>>,
    created: usize,
    checks: usize,
    wakers: Vec<Waker>,
    /// The tasks that were woken since they polled all that they have.
    woken: Vec<bool>,
    log: Arc<StdMutex<Vec<usize>>>,
}

impl<'a> World<'a> {
    fn new(primitive: &'a Primitive, tasks: usize, looks: &'a Cell<usize>) -> World<'a> {
        let free = match primitive {
            Primitive::Lock(_) | Primitive::Mutex(_) => Amount::permits(1),
            Primitive::RwLock(_) => Amount::WRITE,
            Primitive::Semaphore(it) => Amount::permits(it.available_permits()),
            Primitive::Bounded(it) => Amount::permits(it.available_permits()),
        };
        let mut world = World {
            primitive,
            gate: Gate::new(free),
            tasks,
            bound: free.slots,
            forgotten: 0,
            value: 0,
            looks,
            expected_looks: 0,
            slots: (0..SLOTS).map(|_| None).collect(),
            guards: Vec::new(),
            created: 0,
            checks: 0,
            wakers: Vec::new(),
            woken: Vec::new(),
            log: Arc::default(),
        };
        (0..tasks).for_each(|_| _ = world.new_task());
        world
    }

    fn new_task(&mut self) -> usize {
        let (task, log) = (self.wakers.len(), self.log.clone());
        self.wakers.push(waker(Arc::new(Woken { task, log })));
        self.woken.push(false);
        task
    }

    fn take(&mut self, step: Step) {
        let guards = self.guards.len();
        match step {
            Step::Create { slot, task, asks } => self.ask(slot, task % self.tasks, asks),
            Step::Fill { task, asks } => {
                let task = task % self.tasks;
                for slot in 0..SLOTS {
                    if self.slots[slot].is_none() {
                        self.ask(slot, task, asks);
                        self.poll(slot, task);
                    }
                }
            }
            Step::Poll { slot } => {
                if let Some(Slot { task, .. }) = self.slots[slot] {
                    self.poll(slot, task);
                }
            }
            Step::PollAs { slot, task } => self.poll(slot, task % self.tasks),
            Step::PollAlone { slot } if self.slots[slot].is_some() => {
                let task = self.new_task();
                self.poll(slot, task);
            }
            Step::Turn { task, backwards } => self.turn(task % self.tasks, backwards),
            Step::Cancel { slot } => self.cancel(slot),
            Step::Try(asks) => {
                let asks = asks.of(self.primitive);
                let expected = self.gate.try_take(asks.amount(self.primitive));
                let entered = try_acquire(self.primitive, asks);
                assert_eq!(
                    entered.is_some(),
                    expected,
                    "the try succeeds (left), and should"
                );
                self.guards.extend(entered);
            }
            Step::Add { permits } => self.add(permits),
            Step::PollAlone { .. } => {}
            _ if guards == 0 => {}
            Step::Release { guard } => self.release(guard % guards),
            Step::Write { guard } => self.write(guard % guards),
            Step::Upgrade { guard, slot } => match self.guards.swap_remove(guard % guards) {
                Guard::Upgradable(guard) => {
                    let (kind, amount) = (Kind::Upgrade, Amount::UPGRADE);
                    let future = async {
                        let guard = RwLockUpgradableReadGuard::upgrade(guard).await;
                        Guard::Write(guard)
                    };
                    let request = Request { kind, amount };
                    let task = slot % self.tasks;
                    self.create(slot, task, Asks::Write, request, Box::pin(future));
                }
                guard => self.guards.push(guard),
            },
            Step::TryUpgrade { guard } => match self.guards.swap_remove(guard % guards) {
                Guard::Upgradable(guard) => {
                    let expected = self.gate.try_upgrade();
                    let tried = RwLockUpgradableReadGuard::try_upgrade(guard);
                    assert_eq!(
                        tried.is_ok(),
                        expected,
                        "the try succeeds (left), and should"
                    );
                    self.guards
                        .push(tried.map_or_else(Guard::Upgradable, Guard::Write));
                }
                guard => self.guards.push(guard),
            },
            Step::Downgrade { guard } => {
                let guard = match self.guards.swap_remove(guard % guards) {
                    Guard::Upgradable(guard) => {
                        self.gate.give(
                            Amount {
                                slots: 0,
                                token: true,
                            },
                            false,
                        );
                        Guard::Read(RwLockUpgradableReadGuard::downgrade(guard))
                    }
                    Guard::Write(guard) => {
                        let slots = Amount::WRITE.slots - 1;
                        self.gate.give(Amount { slots, token: true }, true);
                        Guard::Read(RwLockWriteGuard::downgrade(guard))
                    }
                    guard => guard,
                };
                self.guards.push(guard);
            }
            Step::Forget { guard } => {
                let guard = self.guards.swap_remove(guard % guards);
                let permits = guard.amount().slots;
                match guard {
                    Guard::Permit(permit) => permit.forget(),
                    Guard::Bounded(permit) => permit.forget(),
                    guard => return self.guards.push(guard),
                }
                self.forgotten += permits;
            }
            Step::Split { guard, permits } => {
                let has = self.guards[guard % guards].amount().slots;
                let split = match &mut self.guards[guard % guards] {
                    Guard::Permit(permit) => permit.split(permits).map(Guard::Permit),
                    Guard::Bounded(permit) => permit.split(permits).map(Guard::Bounded),
                    _ => return,
                };
                assert_eq!(
                    split.is_some(),
                    has >= permits,
                    "it splits (left), and should"
                );
                self.guards.extend(split);
            }
            Step::Merge { guard } if guard % guards < guards - 1 => {
                let last = self.guards.pop().expect("there are two");
                match (&mut self.guards[guard % guards], last) {
                    (Guard::Permit(permit), Guard::Permit(last)) => permit.merge(last),
                    (Guard::Bounded(permit), Guard::Bounded(last)) => permit.merge(last),
                    (_, last) => self.guards.push(last),
                }
            }
            Step::Merge { .. } => {}
        }
        self.check();
    }

    fn ask(&mut self, slot: usize, task: usize, asks: Asks) {
        let asks = asks.of(self.primitive);
        let future = enter(self.primitive, asks, self.looks);
        let amount = asks.amount(self.primitive);
        let kind = match asks.condition() {
            Some(_) => Kind::Conditional,
            None => Kind::Plain,
        };
        self.create(slot, task, asks, Request { kind, amount }, future);
    }

    fn create(
        &mut self,
        slot: usize,
        task: usize,
        asks: Asks,
        request: Request,
        future: Waiting<'a>,
    ) {
        self.cancel(slot);
        self.created += 1;
        let (number, polled) = (self.created, false);
        self.slots[slot] = Some(Slot {
            number,
            task,
            polled,
            asks,
            request,
            future,
        });
        self.woken[task] = true;
    }

    fn poll(&mut self, slot: usize, task: usize) {
        let Some(mut it) = self.slots[slot].take() else {
            return;
        };
        it.task = task;
        it.polled = true;
        let holds = it.asks.condition() == Some(self.value);
        let before = self.gate.looks;
        let expected = self.gate.poll(it.number, task, it.request, holds);
        self.expected_looks += self.gate.looks - before;
        let polled = it
            .future
            .as_mut()
            .poll(&mut Context::from_waker(&self.wakers[task]));
        assert_eq!(
            polled.is_ready(),
            expected,
            "the poll is ready (left), and should be"
        );
        match polled {
            std::task::Poll::Ready(guard) => self.guards.push(guard),
            std::task::Poll::Pending => self.slots[slot] = Some(it),
        }
        self.check();
    }

    fn turn(&mut self, task: usize, backwards: bool) {
        self.woken[task] = false;
        let slots = self.slots.len();
        for slot in 0..slots {
            let slot = if backwards { slots - 1 - slot } else { slot };
            if self.slots[slot].as_ref().is_some_and(|it| it.task == task) {
                self.poll(slot, task);
            }
        }
    }

    fn cancel(&mut self, slot: usize) {
        let Some(it) = self.slots[slot].take() else {
            return;
        };
        self.gate.cancel(it.number);
        if it.request.kind == Kind::Upgrade {
            self.gate.give(Amount::UPGRADABLE, false);
        }
        drop(it);
        self.check();
    }

    fn release(&mut self, guard: usize) {
        let guard = self.guards.swap_remove(guard);
        self.gate.give(guard.amount(), guard.could_change());
        drop(guard);
        self.check();
    }

    fn write(&mut self, guard: usize) {
        let value = (self.value + 1) % VALUES;
        match &mut self.guards[guard] {
            Guard::Mutex(guard) => **guard = value,
            Guard::Write(guard) => **guard = value,
            _ => return,
        }
        self.value = value;
    }

    fn add(&mut self, permits: usize) {
        match self.primitive {
            Primitive::Semaphore(semaphore) => {
                self.gate.give(Amount::permits(permits), false);
                semaphore.add_permits(permits);
            }
            Primitive::Bounded(semaphore) => {
                let released = semaphore.release(permits);
                assert_eq!(released.is_ok(), permits <= self.forgotten, "it releases");
                match released {
                    Ok(()) => {
                        self.forgotten -= permits;
                        self.gate.give(Amount::permits(permits), false);
                    }
                    Err(refused) => {
                        assert_eq!(refused.requested, permits);
                        assert_eq!(refused.releasable, self.forgotten);
                    }
                }
            }
            _ => {}
        }
    }

    /// The lock shows the state of the model, and has woken the right tasks.
    #[track_caller]
    fn check(&mut self) {
        self.gate.check();
        {
            let mut log = self.log.lock().expect("nobody panics");
            let expected = std::mem::take(&mut self.gate.woken);
            assert_eq!(
                *log, expected,
                "who was woken (left), and who should have been"
            );
            log.drain(..).for_each(|task| self.woken[task] = true);
        }
        assert_eq!(
            self.looks.get(),
            self.expected_looks,
            "looks (left), and how many should be"
        );
        self.checks += 1;
        if self.checks % 32 == 0 {
            assert_eq!(self.waiting(), self.gate.waiting(), "waiters");
        }
        let (free, awaited) = (self.gate.free, self.gate.is_awaited());
        match self.primitive {
            Primitive::Lock(lock) => assert_eq!(lock.is_locked(), free.slots == 0),
            Primitive::Mutex(mutex) => assert_eq!(mutex.is_locked(), free.slots == 0),
            Primitive::RwLock(lock) => assert_eq!(lock.is_locked(), free != Amount::WRITE),
            Primitive::Semaphore(it) => {
                assert_eq!(it.available_permits(), free.slots, "permits");
                assert_eq!(it.is_locked(), free.slots == 0 || awaited, "is it locked");
            }
            Primitive::Bounded(it) => {
                assert_eq!(it.available_permits(), free.slots, "permits");
                assert_eq!(it.is_locked(), free.slots == 0 || awaited, "is it locked");
                let out: usize = self.guards.iter().map(|guard| guard.amount().slots).sum();
                let all = free.slots + out + self.gate.set_apart() + self.forgotten;
                assert_eq!(all, self.bound, "no permit is lost");
            }
        }
    }

    /// No task does anything but what a wake-up makes it do, and everything ends.
    /// `one` polls one future of each task at a time, as a `select!` whose other
    /// futures are borrowed.
    fn finish(mut self, one: bool) {
        while !self.guards.is_empty() {
            self.release(0);
        }
        // Nobody waits for more than there is.
        let all = self.gate.free.slots + self.gate.set_apart();
        for slot in 0..SLOTS {
            let it = self.slots[slot].as_ref();
            if it.is_some_and(|it| it.request.amount.slots > all && it.asks.is_permits()) {
                self.cancel(slot);
            }
        }
        for _ in 0..TURNS {
            if let Some(task) = self.woken.iter().position(|&woken| woken) {
                if one {
                    self.turn_of_one(task);
                } else {
                    self.turn(task, false);
                }
                while !self.guards.is_empty() {
                    self.write(0);
                    self.release(0);
                }
            } else if self.slots.iter().any(Option::is_some) {
                // The rest wait for a condition. A new task makes it true.
                for task in 0..self.wakers.len() {
                    let waits = |slot: usize| self.slots[slot].as_ref().expect("it is one").asks;
                    let waits = self.polled_first(task).map(waits);
                    let for_ever = waits.is_some_and(|asks: Asks| asks.condition().is_none());
                    assert!(!for_ever, "task {task} waits for ever");
                }
                let (task, slot) = (self.new_task(), self.slots.len());
                self.slots.push(None);
                self.ask(slot, task, Asks::Write);
            } else {
                assert_eq!(self.waiting(), 0, "nobody is left");
                return;
            }
        }
        panic!("it never ends");
    }

    /// Polls a future of a task, until it is ready.
    fn turn_of_one(&mut self, task: usize) {
        self.woken[task] = false;
        let Some(slot) = self.polled_first(task) else {
            return;
        };
        self.poll(slot, task);
        if self.slots[slot].is_none() {
            self.woken[task] = true;
        }
    }

    fn polled_first(&self, task: usize) -> Option<usize> {
        let is_of = |it: &Option<Slot<'_>>| it.as_ref().is_some_and(|it| it.task == task);
        let upgrade = |it: &Option<Slot<'_>>| {
            is_of(it)
                && it
                    .as_ref()
                    .is_some_and(|it| it.request.kind == Kind::Upgrade)
        };
        // An upgrade goes first, as all others wait for it.
        let slot = self.slots.iter().position(upgrade);
        slot.or_else(|| self.slots.iter().position(is_of))
    }

    fn waiting(&self) -> usize {
        match self.primitive {
            Primitive::Lock(lock) => waiters(lock),
            Primitive::Mutex(mutex) => waiters(mutex),
            Primitive::RwLock(lock) => waiters(lock),
            Primitive::Semaphore(semaphore) => waiters(semaphore),
            Primitive::Bounded(semaphore) => waiters(semaphore),
        }
    }
}

impl Asks {
    fn is_permits(self) -> bool {
        matches!(self, Asks::Permits(_))
    }
}

/// A lock of each kind, for the driver.
struct Crowd<const LOCK: usize>;

impl<const LOCK: usize> Subject for Crowd<LOCK> {
    type Step = Step;

    /// A turn is many steps, and so is the end.
    const STEPS: u64 = 100_000;

    fn step(random: &mut Random) -> Step {
        let slot = random.below(SLOTS);
        let task = random.below(TASKS);
        let guard = random.below(16);
        let most = if random.one_in(8) { 16 } else { 4 };
        let permits = random.below(most);
        match random.below(100) {
            0..16 => Step::Create {
                slot,
                task,
                asks: Asks::some(random),
            },
            16..40 => Step::Poll { slot },
            40..44 => Step::PollAs { slot, task },
            44 => Step::PollAlone { slot },
            45 => Step::Fill {
                task,
                asks: Asks::some(random),
            },
            46..53 => Step::Turn {
                task,
                backwards: random.one_in(2),
            },
            53..58 => Step::Cancel { slot },
            58..64 => Step::Try(Asks::some(random)),
            64..80 => Step::Release { guard },
            80..84 => Step::Write { guard },
            84..88 => Step::Upgrade { guard, slot },
            88..90 => Step::TryUpgrade { guard },
            90..93 => Step::Downgrade { guard },
            93 => Step::Forget { guard },
            94 | 95 => Step::Split { guard, permits },
            96 | 97 => Step::Merge { guard },
            _ => Step::Add { permits },
        }
    }

    fn run(size: usize, steps: &[Step]) {
        let primitive = match LOCK {
            0 => Primitive::Lock(Lock::new()),
            1 => Primitive::Mutex(Mutex::new(0)),
            2 => Primitive::RwLock(RwLock::new(0)),
            3 => Primitive::Semaphore(Semaphore::new(size / 2)),
            _ => Primitive::Bounded(BoundedSemaphore::new(size / 2)),
        };
        let looks = Cell::new(0);
        let mut world = World::new(&primitive, 1 + size % TASKS, &looks);
        for &step in steps {
            world.take(step);
        }
        world.finish(size / TASKS % 2 == 1);
    }
}

#[test]
fn a_crowd_in_front_of_a_lock() {
    check::<Crowd<0>>();
}

#[test]
fn a_crowd_in_front_of_a_mutex() {
    check::<Crowd<1>>();
}

#[test]
fn a_crowd_in_front_of_a_rwlock() {
    check::<Crowd<2>>();
}

#[test]
fn a_crowd_in_front_of_a_semaphore() {
    check::<Crowd<3>>();
}

#[test]
fn a_crowd_in_front_of_a_bounded_semaphore() {
    check::<Crowd<4>>();
}
