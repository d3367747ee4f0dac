//! Conditional waiters (`when`), at the level of the runtime.

use crate::flavour::Rc;
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::flavour::{Mutex, MutexGuard, RwLock, RwLockReadGuard};
use async_monitor::__private::{ConditionalLock, ConditionalRwLock, when};

use crate::random::Random;
use crate::support::{Task, Waiter, queued, taken, times, waiter, waiter_of};

/// Enters `mutex` when `condition` is true of its value.
fn enter<'a>(
    mutex: &'a Mutex<i32>,
    mut condition: impl FnMut(i32) -> bool + 'a,
) -> impl Future<Output = MutexGuard<'a, i32>> {
    // SAFETY: the guard is of the mutex, and holds nothing but it.
    unsafe {
        when(
            mutex.waiter(),
            || mutex.granted_guard(),
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
        when(
            lock.read_waiter(),
            || lock.granted_read_guard(),
            move |guard: &mut RwLockReadGuard<'a, i32>| condition(**guard),
        )
    }
}

fn set(mutex: &Mutex<i32>, value: i32) {
    *taken(mutex.lock()) = value;
}

#[test]
fn when_true_it_enters_at_once() {
    let mutex = Mutex::new(1);
    let guard = taken(enter(&mutex, |value| value == 1));
    assert!(mutex.is_locked());
    drop(guard);
    assert!(!mutex.is_locked());
}

#[test]
fn when_false_it_holds_nothing() {
    let mutex = Mutex::new(0);
    let mut waiter = queued(enter(&mutex, |value| value == 1));
    assert!(!mutex.is_locked());
    waiter.pending();
    set(&mutex, 1);
    assert_eq!(waiter.wakes(), 1);
    drop(waiter.ready());
    assert!(mutex.try_lock().is_some());
}

#[test]
fn when_a_condition_is_evaluated_once_for_each_change() {
    let mutex = Mutex::new(0);
    let evaluations = Cell::new(0);
    let mut waiter = queued(enter(&mutex, |value| {
        evaluations.set(evaluations.get() + 1);
        value == 3
    }));
    for value in 1..=3 {
        assert_eq!(evaluations.get(), value);
        waiter.pending();
        assert_eq!(evaluations.get(), value, "nothing has changed");
        set(&mutex, value);
        assert_eq!(waiter.wakes(), evaluations.get() as usize);
        if value < 3 {
            waiter.pending();
        }
    }
    drop(waiter.ready());
    assert_eq!(evaluations.get(), 4);
}

/// An evaluation is not a change: waiters with different conditions do not keep each
/// other busy.
#[test]
fn when_a_condition_is_evaluated_the_others_sleep() {
    let mutex = Mutex::new(0);
    let mut a = queued(enter(&mutex, |value| value == 10));
    let mut b = queued(enter(&mutex, |value| value == 20));
    assert_eq!((a.wakes(), b.wakes()), (0, 0));
    set(&mutex, 5);
    assert_eq!((a.wakes(), b.wakes()), (1, 0));
    a.pending();
    assert_eq!((a.wakes(), b.wakes()), (1, 1));
    b.pending();
    assert_eq!((a.wakes(), b.wakes()), (1, 1));
    set(&mutex, 20);
    a.pending();
    drop(b.ready());
    // The release of `b` is a change.
    assert_eq!((a.wakes(), b.wakes()), (3, 2));
}

#[test]
fn when_several_conditions_hold_the_first_enters_first() {
    let mutex = Mutex::new(0);
    let mut waiters: Vec<_> = (0..3)
        .map(|_| queued(enter(&mutex, |value| value > 0)))
        .collect();
    set(&mutex, 1);
    for index in 0..3 {
        let wakes: Vec<_> = waiters.iter().map(Waiter::wakes).collect();
        assert_eq!(wakes.iter().sum::<usize>(), index + 1, "{wakes:?}");
        drop(waiters[index].ready());
    }
}

#[test]
fn when_parked_it_keeps_its_place() {
    let mutex = Mutex::new(0);
    let holder = taken(mutex.lock());
    let mut first = queued(enter(&mutex, |value| value > 0));
    let mut second = queued(enter(&mutex, |value| value > 0));
    let mut plain = queued(mutex.lock());
    drop(holder);
    first.pending();
    second.pending();
    assert_eq!(plain.wakes(), 1);
    *plain.ready() = 1;
    assert_eq!((first.wakes(), second.wakes()), (2, 1));
    drop(first.ready());
    assert_eq!(second.wakes(), 2);
    drop(second.ready());
}

#[test]
fn when_a_condition_is_false_others_pass() {
    let mutex = Mutex::new(0);
    let mut waiter = queued(enter(&mutex, |value| value > 0));
    drop(taken(mutex.lock()));
    assert_eq!(waiter.wakes(), 1);
    // Woken to evaluate, it is queued again, and overtaken by nobody.
    let mut newcomer = queued(mutex.lock());
    waiter.pending();
    assert_eq!(newcomer.wakes(), 1);
    drop(newcomer.ready());
}

#[test]
fn when_cancelled_it_leaves_nothing() {
    let mutex = Mutex::new(0);
    // Parked.
    drop(queued(enter(&mutex, |_| false)));
    set(&mutex, 1);
    assert!(!mutex.is_locked());
    // Queued.
    let holder = taken(mutex.lock());
    drop(queued(enter(&mutex, |_| false)));
    drop(holder);
    assert!(!mutex.is_locked());
    // Granted, to evaluate: the next one evaluates instead.
    let first = queued(enter(&mutex, |value| value == 2));
    let mut second = queued(enter(&mutex, |value| value == 2));
    set(&mutex, 2);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second.ready());
    assert!(!mutex.is_locked());
}

#[test]
fn when_the_condition_panics_the_lock_is_free() {
    let mutex = Mutex::new(0);
    let mut other = queued(enter(&mutex, |value| value == 1));
    let mut waiter = queued(enter(&mutex, |value| {
        assert!(value == 0, "the condition panics");
        false
    }));
    let mut plain = {
        let holder = taken(mutex.lock());
        let plain = queued(mutex.lock());
        drop(holder);
        plain
    };
    other.pending();
    assert_eq!(waiter.wakes(), 1);
    waiter.pending();
    *plain.ready() = 1;
    drop(other.ready());
    assert!(catch_unwind(AssertUnwindSafe(|| waiter.poll())).is_err());
    assert!(!mutex.is_locked());
    drop(waiter);
    set(&mutex, 2);
    assert!(!mutex.is_locked());
}

/// If a waiter is leaked, the borrows of its condition may be gone. So only the
/// waiter evaluates it.
#[test]
fn when_the_waiter_is_leaked_its_condition_is_not_evaluated() {
    let evaluations = Cell::new(0);
    let mutex = Mutex::new(0);
    let mut waiter = Box::pin(enter(&mutex, |_| {
        evaluations.set(evaluations.get() + 1);
        false
    }));
    assert!(Task::new().poll(waiter.as_mut()).is_pending());
    std::mem::forget(waiter);
    set(&mutex, 1);
    assert_eq!(evaluations.get(), 1);
}

#[test]
fn when_readers_wait_only_a_writer_makes_a_change() {
    let lock = RwLock::new(0);
    let mut a = queued(read(&lock, |value| value == 1));
    let mut b = queued(read(&lock, |value| value == 1));
    drop(taken(lock.read()));
    drop(taken(lock.upgradable_read()));
    assert_eq!((a.wakes(), b.wakes()), (0, 0));
    *taken(lock.write()) = 1;
    assert_eq!((a.wakes(), b.wakes()), (1, 1));
    let (a, b) = (a.ready(), b.ready());
    assert_eq!((*a, *b), (1, 1));
    drop((a, b));
    assert!(!lock.is_locked());
}

/// Producers, consumers and ordinary visitors, of whom some leave at any time.
#[test]
fn when_some_leave_nothing_is_lost() {
    Random::seeds(20, |random| {
        let stock = Rc::new(Mutex::new(0));
        let mut takers: Vec<Waiter<_>> = Vec::new();
        let (mut put, mut got) = (0, 0);
        for _ in 0..times(3_000) {
            match random.below(10) {
                0..=2 => takers.push(waiter(enter(&stock, |count| count > 0))),
                3 | 4 => {
                    if let Some(mut count) = stock.try_lock() {
                        *count += 1;
                        put += 1;
                    }
                }
                5 => drop(random.take(&mut takers)),
                _ if !takers.is_empty() => {
                    let index = random.below(takers.len());
                    if let std::task::Poll::Ready(mut count) = takers[index].poll() {
                        *count -= 1;
                        got += 1;
                        drop(count);
                        drop(takers.remove(index));
                    }
                }
                _ => {}
            }
        }
        // Woken tasks are polled; no others need to be.
        let mut seen = vec![usize::MAX; takers.len()];
        loop {
            let woken = (0..takers.len()).find(|&index| takers[index].wakes() != seen[index]);
            let Some(index) = woken else { break };
            seen[index] = takers[index].wakes();
            if let std::task::Poll::Ready(mut count) = takers[index].poll() {
                *count -= 1;
                got += 1;
                drop(count);
                drop(takers.remove(index));
                seen.remove(index);
            }
        }
        let left = *stock.try_lock().expect("nobody holds it");
        assert_eq!(put - got, left);
        assert!(
            left == 0 || takers.is_empty(),
            "somebody sleeps beside {left}"
        );
    });
}

/// Printing a lock reads the value, and changes nothing.
#[test]
fn when_parked_it_is_not_woken_by_a_debug_form() {
    let mutex = Mutex::new(0);
    let mut waiter = queued(enter(&mutex, |value| value == 1));
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { value: 0, locked: false, waiters: 1 }"
    );
    assert_eq!(waiter.wakes(), 0);
    set(&mutex, 1);
    assert_eq!(waiter.wakes(), 1);
    drop(waiter.ready());

    let lock = RwLock::new(0);
    let waiter = queued(read(&lock, |value| value == 1));
    assert!(format!("{lock:?}").ends_with("waiters: 1 }"));
    assert_eq!(waiter.wakes(), 0);
}

/// A reader's condition is false beside a read of its own task that nobody polls. The task
/// is woken to give that back: a writer waits for it.
#[test]
fn when_false_beside_an_unused_read_of_the_task() {
    let lock = RwLock::new(0);
    let task = Task::new();
    let holder = taken(lock.write());
    let mut first = waiter_of(&task, lock.read());
    first.pending();
    drop(holder);
    assert_eq!(task.wakes(), 1);
    let mut waits = waiter_of(&task, read(&lock, |value| value == 2));
    waits.pending();
    let mut writer = queued(lock.write());
    assert_eq!((task.wakes(), writer.wakes()), (2, 0));
    waits.pending();
    *writer.ready() = 2;
    drop(waits.ready());
}
