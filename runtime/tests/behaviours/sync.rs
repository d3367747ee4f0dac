//! The locks of `sync`, and their conditional waiters.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::__private::{ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards, sync_when};
use async_monitor::sync::{Lock, Mutex, MutexGuard, RwLock, RwLockReadGuard};
use async_monitor::{SyncLock, SyncRwLock};

use crate::support::{Task, Waiter, poll_with, queued, taken, times, waiter, waiter_of};

/// Acquires `mutex` when `condition` is true of its value.
fn enter<'a>(
    mutex: &'a Mutex<i32>,
    mut condition: impl FnMut(i32) -> bool + 'a,
) -> impl Future<Output = MutexGuard<'a, i32>> {
    // SAFETY: turns and guards are those of the mutex.
    unsafe {
        let guards = TurnGuards::new(
            mutex,
            <Mutex<i32> as ConditionalSyncLock>::acquire_with_turn,
            <Mutex<i32> as ConditionalSyncLock>::release_without_turn,
        );
        sync_when(
            ConditionalSyncLock::turns(mutex),
            guards,
            move |guard: &mut MutexGuard<'a, i32>| condition(**guard),
        )
    }
}

/// The same, to read.
fn read<'a>(
    lock: &'a RwLock<i32>,
    mut condition: impl FnMut(i32) -> bool + 'a,
) -> impl Future<Output = RwLockReadGuard<'a, i32>> {
    // SAFETY: as above.
    unsafe {
        let guards = TurnGuards::new(
            lock,
            <RwLock<i32> as ConditionalSyncRwLock>::read_with_turn,
            <RwLock<i32> as ConditionalSyncRwLock>::release_read_without_turn,
        );
        sync_when(
            ConditionalSyncLock::turns(lock),
            guards,
            move |guard: &mut RwLockReadGuard<'a, i32>| condition(**guard),
        )
    }
}

fn set(mutex: &Mutex<i32>, value: i32) {
    *mutex.lock() = value;
}

fn add(mutex: &Mutex<i32>, value: i32) {
    *mutex.lock() += value;
}

#[test]
fn sync_a_lock_excludes() {
    let lock = Lock::new();
    let guard = lock.acquire();
    assert!(lock.try_acquire().is_none());
    drop(guard);
    lock.try_acquire().unwrap().release();
    drop(lock.acquire());
}

#[test]
fn sync_a_mutex_leads_to_its_value() {
    let mut mutex = Mutex::new(1);
    *mutex.lock() += 1;
    assert!(mutex.try_lock().is_some_and(|guard| *guard == 2));
    *mutex.get_mut() += 1;
    let guard = mutex.lock();
    assert!(mutex.try_lock().is_none());
    MutexGuard::release(guard);
    assert_eq!(mutex.into_inner(), 3);
}

#[test]
fn sync_readers_share_and_a_writer_excludes() {
    let lock = RwLock::new(1);
    let (one, two) = (lock.read(), lock.read());
    assert_eq!((*one, *two), (1, 1));
    assert!(lock.try_write().is_none());
    drop((one, two));
    let mut writer = lock.write();
    *writer = 2;
    assert!(lock.try_read().is_none() && lock.try_write().is_none());
    drop(writer);
    assert_eq!(lock.into_inner(), 2);
}

#[test]
fn sync_statics_of_all_kinds() {
    static LOCK: Lock = Lock::new();
    static MUTEX: Mutex<i32> = Mutex::new(1);
    static RWLOCK: RwLock<i32> = RwLock::new(2);
    let _guard = LOCK.acquire();
    assert_eq!(*MUTEX.lock() + *RWLOCK.read(), 3);
}

#[test]
fn sync_values_without_size() {
    let mutex: &Mutex<[i32]> = &Mutex::new([1, 2, 3]);
    mutex.lock()[1] = 7;
    assert_eq!(*mutex.lock(), [1, 7, 3]);
    let lock: &RwLock<[i32]> = &RwLock::new([1, 2, 3]);
    lock.write()[1] = 7;
    assert_eq!(*lock.read(), [1, 7, 3]);
}

#[test]
fn sync_a_panic_poisons_nothing() {
    let (lock, mutex, rwlock) = (Lock::new(), Mutex::new(1), RwLock::new(1));
    for _ in 0..2 {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guards = (lock.acquire(), mutex.lock(), rwlock.write());
            panic!("with all of them held");
        }));
        assert!(panicked.is_err());
    }
    assert!(lock.try_acquire().is_some());
    assert_eq!((*mutex.lock(), *rwlock.read()), (1, 1));
    assert_eq!(*rwlock.write(), 1);
}

#[test]
fn sync_debug_does_not_wait() {
    let mutex = Mutex::new(7);
    let lock = RwLock::new(8);
    assert!(format!("{mutex:?} {lock:?}").contains("value: 7"));
    let _guards = (mutex.lock(), lock.write());
    let shown = format!("{mutex:?} {lock:?} {:?}", Lock::new());
    assert_eq!(shown.matches("<locked>").count(), 2, "{shown}");
}

#[test]
fn sync_debug_is_no_change() {
    let mutex = Mutex::new(0);
    let waiter = queued(enter(&mutex, |value| value == 1));
    assert!(format!("{mutex:?}").contains("value: 0"));
    assert_eq!(waiter.wakes(), 0);
}

#[test]
fn sync_ids_are_those_of_the_locks() {
    let (a, b) = (Arc::new(Mutex::new(1)), Mutex::new(1));
    assert_eq!(SyncLock::id(&a), SyncLock::id(&Arc::clone(&a)));
    assert_ne!(SyncLock::id(&a), SyncLock::id(&b));
}

#[test]
fn sync_generic_code_reaches_them() {
    fn locked<L: SyncLock>(lock: L) -> bool {
        let _guard = lock.acquire();
        lock.try_acquire().is_none()
    }
    fn shared<L: SyncRwLock>(lock: L) -> bool {
        let _guard = lock.read();
        lock.try_read().is_some() && lock.try_acquire().is_none()
    }
    assert!(locked(Lock::new()) && locked(Mutex::new(1)) && locked(Arc::new(RwLock::new(1))));
    assert!(shared(Box::new(RwLock::new(1))));
}

#[test]
fn sync_when_true_it_acquires_at_once() {
    let mutex = Mutex::new(1);
    let guard = taken(enter(&mutex, |value| value == 1));
    assert!(mutex.try_lock().is_none());
    drop(guard);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn sync_when_false_it_holds_nothing() {
    let mutex = Mutex::new(0);
    let mut waiter = queued(enter(&mutex, |value| value == 1));
    assert!(mutex.try_lock().is_some());
    waiter.pending();
    set(&mutex, 1);
    assert_eq!(waiter.wakes(), 2, "by `try_lock` above, too");
    drop(waiter.ready());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn sync_when_it_is_evaluated_once_for_each_change() {
    let mutex = Mutex::new(0);
    let evaluations = Cell::new(0);
    let mut waiter = queued(enter(&mutex, |value| {
        evaluations.set(evaluations.get() + 1);
        value == 3
    }));
    for value in 1..3 {
        waiter.pending();
        assert_eq!(evaluations.get(), value, "nothing has changed");
        set(&mutex, value);
        waiter.pending();
        assert_eq!(evaluations.get(), value + 1);
    }
    set(&mutex, 3);
    drop(waiter.ready());
    assert_eq!((evaluations.get(), waiter.wakes()), (4, 3));
}

#[test]
fn sync_when_waiters_are_served_in_order() {
    let mutex = Mutex::new(0);
    let mut waiters: Vec<_> = (0..4)
        .map(|_| queued(enter(&mutex, |value| value > 0)))
        .collect();
    add(&mutex, 2);
    let mut served = 0;
    for waiter in &mut waiters {
        match waiter.poll() {
            std::task::Poll::Ready(mut guard) => {
                *guard -= 1;
                served += 1;
            }
            std::task::Poll::Pending => {}
        }
    }
    assert_eq!(served, 2);
    assert_eq!(waiters[0].wakes(), 1);
    assert_eq!(waiters[1].wakes(), 1);
    assert_eq!(waiters[3].wakes(), 1, "it was its turn, too");
}

/// A waker that wakes nobody, and counts its clones.
fn counting_waker(clones: &'static AtomicUsize) -> Waker {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(
        |clones| {
            // SAFETY: it is the counter, which is static.
            unsafe { (*clones.cast::<AtomicUsize>()).fetch_add(1, Ordering::SeqCst) };
            RawWaker::new(clones, &VTABLE)
        },
        |_| {},
        |_| {},
        |_| {},
    );

    let clones: *const AtomicUsize = clones;
    // SAFETY: the functions touch nothing but the counter.
    unsafe { Waker::from_raw(RawWaker::new(clones.cast(), &VTABLE)) }
}

#[test]
fn sync_when_a_newcomer_that_gives_the_turn_up_keeps_its_place() {
    static CLONES: AtomicUsize = AtomicUsize::new(0);
    static MUTEX: Mutex<i32> = Mutex::new(0);

    let mutex = &MUTEX;
    let mut first = queued(enter(mutex, |value| value >= 5));
    let mut held = mutex.lock();
    // It takes the turn, and waits for the lock.
    let newcomer = thread::spawn(|| {
        let mut newcomer = Box::pin(enter(mutex, |value| value >= 1));
        let polled = poll_with(&counting_waker(&CLONES), newcomer.as_mut());
        assert!(polled.is_pending(), "overtaken");
        newcomer
    });
    let begin = Instant::now();
    while CLONES.load(Ordering::SeqCst) < 2 && begin.elapsed() < Duration::from_secs(10) {
        thread::yield_now();
    }
    let mut last = queued(enter(mutex, |value| value >= 1));
    *held = 1;
    drop(held);
    let mut newcomer = newcomer.join().expect("it gives the turn up");
    // There is too little for the first, which passes the turn on.
    first.pending();
    last.pending();
    let polled = poll_with(Waker::noop(), newcomer.as_mut());
    assert!(polled.is_ready());
}

#[test]
fn sync_when_one_that_is_not_polled_keeps_the_turn_but_not_the_lock() {
    let mutex = Mutex::new(0);
    let (mut first, mut second) = (
        queued(enter(&mutex, |value| value > 0)),
        queued(enter(&mutex, |value| value > 0)),
    );
    set(&mutex, 2);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    second.pending();
    assert!(mutex.try_lock().is_some());
    *first.ready() -= 1;
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
}

#[test]
fn sync_when_a_turn_is_taken_back_for_one_before() {
    let mutex = Mutex::new(0);
    let mut first = queued(enter(&mutex, |value| value >= 2));
    let mut second = queued(enter(&mutex, |value| value >= 1));
    add(&mutex, 1);
    first.pending();
    assert_eq!(second.wakes(), 1, "it is its turn");
    add(&mutex, 1);
    second.pending();
    *first.ready() -= 2;
    second.pending();
    add(&mutex, 1);
    *second.ready() -= 1;
    assert_eq!(*mutex.lock(), 0);
}

#[test]
fn sync_when_a_cancelled_waiter_gives_its_turn_on() {
    let mutex = Mutex::new(0);
    let first = queued(enter(&mutex, |value| value > 0));
    let mut second = queued(enter(&mutex, |value| value > 0));
    set(&mutex, 1);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
}

#[test]
fn sync_when_a_waiter_is_dropped_in_a_section_of_the_lock() {
    let mutex = Mutex::new(0);
    let waiters: Vec<_> = (0..3)
        .map(|_| queued(enter(&mutex, |value| value > 0)))
        .collect();
    set(&mutex, 1);
    let guard = mutex.lock();
    drop(waiters);
    drop(guard);
    drop(taken(enter(&mutex, |value| value > 0)));
}

#[test]
fn sync_when_a_panic_of_a_condition_gives_the_turn_on() {
    let mutex = Mutex::new(0);
    let mut first = queued(enter(&mutex, |value| {
        assert_eq!(value, 0, "changed");
        false
    }));
    let mut second = queued(enter(&mutex, |value| value > 0));
    set(&mutex, 1);
    assert!(catch_unwind(AssertUnwindSafe(|| first.poll().is_ready())).is_err());
    assert!(mutex.try_lock().is_some());
    assert!(second.wakes() > 0);
    drop(second.ready());
}

#[test]
fn sync_when_a_section_that_only_reads_is_no_change() {
    let mutex = Mutex::new(0);
    let waiter = queued(enter(&mutex, |value| value > 0));
    Mutex::__release_unchanged(SyncLock::acquire(&mutex));
    assert_eq!(waiter.wakes(), 0);

    let lock = RwLock::new(0);
    let waiter = queued(read(&lock, |value| value > 0));
    drop(lock.read());
    assert_eq!(waiter.wakes(), 0);
}

#[test]
fn sync_when_a_reader_waits_for_a_writer() {
    let lock = RwLock::new(0);
    let mut waiters: Vec<_> = (0..2)
        .map(|_| queued(read(&lock, |value| value > 0)))
        .collect();
    *lock.write() = 1;
    for waiter in &mut waiters {
        assert_eq!(*waiter.ready(), 1);
    }
}

#[test]
fn sync_when_two_futures_of_one_task_do_not_wait_for_each_other() {
    let mutex = Mutex::new(0);
    let task = Task::new();
    let mut first: Waiter<_> = waiter_of(&task, enter(&mutex, |value| value > 0));
    let mut second = waiter_of(&task, enter(&mutex, |value| value > 0));
    first.pending();
    second.pending();
    set(&mutex, 1);
    // The first has the turn, and is not polled any more.
    let entered = (0..4).any(|_| second.poll().is_ready());
    assert!(entered);
    drop(first);
}

/// The task has been woken for a turn that is taken back before it polls the future. It polls
/// another one instead, which stands before it: the next turn needs a wake-up of its own.
#[test]
fn sync_when_a_turn_that_was_taken_back_wakes_its_task_again() {
    let mutex = Mutex::new(0);
    let task = Task::new();
    let mut first = queued(enter(&mutex, |value| value == 1));
    let mut sibling = waiter_of(&task, enter(&mutex, |value| value == 2));
    let mut owner = waiter_of(&task, enter(&mutex, |value| value == 3));
    sibling.pending();
    owner.pending();
    set(&mutex, 3);
    first.pending();
    sibling.pending();
    let wakes = task.wakes();
    assert!(wakes > 0, "it is the owner's turn");
    set(&mutex, 3);
    // The turn is taken back for the first one, and the sibling is queued again.
    sibling.pending();
    drop(sibling);
    assert_eq!(task.wakes(), wakes);
    first.pending();
    assert_eq!(task.wakes(), wakes + 1, "it is the owner's turn again");
    drop(owner.ready());
}

#[test]
fn sync_when_a_forgotten_future_does_no_harm() {
    let mutex = Box::leak(Box::new(Mutex::new(0)));
    let mut forgotten = queued(enter(mutex, |value| value > 5));
    forgotten.pending();
    std::mem::forget(forgotten);
    add(mutex, 1);
    add(mutex, 1);
    assert!(mutex.try_lock().is_some());
}

#[test]
fn sync_when_a_waker_that_polls_finds_the_lock_free() {
    use std::task::{Context, Wake, Waker};

    struct TryLock(&'static Mutex<i32>, AtomicUsize);
    impl Wake for TryLock {
        fn wake(self: Arc<Self>) {
            let free = self.0.try_lock().is_some();
            self.1.fetch_add(usize::from(free), Ordering::SeqCst);
        }
    }

    static MUTEX: Mutex<i32> = Mutex::new(0);

    let mutex = &MUTEX;
    let waker = Arc::new(TryLock(mutex, AtomicUsize::new(0)));
    let mut future = Box::pin(enter(mutex, |value| value > 0));
    let shown = Waker::from(Arc::clone(&waker));
    assert!(
        future
            .as_mut()
            .poll(&mut Context::from_waker(&shown))
            .is_pending()
    );
    let mut second = queued(enter(mutex, |value| value > 0));
    set(mutex, 1);
    assert_eq!(waker.1.load(Ordering::SeqCst), 1);
    drop(future);
    drop(second.ready());
}

#[test]
fn sync_when_it_parks_a_thread() {
    let mutex = Arc::new(Mutex::new(0));
    let (sender, receiver) = mpsc::channel();
    let waiting = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            sender.send(()).unwrap();
            // SAFETY: turns and guards are those of the mutex.
            let mut guard = unsafe {
                let guards = TurnGuards::new(
                    &*mutex,
                    <Mutex<i32> as ConditionalSyncLock>::acquire_with_turn,
                    <Mutex<i32> as ConditionalSyncLock>::release_without_turn,
                );
                sync_when(mutex.turns(), guards, |guard: &mut MutexGuard<'_, i32>| {
                    **guard >= 100
                })
                .block()
            };
            *guard = -1;
        }
    });
    receiver.recv().unwrap();
    for _ in 0..100 {
        add(&mutex, 1);
    }
    waiting.join().unwrap();
    assert_eq!(*mutex.lock(), -1);
}

#[test]
fn sync_when_a_crowd_loses_nothing() {
    let mutex = Arc::new(Mutex::new(0));
    let taken = Arc::new(AtomicUsize::new(0));
    let consumers: Vec<_> = (0..4)
        .map(|_| {
            let (mutex, taken) = (Arc::clone(&mutex), Arc::clone(&taken));
            thread::spawn(move || {
                for _ in 0..times(2_000) {
                    let mut guard = futures::executor::block_on(enter(&mutex, |value| value > 0));
                    *guard -= 1;
                    taken.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let producers: Vec<_> = (0..2)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || {
                for _ in 0..times(4_000) {
                    add(&mutex, 1);
                }
            })
        })
        .collect();
    for thread in consumers.into_iter().chain(producers) {
        thread.join().unwrap();
    }
    assert_eq!(
        (*mutex.lock(), taken.load(Ordering::Relaxed)),
        (0, times(8_000))
    );
}

#[test]
fn sync_when_futures_may_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    let mutex = Mutex::new(0);
    let future = enter_any(&mutex);
    is_send(&future);
    drop(waiter(future));
}

fn enter_any(mutex: &Mutex<i32>) -> impl Future<Output = MutexGuard<'_, i32>> + Send {
    // SAFETY: as in `enter`.
    unsafe {
        let guards = TurnGuards::new(
            mutex,
            <Mutex<i32> as ConditionalSyncLock>::acquire_with_turn,
            <Mutex<i32> as ConditionalSyncLock>::release_without_turn,
        );
        sync_when(
            ConditionalSyncLock::turns(mutex),
            guards,
            |_: &mut MutexGuard<'_, i32>| true,
        )
    }
}

#[test]
fn sync_lock_may_be_used_after_a_panic() {
    let lock = Lock::new();
    let panicked = catch_unwind(|| {
        let _guard = lock.acquire();
        panic!("in a section");
    });
    assert!(panicked.is_err());
    assert!(lock.try_acquire().is_some());
}
