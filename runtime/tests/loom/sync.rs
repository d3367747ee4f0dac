//! Conditional waiters of sync locks: T1 to T5 of `gate::turn`.

use std::future::Future;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, RawWaker, RawWakerVTable, Waker};

use async_monitor::__private::{ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards, sync_when};
use async_monitor::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use loom::future::block_on;
use loom::thread;

use crate::{Boxed, Task, leak, model, model_within, poll_once, queued};

/// Acquires when the number is at least `least`.
fn at_least(mutex: &Mutex<usize>, least: usize) -> impl Future<Output = MutexGuard<'_, usize>> {
    when(mutex, move |number| number >= least)
}

/// Acquires when `condition` is true of the number.
fn when(
    mutex: &Mutex<usize>,
    condition: impl Fn(usize) -> bool,
) -> impl Future<Output = MutexGuard<'_, usize>> {
    // SAFETY: turns and guards are those of the mutex.
    unsafe {
        let guards = TurnGuards::new(
            mutex,
            <Mutex<usize> as ConditionalSyncLock>::acquire_with_turn,
            <Mutex<usize> as ConditionalSyncLock>::release_without_turn,
        );
        sync_when(
            mutex.turns(),
            guards,
            move |guard: &mut MutexGuard<'_, usize>| condition(**guard),
        )
    }
}

/// Takes `number` once there are that many.
async fn take(mutex: Arc<Mutex<usize>>, number: usize) {
    *at_least(&mutex, number).await -= number;
}

/// Reads when the number is not zero.
fn read_not_zero(lock: &RwLock<usize>) -> impl Future<Output = RwLockReadGuard<'_, usize>> {
    // SAFETY: as above.
    unsafe {
        let guards = TurnGuards::new(
            lock,
            <RwLock<usize> as ConditionalSyncRwLock>::read_with_turn,
            <RwLock<usize> as ConditionalSyncRwLock>::release_read_without_turn,
        );
        sync_when(
            lock.turns(),
            guards,
            |guard: &mut RwLockReadGuard<'_, usize>| **guard > 0,
        )
    }
}

fn spawn_take(mutex: &Arc<Mutex<usize>>, number: usize) -> thread::JoinHandle<()> {
    let mutex = Arc::clone(mutex);
    thread::spawn(move || block_on(take(mutex, number)))
}

#[test]
fn no_change_is_missed() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let taker = spawn_take(&mutex, 1);
        *mutex.lock() += 1;
        taker.join().unwrap();
        assert_eq!(*mutex.lock(), 0);
    });
}

#[test]
fn two_changes_for_two_waiters() {
    model_within(2, || {
        let mutex = Arc::new(Mutex::new(0));
        let takers = [spawn_take(&mutex, 1), spawn_take(&mutex, 1)];
        *mutex.lock() += 1;
        *mutex.lock() += 1;
        for taker in takers {
            taker.join().unwrap();
        }
        assert_eq!(*mutex.lock(), 0);
    });
}

#[test]
fn a_change_by_a_waiter_tells_the_next() {
    model_within(2, || {
        let mutex = Arc::new(Mutex::new(0));
        let taker = spawn_take(&mutex, 2);
        let adder = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *at_least(&mutex, 1).await += 1 }))
        };
        *mutex.lock() += 1;
        adder.join().unwrap();
        taker.join().unwrap();
        assert_eq!(*mutex.lock(), 0);
    });
}

#[test]
fn a_change_against_a_cancel() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let mut first = Box::pin(take(Arc::clone(&mutex), 1));
        assert!(poll_once(first.as_mut()).is_pending());
        let second = spawn_take(&mutex, 1);
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || *mutex.lock() += 1)
        };
        drop(first);
        second.join().unwrap();
        putter.join().unwrap();
        assert_eq!(*mutex.lock(), 0);
    });
}

/// The first waiter is served if there is enough for it when the other evaluates.
#[test]
fn nobody_is_overtaken_by_one_that_evaluates() {
    model_within(2, || {
        let mutex = leak(Mutex::new(0));
        let (first, second) = (Task::new(), Task::new());
        let mut first_waits = queued(&first, async { *at_least(mutex, 2).await -= 2 });
        let mut second_waits = queued(&second, async { *at_least(mutex, 1).await -= 1 });
        let adder = thread::spawn(|| {
            *mutex.lock() += 1;
            *mutex.lock() += 1;
        });
        let mut served = (false, false);
        for _ in 0..2 {
            if !served.1 && second.poll(second_waits.as_mut()).is_ready() {
                served.1 = true;
            }
            if !served.0 && first.poll(first_waits.as_mut()).is_ready() {
                served.0 = true;
            }
        }
        adder.join().unwrap();
        // A waiter that was not served has been woken since, or there is too little.
        let left = *mutex.lock();
        if !served.0 && left >= 2 {
            assert!(first.wakes() > 0);
            assert!(
                first.poll(first_waits.as_mut()).is_ready()
                    || second.poll(second_waits.as_mut()).is_pending()
            );
        }
        assert!(!(served.0 && served.1));
    });
}

/// A turn that its owner has not picked up is taken back for a waiter before it.
#[test]
fn a_turn_taken_back_against_its_owner() {
    model_within(2, || {
        let mutex = leak(Mutex::new(0));
        let (first, second) = (Task::new(), Task::new());
        let mut first_waits = queued(&first, async { *at_least(mutex, 2).await -= 2 });
        let mut second_waits = queued(&second, async { *at_least(mutex, 1).await -= 1 });
        *mutex.lock() += 1;
        assert!(first.poll(first_waits.as_mut()).is_pending());
        // It is the second one's turn.
        let owner = thread::spawn(move || {
            let polled = second.poll(second_waits.as_mut()).is_ready();
            (polled, second, second_waits)
        });
        *mutex.lock() += 1;
        let (polled, second, mut second_waits) = owner.join().unwrap();
        let first_polled = first.poll(first_waits.as_mut()).is_ready();
        assert_ne!(polled, first_polled, "there is enough for one of them");
        if first_polled {
            *mutex.lock() += 1;
            assert!(second.poll(second_waits.as_mut()).is_ready());
        } else {
            *mutex.lock() += 1;
            assert!(first.poll(first_waits.as_mut()).is_ready());
        }
    });
}

#[test]
fn readers_wait_for_a_writer() {
    model_within(2, || {
        let lock = Arc::new(RwLock::new(0));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || block_on(async { *read_not_zero(&lock).await }))
            })
            .collect();
        *lock.write() += 1;
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 1);
        }
    });
}

#[test]
fn the_turn_of_a_future_that_is_not_polled_goes_to_its_task() {
    model_within(2, || {
        let mutex = leak(Mutex::new(0));
        let task = Task::new();
        let first = queued(&task, async { *at_least(mutex, 1).await -= 1 });
        let mut second = queued(&task, async { *at_least(mutex, 1).await -= 1 });
        let putter = thread::spawn(|| *mutex.lock() += 1);
        let mut served = false;
        for _ in 0..2 {
            served = served || task.poll(second.as_mut()).is_ready();
        }
        putter.join().unwrap();
        for _ in 0..4 {
            served = served || task.poll(second.as_mut()).is_ready();
        }
        assert!(served);
        drop(first);
    });
}

/// A waiter behind the evaluating one is dropped, while a waiter before it is queued again:
/// that one is still served.
#[test]
fn a_cancel_behind_one_that_evaluates() {
    model_within(2, || {
        let mutex = leak(Mutex::new(0));
        let (first, second) = (Task::new(), Task::new());
        let mut first_waits = queued(&first, async { *at_least(mutex, 2).await -= 2 });
        let mut second_waits = queued(&second, async { *at_least(mutex, 5).await -= 5 });
        *mutex.lock() += 1;
        let third_waits = queued(&Task::new(), async { *at_least(mutex, 9).await -= 9 });
        let fourth_waits = queued(&Task::new(), async { *at_least(mutex, 9).await -= 9 });
        assert!(first.poll(first_waits.as_mut()).is_pending());
        // It is the second one's turn.
        let evaluates = thread::spawn(move || {
            assert!(second.poll(second_waits.as_mut()).is_pending());
            second_waits
        });
        *mutex.lock() += 1;
        drop(third_waits);
        let second_waits = evaluates.join().unwrap();
        assert!(
            first.poll(first_waits.as_mut()).is_ready(),
            "it is its turn"
        );
        drop((second_waits, fourth_waits));
    });
}

/// A newcomer takes the turn while a release queues the first waiter again: it sees that, and
/// gives the turn up.
#[test]
fn a_newcomer_does_not_overtake_during_a_change() {
    model(|| {
        let mutex = leak(Mutex::new(0));
        let first = Task::new();
        let mut first_waits = queued(&first, async { *at_least(mutex, 1).await -= 1 });
        let putter = thread::spawn(|| *mutex.lock() += 1);
        let newcomer = Task::new();
        let mut newcomer_waits = Box::pin(async { *at_least(mutex, 1).await -= 1 });
        assert!(
            newcomer.poll(newcomer_waits.as_mut()).is_pending(),
            "overtaken"
        );
        putter.join().unwrap();
        assert!(
            first.poll(first_waits.as_mut()).is_ready(),
            "it is its turn"
        );
    });
}

/// A waker that runs something whenever it is cloned.
struct OnClone(std::sync::Mutex<Box<dyn FnMut() + Send>>);

impl OnClone {
    fn waker(run: impl FnMut() + Send + 'static) -> Waker {
        static VTABLE: RawWakerVTable = RawWakerVTable::new(
            |data| {
                // SAFETY: the data of a waker of this table, which is leaked.
                let OnClone(run) = unsafe { &*data.cast() };
                (run.lock().unwrap())();
                RawWaker::new(data, &VTABLE)
            },
            |_| {},
            |_| {},
            |_| {},
        );
        let data: &Self = Box::leak(Box::new(OnClone(std::sync::Mutex::new(Box::new(run)))));
        // SAFETY: the table is for such data, on any thread.
        unsafe { Waker::new(ptr::from_ref(data).cast(), &VTABLE) }
    }
}

/// A newcomer takes the turn while another waiter finds its condition false. When it gives the turn
/// up for that one, it keeps its place before those who came meanwhile.
#[test]
fn a_newcomer_that_gives_its_turn_up_keeps_its_place() {
    model_within(2, || {
        let mutex = leak(Mutex::new(0));
        let is_unsatisfied: &AtomicBool = leak(AtomicBool::new(false));
        let first = thread::spawn(move || {
            let mut waits: Boxed<()> = Box::pin(async { *at_least(mutex, 9).await -= 9 });
            assert!(poll_once(waits.as_mut()).is_pending());
            is_unsatisfied.store(true, Ordering::SeqCst);
            waits
        });
        // The one that comes while the newcomer has the turn.
        let late: &std::sync::Mutex<Option<Boxed<()>>> = leak(std::sync::Mutex::new(None));
        let waker = OnClone::waker(move || {
            if !is_unsatisfied.load(Ordering::SeqCst) || late.lock().unwrap().is_some() {
                return;
            }
            let looks: &AtomicUsize = leak(AtomicUsize::new(0));
            let mut waits: Boxed<()> = Box::pin(async {
                let is_enough = |number| {
                    looks.fetch_add(1, Ordering::SeqCst);
                    number >= 1
                };
                *when(mutex, is_enough).await -= 1;
            });
            assert!(poll_once(waits.as_mut()).is_pending());
            // Otherwise it got the turn: the newcomer has not come yet.
            if looks.load(Ordering::SeqCst) == 0 {
                *late.lock().unwrap() = Some(waits);
                *mutex.lock() += 1;
            }
        });
        let mut newcomer: Boxed<()> = Box::pin(async { *at_least(mutex, 1).await -= 1 });
        let served = newcomer
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready();
        drop(first.join().unwrap());
        if let Some(mut late) = late.lock().unwrap().take() {
            assert!(poll_once(late.as_mut()).is_pending(), "overtaken");
            assert!(served || poll_once(newcomer.as_mut()).is_ready());
        }
    });
}
