//! Conditional waiters: G6 and G7 of the gate.

use std::future::Future;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};
use async_monitor::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use loom::future::block_on;
use loom::thread;

use crate::{Boxed, Task, model, model_within, poll_once, queued};

/// Enters when the number is not zero.
fn not_zero(mutex: &Mutex<usize>) -> impl Future<Output = MutexGuard<'_, usize>> {
    // SAFETY: the guard is of the mutex, and holds nothing but it.
    unsafe {
        when(
            mutex.waiter(),
            || mutex.granted_guard(),
            |guard: &mut MutexGuard<'_, usize>| **guard > 0,
        )
    }
}

/// The same, to read.
fn read_not_zero(lock: &RwLock<usize>) -> impl Future<Output = RwLockReadGuard<'_, usize>> {
    // SAFETY: as above.
    unsafe {
        when(
            lock.read_waiter(),
            || lock.granted_read_guard(),
            |guard: &mut RwLockReadGuard<'_, usize>| **guard > 0,
        )
    }
}

#[test]
fn no_change_is_missed() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let taker = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
        };
        block_on(async { *mutex.lock().await += 1 });
        taker.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

#[test]
fn change_against_cancel() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let mut first = Box::pin({
            let mutex = Arc::clone(&mutex);
            async move { *not_zero(&mutex).await -= 1 }
        });
        assert!(poll_once(first.as_mut()).is_pending());
        let second = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
        };
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || block_on(async { *mutex.lock().await += 1 }))
        };
        drop(first);
        second.join().unwrap();
        putter.join().unwrap();
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

#[test]
fn an_evaluation_against_a_change() {
    model_within(2, || {
        let mutex = Arc::new(Mutex::new(0));
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let mutex = Arc::clone(&mutex);
                thread::spawn(move || block_on(async { *not_zero(&mutex).await -= 1 }))
            })
            .collect();
        block_on(async { *mutex.lock().await += 2 });
        for taker in takers {
            taker.join().unwrap();
        }
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

/// Takes one when there is one.
async fn take(mutex: Arc<Mutex<usize>>) {
    *not_zero(&mutex).await -= 1;
}

/// A condition is false while the guarded data changes.
#[test]
fn unsatisfied_against_a_change() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let task = Task::new();
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || *mutex.lock_blocking() += 1)
        };
        let mut taker: Boxed<()> = Box::pin(take(Arc::clone(&mutex)));
        let mut ready = task.poll(taker.as_mut()).is_ready();
        putter.join().unwrap();
        // It has seen the change, or is woken because of it.
        assert!(ready || task.wakes() == 1);
        ready = ready || task.poll(taker.as_mut()).is_ready();
        assert!(ready);
        assert_eq!(*mutex.try_lock().unwrap(), 0);
        assert!(task.is_forgotten());
    });
}

/// An unsatisfied waiter is dropped at a change: those behind it evaluate.
#[test]
fn change_against_cancel_with_another_behind() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (one, two) = (Task::new(), Task::new());
        let first = queued(&one, take(Arc::clone(&mutex)));
        let mut second = queued(&two, take(Arc::clone(&mutex)));
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || *mutex.lock_blocking() += 1)
        };
        drop(first);
        putter.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        assert!(one.is_forgotten());
        assert_eq!(*mutex.try_lock().unwrap(), 0);
    });
}

/// A granted conditional waiter is dropped before it evaluates; another waits without a condition.
#[test]
fn cancel_of_a_granted_conditional_waiter_against_the_next() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (one, two) = (Task::new(), Task::new());
        let first = queued(&one, take(Arc::clone(&mutex)));
        let guard = mutex.try_lock_owned().unwrap();
        let mut second = queued(&two, mutex.lock_owned());
        let canceller = thread::spawn(move || drop(first));
        drop(guard);
        canceller.join().unwrap();
        assert_eq!(two.wakes(), 1);
        assert!(two.poll(second.as_mut()).is_ready());
        assert!(one.is_forgotten() && !mutex.is_locked());
    });
}

/// A waiter with a false condition passes the lock on, whether the next one is polled or not.
#[test]
fn false_condition_against_cancel_of_the_next() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let tasks = [Task::new(), Task::new(), Task::new()];
        let guard = mutex.try_lock_owned().unwrap();
        let mut waiter = queued(&tasks[0], take(Arc::clone(&mutex)));
        let second = queued(&tasks[1], mutex.lock_owned());
        let mut third = queued(&tasks[2], mutex.lock_owned());
        drop(guard);
        let canceller = thread::spawn(move || drop(second));
        assert!(tasks[0].poll(waiter.as_mut()).is_pending());
        canceller.join().unwrap();
        assert_eq!(tasks[2].wakes(), 1);
        let Poll::Ready(mut guard) = tasks[2].poll(third.as_mut()) else {
            panic!("it was granted")
        };
        *guard += 1;
        drop(guard);
        assert_eq!(tasks[0].wakes(), 2);
        assert!(tasks[0].poll(waiter.as_mut()).is_ready());
        assert!(!mutex.is_locked());
    });
}

/// The waker of the last poll is woken by a change.
#[test]
fn last_waker_is_woken() {
    model(|| {
        let mutex = Arc::new(Mutex::new(0));
        let (first, last) = (Task::new(), Task::new());
        let mut taker = queued(&first, take(Arc::clone(&mutex)));
        let putter = {
            let mutex = Arc::clone(&mutex);
            thread::spawn(move || *mutex.lock_blocking() += 1)
        };
        let ready = last.poll(taker.as_mut()).is_ready();
        putter.join().unwrap();
        let wakes = (first.wakes(), last.wakes());
        assert_eq!(wakes, if ready { (1, 0) } else { (0, 1) });
        assert!(ready || last.poll(taker.as_mut()).is_ready());
        assert!(first.is_forgotten() && last.is_forgotten());
    });
}

/// A sibling takes the grant of a conditional waiter, which is polled itself, or
/// dropped.
#[test]
fn sibling_against_an_evaluation() {
    for owner_is_dropped in [false, true] {
        model(move || {
            let mutex = Arc::new(Mutex::new(0));
            let task = Task::new();
            let mut waiter = queued(&task, take(Arc::clone(&mutex)));
            let guard = mutex.try_lock_owned().unwrap();
            let mut sibling = queued(&task, mutex.lock_owned());
            drop(guard);
            let thread = {
                let task = task.clone();
                thread::spawn(move || {
                    if !owner_is_dropped {
                        assert!(task.poll(waiter.as_mut()).is_pending());
                        return Some(waiter);
                    }
                    drop(waiter);
                    None
                })
            };
            let mut taken = (0..2).any(|_| task.poll(sibling.as_mut()).is_ready());
            let waiter = thread.join().unwrap();
            taken = taken || task.poll(sibling.as_mut()).is_ready();
            assert!(taken, "the condition was false, so the sibling is next");
            drop((sibling, waiter));
            assert!(task.is_forgotten());
            assert!(mutex.try_lock().is_some());
        });
    }
}

/// Conditional readers are granted by a writer, together, and each once.
#[test]
fn two_readers_evaluate() {
    model_within(2, || {
        let lock = Arc::new(RwLock::new(0));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || block_on(async { *read_not_zero(&lock).await }))
            })
            .collect();
        *lock.write_blocking() += 1;
        for reader in readers {
            assert_eq!(reader.join().unwrap(), 1);
        }
        assert!(!lock.is_locked());
    });
}

/// A downgrade from writer to reader counts as a change.
#[test]
fn downgrade_against_a_conditional_reader() {
    model(|| {
        let lock = Arc::new(RwLock::new(0));
        let reader = {
            let lock = Arc::clone(&lock);
            thread::spawn(move || block_on(async { *read_not_zero(&lock).await }))
        };
        let mut guard = lock.write_blocking();
        *guard += 1;
        let guard = RwLockWriteGuard::downgrade(guard);
        // It enters beside us.
        assert_eq!(reader.join().unwrap(), 1);
        drop(guard);
        assert!(!lock.is_locked());
    });
}
