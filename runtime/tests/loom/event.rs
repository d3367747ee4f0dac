//! `Event`: E1 to E3.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::Event;
use loom::future::block_on;
use loom::thread;

use crate::{Exclusive, PollsAnother, Task, leak, model, poll_once, queued};

#[test]
fn set_lets_everybody_through() {
    model(|| {
        let event = Arc::new(Event::new());
        let value = Exclusive::new();
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let (event, value) = (Arc::clone(&event), value.clone());
                thread::spawn(move || {
                    block_on(event.wait());
                    value.get()
                })
            })
            .collect();
        value.add_one();
        event.set();
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), 1);
        }
    });
}

#[test]
fn clear_takes_nothing_back() {
    model(|| {
        let event = Arc::new(Event::new());
        let mut waiter = pin!(event.wait());
        assert!(poll_once(waiter.as_mut()).is_pending());
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                event.set();
                event.clear();
            })
        };
        block_on(waiter);
        setter.join().unwrap();
        assert!(!event.is_set());
        assert!(poll_once(pin!(event.wait())).is_pending());
    });
}

#[test]
fn two_sets_against_a_clear_and_a_wait() {
    model(|| {
        let event = Arc::new(Event::new());
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        let waiter = {
            let event = Arc::clone(&event);
            thread::spawn(move || block_on(event.wait()))
        };
        event.clear();
        event.set();
        waiter.join().unwrap();
        setter.join().unwrap();
        assert!(event.is_set());
    });
}

#[test]
fn set_against_cancel() {
    model(|| {
        let event = Arc::new(Event::new());
        let canceller = {
            let event = Arc::clone(&event);
            thread::spawn(move || {
                let _ = poll_once(pin!(event.wait()));
            })
        };
        event.set();
        canceller.join().unwrap();
        event.clear();
        let mut late = pin!(event.wait());
        assert!(poll_once(late.as_mut()).is_pending());
        event.set();
        assert!(poll_once(late.as_mut()).is_ready());
    });
}

/// A waiter that joins after a `clear` is not let through by the call that set the
/// flag before, however long that takes (E3).
#[test]
fn set_against_a_clear_and_a_late_wait() {
    model(|| {
        let event = Arc::new(Event::new());
        let mut early = [pin!(event.wait()), pin!(event.wait())];
        for waiter in &mut early {
            assert!(poll_once(waiter.as_mut()).is_pending());
        }
        let setter = {
            let event = Arc::clone(&event);
            thread::spawn(move || event.set())
        };
        let [first, second] = &mut early;
        if poll_once(first.as_mut()).is_ready() {
            event.clear();
            let mut late = pin!(event.wait());
            assert!(poll_once(late.as_mut()).is_pending());
            setter.join().unwrap();
            assert!(poll_once(late.as_mut()).is_pending());
        } else {
            setter.join().unwrap();
            assert!(poll_once(first.as_mut()).is_ready());
        }
        assert!(poll_once(second.as_mut()).is_ready());
    });
}

/// The waker of a waiter is woken, or dropped, by one of the two, and nobody
/// keeps a clone.
#[test]
fn wake_against_drop_of_the_waker() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let task = Task::new();
        let waiter = queued(&task, event.wait());
        let setter = thread::spawn(move || event.set());
        drop(waiter);
        setter.join().unwrap();
        assert!(task.is_forgotten());
        assert!(task.wakes() <= 1);
    });
}

/// The waker of the last poll is woken, or that poll sees the flag.
#[test]
fn last_waker_is_woken() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let (first, last) = (Task::new(), Task::new());
        let mut waiter = queued(&first, event.wait());
        let setter = thread::spawn(move || {
            event.set();
            event.clear();
        });
        let ready = last.poll(waiter.as_mut()).is_ready();
        setter.join().unwrap();
        let wakes = (first.wakes(), last.wakes());
        assert_eq!(wakes, if ready { (1, 0) } else { (0, 1) });
        assert!(ready || last.poll(waiter.as_mut()).is_ready());
        assert!(first.is_forgotten() && last.is_forgotten());
    });
}

/// One waiter is dropped while all are let through; the others are.
#[test]
fn set_against_cancel_among_others() {
    for place in 0..3 {
        model(move || {
            let event: &'static Event = leak(Event::new());
            let tasks = [Task::new(), Task::new(), Task::new()];
            let mut line: Vec<_> = tasks
                .iter()
                .map(|task| queued(task, event.wait()))
                .collect();
            let leaver = line.remove(place);
            let setter = thread::spawn(move || event.set());
            drop(leaver);
            setter.join().unwrap();
            let tasks = tasks.iter().enumerate().filter(|&(at, _)| at != place);
            for ((_, task), mut waiter) in tasks.zip(line) {
                assert_eq!(task.wakes(), 1);
                assert!(task.poll(waiter.as_mut()).is_ready());
            }
        });
    }
}

/// Two concurrent calls let each waiter through once.
#[test]
fn two_sets_wake_once() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let task = Task::new();
        let mut waiter = queued(&task, event.wait());
        let setter = thread::spawn(move || event.set());
        event.set();
        setter.join().unwrap();
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(waiter.as_mut()).is_ready());
    });
}

#[test]
fn blocking_form() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let value = Exclusive::new();
        let thread = {
            let value = value.clone();
            thread::spawn(move || {
                event.wait_blocking();
                value.get()
            })
        };
        value.add_one();
        event.set();
        assert_eq!(thread.join().unwrap(), 1);
    });
}

/// The last waiter is dropped while another joins and a third task sets.
#[test]
fn cancel_of_the_last_against_wait_and_set() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let last = queued(&Task::new(), event.wait());
        let waiter = thread::spawn(move || block_on(event.wait()));
        let canceller = thread::spawn(move || drop(last));
        event.set();
        waiter.join().unwrap();
        canceller.join().unwrap();
    });
}

/// Once the first waiter is let through, so are the others, which are woken one
/// at a time: by their own poll, if it comes before (N4).
///
/// (The first waiter shows it, not the flag: loom has no switch between the two
/// loads of the flag with which `set` begins.)
#[test]
fn a_set_is_seen_whole() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let tasks = [Task::new(), Task::new(), Task::new()];
        let [mut first, mut second, mut third] =
            tasks.each_ref().map(|task| queued(task, event.wait()));
        let setter = thread::spawn(move || event.set());
        if tasks[0].poll(first.as_mut()).is_ready() {
            assert!(tasks[1].poll(second.as_mut()).is_ready());
            event.clear();
            let mut late = pin!(event.wait());
            assert!(poll_once(late.as_mut()).is_pending());
            assert!(tasks[2].poll(third.as_mut()).is_ready());
            setter.join().unwrap();
            assert!(poll_once(late.as_mut()).is_pending());
        } else {
            setter.join().unwrap();
            assert!(tasks[0].poll(first.as_mut()).is_ready());
            assert!(tasks[1].poll(second.as_mut()).is_ready());
            assert!(tasks[2].poll(third.as_mut()).is_ready());
        }
        assert!(
            tasks
                .iter()
                .all(|task| task.wakes() <= 1 && task.is_forgotten())
        );
    });
}

/// A waiter is polled by the waker of another while a third is cancelled.
#[test]
fn poll_inside_of_a_wake_against_cancel() {
    for cancelled in 1..3 {
        model(move || {
            let event: &'static Event = leak(Event::new());
            let (first, tasks) = (PollsAnother::new(), [Task::new(), Task::new()]);
            let mut wait = Box::pin(event.wait());
            assert!(first.poll(wait.as_mut()).is_pending());
            let mut others = tasks
                .each_ref()
                .map(|task| Some(queued(task, event.wait())));
            let leaver = others[cancelled - 1].take();
            let early = 2 - cancelled;
            let mut waiter = others[early].take().unwrap();
            let task = tasks[early].clone();
            first.on_wake(move || {
                assert!(event.is_set());
                assert!(task.poll(waiter.as_mut()).is_ready());
            });
            let setter = thread::spawn(move || event.set());
            drop(leaver);
            setter.join().unwrap();
            assert!(first.is_woken());
            assert!(first.poll(wait.as_mut()).is_ready());
            assert_eq!(tasks[early].wakes(), 0);
            assert!(tasks[cancelled - 1].wakes() <= 1);
            assert!(tasks.iter().all(Task::is_forgotten));
        });
    }
}

/// A waiter that is polled with another waker while it is let through.
#[test]
fn poll_of_another_task_among_others() {
    model(|| {
        let event: &'static Event = leak(Event::new());
        let tasks = [Task::new(), Task::new(), Task::new()];
        let [mut first, mut second, mut third] =
            tasks.each_ref().map(|task| queued(task, event.wait()));
        let setter = thread::spawn(move || event.set());
        let last = Task::new();
        let ready = last.poll(second.as_mut()).is_ready();
        setter.join().unwrap();
        if ready {
            assert_eq!(last.wakes(), 0);
        } else {
            assert_eq!((tasks[1].wakes(), last.wakes()), (0, 1));
            assert!(last.poll(second.as_mut()).is_ready());
        }
        assert!(tasks[0].poll(first.as_mut()).is_ready());
        assert!(tasks[2].poll(third.as_mut()).is_ready());
        assert!(tasks.iter().all(Task::is_forgotten) && last.is_forgotten());
    });
}

/// Writes before a `set` are visible after the `clear` that clears it, and
/// writes before a `clear` to a task that sees the flag clear.
#[test]
fn clear_synchronizes() {
    use loom::sync::atomic::{AtomicUsize, Ordering};

    model(|| {
        let event: &'static Event = leak(Event::new());
        event.set();
        let work = Arc::new(AtomicUsize::new(0));
        let setter = {
            let work = Arc::clone(&work);
            thread::spawn(move || {
                work.store(1, Ordering::Relaxed);
                event.set();
            })
        };
        event.clear();
        let seen = work.load(Ordering::Relaxed);
        setter.join().unwrap();
        assert!(event.is_set() || seen == 1);
    });
    model(|| {
        let event: &'static Event = leak(Event::new());
        event.set();
        let value = Exclusive::new();
        let clearer = {
            let value = value.clone();
            thread::spawn(move || {
                value.add_one();
                event.clear();
            })
        };
        if !event.is_set() {
            assert_eq!(value.get(), 1);
        }
        clearer.join().unwrap();
    });
}
