//! Futures that are dropped at every poll, forgotten, or polled once more.

use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::__private::When;
use async_monitor::{Event, Lock, LockGuard, Mutex, MutexGuard, future};

use crate::blocked::{Blocked, Task, for_all};

/// Polled that many times, unblocked before one of the polls, and dropped.
#[test]
fn dropped_at_every_poll() {
    for polls in 0..4 {
        for unblocked_before in 0..=polls {
            for_all(|blocked| {
                let Blocked {
                    mut future,
                    unblock,
                    is_free,
                    ..
                } = blocked;
                let task = Task::new();
                let mut unblock = Some(unblock);
                let mut output = None;
                for poll in 0..polls {
                    if poll == unblocked_before {
                        unblock.take().into_iter().for_each(|unblock| unblock());
                    }
                    if let Poll::Ready(ready) = task.poll(future.as_mut()) {
                        output = Some(ready);
                        break;
                    }
                }
                if polls == unblocked_before {
                    unblock.take().into_iter().for_each(|unblock| unblock());
                }
                drop(future);
                drop(output);
                drop(unblock.take());
                assert!(is_free(), "{polls} polls, {unblocked_before}");
                assert!(task.is_forgotten(), "a waker is kept");
            });
        }
    }
}

/// Every other poll is that of another task.
#[test]
fn dropped_at_every_poll_of_two_tasks() {
    for polls in 1..4 {
        for_all(|blocked| {
            let tasks = [Task::new(), Task::new()];
            let mut future = blocked.future;
            for poll in 0..polls {
                assert!(tasks[poll % 2].poll(future.as_mut()).is_pending());
                assert!(tasks[(poll + 1) % 2].is_forgotten());
            }
            drop(future);
            assert!(tasks.iter().all(Task::is_forgotten));
            (blocked.unblock)();
            assert_eq!(tasks[0].wakes() + tasks[1].wakes(), 0);
            assert!((blocked.is_free)());
        });
    }
}

#[test]
fn forgotten_before_the_first_poll() {
    for_all(|blocked| {
        let holds = !(blocked.is_free)();
        mem::forget(blocked.future);
        (blocked.unblock)();
        // The futures of a condition and of an upgrade are made of a guard, which
        // is forgotten with them.
        assert!((blocked.is_free)() || holds);
    });
}

/// It is queued for ever. The waiters before and behind it come and go.
#[test]
fn forgotten_in_line() {
    for_all(|blocked| {
        let task = Task::new();
        let Blocked {
            mut future,
            unblock,
            is_free,
            keeps,
            ..
        } = blocked;
        assert!(task.poll(future.as_mut()).is_pending());
        mem::forget(future);
        assert_eq!(task.wakes(), 0);
        unblock();
        assert_eq!(task.wakes(), 1, "it is woken as if it was there");
        assert_eq!(is_free(), !keeps);
        assert_eq!(is_free(), !keeps);
    });
}

#[test]
fn those_around_a_forgotten_future_come_and_go() {
    let lock = Arc::new(Lock::new());
    let guard = lock.try_acquire_owned().expect("nobody has it");
    let tasks = [Task::new(), Task::new(), Task::new()];
    let mut line = tasks.each_ref().map(|task| {
        let mut future = Box::pin(lock.acquire_owned());
        assert!(task.poll(future.as_mut()).is_pending());
        Some(future)
    });
    mem::forget(line[1].take());
    drop(line[2].take());
    drop(line[0].take());
    let mut last = Box::pin(lock.acquire_owned());
    assert!(tasks[0].poll(last.as_mut()).is_pending());
    drop(guard);
    // It is the first in the queue, and keeps the others waiting.
    assert_eq!((tasks[1].wakes(), tasks[0].wakes()), (1, 0));
    assert!(tasks[0].poll(last.as_mut()).is_pending());
    drop(last);
    assert!(lock.is_locked());
    // Its handle, too.
    assert_eq!(Arc::strong_count(&lock), 2);
}

#[test]
fn forgotten_when_granted() {
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        assert_eq!(task.wakes(), 1);
        assert!(task.is_forgotten(), "a waker is kept");
        mem::forget(future);
        assert_eq!((blocked.is_free)(), !blocked.keeps);
    });
}

#[test]
fn forgotten_when_completed() {
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        assert!(task.poll(future.as_mut()).is_ready());
        mem::forget(future);
        assert!((blocked.is_free)());
        assert!(task.is_forgotten());
    });
}

/// The result is leaked: a guard keeps its lock for ever, as documented.
#[test]
fn output_is_forgotten() {
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        let Poll::Ready(output) = task.poll(future.as_mut()) else {
            panic!("it is pending")
        };
        let is_guard = !(blocked.is_free)();
        mem::forget(output);
        assert_eq!((blocked.is_free)(), !is_guard);
    });
}

/// A future that is pinned to the stack leaves the queue with the scope, even if the
/// reference to it is forgotten.
#[test]
fn forgotten_reference_to_a_pinned_future() {
    let event = Event::new();
    {
        let future = pin!(event.wait());
        let mut future = future;
        assert!(Task::new().poll(future.as_mut()).is_pending());
        #[allow(clippy::forget_non_drop)]
        mem::forget(future);
        assert!(format!("{event:?}").contains("waiters: 1"));
    }
    assert!(format!("{event:?}").contains("waiters: 0"));
}

/// Whether a type is `Unpin`.
struct Probe<T: ?Sized>(PhantomData<T>);

trait Otherwise {
    const IS_UNPIN: bool = false;
}

impl<T: ?Sized> Otherwise for Probe<T> {}

impl<T: ?Sized + Unpin> Probe<T> {
    #[allow(dead_code)]
    const IS_UNPIN: bool = true;
}

/// None of them can be polled, and hence queued, before it is
/// pinned for good.
#[test]
fn futures_have_to_be_pinned() {
    type Guard = LockGuard<'static>;
    type Look = fn(&mut MutexGuard<'static, i32>) -> bool;
    type Granted = fn() -> MutexGuard<'static, i32>;
    let are_unpin = [
        Probe::<future::LockAcquire<'_>>::IS_UNPIN,
        Probe::<future::LockAcquireOwned>::IS_UNPIN,
        Probe::<future::MutexLock<'_, i32>>::IS_UNPIN,
        Probe::<future::MutexLockOwned<i32>>::IS_UNPIN,
        Probe::<future::RwLockRead<'_, i32>>::IS_UNPIN,
        Probe::<future::RwLockReadOwned<i32>>::IS_UNPIN,
        Probe::<future::RwLockWrite<'_, i32>>::IS_UNPIN,
        Probe::<future::RwLockWriteOwned<i32>>::IS_UNPIN,
        Probe::<future::RwLockUpgradableRead<'_, i32>>::IS_UNPIN,
        Probe::<future::RwLockUpgradableReadOwned<i32>>::IS_UNPIN,
        Probe::<future::RwLockUpgrade<'_, i32>>::IS_UNPIN,
        Probe::<future::RwLockUpgradeOwned<i32>>::IS_UNPIN,
        Probe::<future::SemaphoreAcquire<'_>>::IS_UNPIN,
        Probe::<future::SemaphoreAcquireOwned>::IS_UNPIN,
        Probe::<future::BoundedSemaphoreAcquire<'_>>::IS_UNPIN,
        Probe::<future::BoundedSemaphoreAcquireOwned>::IS_UNPIN,
        Probe::<future::EventWait<'_>>::IS_UNPIN,
        Probe::<future::BarrierWait<'_>>::IS_UNPIN,
        Probe::<future::ConditionWait<'_, Guard>>::IS_UNPIN,
        Probe::<future::ConditionWaitFor<'_, Guard, fn(&()) -> bool>>::IS_UNPIN,
        Probe::<When<'_, MutexGuard<'static, i32>, Granted, Look>>::IS_UNPIN,
    ];
    assert!(!are_unpin.contains(&true));
    // The probe tells one from the other.
    const { assert!(Probe::<Mutex<i32>>::IS_UNPIN) };
}

/// A poll after completion panics with a message, and changes nothing.
#[test]
fn polled_after_completion() {
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        let Poll::Ready(output) = task.poll(future.as_mut()) else {
            panic!("it is pending")
        };
        for _ in 0..2 {
            let polled = catch_unwind(AssertUnwindSafe(|| {
                let _ = task.poll(future.as_mut());
            }));
            assert!(polled.is_err(), "it was polled again");
        }
        assert_eq!(task.wakes(), 1);
        drop(output);
        assert!((blocked.is_free)());
        drop(future);
        assert!((blocked.is_free)());
        assert!(task.is_forgotten());
    });
}

/// The panic is that of the crate, not of the adapter that the tests use.
#[test]
fn poll_after_completion_says_so() {
    let lock = Lock::new();
    let mut future = pin!(lock.acquire());
    let task = Task::new();
    assert!(task.poll(future.as_mut()).is_ready());
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let _ = task.poll(future.as_mut());
    }));
    let payload = polled.expect_err("it was polled again");
    let message = payload.downcast_ref::<&str>().expect("a text");
    assert!(message.contains("polled again after it had completed"));
}

/// Not even if the lock is gone. (With the feature `check`, too: its operations are announced.)
#[test]
fn polled_after_completion_without_the_lock() {
    let lock = Arc::new(Lock::new());
    let mut future = pin!(lock.acquire_owned());
    drop(lock);
    let task = Task::new();
    assert!(task.poll(future.as_mut()).is_ready());
    let polled = catch_unwind(AssertUnwindSafe(|| {
        let _ = task.poll(future.as_mut());
    }));
    assert!(polled.is_err(), "it was polled again");
}
