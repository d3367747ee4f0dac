//! Panics of data, predicates and conditions.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::Poll;

use async_monitor::{Condition, Mutex, MutexGuard, RwLock, RwLockWriteGuard};

use crate::blocked::Task;

/// A value whose destructor panics once.
struct Fragile(Cell<bool>);

impl Drop for Fragile {
    fn drop(&mut self) {
        if self.0.replace(false) {
            resume_unwind(Box::new(()));
        }
    }
}

fn panics(call: impl FnOnce()) {
    assert!(catch_unwind(AssertUnwindSafe(call)).is_err(), "no panic");
}

#[test]
fn destructor_of_data_that_panics_under_the_guard() {
    let mutex = Mutex::new(Fragile(Cell::new(true)));
    panics(|| {
        let mut guard = mutex.try_lock().expect("nobody has it");
        *guard = Fragile(Cell::new(false));
    });
    assert!(!mutex.is_locked());
    let guard = mutex.try_lock().expect("nobody has it");
    assert!(!guard.0.get(), "the new value is in place");
    drop(guard);

    let lock = RwLock::new(Fragile(Cell::new(true)));
    panics(|| {
        let mut guard = lock.try_write().expect("nobody has it");
        *guard = Fragile(Cell::new(false));
    });
    assert!(!lock.is_locked());
}

#[test]
fn destructor_of_data_that_panics_with_the_lock() {
    let mutex = Mutex::new(Fragile(Cell::new(true)));
    panics(|| drop(mutex));
    panics(|| drop(Mutex::new(Fragile(Cell::new(true))).into_inner()));
    panics(|| drop(RwLock::new(Fragile(Cell::new(true)))));
}

/// The next waiter gets the lock of a section that panics.
#[test]
fn section_that_panics() {
    let mutex = Mutex::new(0);
    let task = Task::new();
    let guard = mutex.try_lock().expect("nobody has it");
    let mut next = Box::pin(mutex.lock());
    assert!(task.poll(next.as_mut()).is_pending());
    panics(move || {
        let _guard = guard;
        resume_unwind(Box::new(()));
    });
    assert_eq!(task.wakes(), 1);
    assert!(task.poll(next.as_mut()).is_ready());
    assert!(!mutex.is_locked());
}

#[test]
fn map_that_panics() {
    let mutex = Mutex::new((0, 0));
    panics(|| {
        let guard = mutex.try_lock().expect("nobody has it");
        drop(MutexGuard::map(guard, |_| -> &mut i32 {
            resume_unwind(Box::new(()))
        }));
    });
    assert!(!mutex.is_locked());
}

/// A predicate panics at its first evaluation, or at a later one.
#[test]
fn predicate_that_panics() {
    for look_that_panics in 0..3 {
        let (mutex, condition) = (Mutex::new(0), Condition::new());
        let tasks = [Task::new(), Task::new()];
        let looks = Cell::new(0);
        let guard = mutex.try_lock().expect("nobody has it");
        let mut wait = Box::pin(condition.wait_for(guard, |_| {
            if looks.replace(looks.get() + 1) == look_that_panics {
                resume_unwind(Box::new(()));
            }
            false
        }));
        for look in 0..=look_that_panics {
            let mut poll = || {
                let _ = tasks[0].poll(wait.as_mut());
            };
            if look < look_that_panics {
                poll();
                condition.notify_one(&mutex.try_lock().expect("nobody has it"));
            } else {
                panics(poll);
            }
        }
        // The lock is free, and new waiters are notified as ever.
        let guard = mutex.try_lock().expect("it was released");
        let mut other = Box::pin(condition.wait(guard));
        assert!(tasks[1].poll(other.as_mut()).is_pending());
        drop(wait);
        assert_eq!(tasks[1].wakes(), 0, "nothing was left to give on");
        condition.notify_one(&mutex.try_lock().expect("nobody has it"));
        assert!(tasks[1].poll(other.as_mut()).is_ready());
        assert!(tasks[0].is_forgotten());
    }
}

/// A wake panics while a guard is dropped by a panic: the first one goes on, and
/// the process with it.
#[test]
fn wake_that_panics_during_a_panic() {
    use std::sync::Arc;
    use std::task::{Context, Wake, Waker};

    struct Panics;

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            resume_unwind(Box::new("of the waker"));
        }
    }

    let lock = RwLock::new(0);
    let waker = Waker::from(Arc::new(Panics));
    let guard = lock.try_write().expect("nobody has it");
    let mut next = Box::pin(lock.read());
    let polled = std::future::Future::poll(next.as_mut(), &mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    let result = catch_unwind(AssertUnwindSafe(move || {
        let _guard = guard;
        resume_unwind(Box::new("of the section"));
    }));
    let payload = result.expect_err("it panics");
    assert_eq!(payload.downcast_ref(), Some(&"of the section"));
    let Poll::Ready(reader) = Task::new().poll(next.as_mut()) else {
        panic!("it was let in")
    };
    drop(reader);

    // A downgrade whose wake panics leaves no guard.
    let guard = lock.try_write().expect("nobody has it");
    let mut next = Box::pin(lock.read());
    let polled = std::future::Future::poll(next.as_mut(), &mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    panics(|| drop(RwLockWriteGuard::downgrade(guard)));
    drop(next);
    assert!(!lock.is_locked());
}

#[test]
fn primitives_without_data_are_unwind_safe() {
    fn check<T: std::panic::UnwindSafe + std::panic::RefUnwindSafe>() {}
    check::<async_monitor::Lock>();
    check::<async_monitor::Event>();
    check::<async_monitor::Condition>();
    check::<async_monitor::Semaphore>();
    check::<async_monitor::BoundedSemaphore>();
    check::<async_monitor::Barrier>();
}
