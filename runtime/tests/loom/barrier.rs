//! `Barrier`: B1 to B3.

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_monitor::Barrier;
use loom::future::block_on;
use loom::thread;

use crate::{PollsAnother, Task, leak, model, poll_once, queued};

#[test]
fn one_leader_for_each_generation() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let thread = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || [(); 2].map(|()| block_on(barrier.wait()).unwrap().index()))
        };
        let ours = [(); 2].map(|()| block_on(barrier.wait()).unwrap().index());
        let theirs = thread.join().unwrap();
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            assert_eq!(ours + theirs, 1);
        }
        assert_eq!(barrier.n_waiting(), 0);
    });
}

#[test]
fn trip_against_cancel() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let canceller = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || {
                let mut wait = pin!(barrier.wait());
                let _ = poll_once(wait.as_mut());
            })
        };
        let mut wait = Box::pin(barrier.wait());
        let passed = poll_once(wait.as_mut()).is_ready();
        canceller.join().unwrap();
        // Either the two met, or the canceller never counted.
        let passed = passed || poll_once(wait.as_mut()).is_ready();
        assert_eq!(barrier.n_waiting(), usize::from(!passed));
    });
}

#[test]
fn reset_against_wait() {
    model(|| {
        let barrier = Arc::new(Barrier::new(2));
        let waiter = {
            let barrier = Arc::clone(&barrier);
            thread::spawn(move || block_on(barrier.wait()).is_ok())
        };
        barrier.reset();
        let mut wait = Box::pin(barrier.wait());
        let ours = poll_once(wait.as_mut());
        if ours.is_pending() {
            // The other came first and was removed, or has not come yet.
            let theirs = waiter.join().unwrap();
            assert_eq!(poll_once(wait.as_mut()).is_ready(), theirs);
        } else {
            assert!(waiter.join().unwrap());
        }
    });
}

/// A task that was let through and not woken yet is dropped, or passes.
#[test]
fn trip_against_cancel_and_poll() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(3));
        let (one, two) = (Task::new(), Task::new());
        let first = queued(&one, barrier.wait());
        let mut second = queued(&two, barrier.wait());
        let last = thread::spawn(move || {
            let mut wait = Box::pin(barrier.wait());
            poll_once(wait.as_mut()).is_ready()
        });
        drop(first);
        let early = two.poll(second.as_mut()).is_ready();
        let tripped = last.join().unwrap();
        assert_eq!(two.wakes() == 1 || early, tripped);
        assert_eq!(early || two.poll(second.as_mut()).is_ready(), tripped);
        assert!(one.is_forgotten());
        // The second waits alone, or none does.
        assert_eq!(barrier.n_waiting(), usize::from(!tripped));
    });
}

/// The last task arrives, one is dropped, and another resets: all results
/// are consistent.
#[test]
fn trip_against_cancel_and_reset() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(2));
        let task = Task::new();
        let first = queued(&task, barrier.wait());
        let last = thread::spawn(move || {
            let mut wait = Box::pin(barrier.wait());
            let _ = poll_once(wait.as_mut());
        });
        let resetter = thread::spawn(move || barrier.reset());
        drop(first);
        last.join().unwrap();
        resetter.join().unwrap();
        assert!(task.is_forgotten());
        assert_eq!(barrier.n_waiting(), 0);
        // As new: nobody is still leaving.
        let mut one = Box::pin(barrier.wait());
        assert!(poll_once(one.as_mut()).is_pending());
        assert_eq!(barrier.n_waiting(), 1);
        assert!(block_on(barrier.wait()).is_ok());
        assert!(block_on(one).is_ok());
    });
}

/// Removed waiters return on one thread while a new task arrives: it is
/// counted once they have returned.
#[test]
fn leaving_against_arrival() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(2));
        let task = Task::new();
        let mut first = queued(&task, barrier.wait());
        barrier.reset();
        let leaver = thread::spawn(move || block_on(first.as_mut()).is_err());
        let mut second = Box::pin(barrier.wait());
        assert!(poll_once(second.as_mut()).is_pending());
        assert!(leaver.join().unwrap());
        assert_eq!(barrier.n_waiting(), 1);
        assert!(block_on(barrier.wait()).is_ok());
        assert!(block_on(second).is_ok());
    });
}

#[test]
fn abort_against_the_last_arrival() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(2));
        let task = Task::new();
        let mut first = queued(&task, barrier.wait());
        let breaker = thread::spawn(move || barrier.abort());
        let last = block_on(barrier.wait()).is_ok();
        breaker.join().unwrap();
        assert_eq!(task.wakes(), 1);
        let Poll::Ready(passed) = task.poll(first.as_mut()) else {
            panic!("it was neither let through nor driven out")
        };
        assert_eq!(passed.is_ok(), last);
        assert!(barrier.is_broken());
    });
}

#[test]
fn last_waker_is_woken() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(2));
        let (first, last) = (Task::new(), Task::new());
        let mut waiter = queued(&first, barrier.wait());
        let tripper = thread::spawn(move || block_on(barrier.wait()).is_ok());
        let ready = last.poll(waiter.as_mut()).is_ready();
        assert!(tripper.join().unwrap());
        // A poll between the decision and the wake takes the waker back.
        let (first, last) = (first.wakes(), last.wakes());
        assert!(if ready {
            last == 0 && first <= 1
        } else {
            (first, last) == (0, 1)
        });
        assert!(ready || poll_once(waiter.as_mut()).is_ready());
    });
}

/// A waiter is polled by the waker of another while a third is cancelled: either
/// the barrier is tripped before, or it is not at all.
#[test]
fn poll_inside_of_a_wake_against_cancel() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(4));
        let (first, tasks) = (PollsAnother::new(), [Task::new(), Task::new()]);
        let mut wait = Box::pin(barrier.wait());
        assert!(first.poll(wait.as_mut()).is_pending());
        let [mut second, third] = tasks.each_ref().map(|task| queued(task, barrier.wait()));
        let task = tasks[0].clone();
        first.on_wake(move || {
            let polled = task.poll(second.as_mut());
            assert!(matches!(polled, Poll::Ready(Ok(passed)) if passed.index() == 1));
        });
        let last = thread::spawn(move || poll_once(pin!(barrier.wait())).is_ready());
        drop(third);
        let tripped = last.join().unwrap();
        assert_eq!(first.is_woken(), tripped);
        assert_eq!(first.poll(wait.as_mut()).is_ready(), tripped);
        assert!(tasks[0].wakes() == 0 && tasks[1].wakes() <= usize::from(tripped));
    });
}

/// The same, when a reset removes the waiters, and another task arrives.
#[test]
fn poll_inside_of_a_wake_against_arrival() {
    model(|| {
        let barrier: &'static Barrier = leak(Barrier::new(3));
        let (first, task) = (PollsAnother::new(), Task::new());
        let mut wait = Box::pin(barrier.wait());
        assert!(first.poll(wait.as_mut()).is_pending());
        let mut second = queued(&task, barrier.wait());
        let other = task.clone();
        first.on_wake(move || {
            // Let through, if the third has come before the reset.
            assert!(other.poll(second.as_mut()).is_ready());
        });
        let resetter = thread::spawn(move || barrier.reset());
        let mut third = Box::pin(barrier.wait());
        let passed = poll_once(third.as_mut()).is_ready();
        resetter.join().unwrap();
        if passed {
            // It came before the reset.
            assert!(first.is_woken() && first.poll(wait.as_mut()).is_ready());
            return;
        }
        assert!(first.is_woken());
        let result = first.poll(wait.as_mut());
        assert!(matches!(result, Poll::Ready(Err(_))));
        assert_eq!((task.wakes(), barrier.n_waiting()), (0, 1));
    });
}
