//! Tests for every primitive: X and WQ in the list of behaviours (README.md);
//! grants that belong to the task (the
//! "futurelock" of RFD 609).
//!
//! All primitives that can be exclusive run the same tests, in their owned forms:
//! they are listed in the modules `lock`, `mutex` and so on.
//!
//! Rows that are not here:
//!
//! | row | why |
//! |---|---|
//! | X-09, the refusal | a call cannot know whether it is inside an executor, as it works with any |
//! | X-12 | a wake runs inside of the release: if it runs the task, the releases of the chain are nested, and 10,000 of them overflow the stack |
//! | WQ-03, WQ-04, WQ-06 | no primitive stores a single notification |
//! | WQ-05 | no primitive registers before the first poll |
//! | WQ-08 | waiters are not moved: a notified one joins the queue of the lock when it is polled |

use crate::flavour::Rc;
use std::cell::Cell;
use std::fmt::Debug;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;

use crate::flavour::future::{
    BoundedSemaphoreAcquireOwned, LockAcquireOwned, MutexLockOwned, RwLockWriteOwned,
    SemaphoreAcquireOwned,
};
use crate::flavour::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, Mutex, OwnedBoundedSemaphorePermit,
    OwnedLockGuard, OwnedMutexGuard, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock,
    RwLockUpgradableReadGuard, Semaphore,
};
use futures::future::{join, select};

use crate::flavour::Anywhere;
use crate::shown::waiters;
use crate::support::{
    On, Task, Waiter, hooked, hooked_on_all, leaked, poll_with, queued, queued_with, taken, waiter,
    waiter_of,
};

/// A primitive that one task at a time can hold. By default, nobody does.
trait OneAtATime: Debug + Default + Anywhere + 'static {
    type Guard: Anywhere + 'static;
    type Acquire: Future<Output = Self::Guard> + Anywhere + 'static;

    fn acquire(self: &Rc<Self>) -> Self::Acquire;
    fn try_acquire(self: &Rc<Self>) -> Option<Self::Guard>;
}

macro_rules! one_at_a_time {
    ($($lock:ty, $guard:ty, $future:ty: $acquire:ident, $try_acquire:ident;)*) => {$(
        impl OneAtATime for $lock {
            type Guard = $guard;
            type Acquire = $future;

            fn acquire(self: &Rc<Self>) -> $future {
                <$lock>::$acquire(self)
            }

            fn try_acquire(self: &Rc<Self>) -> Option<$guard> {
                <$lock>::$try_acquire(self)
            }
        }
    )*};
}

one_at_a_time! {
    Lock, OwnedLockGuard, LockAcquireOwned:
        acquire_owned, try_acquire_owned;
    Mutex<u8>, OwnedMutexGuard<u8>, MutexLockOwned<u8>:
        lock_owned, try_lock_owned;
    RwLock<u8>, OwnedRwLockWriteGuard<u8>, RwLockWriteOwned<u8>:
        write_owned, try_write_owned;
    Semaphore, OwnedSemaphorePermit, SemaphoreAcquireOwned:
        acquire_owned, try_acquire_owned;
    BoundedSemaphore, OwnedBoundedSemaphorePermit, BoundedSemaphoreAcquireOwned:
        acquire_owned, try_acquire_owned;
}

/// Runs tests for everything that is `OneAtATime`.
macro_rules! for_each_lock {
    ($($test:ident,)*) => {
        for_each_lock! { @ lock, super::Lock, $($test)* }
        for_each_lock! { @ mutex, super::Mutex<u8>, $($test)* }
        for_each_lock! { @ rwlock_write, super::RwLock<u8>, $($test)* }
        for_each_lock! { @ semaphore, super::Semaphore, $($test)* }
        for_each_lock! { @ bounded_semaphore, super::BoundedSemaphore, $($test)* }
    };
    (@ $module:ident, $lock:ty, $($test:ident)*) => {
        mod $module {
            $(#[test] fn $test() { super::$test::<$lock>() })*
        }
    };
}

for_each_lock! {
    x_01_wake_that_uses_the_lock,
    x_02_clone_that_uses_the_lock,
    x_02_clone_that_releases_the_lock,
    x_03_destructor_that_uses_the_lock,
    x_04_wake_that_drops_another_waiter,
    x_04_wake_that_drops_the_woken_waiter,
    x_05_wake_that_panics,
    x_05_wake_that_panics_during_a_panic,
    x_05_clone_that_panics,
    x_05_destructor_that_panics,
    x_05_destructor_that_panics_as_the_lock_is_taken,
    x_06_chosen_waiter_dropped_by_a_panic,
    x_07_completed_future_has_no_entry,
    x_07_place_in_memory_used_again,
    x_08_those_behind_the_chosen_wait,
    futurelock_sibling_gets_the_grant,
    futurelock_with_select,
    futurelock_not_at_the_first_look,
    futurelock_grant_to_another_future_is_another_grant,
    futurelock_renewed_grant_is_another_grant,
    futurelock_other_tasks_keep_their_turn,
    futurelock_first_future_dropped_before_the_sibling_takes,
    futurelock_first_future_dropped_after_the_sibling_took,
    futurelock_loop_joined_with_its_producer,
}

/// A slot for a value, which a waker can access.
struct Slot<T>(Rc<std::sync::Mutex<Option<T>>>);

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Slot(Rc::clone(&self.0))
    }
}

impl<T> Slot<T> {
    fn empty() -> Self {
        Slot(Rc::default())
    }

    fn of(value: T) -> Self {
        let slot = Slot::empty();
        slot.put(value);
        slot
    }

    fn put(&self, value: T) {
        *self.0.lock().expect("no panic in here") = Some(value);
    }

    fn take(&self) -> Option<T> {
        self.0.lock().expect("no panic in here").take()
    }
}

/// Counts from a hook.
#[derive(Clone, Default)]
struct Count(Rc<AtomicUsize>);

impl Count {
    fn add_one(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A switch that a hook reads.
#[derive(Clone, Default)]
struct Switch(Rc<AtomicBool>);

impl Switch {
    fn turn(&self, on: bool) {
        self.0.store(on, Ordering::SeqCst);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The payload of a panicking hook.
const HOOK: &str = "the hook";

/// Calls code that must panic, with the panic of a hook.
#[track_caller]
fn panics<T>(call: impl FnOnce() -> T) {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(_) => panic!("the panic of the hook did not surface"),
        Err(payload) => assert_eq!(payload.downcast_ref(), Some(&HOOK)),
    }
}

/// Nobody holds the lock or is queued, and the lock works.
#[track_caller]
fn assert_free<L: OneAtATime>(lock: &Rc<L>) {
    assert_eq!(waiters(&**lock), 0);
    assert!(lock.try_acquire().is_some(), "the lock is lost");
    let holder = taken(lock.acquire());
    let mut next = queued(lock.acquire());
    drop(holder);
    assert_eq!(next.wakes(), 1);
    drop(next.ready());
}

fn x_01_wake_that_uses_the_lock<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let seen = Slot::empty();
    let waker = {
        let (lock, seen) = (Rc::clone(&lock), seen.clone());
        hooked(On::Wake, move || {
            seen.put((lock.try_acquire().is_some(), queued(lock.acquire())));
        })
    };
    let holder = taken(lock.acquire());
    let mut b = queued_with(&waker, lock.acquire());

    drop(holder);
    let (entered, mut newcomer) = seen.take().expect("the hook has run");
    assert!(!entered);
    assert_eq!(newcomer.wakes(), 0);
    newcomer.pending();
    drop(b.ready());
    assert_eq!(newcomer.wakes(), 1);
    drop(newcomer.ready());
    assert_free(&lock);
}

fn x_02_clone_that_uses_the_lock<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let count = Count::default();
    let waker = {
        let (lock, count) = (Rc::clone(&lock), count.clone());
        hooked(On::Clone, move || {
            assert!(lock.try_acquire().is_none());
            drop(queued(lock.acquire()));
            count.add_one();
        })
    };
    let holder = taken(lock.acquire());

    let mut b = queued_with(&waker, lock.acquire());
    assert_eq!(count.get(), 1);
    b.pending();
    assert!(poll_with(&waker, b.future.as_mut()).is_pending());
    assert_eq!(count.get(), 2);
    assert_eq!(waiters(&*lock), 1);
    drop(holder);
    drop(b.ready());
    assert_free(&lock);
}

fn x_02_clone_that_releases_the_lock<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = Slot::empty();
    let waker = {
        let holder = holder.clone();
        hooked(On::Clone, move || drop(holder.take()))
    };

    // At the first poll.
    holder.put(taken(lock.acquire()));
    let mut b = waiter(lock.acquire());
    assert!(poll_with(&waker, b.future.as_mut()).is_ready());

    // At a later one: the waker that was there is woken, and this one is late.
    holder.put(taken(lock.acquire()));
    let mut c = queued(lock.acquire());
    assert!(poll_with(&waker, c.future.as_mut()).is_ready());
    assert_eq!(c.wakes(), 1);
    assert_free(&lock);
}

fn x_03_destructor_that_uses_the_lock<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let count = Count::default();
    let waker = {
        let (lock, count) = (Rc::clone(&lock), count.clone());
        hooked(On::Drop, move || {
            if lock.try_acquire().is_none() {
                drop(queued(lock.acquire()));
                count.add_one();
            }
        })
    };
    let holder = taken(lock.acquire());

    let mut replaced = queued_with(&waker, lock.acquire());
    replaced.pending();
    assert_eq!(count.get(), 1);

    // Behind another waiter, and first in the queue.
    drop(queued_with(&waker, lock.acquire()));
    assert_eq!(count.get(), 2);
    drop(replaced);
    drop(queued_with(&waker, lock.acquire()));
    assert_eq!(count.get(), 3);

    let mut woken = queued_with(&waker, lock.acquire());
    drop(holder);
    assert_eq!(count.get(), 4);
    drop(woken.ready());
    assert_free(&lock);
}

#[test]
fn x_03_cancelled_request_gives_way_before_the_destructor_runs() {
    let semaphore = Rc::new(Semaphore::new(3));
    let behind = Slot::empty();
    let seen = Slot::empty();
    let waker = {
        let (semaphore, behind, seen) = (Rc::clone(&semaphore), behind.clone(), seen.clone());
        hooked(On::Drop, move || {
            if let Some(task) = behind.take() {
                let wakes = Task::wakes(&task);
                seen.put((wakes, semaphore.try_acquire().is_some()));
            }
        })
    };
    let _holder = taken(semaphore.acquire());
    let all = queued_with(&waker, semaphore.acquire_many(3));
    let one = queued(semaphore.acquire());
    behind.put(one.task.clone());

    drop(all);
    assert_eq!(seen.take(), Some((1, true)));
}

#[test]
fn x_03_cancelled_writer_gives_way_before_the_destructor_runs() {
    let lock = Rc::new(RwLock::new(0));
    let behind = Slot::empty();
    let seen = Slot::empty();
    let waker = {
        let (lock, behind, seen) = (Rc::clone(&lock), behind.clone(), seen.clone());
        hooked(On::Drop, move || {
            if let Some(task) = behind.take() {
                seen.put((Task::wakes(&task), lock.try_read().is_some()));
            }
        })
    };
    let _reader = taken(lock.read());
    let writer = queued_with(&waker, lock.write());
    let next = queued(lock.read());
    behind.put(next.task.clone());

    drop(writer);
    assert_eq!(seen.take(), Some((1, true)));
}

fn x_04_wake_that_drops_another_waiter<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let victim = Slot::empty();
    let waker = {
        let victim = victim.clone();
        hooked(On::Wake, move || drop(victim.take()))
    };
    let holder = taken(lock.acquire());
    let mut b = queued_with(&waker, lock.acquire());
    let c = queued(lock.acquire());
    let dropped = c.task.clone();
    victim.put(c);
    let mut d = queued(lock.acquire());

    drop(holder);
    assert_eq!(waiters(&*lock), 1);
    assert_eq!((dropped.wakes(), d.wakes()), (0, 0));
    drop(b.ready());
    assert_eq!((dropped.wakes(), d.wakes()), (0, 1));
    drop(d.ready());
    assert_free(&lock);
}

fn x_04_wake_that_drops_the_woken_waiter<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let woken = Slot::empty();
    let waker = {
        let woken = woken.clone();
        hooked(On::Wake, move || drop(woken.take()))
    };
    let holder = taken(lock.acquire());
    woken.put(queued_with(&waker, lock.acquire()));
    let mut c = queued(lock.acquire());

    drop(holder);
    assert!(woken.take().is_none());
    assert_eq!(c.wakes(), 1);
    drop(c.ready());
    assert_free(&lock);
}

/// Both were granted permits, and one drops the other before it is woken.
#[test]
fn x_04_wake_that_drops_a_chosen_waiter_of_a_semaphore() {
    let semaphore = Rc::new(Semaphore::new(0));
    let victim = Slot::empty();
    let waker = {
        let victim = victim.clone();
        hooked(On::Wake, move || drop(victim.take()))
    };
    let mut b = queued_with(&waker, semaphore.acquire());
    victim.put(queued(semaphore.acquire_owned()));
    let mut c = queued(semaphore.acquire());
    let mut d = queued(semaphore.acquire());

    semaphore.add_permits(2);
    assert!(victim.take().is_none());
    assert_eq!((c.wakes(), d.wakes()), (1, 0));
    drop(b.ready());
    assert_eq!(d.wakes(), 1);
    drop((c.ready(), d.ready()));
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn x_04_wake_that_drops_a_chosen_reader() {
    let lock = Rc::new(RwLock::new(0));
    let victim = Slot::empty();
    let waker = {
        let victim = victim.clone();
        hooked(On::Wake, move || drop(victim.take()))
    };
    let holder = taken(lock.write());
    let mut reader = queued_with(&waker, lock.read());
    victim.put(queued(lock.read_owned()));
    let mut writer = queued(lock.write());

    drop(holder);
    assert!(victim.take().is_none());
    assert_eq!(writer.wakes(), 0);
    drop(reader.ready());
    assert_eq!(writer.wakes(), 1);
    let _writer = writer.ready();
}

fn x_05_wake_that_panics<L: OneAtATime>() {
    // The granted waiter is dropped, or it runs all the same.
    for dropped in [true, false] {
        let lock = Rc::new(L::default());
        let waker = hooked(On::Wake, || panic_any(HOOK));
        let holder = taken(lock.acquire());
        let mut b = queued_with(&waker, lock.acquire());
        let mut c = queued(lock.acquire());

        panics(|| drop(holder));
        assert!(lock.try_acquire().is_none());
        assert_eq!(c.wakes(), 0);
        if dropped {
            drop(b);
        } else {
            drop(b.ready());
        }
        assert_eq!(c.wakes(), 1);
        drop(c.ready());
        assert_free(&lock);
    }
}

fn x_05_wake_that_panics_during_a_panic<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let waker = hooked(On::Wake, || panic!("in the wake"));
    let holder = taken(lock.acquire());
    let mut b = queued_with(&waker, lock.acquire());

    panics(|| {
        let _holder = holder;
        panic_any(HOOK);
    });
    drop(b.ready());
    assert_free(&lock);
}

fn x_05_clone_that_panics<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let waker = hooked(On::Clone, || panic_any(HOOK));
    let holder = taken(lock.acquire());

    // At the first poll, nothing has happened.
    let mut b = waiter(lock.acquire());
    panics(|| poll_with(&waker, b.future.as_mut()).is_ready());
    assert_eq!(waiters(&*lock), 0);

    // At a later one, the waker that was there stays.
    b.pending();
    panics(|| poll_with(&waker, b.future.as_mut()).is_ready());
    drop(holder);
    assert_eq!(b.wakes(), 1);
    drop(b.ready());
    assert_free(&lock);
}

/// A waker whose drop panics while the switch is on.
fn panics_when_dropped(switch: &Switch) -> Waker {
    let switch = switch.clone();
    hooked(On::Drop, move || {
        if switch.is_on() {
            panic_any(HOOK);
        }
    })
}

fn x_05_destructor_that_panics<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let switch = Switch::default();
    let waker = panics_when_dropped(&switch);
    let holder = taken(lock.acquire());
    let mut replaced = queued_with(&waker, lock.acquire());
    let cancelled = queued_with(&waker, lock.acquire());
    let mut woken = queued_with(&waker, lock.acquire());

    switch.turn(true);
    panics(|| replaced.poll().is_ready());
    panics(|| drop(cancelled));
    assert_eq!(waiters(&*lock), 2);
    drop(holder);
    assert_eq!(replaced.wakes(), 1);
    let holder = replaced.ready();
    panics(|| drop(holder));
    switch.turn(false);
    drop(woken.ready());
    assert_free(&lock);
}

/// The clone of the waker that was made to join the queue is not needed, as the
/// lock was released meanwhile.
fn x_05_destructor_that_panics_as_the_lock_is_taken<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = Slot::of(taken(lock.acquire()));
    let switch = Switch::default();
    let waker = {
        let (holder, switch) = (holder.clone(), switch.clone());
        hooked_on_all(move |what| match what {
            On::Clone => drop(holder.take()),
            On::Wake => {}
            On::Drop if switch.is_on() => panic_any(HOOK),
            On::Drop => {}
        })
    };

    let mut b = waiter(lock.acquire());
    switch.turn(true);
    let polled = catch_unwind(AssertUnwindSafe(|| poll_with(&waker, b.future.as_mut())));
    switch.turn(false);
    drop((polled, b));
    assert_free(&lock);
}

#[test]
fn x_05_wake_that_panics_among_others() {
    let semaphore = Semaphore::new(0);
    let waker = hooked(On::Wake, || panic_any(HOOK));
    let mut before: Vec<_> = (0..40).map(|_| queued(semaphore.acquire())).collect();
    let mut panicking = queued_with(&waker, semaphore.acquire());
    let mut behind: Vec<_> = (0..40).map(|_| queued(semaphore.acquire())).collect();

    panics(|| semaphore.add_permits(81));
    for waiter in before.iter_mut().chain(&mut behind) {
        assert_eq!(waiter.wakes(), 1);
        drop(waiter.ready());
    }
    drop(panicking.ready());
    assert_eq!(semaphore.available_permits(), 81);
}

/// A sibling takes the grant of a reader, who is granted access again at once;
/// and that wake panics, in the poll of the sibling.
#[test]
fn x_05_wake_that_panics_as_a_sibling_takes_the_grant() {
    let semaphore = Semaphore::new(2);
    let waker = hooked(On::Wake, || panic_any(HOOK));
    let task = Task::new();
    let holder = taken(semaphore.acquire_many(2));
    let mut first = queued_of(&task, semaphore.acquire_many(2));
    let other = queued_with(&waker, semaphore.acquire());
    let mut sibling = queued_of(&task, semaphore.acquire());
    drop(holder);
    sibling.pending();

    // The sibling takes one permit of two, and the other one goes to `other`.
    panics(|| drop(sibling.poll()));
    drop(sibling);
    assert_eq!((semaphore.available_permits(), task.wakes()), (1, 2));
    drop(other);
    assert_eq!(task.wakes(), 3);
    drop(first.ready());
    assert_eq!(semaphore.available_permits(), 2);
}

fn x_06_chosen_waiter_dropped_by_a_panic<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = taken(lock.acquire());
    let b = queued(lock.acquire());
    let mut c = queued(lock.acquire());
    drop(holder);
    assert_eq!((b.wakes(), c.wakes()), (1, 0));

    panics(|| {
        let _b = b;
        panic_any(HOOK);
    });
    assert_eq!(c.wakes(), 1);
    drop(c.ready());
    assert_free(&lock);
}

fn x_07_completed_future_has_no_entry<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    let mut c = queued(lock.acquire());
    let mut d = queued(lock.acquire());
    drop(holder);
    let b_guard = b.ready();

    // Polled or dropped, it leaves the entries of the others alone.
    let again = catch_unwind(AssertUnwindSafe(|| b.poll().is_ready()));
    assert!(again.is_err());
    drop(b);
    assert_eq!((waiters(&*lock), c.wakes(), d.wakes()), (2, 0, 0));
    c.pending();
    drop(b_guard);
    assert_eq!((c.wakes(), d.wakes()), (1, 0));
    drop(c.ready());
    assert_eq!(d.wakes(), 1);
    drop(d.ready());
    assert_free(&lock);
}

fn x_07_place_in_memory_used_again<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = taken(lock.acquire());
    let (one, two) = (Task::new(), Task::new());
    let mut place = Box::pin(Some(lock.acquire()));
    let poll = |task: &Task, place: &mut Pin<Box<Option<L::Acquire>>>| {
        let future = place.as_mut().as_pin_mut().expect("there is a future");
        task.poll(future)
    };
    assert!(poll(&one, &mut place).is_pending());
    let mut behind = queued(lock.acquire());

    place.set(Some(lock.acquire()));
    assert_eq!(waiters(&*lock), 1);
    assert!(poll(&two, &mut place).is_pending());
    drop(holder);
    assert_eq!((one.wakes(), behind.wakes(), two.wakes()), (0, 1, 0));
    drop(behind.ready());
    assert_eq!((one.wakes(), two.wakes()), (0, 1));
    assert!(poll(&two, &mut place).is_ready());
    assert_free(&lock);
}

fn x_08_those_behind_the_chosen_wait<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let holder = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    let mut c = queued(lock.acquire());

    drop(holder);
    for _ in 0..10 {
        c.pending();
        assert!(lock.try_acquire().is_none());
        assert_eq!((b.wakes(), c.wakes()), (1, 0));
    }
    drop(b.ready());
    assert_eq!(c.wakes(), 1);
    drop(c.ready());
    assert_free(&lock);
}

#[test]
fn x_10_debug_forms() {
    let show = |value: &dyn Debug| format!("{value:?}");

    let lock = Lock::new();
    assert_eq!(show(&lock), "Lock { locked: false, waiters: 0 }");
    let holder = taken(lock.acquire());
    let waiting = queued(lock.acquire());
    assert_eq!(show(&lock), "Lock { locked: true, waiters: 1 }");
    drop(holder);
    assert_eq!(show(&lock), "Lock { locked: true, waiters: 0 }");
    drop(waiting);

    let mutex = Mutex::new(5);
    let free = "Mutex { value: 5, locked: false, waiters: 0 }";
    assert_eq!(show(&mutex), free);
    let holder = taken(mutex.lock());
    assert_eq!(show(&holder), "5");
    let held = "Mutex { value: <locked>, locked: true, waiters: 0 }";
    assert_eq!(show(&mutex), held);
    drop(holder);
    assert_eq!(show(&mutex), free);

    let lock = RwLock::new(5);
    let reader = taken(lock.read());
    assert_eq!(
        show(&lock),
        "RwLock { value: 5, writer: false, upgradable: false, readers: 1, waiters: 0 }"
    );
    drop(reader);
    let _writer = taken(lock.write());
    let _waiting = [queued(lock.read()), queued(lock.read())];
    assert_eq!(
        show(&lock),
        "RwLock { value: <locked>, writer: true, upgradable: false, readers: 0, waiters: 2 }"
    );

    let semaphore = Semaphore::new(2);
    let _permit = taken(semaphore.acquire());
    let _waiting = queued(semaphore.acquire_many(2));
    assert_eq!(show(&semaphore), "Semaphore { available: 1, waiters: 1 }");
    let semaphore = BoundedSemaphore::new(2);
    let _permit = taken(semaphore.acquire());
    assert_eq!(
        show(&semaphore),
        "BoundedSemaphore { available: 1, bound: 2, waiters: 0 }"
    );

    let event = Event::new();
    let _waiting = queued(event.wait());
    assert_eq!(show(&event), "Event { set: false, waiters: 1 }");
    event.set();
    assert_eq!(show(&event), "Event { set: true, waiters: 0 }");

    let condition = Condition::new();
    let _waiting = queued(condition.wait(taken(mutex.lock())));
    assert_eq!(show(&condition), "Condition { waiters: 1 }");

    let barrier = Barrier::new(3);
    let _waiting = [queued(barrier.wait()), queued(barrier.wait())];
    assert_eq!(show(&barrier), "Barrier { parties: 3, waiting: 2 }");
    barrier.abort();
    assert_eq!(show(&barrier), "Barrier { parties: 3, broken: true }");
}

#[test]
fn x_10_debug_forms_of_futures_and_guards() {
    let show = |value: &dyn Debug| format!("{value:?}");

    let lock = Lock::new();
    let mut acquire = Box::pin(lock.acquire());
    assert_eq!(show(&acquire), "LockAcquire { terminated: false, .. }");
    let guard = Task::new().poll(acquire.as_mut());
    assert_eq!(show(&acquire), "LockAcquire { terminated: true, .. }");
    assert_eq!(show(&guard), "Ready(LockGuard { .. })");
    drop(guard);
    let owned = taken(Rc::new(Lock::new()).acquire_owned());
    assert_eq!(show(&owned), "OwnedLockGuard { .. }");

    let semaphore = Semaphore::new(3);
    let request = semaphore.acquire_many(2);
    assert_eq!(
        show(&request),
        "SemaphoreAcquire { permits: 2, terminated: false, .. }"
    );
    assert_eq!(show(&taken(request)), "SemaphorePermit { permits: 2, .. }");

    let event = Event::new();
    let mut waiting = Box::pin(event.wait());
    assert!(Task::new().poll(waiting.as_mut()).is_pending());
    assert_eq!(show(&waiting), "EventWait { terminated: false, .. }");
    event.set();
    assert!(Task::new().poll(waiting.as_mut()).is_ready());
    assert_eq!(show(&waiting), "EventWait { terminated: true, .. }");

    let condition = Condition::new();
    let mut waiting = Box::pin(condition.wait(taken(lock.acquire())));
    assert_eq!(show(&waiting), "ConditionWait { stage: \"holding\", .. }");
    assert!(Task::new().poll(waiting.as_mut()).is_pending());
    assert_eq!(show(&waiting), "ConditionWait { stage: \"parked\", .. }");
    let holder = taken(lock.acquire());
    condition.notify_one(&holder);
    let _ = Task::new().poll(waiting.as_mut());
    assert_eq!(
        show(&waiting),
        "ConditionWait { stage: \"re-acquiring\", .. }"
    );
    drop(holder);
    assert!(Task::new().poll(waiting.as_mut()).is_ready());
    assert_eq!(show(&waiting), "ConditionWait { stage: \"over\", .. }");
    let mutex = Mutex::new(5);
    let mut waiting = Box::pin(condition.wait_for(taken(mutex.lock()), |value| *value == 0));
    assert!(Task::new().poll(waiting.as_mut()).is_pending());
    assert_eq!(
        show(&waiting),
        "ConditionWaitFor { wait: ConditionWait { stage: \"parked\", .. }, .. }"
    );

    let barrier = Barrier::new(1);
    let mut waiting = Box::pin(barrier.wait());
    assert_eq!(show(&waiting), "BarrierWait { terminated: false, .. }");
    assert!(Task::new().poll(waiting.as_mut()).is_ready());
    assert_eq!(show(&waiting), "BarrierWait { terminated: true, .. }");

    let lock = RwLock::new(5);
    let upgrade = RwLockUpgradableReadGuard::upgrade(taken(lock.upgradable_read()));
    assert_eq!(show(&upgrade), "RwLockUpgrade { terminated: false, .. }");
    assert_eq!(show(&taken(upgrade)), "5");
}

#[test]
fn x_11_numbers_of_waiters() {
    let lock = Lock::new();
    let condition = Condition::new();
    let counts = || (waiters(&condition), waiters(&lock));
    let waiting = || queued(async { condition.wait(lock.acquire().await).await.release() });
    let (mut a, mut b, c) = (waiting(), waiting(), waiting());
    assert_eq!(counts(), (3, 0));
    drop(c);
    assert_eq!(counts(), (2, 0));

    let holder = taken(lock.acquire());
    condition.notify_one(&holder);
    assert_eq!(counts(), (1, 0));
    a.pending();
    assert_eq!(counts(), (1, 1));
    condition.notify_one(&holder);
    assert_eq!(counts(), (0, 1));
    b.pending();
    assert_eq!(counts(), (0, 2));

    drop(holder);
    assert_eq!(counts(), (0, 1));
    a.ready();
    assert_eq!(counts(), (0, 0));
    b.ready();
    assert_eq!(counts(), (0, 0));
}

/// for signals: wakers that use a primitive when they
/// are cloned, woken or dropped. `fire` lets all waiters through.
fn wakers_that_use<F: Future>(
    touch: impl Fn() + Clone + Anywhere + 'static,
    wait: impl Fn() -> F,
    fire: impl Fn(),
) {
    for (on, expected) in [(On::Clone, 3), (On::Wake, 1), (On::Drop, 3)] {
        let count = Count::default();
        let waker = {
            let (touch, count) = (touch.clone(), count.clone());
            hooked(on, move || {
                touch();
                count.add_one();
            })
        };
        let mut replaced = queued_with(&waker, wait());
        replaced.pending();
        let cancelled = queued_with(&waker, wait());
        drop(cancelled);
        let mut woken = queued_with(&waker, wait());

        fire();
        assert_eq!((replaced.wakes(), count.get()), (1, expected));
        drop(replaced.ready());
        drop(woken.ready());
    }
}

#[test]
fn x_01_to_03_wakers_that_use_the_event() {
    let event = Rc::new(Event::new());
    let touch = {
        let event = Rc::clone(&event);
        move || {
            let now = waiter(event.wait()).poll().is_ready();
            assert_eq!(now, event.is_set());
            drop(format!("{event:?}"));
        }
    };
    let fire = || {
        event.set();
        event.clear();
    };
    wakers_that_use(touch, || event.wait(), fire);
}

#[test]
fn x_01_wake_that_waits_for_the_next_generation() {
    let barrier = Rc::new(Barrier::new(2));
    let next = Slot::empty();
    let waker = {
        let (barrier, next) = (Rc::clone(&barrier), next.clone());
        hooked(On::Wake, move || {
            let barrier = Rc::clone(&barrier);
            next.put(queued(async move { barrier.wait().await }));
        })
    };
    let mut a = queued_with(&waker, barrier.wait());

    assert_eq!(taken(barrier.wait()).map(|passed| passed.index()), Ok(1));
    assert_eq!(barrier.n_waiting(), 1);
    assert_eq!(a.ready().map(|passed| passed.index()), Ok(0));
    let mut next = next.take().expect("the hook has run");
    assert_eq!(next.wakes(), 0);
    next.pending();
    assert!(taken(barrier.wait()).is_ok());
    assert_eq!(next.wakes(), 1);
    assert_eq!(next.ready().map(|passed| passed.index()), Ok(0));
}

#[test]
fn x_01_to_03_wakers_that_use_the_barrier() {
    let barrier = Rc::new(Barrier::new(3));
    let touch = {
        let barrier = Rc::clone(&barrier);
        move || {
            assert!(barrier.n_waiting() < 3 && !barrier.is_broken());
            drop(format!("{barrier:?}"));
        }
    };
    let fire = || assert!(taken(barrier.wait()).is_ok());
    wakers_that_use(touch, || barrier.wait(), fire);
}

#[test]
fn x_01_to_03_wakers_that_use_the_condition() {
    let lock = Rc::new(Lock::new());
    let condition = Rc::new(Condition::new());
    let touch = {
        let (lock, condition) = (Rc::clone(&lock), Rc::clone(&condition));
        move || {
            drop(format!("{lock:?} {condition:?}"));
            // A hook may wait, and notify, if it can acquire the lock.
            if let Some(guard) = lock.try_acquire() {
                drop(queued(condition.wait(guard)));
            }
        }
    };
    let wait = async || condition.wait(lock.acquire().await).await.release();
    let fire = || condition.notify_all(&taken(lock.acquire()));
    wakers_that_use(touch, wait, fire);
}

/// A waker that drops the contents of the slot.
fn dropping<T: Anywhere + 'static>() -> (Slot<T>, Waker) {
    let victim = Slot::empty();
    let waker = {
        let victim = victim.clone();
        hooked(On::Wake, move || drop(victim.take()))
    };
    (victim, waker)
}

#[test]
fn x_04_wake_that_drops_another_waiter_of_the_event() {
    let event = leaked(Event::new());
    let (victim, waker) = dropping();
    let mut a = queued_with(&waker, event.wait());
    let b = queued(event.wait());
    let dropped = b.task.clone();
    let mut behind: Vec<_> = (0..40).map(|_| queued(event.wait())).collect();
    victim.put((b, behind.pop()));

    event.set();
    assert!(victim.take().is_none());
    assert_eq!(dropped.clones(), 0);
    a.ready();
    for waiter in &mut behind {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
    assert_eq!(waiters(event), 0);
}

#[test]
fn x_04_wake_that_drops_another_waiter_of_the_barrier() {
    let barrier = leaked(Barrier::new(3));
    let (victim, waker) = dropping();
    let mut a = queued_with(&waker, barrier.wait());
    victim.put(queued(barrier.wait()));

    assert_eq!(taken(barrier.wait()).map(|passed| passed.index()), Ok(2));
    assert!(victim.take().is_none());
    assert_eq!(a.ready().map(|passed| passed.index()), Ok(0));
    assert_eq!((barrier.n_waiting(), barrier.is_broken()), (0, false));
}

#[test]
fn x_04_wake_that_drops_another_waiter_of_the_condition() {
    let lock = leaked(Lock::new());
    let condition = leaked(Condition::new());
    let wait = || condition.wait(taken(lock.acquire()));
    let (victim, waker) = dropping();
    let mut a = queued_with(&waker, wait());
    victim.put(queued(wait()));
    let mut c = queued(wait());
    let mut d = queued(wait());

    // The notification of the one that was dropped goes to the next.
    condition.notify(&taken(lock.acquire()), 2);
    assert!(victim.take().is_none());
    assert_eq!((c.wakes(), d.wakes()), (1, 0));
    drop(a.ready());
    drop(c.ready());
    d.pending();
}

#[test]
fn x_05_wake_that_panics_at_a_barrier() {
    let barrier = Barrier::new(4);
    let waker = hooked(On::Wake, || panic_any(HOOK));
    let mut a = queued(barrier.wait());
    let mut panicking = queued_with(&waker, barrier.wait());
    let mut c = queued(barrier.wait());

    panics(|| taken(barrier.wait()));
    assert_eq!((a.wakes(), c.wakes()), (1, 1));
    let indices = [a.ready(), panicking.ready(), c.ready()].map(|passed| passed.map(|p| p.index()));
    assert_eq!(indices, [Ok(0), Ok(1), Ok(2)]);
    assert_eq!((barrier.n_waiting(), barrier.is_broken()), (0, false));
}

#[test]
fn x_05_wake_that_panics_at_a_condition() {
    let lock = Rc::new(Lock::new());
    let condition = Condition::new();
    let waker = hooked(On::Wake, || panic_any(HOOK));
    let wait = || condition.wait(taken(lock.acquire()));

    // In the middle of a broadcast.
    let mut a = queued(wait());
    let mut panicking = queued_with(&waker, wait());
    let mut c = queued(wait());
    let holder = taken(lock.acquire());
    panics(|| condition.notify_all(&holder));
    drop(holder);
    assert_eq!((a.wakes(), c.wakes()), (1, 1));
    drop(a.ready());
    drop(panicking.ready());
    drop(c.ready());

    // When the waiter releases the lock.
    let holder = taken(lock.acquire());
    let mut next = queued_with(&waker, lock.acquire());
    let mut wait = waiter(condition.wait(holder));
    panics(|| wait.poll().is_ready());
    drop(wait);
    assert_eq!(waiters(&condition), 0);
    drop(next.ready());
    assert_free(&lock);
}

#[test]
fn x_06_notified_waiter_dropped_by_a_panic() {
    let lock = Rc::new(Lock::new());
    let condition = Condition::new();
    let wait = || condition.wait(taken(lock.acquire()));
    let a = queued(wait());
    let mut b = queued(wait());
    condition.notify_one(&taken(lock.acquire()));
    assert_eq!((a.wakes(), b.wakes()), (1, 0));

    panics(|| {
        let _a = a;
        panic_any(HOOK);
    });
    assert_eq!(b.wakes(), 1);
    drop(b.ready());
    assert_free(&lock);
}

threads_only! {
    mod blocking {
        use super::*;

        trait Blocking: OneAtATime {
            /// Calls `visit` with the lock held, from a thread that may be parked.
            fn visit_blocking(&self, visit: impl FnOnce());
        }

        macro_rules! blocking {
            ($($lock:ty: $blocking:ident;)*) => {$(
                impl Blocking for $lock {
                    fn visit_blocking(&self, visit: impl FnOnce()) {
                        let _guard = <$lock>::$blocking(self);
                        visit();
                    }
                }
            )*};
        }

        blocking! {
            Lock: acquire_blocking;
            Mutex<u8>: lock_blocking;
            RwLock<u8>: write_blocking;
            Semaphore: acquire_blocking;
            BoundedSemaphore: acquire_blocking;
        }

        for_each_lock! { x_09_blocking_forms_stand_in_the_same_line, }

        fn x_09_blocking_forms_stand_in_the_same_line<L: Blocking>() {
            let lock = Rc::new(L::default());
            lock.visit_blocking(|| assert!(lock.try_acquire().is_none()));

            let holder = taken(lock.acquire());
            let mut before = queued(lock.acquire());
            let behind = Task::new();
            let visited = Cell::new(false);
            let mut after = thread::scope(|scope| {
                let thread = scope.spawn(|| lock.visit_blocking(|| assert_eq!(behind.wakes(), 0)));
                while waiters(&*lock) < 2 {
                    thread::yield_now();
                }
                let mut after = waiter_of(&behind, lock.acquire());
                after.pending();
                drop(holder);
                assert_eq!((before.wakes(), behind.wakes()), (1, 0));
                drop(before.ready());
                thread.join().expect("it does not panic");
                visited.set(true);
                after
            });
            assert!(visited.get());
            assert_eq!(behind.wakes(), 1);
            drop(after.ready());
            assert_free(&lock);
        }
    }
}

threads_only! {
    #[test]
    fn x_09_waiting_for_an_event_on_a_thread() {
        let event = Event::new();
        thread::scope(|scope| {
            scope.spawn(|| event.wait_blocking());
            while waiters(&event) < 1 {
                thread::yield_now();
            }
            // Both are let through, though the flag is cleared at once.
            let mut wait = queued(event.wait());
            event.set();
            event.clear();
            assert_eq!(wait.wakes(), 1);
            wait.ready();
        });
        event.set();
        event.wait_blocking();
    }
}

/// The requirement of a condition: that many more, not in all.
#[test]
fn wq_01_so_many_more_are_notified() {
    let lock = Lock::new();
    let condition = Condition::new();
    let mut line: Vec<_> = (0..4)
        .map(|_| queued(condition.wait(taken(lock.acquire()))))
        .collect();
    let wakes = |line: &[Waiter<_>]| line.iter().map(Waiter::wakes).collect::<Vec<_>>();

    let holder = taken(lock.acquire());
    condition.notify(&holder, 2);
    assert_eq!(wakes(&line), [1, 1, 0, 0]);
    condition.notify(&holder, 1);
    assert_eq!(wakes(&line), [1, 1, 1, 0]);
    drop(holder);
    for waiter in &mut line[..3] {
        drop(waiter.ready());
    }
    line[3].pending();
}

/// A future of `task` that waits.
#[track_caller]
fn queued_of<F: Future>(task: &Task, future: F) -> Waiter<F> {
    let mut waiter = waiter_of(task, future);
    waiter.pending();
    waiter
}

fn futurelock_sibling_gets_the_grant<L: OneAtATime>() {
    // The sibling comes before the release, or after it.
    for before in [true, false] {
        let lock = Rc::new(L::default());
        let task = Task::new();
        let holder = taken(lock.acquire());
        let mut first = queued_of(&task, lock.acquire());
        let mut sibling = waiter_of(&task, lock.acquire());
        if before {
            sibling.pending();
        }

        drop(holder);
        assert_eq!(task.wakes(), 1);
        sibling.pending();
        assert_eq!(task.wakes(), 2, "it wakes its own task");
        let guard = sibling.ready();
        assert_eq!(task.wakes(), 2);
        assert!(lock.try_acquire().is_none());

        // The first is at the head of the queue.
        let behind = queued(lock.acquire());
        drop(guard);
        assert_eq!((task.wakes(), behind.wakes()), (3, 0));
        drop(first.ready());
        assert_eq!((task.wakes(), behind.wakes()), (3, 1));
        drop(behind);
        assert_free(&lock);
    }
}

/// The case of the RFD: a `select!` on a future, while another branch does not poll
/// it, and requests the same lock.
fn futurelock_with_select<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let other_branch = Event::new();
    let holder = taken(lock.acquire());
    let mut task = queued(async {
        let mut first = pin!(lock.acquire());
        let branch = pin!(other_branch.wait());
        drop(select(first.as_mut(), branch).await);
        drop(lock.acquire().await);
        first.await
    });

    other_branch.set();
    assert_eq!(task.wakes(), 1);
    task.pending();
    drop(holder);
    assert_eq!(task.wakes(), 2);
    task.pending();
    assert_eq!(task.wakes(), 3);
    drop(task.ready());
    assert_free(&lock);
}

fn futurelock_not_at_the_first_look<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let mut first = queued_of(&task, lock.acquire());
    let mut sibling = queued_of(&task, lock.acquire());
    // Polls before the grant exists do not count as seeing it.
    for _ in 0..3 {
        sibling.pending();
    }
    assert_eq!(task.wakes(), 0);

    drop(holder);
    sibling.pending();
    assert_eq!(task.wakes(), 2);
    // The first was only about to be polled.
    drop(first.ready());
    assert_eq!(task.wakes(), 3);
    drop(sibling.ready());
    assert_free(&lock);
}

fn futurelock_grant_to_another_future_is_another_grant<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let mut first = queued_of(&task, lock.acquire());
    let mut second = queued_of(&task, lock.acquire());
    let mut sibling = queued_of(&task, lock.acquire());

    drop(holder);
    sibling.pending();
    second.pending();
    assert_eq!(task.wakes(), 3, "both have looked");
    drop(first.ready());
    assert_eq!(task.wakes(), 4);

    sibling.pending();
    assert_eq!(task.wakes(), 5, "a first look at the grant of the second");
    let guard = sibling.ready();
    second.pending();
    drop(guard);
    assert_eq!(task.wakes(), 6);
    drop(second.ready());
    assert_free(&lock);
}

fn futurelock_renewed_grant_is_another_grant<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let mut first = queued_of(&task, lock.acquire());
    let mut one = queued_of(&task, lock.acquire());
    let mut two = queued_of(&task, lock.acquire());

    drop(holder);
    one.pending();
    two.pending();
    assert_eq!(task.wakes(), 3, "both have looked");
    drop(one.ready());
    assert_eq!(task.wakes(), 4, "the first is granted the lock again");

    two.pending();
    assert_eq!(task.wakes(), 5);
    drop(two.ready());
    assert_eq!(task.wakes(), 6);
    drop(first.ready());
    assert_free(&lock);
}

fn futurelock_other_tasks_keep_their_turn<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let mut before = queued(lock.acquire());
    let mut first = queued_of(&task, lock.acquire());
    let mut between = queued(lock.acquire());
    let mut sibling = queued_of(&task, lock.acquire());

    // A grant to another task does not count.
    drop(holder);
    sibling.pending();
    sibling.pending();
    assert_eq!((before.wakes(), task.wakes()), (1, 0));

    // A grant to the task does not count for others.
    drop(before.ready());
    for _ in 0..3 {
        between.pending();
        assert!(lock.try_acquire().is_none());
    }
    assert_eq!((task.wakes(), between.wakes()), (1, 0));

    // The first future takes the place of the sibling, behind the other task.
    sibling.pending();
    let guard = sibling.ready();
    between.pending();
    drop(guard);
    assert_eq!((task.wakes(), between.wakes()), (2, 1));
    drop(between.ready());
    assert_eq!(task.wakes(), 3);
    drop(first.ready());
    assert_free(&lock);
}

fn futurelock_first_future_dropped_before_the_sibling_takes<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let first = queued_of(&task, lock.acquire());
    let mut between = queued(lock.acquire());
    let mut sibling = queued_of(&task, lock.acquire());
    drop(holder);
    sibling.pending();
    assert_eq!((task.wakes(), between.wakes()), (2, 0));

    drop(first);
    assert_eq!((task.wakes(), between.wakes()), (2, 1));
    sibling.pending();
    assert_eq!(task.wakes(), 2);
    drop(between.ready());
    assert_eq!(task.wakes(), 3);
    drop(sibling.ready());
    assert_free(&lock);
}

fn futurelock_first_future_dropped_after_the_sibling_took<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let task = Task::new();
    let holder = taken(lock.acquire());
    let first = queued_of(&task, lock.acquire());
    let mut between = queued(lock.acquire());
    let mut sibling = queued_of(&task, lock.acquire());
    drop(holder);
    sibling.pending();
    let guard = sibling.ready();

    drop(first);
    assert_eq!((waiters(&*lock), between.wakes()), (1, 0));
    between.pending();
    drop(guard);
    assert_eq!((task.wakes(), between.wakes()), (2, 1));
    drop(between.ready());
    assert_free(&lock);
}

/// If the sibling took the grant at once, the loop would hold the lock for ever, within
/// one poll.
fn futurelock_loop_joined_with_its_producer<L: OneAtATime>() {
    let lock = Rc::new(L::default());
    let produced = Cell::new(false);
    let looks = Cell::new(0);
    let consumer = async {
        loop {
            let _guard = lock.acquire().await;
            if produced.get() {
                break;
            }
            looks.set(looks.get() + 1);
            assert!(looks.get() < 10, "it only looks");
        }
    };
    let producer = async {
        let _guard = lock.acquire().await;
        produced.set(true);
    };
    let holder = taken(lock.acquire());
    let mut both = queued(join(consumer, producer));

    drop(holder);
    let mut polls = 0;
    loop {
        assert!(both.wakes() > polls, "nobody woke the task");
        polls = both.wakes();
        if both.poll().is_ready() {
            break;
        }
    }
    assert!(polls < 10);
    assert_free(&lock);
}

/// One permit of two is given back all the same: kept by the first future, it
/// would be missing for ever. It goes to the next in the queue, and the sibling waits
/// for its two where it stands.
#[test]
fn futurelock_sibling_that_asks_for_more() {
    let semaphore = Semaphore::new(2);
    let task = Task::new();
    let (one, two) = (taken(semaphore.acquire()), taken(semaphore.acquire()));
    let mut first = queued_of(&task, semaphore.acquire());
    let mut other = queued(semaphore.acquire());
    let mut sibling = queued_of(&task, semaphore.acquire_many(2));

    drop(one);
    assert_eq!(task.wakes(), 1);
    sibling.pending();
    assert_eq!((task.wakes(), other.wakes()), (2, 0));
    for _ in 0..3 {
        sibling.pending();
        assert_eq!((task.wakes(), other.wakes()), (2, 1));
    }
    drop(two);
    assert_eq!(task.wakes(), 2);
    drop(other.ready());
    assert_eq!(task.wakes(), 3);
    drop(sibling.ready());
    assert_eq!(task.wakes(), 4);
    drop(first.ready());
    assert_eq!(semaphore.available_permits(), 2);
}

/// The read that a task leaves unused keeps no writer of the task waiting.
#[test]
fn futurelock_sibling_that_writes() {
    let lock = RwLock::new(0);
    let task = Task::new();
    let holder = taken(lock.write());
    let mut reader = queued(lock.read());
    let mut first = queued_of(&task, lock.read());
    let mut sibling = queued_of(&task, lock.write());

    drop(holder);
    assert_eq!((reader.wakes(), task.wakes()), (1, 1));
    let reader = reader.ready();
    sibling.pending();
    sibling.pending();
    assert_eq!(task.wakes(), 2);
    drop(reader);
    assert_eq!(task.wakes(), 3);
    drop(sibling.ready());
    assert_eq!(task.wakes(), 4);
    drop(first.ready());
    assert!(!lock.is_locked());
}

/// Free permits beside the grant are for the first in the queue, which is another task's.
#[test]
fn futurelock_sibling_passes_nobody_with_what_is_free() {
    let semaphore = Semaphore::new(0);
    let task = Task::new();
    let _first = queued_of(&task, semaphore.acquire());
    semaphore.add_permits(2);
    let mut other = queued(semaphore.acquire_many(2));
    let mut sibling = queued_of(&task, semaphore.acquire_many(2));
    sibling.pending();
    sibling.pending();
    let both = other.ready();
    sibling.pending();
    drop(both);
    drop(sibling.ready());
}

/// The same for a writer behind that of another task, which a read keeps out.
#[test]
fn futurelock_sibling_that_writes_passes_no_writer() {
    let lock = RwLock::new(0);
    let task = Task::new();
    let holder = taken(lock.write());
    let _first = queued_of(&task, lock.read());
    let mut other = queued(lock.write());
    drop(holder);
    let mut sibling = queued_of(&task, lock.write());
    sibling.pending();
    sibling.pending();
    let writer = other.ready();
    sibling.pending();
    drop(writer);
    drop(sibling.ready());
}

/// However many other unused grants there are.
#[test]
fn futurelock_behind_the_grants_of_many_tasks() {
    let semaphore = Semaphore::new(0);
    let task = Task::new();
    let _others: Vec<_> = (0..100).map(|_| queued(semaphore.acquire())).collect();
    let _first = queued_of(&task, semaphore.acquire());
    let mut sibling = queued_of(&task, semaphore.acquire());
    semaphore.add_permits(101);
    sibling.pending();
    sibling.ready().forget();
}

#[test]
fn futurelock_sibling_that_asks_for_less() {
    let semaphore = Semaphore::new(2);
    let task = Task::new();
    let holder = taken(semaphore.acquire_many(2));
    let mut first = queued_of(&task, semaphore.acquire_many(2));
    let mut between = queued(semaphore.acquire());
    let mut sibling = queued_of(&task, semaphore.acquire());
    drop(holder);
    sibling.pending();
    let permit = sibling.ready();

    // The rest is for the next in the queue: the first future is queued behind it.
    assert_eq!(semaphore.available_permits(), 0);
    assert_eq!((task.wakes(), between.wakes()), (2, 1));
    drop(between.ready());
    assert_eq!(task.wakes(), 2);
    assert!(semaphore.try_acquire().is_none());
    drop(permit);
    assert_eq!(task.wakes(), 3);
    drop(first.ready());
    assert_eq!(semaphore.available_permits(), 2);
}

/// A reader stands behind the writer of another task, which waits for a grant
/// that the reader's own task does not use.
#[test]
fn futurelock_sibling_that_reads() {
    let lock = RwLock::new(0);
    let task = Task::new();
    let holder = taken(lock.write());
    let mut first = queued_of(&task, lock.read());
    let mut writer = queued(lock.write());
    let mut other = queued(lock.read());
    let mut sibling = queued_of(&task, lock.read());

    drop(holder);
    assert_eq!(task.wakes(), 1);
    sibling.pending();
    assert_eq!(task.wakes(), 2);
    let reader = sibling.ready();
    // The first took the place of the sibling, behind the others.
    first.pending();
    other.pending();
    assert_eq!((task.wakes(), writer.wakes(), other.wakes()), (2, 0, 0));

    drop(reader);
    assert_eq!((writer.wakes(), other.wakes()), (1, 0));
    drop(writer.ready());
    assert_eq!((task.wakes(), other.wakes()), (3, 1));
    let _both = (first.ready(), other.ready());
}

/// One wants to write and the other to read.
#[test]
fn futurelock_sibling_of_the_other_kind() {
    let lock = RwLock::new(0);
    let task = Task::new();

    let holder = taken(lock.write());
    let mut writes = queued_of(&task, lock.write());
    let mut reads = queued_of(&task, lock.read());
    drop(holder);
    reads.pending();
    let reader = reads.ready();
    assert_eq!(task.wakes(), 2);
    assert!(lock.try_read().is_none(), "the first is at the head");
    drop(reader);
    assert_eq!(task.wakes(), 3);
    let holder = writes.ready();

    let mut reads = queued_of(&task, lock.read());
    let mut writes = queued_of(&task, lock.write());
    drop(holder);
    writes.pending();
    let writer = writes.ready();
    assert_eq!(task.wakes(), 5);
    drop(writer);
    assert_eq!(task.wakes(), 6);
    let _reader = reads.ready();
}
