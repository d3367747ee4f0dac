//! Watching beside a model that knows the truth: sections of random locks within each other, in
//! random tasks, some of which are cancelled.
//!
//! Each step is checked: a section panics if and only if it asks for a lock that a section
//! around it holds. At the end of each round, a deadlock is reported if and only if there is
//! one.
//!
//! ```text
//! ASYNC_MONITOR_SEED=1 ASYNC_MONITOR_STEPS=100000 cargo test --release --features watch --test watch_random
//! ```

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::{self, Kind};
use async_monitor::{Guarded, Lock, with_lock};
use futures::future;

const _: () = assert!(watch::IS_ON, "in a release build, add `--features watch`");

const LOCKS: usize = 4;
const TASKS: usize = 4;
const THRESHOLD: Duration = Duration::from_millis(4);

#[derive(Guarded, Default)]
struct Object {
    lock: Lock,
    #[guarded_by(lock)]
    entered: Guarded<usize>,
}

/// Xorshift, by Marsaglia.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }
}

/// What the model knows of a task.
#[derive(Default)]
struct Truth {
    holds: RefCell<Vec<usize>>,
    waits_for: Cell<Option<usize>>,
    /// It has asked for a lock that it holds.
    asks_for_its_own: Cell<bool>,
}

/// Pending once.
fn pause() -> impl Future<Output = ()> {
    let mut polled = false;
    future::poll_fn(move |_| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

/// Takes itself back where a task is cancelled.
struct Holds(Rc<Truth>);

impl Drop for Holds {
    fn drop(&mut self) {
        self.0.holds.borrow_mut().pop();
    }
}

type Plan = Rc<Vec<(usize, bool)>>;

/// Sections of the locks of a plan within each other, each with a pause or without.
fn nested<'a>(
    objects: &'a [Object; LOCKS],
    plan: Plan,
    depth: usize,
    truth: Rc<Truth>,
) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
    Box::pin(async move {
        let Some(&(index, pauses)) = plan.get(depth) else {
            return;
        };
        truth.waits_for.set(Some(index));
        truth
            .asks_for_its_own
            .set(truth.holds.borrow().contains(&index));
        with_lock!(objects[index].lock, {
            truth.waits_for.set(None);
            truth.holds.borrow_mut().push(index);
            let _holds = Holds(Rc::clone(&truth));
            *lock.entered += 1;
            if pauses {
                pause().await;
            }
            nested(objects, plan, depth + 1, Rc::clone(&truth)).await;
        })
    })
}

/// Whether the tasks that wait are in a circle.
fn has_circle(tasks: &[Rc<Truth>]) -> bool {
    let next = |task: usize| {
        let wanted = tasks[task].waits_for.get()?;
        (0..tasks.len()).find(|other| tasks[*other].holds.borrow().contains(&wanted))
    };
    (0..tasks.len()).any(|start| {
        let mut seen = HashSet::new();
        let mut at = start;
        while let Some(after) = next(at) {
            if after == start {
                return true;
            }
            if !seen.insert(after) {
                return false;
            }
            at = after;
        }
        false
    })
}

static DEADLOCKS: AtomicUsize = AtomicUsize::new(0);

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn reports_are_true_and_none_is_missing() {
    watch::set_threshold(THRESHOLD);
    watch::set_hook(|report| {
        if report.kind == Kind::Deadlock {
            DEADLOCKS.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut random = Random(number_of("ASYNC_MONITOR_SEED", 1).max(1));
    let steps = number_of("ASYNC_MONITOR_STEPS", 3000);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let (mut done, mut refused, mut deadlocks) = (0, 0, 0);
    while done < steps {
        let (polled, panics, circle) = round(&mut random);
        done += polled;
        refused += panics;
        deadlocks += u64::from(circle);
    }
    std::panic::set_hook(hook);
    println!("{done} polls, {refused} refused, {deadlocks} deadlocks");
    assert!(refused > 0 && deadlocks > 0);
}

/// Returns the number of polls, how many were refused, and whether it ended in a deadlock.
fn round(random: &mut Random) -> (u64, u64, bool) {
    let objects: [Object; LOCKS] = Default::default();
    let truths: Vec<Rc<Truth>> = (0..TASKS).map(|_| Rc::default()).collect();
    let mut tasks: Vec<Option<Pin<Box<dyn Future<Output = ()> + '_>>>> = truths
        .iter()
        .map(|truth| {
            let depth = 1 + random.below(3);
            let plan = (0..depth)
                .map(|_| (random.below(LOCKS), random.below(3) > 0))
                .collect();
            Some(nested(&objects, Rc::new(plan), 0, Rc::clone(truth)))
        })
        .collect();
    let (mut polls, mut refused) = (0, 0);
    for _ in 0..random.below(40) {
        let index = random.below(TASKS);
        let Some(task) = &mut tasks[index] else {
            continue;
        };
        if random.below(30) == 0 {
            tasks[index] = None;
            truths[index].waits_for.set(None);
            continue;
        }
        polls += 1;
        let mut cx = Context::from_waker(Waker::noop());
        match catch_unwind(AssertUnwindSafe(|| task.as_mut().poll(&mut cx))) {
            Ok(Poll::Pending) => {
                let own = truths[index].asks_for_its_own.get();
                assert!(!own, "a task waits for what it holds");
            }
            Ok(Poll::Ready(())) => tasks[index] = None,
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(
                    message.starts_with("deadlock: `Object.lock` is held"),
                    "{message}"
                );
                assert!(
                    truths[index].asks_for_its_own.get(),
                    "refused without a reason"
                );
                truths[index].waits_for.set(None);
                refused += 1;
                tasks[index] = None;
            }
        }
    }
    let circle = has_circle(&truths);
    let before = DEADLOCKS.load(Ordering::SeqCst);
    let begin = Instant::now();
    if circle {
        while DEADLOCKS.load(Ordering::SeqCst) == before {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "a deadlock is missed"
            );
            thread::sleep(Duration::from_millis(1));
        }
    } else if random.below(8) == 0 {
        thread::sleep(THRESHOLD * 3);
        assert_eq!(DEADLOCKS.load(Ordering::SeqCst), before, "a false report");
    }
    drop(tasks);
    (polls, refused, circle)
}
