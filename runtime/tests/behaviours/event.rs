//! `Event`: EVT and N-20 in the list of behaviours (README.md).
//!
//! Every row is here. A deadline (EVT-15) is a `select` with another event.

use crate::flavour::Rc;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Waker;
use std::thread;

use crate::flavour::Event;
use crate::flavour::future::EventWait;
use futures::executor::block_on;
use futures::future::{Either, select};

use crate::shown::waiters;
use crate::support::{
    InlineTasks, On, Task, Waiter, cases, hooked, impls, leaked, queued, queued_with, race, taken,
    times, waiter, waiter_of,
};

/// Yields the thread until a condition is true.
fn wait_until(condition: impl Fn() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}

#[test]
fn evt_01_set_and_clear() {
    let event = Event::new();
    assert!(!event.is_set());
    for _ in 0..2 {
        event.set();
        assert!(event.is_set());
    }
    let mut wait = waiter(event.wait());
    wait.ready();
    assert_eq!((wait.wakes(), wait.task.clones()), (0, 0));

    for _ in 0..2 {
        event.clear();
        assert!(!event.is_set());
    }
    queued(event.wait());
}

#[test]
fn evt_02_all_are_let_through() {
    let event = Event::new();
    let mut line: Vec<_> = (0..3).map(|_| queued(event.wait())).collect();

    event.set();
    for waiter in &mut line {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
        assert_eq!(waiter.wakes(), 1);
    }
    taken(event.wait());
    taken(event.wait());
}

#[test]
fn evt_03_newcomer_passes_before_the_woken_resume() {
    let event = Event::new();
    let mut line = [queued(event.wait()), queued(event.wait())];
    let mut third = waiter(event.wait());

    event.set();
    third.ready();
    assert_eq!(third.wakes(), 0);
    for waiter in &mut line {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
}

#[test]
fn evt_04_woken_in_order() {
    let event = Event::new();
    let woken = Rc::new(AtomicUsize::new(0));
    // More than one batch of wakers.
    let mut line: Vec<_> = (0..100)
        .map(|place| {
            let woken = Rc::clone(&woken);
            let waker = hooked(On::Wake, move || {
                assert_eq!(woken.fetch_add(1, Ordering::SeqCst), place);
            });
            queued_with(&waker, event.wait())
        })
        .collect();

    event.set();
    assert_eq!(woken.load(Ordering::SeqCst), line.len());
    line.iter_mut().for_each(Waiter::ready);
}

#[test]
fn evt_05_set_and_clear_before_the_poll() {
    let event = Event::new();
    let mut early = queued(event.wait());
    event.set();
    event.clear();
    let mut late = queued(event.wait());

    assert_eq!((early.wakes(), late.wakes()), (1, 0));
    early.ready();
    late.pending();
    assert_eq!(late.wakes(), 0);
}

threads_only! {
    /// A task that has seen the flag set may clear it, and wait for the next `set`: the
    /// previous one is complete, even if the call has not returned yet.
    #[test]
    fn evt_05_clear_before_set_returns() {
        let event = Event::new();
        let (returned, over) = (AtomicBool::new(false), AtomicBool::new(false));
        let late_let_through = AtomicUsize::new(0);
        let early = times(200).max(40);
        thread::scope(|scope| {
            // Keeps the queue busy, so that a call of `set` takes its time.
            scope.spawn(|| {
                while !over.load(Ordering::SeqCst) {
                    waiters(&event);
                }
            });
            race(
                50,
                || {
                    event.clear();
                    returned.store(false, Ordering::SeqCst);
                    let early: Vec<_> = (0..early).map(|_| queued(event.wait())).collect();
                    (early, ())
                },
                |_early| {
                    wait_until(|| event.is_set());
                    event.clear();
                    let mut late = waiter(event.wait());
                    let at_once = late.poll().is_ready();
                    wait_until(|| returned.load(Ordering::SeqCst));
                    if at_once || late.poll().is_ready() {
                        late_let_through.fetch_add(1, Ordering::SeqCst);
                    }
                },
                |()| {
                    event.set();
                    returned.store(true, Ordering::SeqCst);
                },
                || {},
            );
            over.store(true, Ordering::SeqCst);
        });
        assert_eq!(late_let_through.into_inner(), 0);
    }
}

#[test]
fn evt_06_woken_once() {
    let event = Event::new();
    let mut wait = queued(event.wait());
    event.set();
    event.set();
    assert_eq!((wait.wakes(), wait.task.clones()), (1, 0));
    event.clear();
    event.set();
    assert_eq!(wait.wakes(), 1);
    wait.ready();
    assert_eq!((wait.wakes(), waiters(&event)), (1, 0));
}

#[test]
fn evt_07_cancelled_waiter_leaves_nothing() {
    let event = Event::new();
    let wait = queued(event.wait());
    assert_eq!(waiters(&event), 1);

    let task = wait.task.clone();
    drop(wait);
    assert_eq!((waiters(&event), task.clones()), (0, 0));
    event.set();
    assert_eq!(task.wakes(), 0);
}

#[test]
fn evt_08_two_of_five_cancelled() {
    let event = Event::new();
    let mut line: Vec<_> = (0..5).map(|_| queued(event.wait())).collect();
    let gone = [line.remove(3), line.remove(1)].map(|waiter| waiter.task.clone());
    line.extend((0..2).map(|_| queued(event.wait())));
    assert_eq!(waiters(&event), 5);

    event.set();
    assert_eq!(gone.map(|task| task.wakes()), [0, 0]);
    for waiter in &mut line {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
}

#[test]
fn evt_09_broadcast_is_not_passed_on() {
    let event = Event::new();
    let early = queued(event.wait());
    event.set();
    event.clear();
    let mut late = queued(event.wait());
    assert_eq!((early.wakes(), late.wakes()), (1, 0));

    drop(early);
    assert_eq!(late.wakes(), 0);
    late.pending();
}

#[test]
fn evt_10_one_broadcast_completes_one_wait() {
    let event = Event::new();
    let mut twice = queued(async {
        event.wait().await;
        event.wait().await;
    });
    let mut line: Vec<_> = (0..40).map(|_| queued(event.wait())).collect();

    event.set();
    event.clear();
    assert_eq!(twice.wakes(), 1);
    twice.pending();
    for waiter in &mut line {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
    assert_eq!(twice.wakes(), 1);
    twice.pending();
    event.set();
    assert_eq!(twice.wakes(), 2);
    twice.ready();
}

/// Also where the task waits again while the broadcast is still on its way.
#[test]
fn evt_10_waiting_again_during_the_broadcast() {
    let event = Rc::new(Event::new());
    let late = Rc::new(std::sync::Mutex::new(None));
    let first = {
        let (event, late) = (Rc::clone(&event), Rc::clone(&late));
        hooked(On::Wake, move || {
            event.clear();
            let event = Rc::clone(&event);
            *late.lock().unwrap() = Some(queued(async move { event.wait().await }));
        })
    };
    let mut early = queued_with(&first, event.wait());
    let mut line: Vec<_> = (0..100).map(|_| queued(event.wait())).collect();

    event.set();
    early.ready();
    for waiter in &mut line {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
    let mut late = late.lock().unwrap().take().expect("the waker has run");
    assert_eq!((late.wakes(), waiters(&*event)), (0, 1));
    late.pending();
    event.set();
    assert_eq!(late.wakes(), 1);
    late.ready();
}

#[test]
fn evt_12_waker_that_panics_in_a_broadcast() {
    let event = Event::new();
    let mut before: Vec<_> = (0..40).map(|_| queued(event.wait())).collect();
    let waker = hooked(On::Wake, || panic!("the waker"));
    let mut panicking = queued_with(&waker, event.wait());
    let mut behind: Vec<_> = (0..40).map(|_| queued(event.wait())).collect();

    let payload = catch_unwind(AssertUnwindSafe(|| event.set())).expect_err("it surfaces");
    assert_eq!(payload.downcast_ref(), Some(&"the waker"));
    for waiter in before.iter_mut().chain(&mut behind) {
        assert_eq!(waiter.wakes(), 1);
        waiter.ready();
    }
    panicking.ready();

    assert!(event.is_set());
    event.clear();
    let mut wait = queued(event.wait());
    event.set();
    assert_eq!(wait.wakes(), 1);
    wait.ready();
}

#[test]
fn evt_13_waker_whose_destructor_sets_the_event() {
    let event = Rc::new(Event::new());
    let dropped = Rc::new(AtomicUsize::new(0));
    let waker = {
        let (event, dropped) = (Rc::clone(&event), Rc::clone(&dropped));
        hooked(On::Drop, move || {
            event.set();
            dropped.fetch_add(1, Ordering::SeqCst);
        })
    };
    let mut wait = queued_with(&waker, event.wait());
    let mut behind = queued(event.wait());

    event.set();
    assert_eq!(dropped.load(Ordering::SeqCst), 1);
    assert_eq!(behind.wakes(), 1);
    behind.ready();
    wait.ready();

    // The same where the waker is dropped by a cancel.
    event.clear();
    let cancelled = queued_with(&waker, event.wait());
    let mut behind = queued(event.wait());
    drop(cancelled);
    assert_eq!(dropped.load(Ordering::SeqCst), 2);
    assert_eq!(behind.wakes(), 1);
    behind.ready();
}

#[test]
fn evt_14_cancel_and_set_in_either_order() {
    let event = Event::new();
    let ran_on = Cell::new(0);
    let run = async || {
        event.wait().await;
        ran_on.set(ran_on.get() + 1);
    };

    let cancelled = queued(run());
    let task = cancelled.task.clone();
    drop(cancelled);
    event.set();
    assert_eq!((task.wakes(), ran_on.get()), (0, 0));

    event.clear();
    let cancelled = queued(run());
    event.set();
    assert_eq!(cancelled.wakes(), 1);
    drop(cancelled);
    assert_eq!(ran_on.get(), 0);

    event.clear();
    let mut completed = queued(run());
    event.set();
    assert_eq!(completed.wakes(), 1);
    completed.ready();
    drop(completed);
    assert_eq!(ran_on.get(), 1);
}

#[test]
fn evt_15_with_a_deadline() {
    let (event, deadline) = (Event::new(), Event::new());
    let within = || select(Box::pin(event.wait()), Box::pin(deadline.wait()));

    // Never set.
    let mut late = queued(within());
    deadline.set();
    assert_eq!(late.wakes(), 1);
    assert!(matches!(late.ready(), Either::Right(_)));
    assert_eq!(waiters(&event), 0);

    // Set before the deadline.
    deadline.clear();
    let mut in_time = queued(within());
    event.set();
    assert_eq!(in_time.wakes(), 1);
    assert!(matches!(in_time.ready(), Either::Left(_)));

    // Set already, and no time at all.
    deadline.set();
    assert!(matches!(taken(within()), Either::Left(_)));
}

threads_only! {
    #[test]
    fn evt_16_send_and_sync() {
        assert!(impls!(Event: Send) && impls!(Event: Sync));
        assert!(impls!(EventWait<'static>: Send));

        let event = Event::new();
        thread::scope(|scope| {
            scope.spawn(|| block_on(event.wait()));
            scope.spawn(|| event.wait_blocking());
            wait_until(|| waiters(&event) == 2);
            event.set();
        });
        assert_eq!(waiters(&event), 0);
    }
}

#[test]
fn n20_set_then_clear_before_anybody_resumes() {
    let event = Event::new();
    let mut a = queued(event.wait());
    let mut b = queued(event.wait());
    event.set();
    event.clear();
    assert_eq!((a.wakes(), b.wakes()), (1, 1));
    assert!(!event.is_set());

    let mut newcomer = queued(event.wait());
    a.ready();
    b.ready();
    newcomer.pending();
    assert_eq!(newcomer.wakes(), 0);

    event.set();
    assert_eq!(newcomer.wakes(), 1);
    newcomer.ready();
}

#[test]
fn n20_one_broadcast_and_two_waits() {
    let event = Event::new();
    let mut line: Vec<_> = (0..40).map(|_| queued(event.wait())).collect();
    event.set();
    event.clear();

    let mut first = line.remove(0);
    first.ready();
    let mut again = waiter_of(&first.task, event.wait());
    again.pending();
    line.iter_mut().for_each(Waiter::ready);
    assert_eq!(again.wakes(), 1, "that of the first wait");
    again.pending();
}

/// While the waiters are woken one by one, all of them have been let through: a
/// poll from inside another's wake is ready.
#[test]
fn a_broadcast_is_seen_whole() {
    for distance in cases([1, 31, 32, 40, 100, 149]) {
        let event = leaked(Event::new());
        let crowd = InlineTasks::queued((0..150).map(|_| event.wait()));
        crowd.notified(
            || event.set(),
            move |crowd, number| {
                assert!(event.is_set());
                let next = number + distance;
                assert!(!crowd.is_waiting(next) || crowd.poll(next), "{next} waits");
            },
        );
        assert_eq!(waiters(event), 0);
        crowd.poll_all();
        assert!(crowd.taken_numbers().into_iter().eq(0..150));
        // A waiter is woken once, or not any more.
        assert!((0..150).all(|number| crowd.wakes(number) <= 1));
        assert!((0..distance).all(|number| crowd.wakes(number) == 1));
    }
}

/// Also by a waiter that is polled with another waker.
#[test]
fn a_broadcast_is_seen_whole_by_another_task() {
    let event = leaked(Event::new());
    let last = Task::new();
    let crowd = InlineTasks::queued((0..100).map(|_| event.wait()));
    let behind = leaked(Mutex::new(queued_with(Waker::noop(), event.wait())));
    let clones = last.clones();
    let early = last.clone();
    crowd.notified(
        || event.set(),
        move |_, number| {
            if number == 0 {
                let mut behind = behind.lock().unwrap();
                assert!(early.poll(behind.future.as_mut()).is_ready());
            }
        },
    );
    assert_eq!(
        (last.wakes(), last.clones()),
        (0, clones),
        "no waker is needed"
    );
}

/// The flag is cleared, set, and waited for again from inside the first wake.
#[test]
fn a_broadcast_within_a_broadcast() {
    let event = leaked(Event::new());
    let crowd = InlineTasks::queued((0..150).map(|_| event.wait()));
    let inner = leaked(Mutex::new(Vec::new()));
    crowd.notified(
        || event.set(),
        move |crowd, number| match number {
            0 => {
                event.clear();
                // Cleared, but these have been let through.
                assert!(crowd.poll(100) && crowd.poll(32));
                let late: Vec<_> = (0..100).map(|_| queued(event.wait())).collect();
                assert_eq!(waiters(event), 100);
                *inner.lock().unwrap() = late;
            }
            40 => {
                let mut late = inner.lock().unwrap();
                late.iter_mut().for_each(Waiter::pending);
                event.set();
                assert!(late.iter().all(|waiter| waiter.wakes() == 1));
                late.iter_mut().for_each(Waiter::ready);
                event.clear();
                late.clear();
                late.push(queued(event.wait()));
            }
            _ => {}
        },
    );
    assert_eq!(waiters(event), 1);
    crowd.poll_all();
    assert!(crowd.taken_numbers().into_iter().eq(0..150));
    let mut late = inner.lock().unwrap().pop().unwrap();
    late.pending();
    assert_eq!(late.wakes(), 0);
    event.set();
    late.ready();
}

/// Waiters that are dropped while others are woken affect none of them, and
/// pass nothing on.
#[test]
fn cancelled_in_the_middle_of_a_broadcast() {
    let event = leaked(Event::new());
    let crowd = InlineTasks::queued((0..150).map(|_| event.wait()));
    let late = leaked(Mutex::new(Vec::new()));
    crowd.notified(
        || event.set(),
        move |crowd, number| {
            if number == 0 {
                event.clear();
                late.lock().unwrap().push(queued(event.wait()));
            }
            if number % 2 == 0 && crowd.is_waiting(number + 40) {
                crowd.cancel(number + 40);
            }
        },
    );
    crowd.poll_all();
    let numbers = crowd.taken_numbers();
    assert!(
        (0..40)
            .chain([41, 149])
            .all(|number| numbers.contains(&number))
    );
    assert!(
        numbers
            .iter()
            .all(|&number| number < 40 || crowd.wakes(number) == 1)
    );
    let mut late = late.lock().unwrap().pop().unwrap();
    assert_eq!((late.wakes(), waiters(event)), (0, 1));
    late.pending();
}

/// A waker that panics in the middle keeps neither early nor later waiters back.
#[test]
fn a_panic_in_a_broadcast_that_is_seen_whole() {
    let event = leaked(Event::new());
    let crowd = InlineTasks::queued((0..150).map(|_| event.wait()));
    let payload = catch_unwind(AssertUnwindSafe(|| {
        crowd.notified(
            || event.set(),
            |crowd, number| {
                let next = number + 40;
                assert!(!crowd.is_waiting(next) || crowd.poll(next));
                if matches!(number, 3 | 35) {
                    panic!("the waker");
                }
            },
        );
    }));
    let payload = payload.expect_err("it surfaces");
    assert_eq!(payload.downcast_ref(), Some(&"the waker"));
    crowd.poll_all();
    assert!(crowd.taken_numbers().into_iter().eq(0..150));
}
