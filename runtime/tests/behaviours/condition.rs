//! `Condition`: COND, N-23, N-28 and N-31 in the list of behaviours (README.md).
//!
//! Rows, or parts of rows, that are not here:
//!
//! | row | why |
//! |---|---|
//! | COND-02, COND-24, a wait without the lock | does not compile: a wait takes the guard |
//! | COND-03 | does not compile: `notify` requires a guard |
//! | COND-23 | a drop has no reason |
//! | COND-32, every schedule | the loom models; here are the schedule that breaks an `if`, and random ones |
//! | COND-35, a lock of another runtime | no lock here belongs to a runtime |

use crate::flavour::Rc;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Poll, Waker};
use std::thread;

use crate::flavour::future::{ConditionWait, ConditionWaitFor};
use crate::flavour::{
    Condition, Lock, LockGuard, Mutex, MutexGuard, OwnedLockGuard, OwnedMutexGuard,
    OwnedRwLockWriteGuard, Relock, RwLock,
};

use crate::random::Random;
use crate::scheduled::{Scheduled, yield_once};
use crate::shown::waiters;
use crate::support::{
    InlineTasks, On, Task, Waiter, cases, hooked, impls, leaked, poll_with, queued, taken, times,
    waiter,
};

/// A lock, and a condition for its holders.
#[derive(Default)]
struct Monitor {
    lock: Lock,
    changed: Condition,
}

type Waiting<'a> = Waiter<ConditionWait<'a, LockGuard<'a>>>;

impl Monitor {
    fn enter(&self) -> LockGuard<'_> {
        taken(self.lock.acquire())
    }

    /// A task that waits for a change, and has released the lock.
    fn waiting(&self) -> Waiting<'_> {
        queued(self.changed.wait(self.enter()))
    }

    fn notify(&self, n: usize) {
        self.changed.notify(&self.enter(), n);
    }

    /// Nobody holds the lock or is queued for it, and nobody waits for a change.
    #[track_caller]
    fn assert_idle(&self) {
        assert!(!self.lock.is_locked(), "the lock is held");
        assert_eq!(waiters(&self.lock), 0, "in line for the lock");
        assert_eq!(waiters(&self.changed), 0, "waiting for a change");
    }
}

/// Polls the pending futures, in turns, until nothing changes, and drops
/// their results. Returns the indices of those that were ready, in that order.
fn settle<F: Future>(waiting: impl IntoIterator<Item = Waiter<F>>) -> Vec<usize> {
    let mut waiting: Vec<_> = waiting.into_iter().enumerate().collect();
    let mut order = Vec::new();
    for _ in 0..12 {
        waiting.retain_mut(|(place, waiter)| {
            let ready = waiter.poll().is_ready();
            order.extend(ready.then_some(*place));
            !ready
        });
    }
    order
}

/// The message of a panic.
fn message_of(panics: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(panics)).expect_err("it panics");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_owned(),
    }
}

#[test]
fn cond_01_the_lock_is_the_one_of_the_guard() {
    let lock = Lock::new();
    let (first, second) = (Condition::new(), Condition::new());

    let mut wait = queued(first.wait(taken(lock.acquire())));
    let guard = lock.try_acquire().expect("given up by the wait");
    first.notify_one(&guard);
    drop(guard);
    let guard = wait.ready();
    assert!(lock.is_locked());
    assert!(lock.try_acquire().is_none());

    // The guard that a wait returns is as good as any, for another condition
    // too.
    let mut wait = queued(second.wait(guard));
    assert!(!lock.is_locked());
    second.notify_one(&taken(lock.acquire()));
    wait.ready().release();
    assert!(!lock.is_locked());
}

#[test]
fn cond_02_a_wait_that_is_refused_leaves_no_entry() {
    let (monitor, other) = (Monitor::default(), Lock::new());
    let first = monitor.waiting();
    let mut refused = waiter(monitor.changed.wait(taken(other.acquire())));
    message_of(|| refused.pending());
    let second = monitor.waiting();
    assert_eq!(waiters(&monitor.changed), 2);

    monitor.notify(2);
    assert_eq!((first.wakes(), second.wakes()), (1, 1));
    assert_eq!(refused.wakes(), 0);
}

#[test]
fn cond_04_a_wait_gives_up_the_lock() {
    let monitor = Monitor::default();
    let guard = monitor.enter();
    let mut next = queued(monitor.lock.acquire());
    let wait = queued(monitor.changed.wait(guard));
    assert_eq!(next.wakes(), 1);
    drop(next.ready());
    assert!(!monitor.lock.is_locked());
    monitor.notify(1);
    assert_eq!(wait.wakes(), 1);
}

/// The next holder runs, and notifies, while the wait is giving up the lock.
#[test]
fn cond_04_a_waiter_is_in_line_before_the_lock_is_free() {
    let lock = leaked(Lock::new());
    let changed = leaked(Condition::new());

    let guard = taken(lock.acquire());
    let next = Rc::new(std::sync::Mutex::new(Box::pin(lock.acquire())));
    let poll_next = {
        let next = Rc::clone(&next);
        move |waker: &Waker| poll_with(waker, next.lock().unwrap().as_mut())
    };
    let waker = hooked(On::Wake, {
        let poll_next = poll_next.clone();
        move || match poll_next(Waker::noop()) {
            Poll::Ready(guard) => changed.notify_one(&guard),
            Poll::Pending => panic!("woken without the lock"),
        }
    });
    assert!(poll_next(&waker).is_pending());

    let mut wait = queued(changed.wait(guard));
    assert_eq!(wait.wakes(), 1);
    drop(wait.ready());
}

#[test]
fn cond_05_a_notified_waiter_returns_once_the_lock_is_free() {
    let monitor = Monitor::default();
    let mut wait = monitor.waiting();
    let notifier = monitor.enter();
    monitor.changed.notify_one(&notifier);
    assert_eq!(wait.wakes(), 1);
    wait.pending();

    drop(notifier);
    assert_eq!(wait.wakes(), 2);
    let guard = wait.ready();
    assert!(monitor.lock.try_acquire().is_none());
    drop(guard);
    monitor.assert_idle();
}

#[test]
fn cond_06_waiters_return_one_after_the_other() {
    let monitor = Monitor::default();
    let [mut first, mut second, mut third] = [(); 3].map(|()| monitor.waiting());
    monitor.notify(1);
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 0, 0));
    drop(first.ready());

    let notifier = monitor.enter();
    monitor.changed.notify(&notifier, 2);
    assert_eq!((second.wakes(), third.wakes()), (1, 1));
    second.pending();
    third.pending();
    drop(notifier);
    assert_eq!((second.wakes(), third.wakes()), (2, 1));
    let guard = second.ready();
    third.pending();
    drop(guard);
    assert_eq!(third.wakes(), 2);
    drop(third.ready());
}

#[test]
fn cond_07_a_number_beyond_those_who_wait_means_all() {
    let monitor = Monitor::default();
    let [mut first, second, third] = [(); 3].map(|()| monitor.waiting());
    monitor.notify(1);
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 0, 0));
    drop(first.ready());

    let notifier = monitor.enter();
    monitor.changed.notify(&notifier, 1);
    monitor.changed.notify(&notifier, 2048);
    assert_eq!((second.wakes(), third.wakes()), (1, 1));
    drop(notifier);
    assert_eq!(settle([second, third]), [0, 1]);
}

#[test]
fn cond_08_two_notifications_choose_two_waiters() {
    let monitor = Monitor::default();
    let [first, second, third] = [(); 3].map(|()| monitor.waiting());
    let notifier = monitor.enter();
    monitor.changed.notify_one(&notifier);
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 0, 0));
    monitor.changed.notify_one(&notifier);
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 1, 0));
}

#[test]
fn cond_09_zero_is_nobody_and_nothing_is_stored() {
    let monitor = Monitor::default();
    monitor.notify(1);
    monitor.notify(usize::MAX);
    let mut wait = monitor.waiting();
    monitor.notify(0);
    assert_eq!(wait.wakes(), 0);
    wait.pending();
    monitor.notify(1);
    assert_eq!(wait.wakes(), 1);
    drop(wait.ready());
}

#[test]
fn cond_10_notify_all_is_for_those_who_are_there() {
    let monitor = Monitor::default();
    // More than one batch of wakers.
    let present = [(); 70].map(|()| monitor.waiting());
    monitor.changed.notify_all(&monitor.enter());
    let mut late = monitor.waiting();
    assert!(present.iter().all(|wait| wait.wakes() == 1));
    assert!(settle(present).into_iter().eq(0..70));
    assert_eq!(late.wakes(), 0);
    late.pending();
}

/// A waker that panics keeps nobody from being notified.
#[test]
fn cond_10_notify_all_with_a_waker_that_panics() {
    let monitor = Monitor::default();
    let mut first = waiter(monitor.changed.wait(monitor.enter()));
    let waker = hooked(On::Wake, || panic!("the waker"));
    assert!(poll_with(&waker, first.future.as_mut()).is_pending());
    let rest = [(); 70].map(|()| monitor.waiting());

    let notifier = monitor.enter();
    let message = message_of(|| monitor.changed.notify_all(&notifier));
    assert_eq!(message, "the waker");
    assert!(rest.iter().all(|wait| wait.wakes() == 1));
    drop(notifier);
    drop(first.ready());
    assert_eq!(settle(rest).len(), 70);
    monitor.assert_idle();
}

#[test]
fn cond_11_five_workers_wait_twice() {
    let monitor = Monitor::default();
    let phases = RefCell::new(Vec::new());
    let work = async || {
        let guard = monitor.lock.acquire().await;
        let guard = monitor.changed.wait(guard).await;
        phases.borrow_mut().push(1);
        let _guard = monitor.changed.wait(guard).await;
        phases.borrow_mut().push(2);
    };
    let mut workers = [(); 5].map(|()| Scheduled::new(work()));
    let mut phases_after = |notified: usize| {
        monitor.notify(notified);
        Scheduled::run(&mut workers);
        let mut phases = phases.take();
        phases.sort_unstable();
        phases
    };

    assert!(phases_after(0).is_empty());
    assert_eq!(phases_after(3), [1, 1, 1]);
    assert_eq!(phases_after(5), [1, 1, 2, 2, 2]);
    assert_eq!(phases_after(usize::MAX), [2, 2]);
    monitor.assert_idle();
}

#[test]
fn cond_12_cancelled_in_the_window_after_a_notification() {
    let monitor = Monitor::default();
    let [first, mut second] = [(); 2].map(|()| monitor.waiting());
    monitor.notify(1);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
    monitor.assert_idle();
}

/// A notification is passed on until a waiter uses it.
#[test]
fn cond_12_cancelled_one_after_the_other() {
    let monitor = Monitor::default();
    let waiting = [(); 5].map(|()| monitor.waiting());
    monitor.notify(1);
    for wait in waiting {
        assert_eq!(wait.wakes(), 1);
    }
    monitor.assert_idle();

    // There was nobody left to have it.
    monitor.waiting().pending();
}

#[test]
fn cond_13_cancelled_in_line_for_the_lock() {
    let monitor = Monitor::default();
    let [mut first, mut second] = [(); 2].map(|()| monitor.waiting());
    let notifier = monitor.enter();
    monitor.changed.notify_one(&notifier);
    first.pending();
    assert_eq!((waiters(&monitor.lock), waiters(&monitor.changed)), (1, 1));

    drop(first);
    assert_eq!((waiters(&monitor.lock), waiters(&monitor.changed)), (0, 0));
    assert_eq!(second.wakes(), 1);
    drop(notifier);
    drop(second.ready());
    monitor.assert_idle();
}

#[test]
fn cond_13_cancelled_with_the_lock_granted() {
    let monitor = Monitor::default();
    let [mut first, mut second] = [(); 2].map(|()| monitor.waiting());
    let notifier = monitor.enter();
    monitor.changed.notify_one(&notifier);
    first.pending();
    let mut next = queued(monitor.lock.acquire());
    drop(notifier);
    assert_eq!((first.wakes(), next.wakes(), second.wakes()), (2, 0, 0));

    drop(first);
    assert_eq!((next.wakes(), second.wakes()), (1, 1));
    drop(next.ready());
    drop(second.ready());
    monitor.assert_idle();
}

#[test]
fn cond_18_cancelled_before_any_notification() {
    let monitor = Monitor::default();
    let [first, mut second] = [(); 2].map(|()| monitor.waiting());
    drop(first);
    assert_eq!(second.wakes(), 0);
    second.pending();
    monitor.notify(1);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
}

#[test]
fn cond_19_a_late_waiter_inherits_nothing() {
    let monitor = Monitor::default();
    let early = monitor.waiting();
    monitor.changed.notify_all(&monitor.enter());
    let mut late = monitor.waiting();
    drop(early);
    assert_eq!(late.wakes(), 0);
    late.pending();
    monitor.notify(1);
    assert_eq!(late.wakes(), 1);
}

/// Of two notifications, each is passed on to waiters that were queued when it was made.
#[test]
fn cond_19_every_notification_has_its_own_heirs() {
    let monitor = Monitor::default();
    let [first, second] = [(); 2].map(|()| monitor.waiting());
    monitor.notify(1);
    let third = monitor.waiting();
    monitor.notify(1);
    assert_eq!((first.wakes(), second.wakes(), third.wakes()), (1, 1, 0));
    drop(first);
    assert_eq!(third.wakes(), 0);
    drop(second);
    assert_eq!(third.wakes(), 1);
}

/// For a sole waiter at every stage: the lock is free, or is handed to
/// the next waiter, and nothing is left.
#[test]
fn cond_20_a_cancelled_wait_does_not_take_the_lock() {
    let monitor = Monitor::default();

    // Before the first poll.
    drop(monitor.changed.wait(monitor.enter()));
    monitor.assert_idle();

    // Parked.
    drop(monitor.waiting());
    monitor.assert_idle();

    // Parked, and somebody else holds the lock.
    let wait = monitor.waiting();
    let holder = monitor.enter();
    drop(wait);
    assert!(monitor.lock.try_acquire().is_none());
    drop(holder);
    monitor.assert_idle();

    // Notified.
    let wait = monitor.waiting();
    monitor.notify(1);
    drop(wait);
    monitor.assert_idle();

    for granted in [false, true] {
        // Queued for the lock, and with the lock granted.
        let mut wait = monitor.waiting();
        let notifier = monitor.enter();
        monitor.changed.notify_one(&notifier);
        wait.pending();
        let mut next = queued(monitor.lock.acquire());
        if granted {
            drop(notifier);
            assert_eq!((wait.wakes(), next.wakes()), (2, 0));
            drop(wait);
        } else {
            drop(wait);
            assert_eq!(next.wakes(), 0);
            drop(notifier);
        }
        assert_eq!(next.wakes(), 1);
        drop(next.ready());
        monitor.assert_idle();
    }

    // Of none of this is anything left.
    monitor.waiting().pending();
}

#[test]
fn cond_24_a_predicate_that_is_true_at_once() {
    let mutex = Mutex::new(7);
    let changed = Condition::new();
    let mut wait = waiter(changed.wait_for(taken(mutex.lock()), |&value| value == 7));
    let mut next = queued(mutex.lock());
    let guard = wait.ready();
    assert_eq!((next.wakes(), wait.task.clones()), (0, 0));
    next.pending();
    drop(guard);
    assert_eq!(next.wakes(), 1);
}

#[test]
fn cond_24_a_predicate_that_is_false_waits() {
    let mutex = Mutex::new(0);
    let changed = Condition::new();
    let looks = Cell::new(0);
    let mut wait = queued(changed.wait_for(taken(mutex.lock()), |&value| {
        looks.set(looks.get() + 1);
        value == 2
    }));
    assert_eq!(looks.get(), 1);

    for (value, looks_then) in [(1, 2), (2, 3)] {
        let mut guard = taken(mutex.lock());
        *guard = value;
        changed.notify_one(&guard);
        drop(guard);
        assert_eq!(wait.wakes(), value);
        if value == 1 {
            wait.pending();
            assert!(!mutex.is_locked());
        } else {
            assert_eq!(*wait.ready(), 2);
        }
        assert_eq!(looks.get(), looks_then);
    }
}

/// For a lock without data, the predicate looks elsewhere.
#[test]
fn cond_24_a_predicate_without_data() {
    let monitor = Monitor::default();
    let open = Cell::new(false);
    let mut wait = queued(monitor.changed.wait_for(monitor.enter(), |&()| open.get()));
    open.set(true);
    monitor.notify(1);
    assert_eq!(wait.wakes(), 1);
    drop(wait.ready());
}

#[test]
fn cond_27_a_change_without_a_notification() {
    let mutex = Mutex::new(false);
    let changed = Condition::new();
    let mut blocked = queued(changed.wait_for(taken(mutex.lock()), |&open| open));
    *taken(mutex.lock()) = true;
    assert_eq!(blocked.wakes(), 0);
    blocked.pending();

    // A task that comes after the change needs no notification.
    drop(taken(changed.wait_for(taken(mutex.lock()), |&open| open)));

    changed.notify_one(&taken(mutex.lock()));
    assert_eq!(blocked.wakes(), 1);
    drop(blocked.ready());
}

#[test]
fn cond_29_who_was_in_line_for_the_lock_goes_first() {
    let monitor = Monitor::default();
    let [mut first, mut second] = [(); 2].map(|()| monitor.waiting());
    let notifier = monitor.enter();
    let mut line = queued(monitor.lock.acquire());
    monitor.changed.notify_all(&notifier);
    first.pending();
    second.pending();

    drop(notifier);
    assert_eq!((line.wakes(), first.wakes(), second.wakes()), (1, 1, 1));
    drop(line.ready());
    assert_eq!((first.wakes(), second.wakes()), (2, 1));
    drop(first.ready());
    assert_eq!(second.wakes(), 2);
    drop(second.ready());
}

#[test]
fn cond_30_a_predicate_panics_after_a_wake() {
    let mutex = Mutex::new(0);
    let changed = Condition::new();
    let is_one = |&value: &i32| {
        assert!(value < 2, "the predicate");
        value == 1
    };
    let mut panicking = queued(changed.wait_for(taken(mutex.lock()), is_one));
    let mut other = queued(changed.wait_for(taken(mutex.lock()), is_one));
    let set = |value| {
        let mut guard = taken(mutex.lock());
        *guard = value;
        changed.notify_one(&guard);
    };

    set(2);
    assert_eq!((panicking.wakes(), other.wakes()), (1, 0));
    assert_eq!(message_of(|| panicking.pending()), "the predicate");
    assert!(!mutex.is_locked());
    assert_eq!(waiters(&changed), 1);
    drop(panicking);

    set(1);
    assert_eq!(other.wakes(), 1);
    assert_eq!(*other.ready(), 1);
    assert_eq!((waiters(&mutex), waiters(&changed)), (0, 0));
}

#[test]
fn cond_30_a_predicate_panics_at_once() {
    let mutex = Mutex::new(2);
    let changed = Condition::new();
    let mut wait = waiter(changed.wait_for(taken(mutex.lock()), |_| panic!("the predicate")));
    assert_eq!(message_of(|| wait.pending()), "the predicate");
    assert!(!mutex.is_locked());
    assert_eq!(waiters(&changed), 0);
}

#[test]
fn cond_31_the_item_of_a_cancelled_consumer() {
    let items = Mutex::new(Vec::new());
    let not_empty = Condition::new();
    let consume = async || {
        let guard = items.lock().await;
        let mut guard = not_empty.wait_for(guard, |items| !items.is_empty()).await;
        guard.pop().expect("not empty")
    };

    for polls in [0, 1] {
        let [mut chosen, mut other] = [(); 2].map(|()| queued(consume()));
        let mut producer = taken(items.lock());
        producer.push(polls);
        not_empty.notify_one(&producer);
        assert_eq!((chosen.wakes(), other.wakes()), (1, 0));
        for _ in 0..polls {
            chosen.pending();
        }
        drop(chosen);
        assert_eq!(other.wakes(), 1);
        drop(producer);
        assert_eq!(other.ready(), polls);
    }
}

/// A task that was queued for the lock takes the item for which the waiter was woken.
#[test]
fn cond_32_a_look_before_the_wait_is_not_enough() {
    let slot = Mutex::new(None);
    let full = Condition::new();
    let mut with_if = queued(full.wait(taken(slot.lock())));
    let mut with_loop = queued(full.wait_for(taken(slot.lock()), Option::is_some));
    let mut thief = waiter(slot.lock());

    let mut producer = taken(slot.lock());
    thief.pending();
    *producer = Some(1);
    full.notify_all(&producer);
    with_if.pending();
    with_loop.pending();
    drop(producer);
    assert_eq!(thief.ready().take(), Some(1));

    assert_eq!(*with_if.ready(), None, "nothing there, and it returns");
    with_loop.pending();
    let mut producer = taken(slot.lock());
    *producer = Some(2);
    full.notify_one(&producer);
    drop(producer);
    assert_eq!(*with_loop.ready(), Some(2));
}

/// A buffer between producers and consumers.
struct Buffer {
    capacity: usize,
    items: Mutex<VecDeque<usize>>,
    not_empty: Condition,
    not_full: Condition,
    put: Cell<usize>,
    taken: Cell<usize>,
}

impl Buffer {
    async fn put(&self) {
        let guard = self.items.lock().await;
        // Others queue up for the lock.
        yield_once().await;
        let not_full = |items: &VecDeque<_>| items.len() < self.capacity;
        let mut guard = self.not_full.wait_for(guard, not_full).await;
        guard.push_back(self.put.replace(self.put.get() + 1));
        self.not_empty.notify_one(&guard);
        yield_once().await;
    }

    async fn take(&self) {
        let guard = self.items.lock().await;
        yield_once().await;
        let not_empty = |items: &VecDeque<_>| !items.is_empty();
        let mut guard = self.not_empty.wait_for(guard, not_empty).await;
        let item = guard.pop_front();
        assert_eq!(item, Some(self.taken.replace(self.taken.get() + 1)));
        self.not_full.notify_one(&guard);
        yield_once().await;
    }
}

/// The producers and consumers of a [`Buffer`] that are not done.
struct Crowd<'a> {
    buffer: &'a Buffer,
    actors: Vec<Scheduled<'a>>,
}

impl Crowd<'_> {
    /// A task comes, leaves, or goes on.
    fn step(&mut self, random: &mut Random) {
        let what = random.below(8);
        if what == 0 && self.actors.len() < 8 {
            self.actors.push(if random.one_in(2) {
                Scheduled::new(self.buffer.put())
            } else {
                Scheduled::new(self.buffer.take())
            });
            return;
        }
        let is_due = |&place: &usize| self.actors[place].is_due();
        let mut due: Vec<_> = (0..self.actors.len()).filter(is_due).collect();
        let Some(place) = random.take(&mut due) else {
            return;
        };
        if what == 1 {
            drop(self.actors.swap_remove(place));
            return;
        }
        let actor = &mut self.actors[place];
        if random.one_in(8) {
            actor.move_to(Task::new());
        }
        actor.poll();
        if actor.is_done() {
            drop(self.actors.swap_remove(place));
        }
    }

    /// Everybody goes as far as possible. Nobody waits for what is there.
    fn rest(&mut self) {
        Scheduled::run(&mut self.actors);
        self.actors.retain(|actor| !actor.is_done());

        let buffer = self.buffer;
        let items = buffer.items.try_lock().expect("nobody has it").len();
        assert_eq!(buffer.put.get(), buffer.taken.get() + items);
        let producers = waiters(&buffer.not_full);
        let consumers = waiters(&buffer.not_empty);
        assert_eq!(self.actors.len(), producers + consumers);
        assert!(producers == 0 || items == buffer.capacity, "room left");
        assert!(consumers == 0 || items == 0, "items left");
    }
}

fn random_crowds(capacity: usize) {
    Random::seeds(8, |random| {
        let buffer = Buffer {
            capacity,
            items: Mutex::default(),
            not_empty: Condition::new(),
            not_full: Condition::new(),
            put: Cell::new(0),
            taken: Cell::new(0),
        };
        let mut crowd = Crowd {
            buffer: &buffer,
            actors: Vec::new(),
        };
        for _ in 0..times(5000) {
            crowd.step(random);
            // Waiters leave now and then, or soon all tasks would wait.
            if random.one_in(16) {
                crowd.rest();
                drop(random.take(&mut crowd.actors));
            }
        }
        crowd.rest();
        assert!(buffer.taken.get() > times(100), "hardly anything happened");
    });
}

#[test]
fn cond_31_nothing_is_lost_in_a_crowd_where_some_leave() {
    random_crowds(3);
}

#[test]
fn cond_32_one_slot_and_two_conditions() {
    random_crowds(1);
}

/// A wait with an owned guard: what it returns holds the same lock, and no
/// reference is left when it is dropped.
fn owned_guard<L, G: Relock>(lock: &Rc<L>, take: impl Fn() -> Option<G>) {
    let changed = Condition::new();
    let mut wait = queued(changed.wait(take().expect("it is free")));
    assert_eq!(Rc::strong_count(lock), 2, "kept alive by the wait");
    changed.notify_one(&take().expect("given up by the wait"));
    assert_eq!(wait.wakes(), 1);
    let guard = wait.ready();
    assert!(take().is_none());
    assert_eq!(Rc::strong_count(lock), 2);

    // The guard is as good as before; this time the wait is cancelled.
    let wait = queued(changed.wait(guard));
    assert_eq!(waiters(&changed), 1);
    drop(wait);
    assert_eq!(Rc::strong_count(lock), 1);
    assert!(take().is_some());
}

#[test]
fn cond_33_owned_guards() {
    let lock = Rc::new(Lock::new());
    owned_guard(&lock, || lock.try_acquire_owned());
    let mutex = Rc::new(Mutex::new(0));
    owned_guard(&mutex, || mutex.try_lock_owned());
    let rwlock = Rc::new(RwLock::new(0));
    owned_guard(&rwlock, || rwlock.try_write_owned());
}

threads_only! {
    #[test]
    fn cond_33_an_owned_guard_on_another_thread() {
        static NEWS: Condition = Condition::new();

        let mutex = Rc::new(Mutex::new(0));
        let guard = taken(mutex.lock_owned());
        let mut wait = queued(NEWS.wait_for(guard, |&value| value > 0));
        let mut guard = taken(mutex.lock_owned());
        *guard = 7;
        NEWS.notify_one(&guard);
        OwnedMutexGuard::release(guard);
        assert_eq!(wait.wakes(), 1);
        let thread = thread::spawn(move || *wait.ready());
        assert_eq!(thread.join().expect("no panic"), 7);
        assert!(!mutex.is_locked());
    }
}

#[test]
fn cond_33_a_writer_of_a_reader_writer_lock() {
    let lock = RwLock::new(0);
    let changed = Condition::new();
    let mut writer = queued(changed.wait_for(taken(lock.write()), |&value| value > 0));
    let reader = lock.try_read().expect("given up by the wait");
    assert_eq!(*reader, 0);
    drop(reader);

    let mut notifier = taken(lock.write());
    *notifier = 1;
    changed.notify_one(&notifier);
    writer.pending();
    drop(notifier);
    assert_eq!(writer.wakes(), 2);
    let mut guard = writer.ready();
    *guard += 1;
    assert!(lock.try_read().is_none());
    drop(guard);
    assert_eq!(*taken(lock.read()), 2);
}

#[test]
fn cond_33_a_part_of_a_value_is_proof() {
    let mutex = Mutex::new((0, 0));
    let changed = Condition::new();
    let mut wait = queued(changed.wait_for(taken(mutex.lock()), |pair| pair.0 > 0));

    let mut part = MutexGuard::map(taken(mutex.lock()), |pair| &mut pair.0);
    *part = 1;
    changed.notify_one(&part);
    wait.pending();
    drop(part);
    assert_eq!(*wait.ready(), (1, 0));

    // It is proof for its own mutex.
    let wait = queued(changed.wait(taken(mutex.lock())));
    let other = Mutex::new((0, 0));
    let part = MutexGuard::map(taken(other.lock()), |pair| &mut pair.0);
    assert!(catch_unwind(AssertUnwindSafe(|| changed.notify_one(&part))).is_err());
    drop(wait);
}

#[test]
fn cond_34_a_wait_that_is_never_polled() {
    let monitor = Monitor::default();
    let unpolled = monitor.changed.wait(monitor.enter());
    assert!(monitor.lock.is_locked());
    assert_eq!(waiters(&monitor.changed), 0);
    drop(unpolled);
    monitor.assert_idle();

    let unpolled = monitor.changed.wait_for(monitor.enter(), |()| false);
    assert!(monitor.lock.is_locked());
    drop(unpolled);
    monitor.assert_idle();
}

/// Readers hold their lock together, so one may notify before another begins to
/// wait.
#[test]
fn cond_34_a_notification_before_the_first_poll() {
    let lock = RwLock::new(());
    let changed = Condition::new();
    let mut wait = waiter(changed.wait(taken(lock.read())));
    let notifier = taken(lock.read());
    changed.notify_all(&notifier);
    assert_eq!(wait.wakes(), 0);
    wait.pending();
    wait.pending();
    changed.notify_one(&notifier);
    assert_eq!(wait.wakes(), 1);
    drop(wait.ready());
}

#[test]
fn cond_35_a_wait_under_another_lock() {
    let (monitor, other) = (Monitor::default(), Mutex::new(()));
    let mut proper = monitor.waiting();
    let mut refused = waiter(monitor.changed.wait(taken(other.lock())));
    let message = message_of(|| refused.pending());
    assert!(message.contains("`Condition::wait`"), "{message}");
    assert!(message.contains("another lock"), "{message}");
    assert!(!other.is_locked());

    let mut refused = waiter(monitor.changed.wait_for(taken(other.lock()), |()| false));
    let message = message_of(|| refused.pending());
    assert!(message.contains("another lock"), "{message}");
    assert!(!other.is_locked());

    assert_eq!(waiters(&monitor.changed), 1);
    monitor.notify(1);
    assert_eq!(proper.wakes(), 1);
    drop(proper.ready());
    monitor.assert_idle();
}

#[test]
fn cond_35_a_notification_under_another_lock() {
    let (monitor, other) = (Monitor::default(), Lock::new());
    let mut proper = monitor.waiting();
    let guard = taken(other.acquire());
    let message = message_of(|| monitor.changed.notify_one(&guard));
    assert!(message.contains("`Condition::notify`"), "{message}");
    assert!(message.contains("another lock"), "{message}");
    assert_eq!(proper.wakes(), 0);
    proper.pending();

    drop(guard);
    assert!(!other.is_locked());
    monitor.notify(1);
    assert_eq!(proper.wakes(), 1);
    drop(proper.ready());
    monitor.assert_idle();
}

/// Once nobody waits, the condition is free for another lock, however the
/// waiters have left.
#[test]
fn cond_35_one_lock_after_the_other() {
    let (monitor, other) = (Monitor::default(), Lock::new());
    let under_other = || {
        let mut wait = queued(monitor.changed.wait(taken(other.acquire())));
        monitor.changed.notify_one(&taken(other.acquire()));
        assert_eq!(wait.wakes(), 1);
        drop(wait.ready());
    };

    drop(monitor.waiting());
    under_other();
    let mut notified = monitor.waiting();
    monitor.notify(1);
    under_other();
    drop(notified.ready());
    under_other();
    let [first, second] = [(); 2].map(|()| monitor.waiting());
    monitor.notify(1);
    drop(first);
    drop(second);
    under_other();
    monitor.assert_idle();
}

threads_only! {
    #[test]
    fn the_types_are_as_sendable_as_their_guards() {
        type Wait<G> = ConditionWait<'static, G>;
        type WaitFor<G> = ConditionWaitFor<'static, G, fn(&u8) -> bool>;
        type Guard<T> = MutexGuard<'static, T>;

        const {
            assert!(impls!(Condition: Send) && impls!(Condition: Sync));
            assert!(impls!(Wait<LockGuard<'static>>: Send));
            assert!(impls!(Wait<OwnedLockGuard>: Send));
            assert!(impls!(Wait<OwnedRwLockWriteGuard<u8>>: Send));
            assert!(impls!(Wait<Guard<Cell<u8>>>: Send));
            assert!(!impls!(Wait<Guard<std::rc::Rc<u8>>>: Send));
            assert!(impls!(Wait<Guard<u8>>: Sync));
            assert!(!impls!(Wait<Guard<Cell<u8>>>: Sync));
            assert!(impls!(WaitFor<Guard<u8>>: Send));
        }
    }
}

#[test]
fn n23_a_notified_waiter_is_cancelled_before_it_resumes() {
    let monitor = Monitor::default();
    let [a, b] = [(); 2].map(|()| monitor.waiting());
    let h = monitor.enter();
    monitor.changed.notify_one(&h);
    assert_eq!((a.wakes(), b.wakes()), (1, 0));

    drop(a);
    assert_eq!(b.wakes(), 1);

    drop(h);
    let mut b = b;
    let guard = b.ready();
    assert!(monitor.lock.try_acquire().is_none());
    drop(guard);
    assert!(monitor.lock.try_acquire().is_some());
}

#[test]
fn n23_end_to_end() {
    let counter = Mutex::new(0);
    let changed = Condition::new();
    let subtract = async || {
        let guard = counter.lock().await;
        let mut guard = changed.wait_for(guard, |&counter| counter > 0).await;
        *guard -= 1;
    };
    let [a, b] = [(); 2].map(|()| queued(subtract()));
    let mut h = taken(counter.lock());
    *h = 1;
    changed.notify_one(&h);
    drop(a);
    drop(h);
    assert_eq!(settle([b]), [0]);
    assert_eq!(*taken(counter.lock()), 0);
}

#[test]
fn n28_counting() {
    let monitor = Monitor::default();
    let [w0, rest @ ..] = [(); 5].map(|()| monitor.waiting());
    drop(w0);
    let h = monitor.enter();
    let wakes = || rest.each_ref().map(Waiter::wakes);

    monitor.changed.notify_one(&h);
    monitor.changed.notify_one(&h);
    assert_eq!(wakes(), [1, 1, 0, 0]);
    monitor.changed.notify(&h, 0);
    // If nobody is notified, any lock will do.
    monitor.changed.notify(&taken(Lock::new().acquire()), 0);
    assert_eq!(wakes(), [1, 1, 0, 0]);
    monitor.changed.notify(&h, 2048);
    assert_eq!(wakes(), [1, 1, 1, 1]);

    drop(h);
    assert_eq!(settle(rest), [0, 1, 2, 3]);
    monitor.notify(3);
    let mut late = monitor.waiting();
    assert_eq!(late.wakes(), 0);
    late.pending();
}

#[test]
fn n31_order_of_getting_the_lock_back() {
    let monitor = Monitor::default();
    let [mut a, mut b] = [(); 2].map(|()| monitor.waiting());
    let h = monitor.enter();
    let m = queued(monitor.lock.acquire());
    monitor.changed.notify_all(&h);
    a.pending();
    b.pending();

    drop(h);
    assert_eq!(m.wakes(), 1);
    a.pending();
    b.pending();
    assert_eq!((a.wakes(), b.wakes()), (1, 1));

    drop(m);
    assert_eq!(a.wakes(), 2);
    b.pending();
    let guard = a.ready();
    b.pending();
    drop(guard);
    assert_eq!(b.wakes(), 2);
    drop(b.ready());
}

/// That many tasks wait, with a lock that they can share with the notifier.
fn sharing(
    count: usize,
) -> (
    std::rc::Rc<InlineTasks<()>>,
    &'static RwLock<()>,
    &'static Condition,
) {
    let (lock, changed) = (leaked(RwLock::new(())), leaked(Condition::new()));
    let crowd = InlineTasks::queued((0..count).map(|_| async {
        let guard = changed.wait(lock.read().await).await;
        drop(guard);
    }));
    (crowd, lock, changed)
}

/// While the waiters are woken one by one, exactly the chosen ones have been
/// notified: a poll from inside another's wake shows it.
#[test]
fn a_notification_is_seen_whole() {
    for distance in cases([1, 31, 32, 40, 100, 149]) {
        for count in cases([1, 2, 31, 32, 33, 40, 64, 65, 100, 149, 150, 151, usize::MAX]) {
            let (crowd, lock, changed) = sharing(150);
            let guard = taken(lock.read());
            crowd.notified(
                || changed.notify(&guard, count),
                move |crowd, number| {
                    let next = number + distance;
                    if crowd.is_waiting(next) {
                        assert_eq!(crowd.poll(next), next < count, "{next}, of {count}");
                    }
                },
            );
            let through = count.min(150);
            assert_eq!(waiters(changed), 150 - through, "of {count}");
            crowd.poll_all();
            assert!(crowd.taken_numbers().into_iter().eq(0..through));
            assert!((0..150).all(|number| crowd.wakes(number) <= 1));
            assert!((through..150).all(|number| crowd.wakes(number) == 0));

            // The others are notified another time.
            crowd.notified(|| changed.notify(&guard, 150 - through), |_, _| {});
            crowd.poll_all();
            assert!(crowd.taken_numbers().into_iter().eq(through..150));
        }
    }
}

/// The same with a lock that is not shared: an early poll makes the waiter ask for
/// the lock, at once.
#[test]
fn an_early_poll_asks_for_the_lock() {
    for count in [100, usize::MAX] {
        let (lock, changed) = (leaked(Lock::new()), leaked(Condition::new()));
        let crowd = InlineTasks::queued((0..150).map(|_| async {
            let guard = lock.acquire().await;
            drop(changed.wait(guard).await);
        }));
        let guard = taken(lock.acquire());
        crowd.notified(
            || changed.notify(&guard, count),
            move |crowd, number| {
                let (next, before) = (number + 40, waiters(lock));
                if crowd.is_waiting(next) {
                    assert!(!crowd.poll(next), "the lock is held");
                    assert_eq!(waiters(lock), before + usize::from(next < count));
                }
            },
        );
        assert_eq!(waiters(changed), 150_usize.saturating_sub(count));
        crowd.notified(|| drop(guard), |_, _| {});
        for _ in 0..3 {
            crowd.notified(|| crowd.poll_all(), |_, _| {});
        }
        assert!(crowd.taken_numbers().into_iter().eq(0..count.min(150)));
        assert!(!lock.is_locked());
    }
}

/// A chosen waiter that is dropped before it is woken, or after an early poll,
/// passes its notification on, to a waiter that was there in time.
#[test]
fn cancelled_in_the_middle_of_a_notification() {
    for early in [false, true] {
        let (lock, changed) = (leaked(Lock::new()), leaked(Condition::new()));
        let crowd = InlineTasks::queued((0..103).map(|_| async {
            let guard = lock.acquire().await;
            drop(changed.wait(guard).await);
        }));
        let guard = taken(lock.acquire());
        crowd.notified(
            || changed.notify(&guard, 100),
            move |crowd, number| {
                if number == 0 {
                    // There are three that were not chosen; the fourth notification
                    // is for nobody.
                    for cancelled in [50, 99, 98, 97] {
                        assert!(!early || !crowd.poll(cancelled));
                        crowd.cancel(cancelled);
                    }
                    let wakes = [100, 101, 102].map(|number| crowd.wakes(number));
                    assert_eq!((wakes, waiters(changed)), ([1, 1, 1], 0));
                }
            },
        );
        assert_eq!(waiters(changed), 0);
        crowd.notified(|| drop(guard), |_, _| {});
        for _ in 0..3 {
            crowd.notified(|| crowd.poll_all(), |_, _| {});
        }
        assert_eq!(crowd.taken_numbers().len(), 99);
        assert!(!lock.is_locked());
    }
}

/// A notification that is passed on from the middle of another is not for a waiter
/// that has come since.
#[test]
fn passed_on_to_waiters_of_its_time_only() {
    for (count, early) in [
        (100, false),
        (100, true),
        (usize::MAX, false),
        (usize::MAX, true),
    ] {
        let (crowd, lock, changed) = sharing(100);
        let late = leaked(std::sync::Mutex::new(Vec::new()));
        let guard = taken(lock.read());
        crowd.notified(
            || changed.notify(&guard, count),
            move |crowd, number| {
                if number == 0 {
                    let newcomer = queued(async { drop(changed.wait(lock.read().await).await) });
                    if early {
                        assert!(crowd.poll(98));
                    }
                    crowd.cancel(99);
                    assert_eq!((newcomer.wakes(), waiters(changed)), (0, 1));
                    late.lock().unwrap().push(newcomer);
                }
            },
        );
        let mut newcomer = late.lock().unwrap().pop().unwrap();
        newcomer.pending();
        assert_eq!((newcomer.wakes(), waiters(changed)), (0, 1));
        changed.notify_one(&guard);
        newcomer.ready();
        crowd.poll_all();
        assert!(crowd.taken_numbers().into_iter().eq(0..99));
    }
}

/// Notifications from inside a wake are for the remaining waiters, and for newcomers.
#[test]
fn a_notification_within_a_notification() {
    for count in [100, usize::MAX] {
        let (crowd, lock, changed) = sharing(150);
        let late = leaked(std::sync::Mutex::new(Vec::new()));
        let guard = taken(lock.read());
        crowd.notified(
            || changed.notify(&guard, count),
            move |crowd, number| {
                if number != 0 {
                    return;
                }
                let guard = taken(lock.read());
                let mut newcomers: Vec<_> = (0..60)
                    .map(|_| queued(async { drop(changed.wait(lock.read().await).await) }))
                    .collect();
                let left = 150_usize.saturating_sub(count);
                assert_eq!(waiters(changed), left + 60);
                changed.notify(&guard, left + 1);
                assert!((100..150).all(|number| crowd.wakes(number) == usize::from(count == 100)));
                let notified = newcomers.iter().filter(|waiter| waiter.wakes() == 1);
                assert_eq!(notified.count(), 1);
                newcomers.remove(0).ready();
                changed.notify_all(&guard);
                newcomers.iter_mut().for_each(Waiter::ready);
                assert!(crowd.poll(99));
                *late.lock().unwrap() = newcomers;
            },
        );
        assert_eq!(late.lock().unwrap().len(), 59);
        crowd.poll_all();
        assert!(crowd.taken_numbers().into_iter().eq(0..150));
        assert!((0..150).all(|number| crowd.wakes(number) == usize::from(number != 99)));
        assert_eq!(waiters(changed), 0);
    }
}

/// A waker that panics in the middle keeps neither early nor later waiters back.
#[test]
fn a_panic_in_a_notification_that_is_seen_whole() {
    for count in [100, usize::MAX] {
        let (crowd, lock, changed) = sharing(150);
        let guard = taken(lock.read());
        let message = message_of(|| {
            crowd.notified(
                || changed.notify(&guard, count),
                move |crowd, number| {
                    let next = number + 40;
                    if crowd.is_waiting(next) {
                        assert_eq!(crowd.poll(next), next < count);
                    }
                    if matches!(number, 3 | 35) {
                        panic!("the waker");
                    }
                },
            );
        });
        assert_eq!(message, "the waker");
        crowd.poll_all();
        assert!(crowd.taken_numbers().into_iter().eq(0..count.min(150)));
    }
}

/// Once all waiters of a crowd are notified, the condition serves another lock.
#[test]
fn free_for_another_lock_after_a_crowd() {
    for count in [100, 101, usize::MAX] {
        let (crowd, lock, changed) = sharing(100);
        let guard = taken(lock.read());
        let other = Lock::new();
        crowd.notified(
            || changed.notify(&guard, count),
            move |_, number| {
                if number == 0 {
                    // Nobody waits any more.
                    changed.notify_one(&taken(leaked(Lock::new()).acquire()));
                }
            },
        );
        let wait = queued(changed.wait(taken(other.acquire())));
        crowd.poll_all();
        assert_eq!((wait.wakes(), waiters(changed)), (0, 1));
    }
}
