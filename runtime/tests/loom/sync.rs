//! Conditional waiters of sync locks: T1 to T5 of `gate::turn`.

use std::future::Future;
use std::sync::Arc;

use async_monitor::__private::{ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards, sync_when};
use async_monitor::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use loom::future::block_on;
use loom::thread;

use crate::{Task, leak, model, model_within, poll_once, queued};

/// Acquires when the number is at least `least`.
fn at_least(mutex: &Mutex<usize>, least: usize) -> impl Future<Output = MutexGuard<'_, usize>> {
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
            move |guard: &mut MutexGuard<'_, usize>| **guard >= least,
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
