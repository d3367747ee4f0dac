//! `Lock`, and `Mutex` where a value matters: LOCK, N-01, N-05 and N-08 in the list of
//! behaviours (README.md).
//!
//! Rows that are not here:
//!
//! | row | why |
//! |---|---|
//! | LOCK-12 | the lock is fair |
//! | LOCK-29, LOCK-32 | do not compile: a guard is the only way to release, and is consumed by it |
//! | LOCK-30 | a guard is the owner: nobody else can release |
//! | LOCK-31, the panic | is about sections of the macros; the primitive waits, as tested here |
//! | LOCK-35 | does not compile: a lock is no future and no guard |
//! | LOCK-45, all schedules | a model of its own; here as a bounded run of threads |

use crate::flavour::Rc;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending, ready};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;

use crate::flavour::future::{LockAcquire, LockAcquireOwned, MutexLock, MutexLockOwned};
use crate::flavour::{
    Event, Lock, LockGuard, MappedMutexGuard, Mutex, MutexGuard, OwnedLockGuard, OwnedMutexGuard,
};
use futures::executor::block_on;
use futures::future::{Either, Select, join_all};

use crate::scheduled::{Scheduled, yield_once};
use crate::shown::waiters;
use crate::support::{Task, Waiter, impls, queued, race, taken, times, waiter, waiter_of};

/// The first of two futures to be ready, of which `left` is polled first.
fn first_of<L: Future, R: Future>(left: L, right: R) -> Select<Pin<Box<L>>, Pin<Box<R>>> {
    futures::future::select(Box::pin(left), Box::pin(right))
}

#[test]
fn lock_01_free_lock_is_ready_at_once() {
    let lock = Lock::new();
    let mut acquire = waiter(lock.acquire());

    let guard = acquire.ready();
    assert_eq!((acquire.wakes(), acquire.task.clones()), (0, 0));
    assert!(lock.is_locked());

    guard.release();
    assert!(!lock.is_locked());
    assert_eq!((acquire.wakes(), acquire.task.clones()), (0, 0));
}

#[test]
fn lock_02_each_holder_sees_what_the_last_one_left() {
    let mutex = Mutex::new(1);
    *taken(mutex.lock()) += 1;
    *taken(mutex.lock()) *= 10;
    assert_eq!(*taken(mutex.lock()), 20);
}

threads_only! {
    #[test]
    fn lock_02_on_whatever_thread() {
        let list = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..times(500) {
                        let mut list = block_on(list.lock());
                        let next = list.len();
                        list.push(next);
                    }
                });
            }
        });
        assert_eq!(list.into_inner(), (0..4 * times(500)).collect::<Vec<_>>());
    }
}

#[test]
fn lock_03_one_wake_at_release() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    assert_eq!(b.wakes(), 0);

    drop(a);
    assert_eq!(b.wakes(), 1);
    let _b = b.ready();
    assert_eq!(b.wakes(), 1);
}

#[test]
fn lock_04_first_come_first_served() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    let mut c = queued(lock.acquire());
    let wakes = |waiters: [&Waiter<_>; 3]| waiters.map(Waiter::wakes);

    a.release();
    let mut late = queued(lock.acquire());
    assert_eq!(wakes([&b, &c, &late]), [1, 0, 0]);

    b.ready().release();
    assert_eq!(wakes([&b, &c, &late]), [1, 1, 0]);
    late.pending();

    c.ready().release();
    assert_eq!(wakes([&b, &c, &late]), [1, 1, 1]);
    late.ready().release();
    assert_eq!(wakes([&b, &c, &late]), [1, 1, 1]);
}

#[test]
fn lock_05_the_place_is_taken_at_first_poll() {
    let lock = Lock::new();
    let holder = taken(lock.acquire());
    let mut x = waiter(lock.acquire());
    let mut y = waiter(lock.acquire());
    y.pending();
    x.pending();

    drop(holder);
    assert_eq!((x.wakes(), y.wakes()), (0, 1));
    drop(y.ready());
    assert_eq!((x.wakes(), y.wakes()), (1, 1));
    let _x = x.ready();
}

#[test]
fn lock_06_releaser_goes_behind_those_in_line() {
    let lock = Lock::new();
    let record = RefCell::new(Vec::new());
    let (lock_ref, record_ref) = (&lock, &record);
    let each = |name| async move {
        for _ in 0..5 {
            let _guard = lock_ref.acquire().await;
            record_ref.borrow_mut().push(name);
        }
    };
    // All three are queued before the first of them begins.
    let holder = taken(lock.acquire());
    let mut tasks = [0, 1, 2].map(|name| Scheduled::new(each(name)));
    Scheduled::run(&mut tasks);
    drop(holder);

    Scheduled::run(&mut tasks);
    assert!(tasks.iter().all(Scheduled::is_done));
    assert_eq!(*record.borrow(), [0, 1, 2].repeat(5));
}

#[test]
fn lock_07_never_two_inside() {
    let count = Mutex::new(0);
    let add_one = async || {
        let mut count = count.lock().await;
        let before = *count;
        yield_once().await;
        thread::yield_now();
        *count = before + 1;
    };

    block_on(join_all((0..100).map(|_| add_one())));
    assert_eq!(*taken(count.lock()), 100);

    threads_only! {
        let inside = AtomicBool::new(false);
        let lock = Lock::new();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..times(200) {
                        let guard = block_on(lock.acquire());
                        assert!(!inside.swap(true, Ordering::Relaxed));
                        thread::yield_now();
                        assert!(inside.swap(false, Ordering::Relaxed));
                        drop(guard);
                        block_on(add_one());
                    }
                });
            }
        });
        assert_eq!(*taken(count.lock()), 100 + 4 * times(200));
    }
}

#[test]
fn lock_08_without_waiting() {
    let lock = Lock::new();
    let guard = lock.try_acquire().expect("nobody has it");
    assert!(lock.try_acquire().is_none());
    assert_eq!(waiters(&lock), 0);

    let mut b = queued(lock.acquire());
    drop(guard);
    assert_eq!(b.wakes(), 1);
    drop(b.ready());
    assert!(lock.try_acquire().is_some());
}

#[test]
fn lock_09_newcomer_does_not_overtake_the_chosen() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    drop(a);
    assert_eq!(b.wakes(), 1);

    let mut newcomer = queued(lock.acquire());
    let b = b.ready();
    assert_eq!(newcomer.wakes(), 0);
    newcomer.pending();

    drop(b);
    assert_eq!(newcomer.wakes(), 1);
    let _newcomer = newcomer.ready();
}

#[test]
fn lock_10_trying_does_not_overtake_the_chosen() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    drop(a);
    assert_eq!(b.wakes(), 1);

    assert!(lock.try_acquire().is_none());
    drop(b);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn lock_13_locked_while_the_chosen_has_not_run() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    drop(a);
    assert_eq!(b.wakes(), 1);
    assert!(lock.is_locked());

    drop(b);
    assert!(!lock.is_locked());
}

#[test]
fn lock_14_sole_waiter_cancelled() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    assert_eq!(waiters(&lock), 1);

    let task = b.task.clone();
    drop(b);
    assert_eq!((waiters(&lock), task.clones()), (0, 0));
    assert!(lock.is_locked());

    drop(a);
    assert_eq!(task.wakes(), 0);
    assert!(!lock.is_locked());
}

#[test]
fn lock_15_head_cancelled_before_the_release() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    let mut c = queued(lock.acquire());

    let task = b.task.clone();
    drop(b);
    drop(a);
    assert_eq!((task.wakes(), c.wakes()), (0, 1));
    let _c = c.ready();
}

#[test]
fn lock_16_cancelling_while_held_is_silent() {
    for cancelled in 0..3 {
        let lock = Lock::new();
        let _a = taken(lock.acquire());
        let mut line: Vec<_> = (0..3).map(|_| queued(lock.acquire())).collect();

        drop(line.remove(cancelled));
        for waiter in &mut line {
            assert_eq!(waiter.wakes(), 0);
            waiter.pending();
        }
    }
}

#[test]
fn lock_17_cancel_and_release_in_either_order() {
    for cancel_first in [true, false] {
        let lock = Lock::new();
        let a = taken(lock.acquire());
        let b = queued(lock.acquire());
        let mut c = queued(lock.acquire());
        let mut d = queued(lock.acquire());

        if cancel_first {
            drop(b);
            drop(a);
        } else {
            drop(a);
            drop(b);
        }
        assert_eq!((c.wakes(), d.wakes()), (1, 0));
        let _c = c.ready();
        d.pending();
        assert_eq!(d.wakes(), 0);
    }
}

#[test]
fn lock_18_chosen_waiter_cancelled() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    let mut c = queued(lock.acquire());
    drop(a);
    assert_eq!((b.wakes(), c.wakes()), (1, 0));

    drop(b);
    assert_eq!(c.wakes(), 1);
    let _c = c.ready();
}

#[test]
fn lock_19_chosen_sole_waiter_cancelled() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    drop(a);
    assert_eq!(b.wakes(), 1);

    let task = b.task.clone();
    drop(b);
    assert!(!lock.is_locked());
    assert_eq!((waiters(&lock), task.clones()), (0, 0));
    assert!(lock.try_acquire().is_some());
}

#[test]
fn lock_24_two_entries_of_one_task() {
    let lock = Lock::new();
    let task = Task::new();
    let two = || {
        let mut two = [(); 2].map(|()| waiter_of(&task, lock.acquire()));
        two.iter_mut().for_each(Waiter::pending);
        two
    };

    let holder = taken(lock.acquire());
    let [mut first, second] = two();
    drop(second);
    assert_eq!(waiters(&lock), 1);
    drop(holder);
    assert_eq!(task.wakes(), 1);
    let holder = first.ready();

    let [first, second] = two();
    drop(second);
    drop(first);
    assert_eq!(waiters(&lock), 0);
    drop(holder);
    assert_eq!(task.wakes(), 1);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn lock_25_future_with_a_guard_dropped() {
    let lock = Lock::new();
    let holding = queued(async {
        let _guard = lock.acquire().await;
        pending::<()>().await;
    });
    assert!(lock.is_locked());
    let b = queued(lock.acquire());

    drop(holding);
    assert_eq!(b.wakes(), 1);
    drop(b);
    assert!(!lock.is_locked());
}

#[test]
fn lock_26_future_that_was_never_polled() {
    let lock = Lock::new();
    let unpolled = waiter(lock.acquire());
    let a = lock.try_acquire().expect("nobody has it");
    let early = waiter(lock.acquire());
    let mut b = queued(lock.acquire());
    assert_eq!(waiters(&lock), 1);

    drop(early);
    assert_eq!(b.wakes(), 0);
    drop(a);
    assert_eq!((unpolled.wakes(), b.wakes()), (0, 1));
    drop(unpolled);
    assert_eq!(b.wakes(), 1);
    drop(b.ready());
    assert!(lock.try_acquire().is_some());
}

threads_only! {
    #[test]
    fn lock_27_release_against_cancel() {
        let lock = Lock::new();
        let begin = || (taken(lock.acquire()), queued(lock.acquire()));
        let free = || assert!(!lock.is_locked() && waiters(&lock) == 0);

        race(300, begin, drop, drop, free);
        // The waiter is polled once more, and so perhaps has run.
        let poll_and_drop = |mut waiter: Waiter<_>| drop(waiter.poll());
        race(300, begin, drop, poll_and_drop, free);
    }
}

#[test]
fn lock_28_thousands_of_cancelled_waiters() {
    let lock = Lock::new();
    let task = Task::new();
    let holder = taken(lock.acquire());
    for _ in 0..times(1000) {
        let mut line = [(); 3].map(|()| waiter_of(&task, lock.acquire()));
        line.iter_mut().for_each(Waiter::pending);
        let [first, second, third] = line;
        drop((second, third, first));
    }
    assert_eq!((waiters(&lock), task.clones()), (0, 0));

    drop(holder);
    assert_eq!(task.wakes(), 0);
    assert!(!lock.is_locked());
}

#[test]
fn lock_31_holder_that_asks_again_waits() {
    let lock = Lock::new();
    let task = Task::new();
    let guard = waiter_of(&task, lock.acquire()).ready();
    let mut again = waiter_of(&task, lock.acquire());
    again.pending();
    again.pending();
    assert_eq!(task.wakes(), 0);
    assert!(lock.try_acquire().is_none());

    drop(guard);
    assert_eq!(task.wakes(), 1);
    let _again = again.ready();
}

#[test]
fn lock_33_free_however_the_scope_ends() {
    let lock = Lock::new();
    let early = async |leave: bool| {
        let _guard = lock.acquire().await;
        if leave {
            return "early";
        }
        "late"
    };
    let failing = async |input: &str| {
        let _guard = lock.acquire().await;
        input.parse::<u8>()
    };
    let question = async |input: &str| failing(input).await.map(u32::from);
    let panicking = async || {
        let _guard = lock.acquire().await;
        panic!("in the scope")
    };

    assert_eq!(taken(early(false)), "late");
    assert!(!lock.is_locked());
    assert_eq!(taken(early(true)), "early");
    assert!(!lock.is_locked());
    assert!(taken(question("no number")).is_err());
    assert!(!lock.is_locked());
    let ended: Result<(), _> = catch_unwind(AssertUnwindSafe(|| taken(panicking())));
    assert!(ended.is_err());
    assert!(!lock.is_locked());
}

#[test]
fn lock_34_free_and_not_poisoned_after_a_panic() {
    fn panic_with<G>(guard: G) {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            let _guard = guard;
            panic!("with a guard");
        }));
        assert!(ended.is_err());
    }

    let lock = Rc::new(Lock::new());
    panic_with(taken(lock.acquire()));
    assert!(lock.try_acquire().is_some());
    panic_with(taken(lock.acquire_owned()));
    assert!(lock.try_acquire().is_some());

    let mutex = Rc::new(Mutex::new((1, 2)));
    let mapped = || MutexGuard::map(taken(mutex.lock()), |pair| &mut pair.0);
    panic_with(taken(mutex.lock()));
    assert_eq!(*taken(mutex.lock()), (1, 2));
    panic_with(taken(mutex.lock_owned()));
    assert_eq!(*taken(mutex.lock()), (1, 2));
    panic_with(mapped());
    assert_eq!(*taken(mutex.lock()), (1, 2));
    // The closure of a map is a scope as well.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        MutexGuard::map(taken(mutex.lock()), |_| -> &mut u8 { panic!("no part") })
    }));
    assert!(ended.is_err());
    assert_eq!(*taken(mutex.lock()), (1, 2));
}

/// Of `Lock` and `Mutex`, in their owned forms.
macro_rules! lock_36 {
    ($test:ident, $lock:expr, $acquire:ident, $try_acquire:ident) => {
        #[test]
        fn $test() {
            let lock = Rc::new($lock);
            let weak = Rc::downgrade(&lock);

            // The rules are those of borrowed guards.
            let a = taken(lock.$acquire());
            assert!(lock.$try_acquire().is_none());
            let mut b = queued(lock.$acquire());
            let c = queued(lock.$acquire());
            drop(a);
            assert_eq!((b.wakes(), c.wakes()), (1, 0));
            let b = b.ready();
            drop(c);

            // Each future and guard keeps the lock alive, and no longer.
            let unpolled = waiter(lock.$acquire());
            let queued = queued(lock.$acquire());
            drop(lock);
            assert_eq!(weak.strong_count(), 3);
            drop(unpolled);
            assert_eq!(weak.strong_count(), 2);
            drop(b);
            assert_eq!(queued.wakes(), 1);
            assert_eq!(weak.strong_count(), 1);
            drop(queued);
            assert_eq!(weak.strong_count(), 0);
        }
    };
}

lock_36!(
    lock_36_owned_guards,
    Lock::new(),
    acquire_owned,
    try_acquire_owned
);
lock_36!(
    lock_36_owned_guards_of_a_mutex,
    Mutex::new(0),
    lock_owned,
    try_lock_owned
);

#[test]
fn lock_36_completed_future_keeps_nothing() {
    let lock = Rc::new(Lock::new());
    let mut acquire = waiter(lock.acquire_owned());
    let guard = acquire.ready();
    assert_eq!(Rc::strong_count(&lock), 2);
    guard.release();
    assert_eq!(Rc::strong_count(&lock), 1);
}

#[test]
fn lock_37_mapped_guards() {
    let mutex = Mutex::new((1, vec![2, 3]));
    let guard = MutexGuard::map(taken(mutex.lock()), |pair| &mut pair.1);
    let mut guard = MappedMutexGuard::map(guard, |list| list.as_mut_slice());
    guard[0] = 20;
    assert!(mutex.is_locked());
    let b = queued(mutex.lock());

    let guard = MappedMutexGuard::filter_map(guard, |slice| slice.get_mut(7));
    let guard = guard.expect_err("there is no such item");
    assert_eq!(*guard, [20, 3]);
    assert!(mutex.is_locked());
    assert_eq!(b.wakes(), 0);

    let guard = MappedMutexGuard::filter_map(guard, |slice| slice.first_mut());
    assert_eq!(guard.as_deref().ok(), Some(&20));
    assert_eq!(b.wakes(), 0);
    drop(guard);
    assert_eq!(b.wakes(), 1);
    drop(b);

    let guard = MutexGuard::filter_map(taken(mutex.lock()), |pair| pair.1.get_mut(7));
    let guard = guard.expect_err("there is no such item");
    assert_eq!(*guard, (1, vec![20, 3]));
    assert!(mutex.is_locked());
    let guard = MutexGuard::filter_map(guard, |pair| pair.1.get_mut(1));
    assert!(guard.is_ok() && mutex.is_locked());
    drop(guard);
    assert!(!mutex.is_locked());
}

threads_only! {
    #[test]
    fn lock_38_send_and_sync() {
        type Both = u8;
        type SendOnly = Cell<u8>;
        type SyncOnly = std::sync::MutexGuard<'static, u8>;
        type Neither = std::rc::Rc<u8>;

        macro_rules! send_and_sync {
            ($type:ty) => {
                (impls!($type: Send), impls!($type: Sync))
            };
        }
        macro_rules! payload {
            ($value:ty) => {
                let (send, sync) = send_and_sync!($value);
                assert_eq!(send_and_sync!(Mutex<$value>), (send, send));
                assert_eq!(send_and_sync!(MutexGuard<'static, $value>), (send, sync));
                assert_eq!(send_and_sync!(OwnedMutexGuard<$value>), (send, sync));
                assert_eq!(send_and_sync!(MappedMutexGuard<'static, $value>), (send, sync));
                assert_eq!(impls!(MutexLock<'static, $value>: Send), send);
                assert_eq!(impls!(MutexLockOwned<$value>: Send), send);
            };
        }

        payload!(Both);
        payload!(SendOnly);
        payload!(SyncOnly);
        payload!(Neither);
        assert_eq!(send_and_sync!(Lock), (true, true));
        assert_eq!(send_and_sync!(LockGuard<'static>), (true, true));
        assert_eq!(send_and_sync!(OwnedLockGuard), (true, true));
        assert_eq!(send_and_sync!(LockAcquire<'static>), (true, true));
        assert_eq!(send_and_sync!(LockAcquireOwned), (true, true));
    }
}

#[test]
fn lock_39_completed_future_polled_again() {
    let lock = Lock::new();
    let mut acquire = waiter(lock.acquire());
    drop(acquire.ready());

    // Whether the lock is free or held, there is no second grant.
    for _ in 0..2 {
        let again = catch_unwind(AssertUnwindSafe(|| acquire.poll().is_ready()));
        assert!(again.is_err());
        assert!(!lock.is_locked());
    }
    let guard = taken(lock.acquire());
    let again = catch_unwind(AssertUnwindSafe(|| acquire.poll().is_ready()));
    assert!(again.is_err());
    assert_eq!(waiters(&lock), 0);
    drop(guard);
    assert!(!lock.is_locked());
}

#[test]
fn lock_40_last_waker_is_woken() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let (one, two) = (Task::new(), Task::new());
    let mut b = Box::pin(lock.acquire());
    assert!(one.poll(b.as_mut()).is_pending());
    assert!(two.poll(b.as_mut()).is_pending());
    assert_eq!((one.clones(), two.clones()), (0, 1));

    drop(a);
    assert_eq!((one.wakes(), two.wakes()), (0, 1));
    assert!(two.poll(b.as_mut()).is_ready());
}

#[test]
fn lock_41_future_whose_task_has_ended() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let Waiter {
        task,
        future: mut abandoned,
    } = queued(lock.acquire());
    drop(task);

    drop(a);
    assert!(lock.is_locked());
    assert!(Task::new().poll(abandoned.as_mut()).is_ready());
    assert!(!lock.is_locked());
}

#[test]
fn lock_42_arm_of_a_select_that_loses() {
    let lock = Lock::new();
    let holder = taken(lock.acquire());
    // Another arm is ready at once.
    let lost = taken(first_of(lock.acquire(), ready(())));
    assert!(matches!(lost, Either::Right(_)));
    drop(lost);
    assert_eq!(waiters(&lock), 0);

    // A deadline passes while the arm is queued.
    let deadline = Event::new();
    let mut arm = queued(first_of(lock.acquire(), deadline.wait()));
    assert_eq!(waiters(&lock), 1);
    deadline.set();
    assert_eq!(arm.wakes(), 1);
    assert!(matches!(arm.ready(), Either::Right(_)));
    assert_eq!(waiters(&lock), 0);

    drop(holder);
    assert!(lock.try_acquire().is_some());
}

#[test]
fn lock_43_grant_and_deadline_before_one_poll() {
    let lock = Lock::new();

    let deadline = Event::new();
    let holder = taken(lock.acquire());
    let mut lock_first = queued(first_of(lock.acquire(), deadline.wait()));
    drop(holder);
    deadline.set();
    assert_eq!(lock_first.wakes(), 2);
    let Either::Left((guard, _)) = lock_first.ready() else {
        panic!("the lock was looked at first");
    };
    assert!(lock.is_locked());
    drop(guard);
    assert!(!lock.is_locked());

    let deadline = Event::new();
    let holder = taken(lock.acquire());
    let mut deadline_first = queued(first_of(deadline.wait(), lock.acquire()));
    drop(holder);
    deadline.set();
    assert_eq!(deadline_first.wakes(), 2);
    let timeout = deadline_first.ready();
    assert!(matches!(timeout, Either::Left(_)));
    drop(timeout);
    assert!(!lock.is_locked());
}

#[test]
fn lock_44_too_late_to_cancel() {
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let mut b = queued(lock.acquire());
    drop(a);
    let guard = b.ready();
    let mut c = queued(lock.acquire());

    drop(b);
    assert!(lock.is_locked());
    assert_eq!(c.wakes(), 0);
    c.pending();
    drop(guard);
    assert_eq!(c.wakes(), 1);
}

threads_only! {
    #[test]
    fn lock_45_threads_that_lock_try_cancel_and_look() {
        let lock = Lock::new();
        let inside = AtomicBool::new(false);
        let visit = |guard: LockGuard<'_>| {
            assert!(!inside.swap(true, Ordering::Relaxed));
            assert!(lock.is_locked());
            assert!(lock.try_acquire().is_none());
            assert!(inside.swap(false, Ordering::Relaxed));
            drop(guard);
        };
        let (lock, visit) = (&lock, &visit);
        thread::scope(|scope| {
            for thread in 0..3 {
                scope.spawn(move || {
                    for step in 0..times(1000) {
                        match (step * 7 + thread) % 4 {
                            0 | 1 => visit(block_on(lock.acquire())),
                            2 => lock.try_acquire().into_iter().for_each(visit),
                            // Cancelled unless it is resumed at once.
                            _ => match waiter(lock.acquire()).poll() {
                                Poll::Ready(guard) => visit(guard),
                                Poll::Pending => {}
                            },
                        }
                    }
                });
            }
        });
        assert!(!lock.is_locked());
        assert_eq!(waiters(lock), 0);
    }
}

threads_only! {
    #[test]
    fn lock_46_made_before_any_executor() {
        static LOCK: Lock = Lock::new();
        static MUTEX: Mutex<u8> = Mutex::new(1);
        let fresh = const { Lock::new() };

        assert!(!LOCK.is_locked() && !MUTEX.is_locked() && !fresh.is_locked());
        let guard = taken(LOCK.acquire());
        assert!(LOCK.is_locked() && !fresh.is_locked());
        let mut b = queued(LOCK.acquire());
        drop(guard);
        assert_eq!(b.wakes(), 1);
        drop(b.ready());
        assert!(!LOCK.is_locked());

        *taken(MUTEX.lock()) += 1;
        assert_eq!(*taken(MUTEX.lock()), 2);
    }
}

/// It stays locked for ever, as the documentation says.
#[test]
fn lock_47_guard_that_was_forgotten() {
    let lock = Lock::new();
    let mut b;
    {
        let guard = taken(lock.acquire());
        b = queued(lock.acquire());
        mem::forget(guard);
    }
    assert!(lock.is_locked());
    assert_eq!(b.wakes(), 0);
    b.pending();
    assert!(lock.try_acquire().is_none());
}

#[test]
fn n01_chosen_waiter_cancelled_before_it_resumes() {
    // With a successor.
    let lock = Lock::new();
    let a = taken(lock.acquire());
    let b = queued(lock.acquire());
    let mut c = queued(lock.acquire());
    drop(a);
    assert_eq!((b.wakes(), c.wakes()), (1, 0));
    drop(b);
    assert_eq!(c.wakes(), 1);
    let holder = c.ready();
    assert!(lock.try_acquire().is_none());
    drop(holder);
    assert!(lock.try_acquire().is_some());

    // The sole waiter, three times on one lock.
    let lock = Lock::new();
    for _ in 0..3 {
        let a = taken(lock.acquire());
        let b = queued(lock.acquire());
        drop(a);
        assert_eq!(b.wakes(), 1);
        drop(b);
        assert!(lock.try_acquire().is_some());
        drop(taken(lock.acquire()));
        assert_eq!(waiters(&lock), 0);
    }
}

#[test]
fn n05_cancel_and_release() {
    for cancel_first in [true, false] {
        let lock = Lock::new();
        let a = taken(lock.acquire());
        let b = queued(lock.acquire());
        let mut c = queued(lock.acquire());
        let mut d = queued(lock.acquire());

        if cancel_first {
            drop(b);
            assert_eq!((c.wakes(), d.wakes()), (0, 0));
            c.pending();
            drop(a);
        } else {
            drop(a);
            assert_eq!((b.wakes(), c.wakes(), d.wakes()), (1, 0, 0));
            drop(b);
        }
        assert_eq!((c.wakes(), d.wakes()), (1, 0));
        let holder = c.ready();
        d.pending();
        assert_eq!(d.wakes(), 0);
        drop(holder);
        assert_eq!(d.wakes(), 1);
        let _d = d.ready();
    }
}

#[test]
fn n08_one_task_with_two_entries() {
    let lock = Lock::new();
    let task = Task::new();
    let entry = || {
        let mut entry = waiter_of(&task, lock.acquire());
        entry.pending();
        entry
    };

    let a = taken(lock.acquire());
    let (b1, b2) = (entry(), entry());
    drop(b2);
    drop(b1);
    drop(a);
    let holder = lock.try_acquire().expect("nobody is left in line");

    let (mut b1, b2) = (entry(), entry());
    drop(b2);
    drop(holder);
    assert_eq!(task.wakes(), 1);
    let holder = b1.ready();

    let (b2, mut b3) = (entry(), entry());
    drop(b2);
    drop(holder);
    assert_eq!(task.wakes(), 2);
    let _b3 = b3.ready();
}

#[test]
fn n08_first_poll_fixes_the_place() {
    let lock = Lock::new();
    let mut b = waiter(lock.acquire());
    let mut c = waiter(lock.acquire());
    let a = taken(lock.acquire());
    c.pending();
    b.pending();

    drop(a);
    assert_eq!((b.wakes(), c.wakes()), (0, 1));
    drop(c.ready());
    assert_eq!((b.wakes(), c.wakes()), (1, 1));
}

#[test]
fn n08_unpolled_is_not_in_line() {
    let lock = Lock::new();
    let unpolled = waiter(lock.acquire());
    let a = lock.try_acquire().expect("nobody is in line");
    let b = queued(lock.acquire());

    drop(a);
    assert_eq!((unpolled.wakes(), b.wakes()), (0, 1));
    drop(unpolled);
    assert_eq!(b.wakes(), 1);
}
