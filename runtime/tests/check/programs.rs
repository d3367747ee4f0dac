//! Random programs: a check finds in them what exhaustive runs find.
//!
//! Programs with more schedules than a test has time for are skipped. There is a program for each
//! thousand `ASYNC_MONITOR_STEPS`, and `ASYNC_MONITOR_SEED` is the
//! first. No program deadlocks: locks are acquired in one order, and a task that waits for a
//! signal holds nothing.

use std::pin::pin;
use std::sync::Arc;

use async_monitor::{Condition, Event, Mutex, RwLock, Semaphore};
use futures::future::{Either, select};

use crate::compare::{Compared, Log, compare};
use crate::random::Random;

/// The next step of a task. It holds all that it acquires until it releases all.
#[derive(Clone, Copy, Debug)]
enum Step {
    Lock(usize),
    Read,
    Write,
    Acquire(usize),
    AddPermit,
    ReleaseAll,
    Try(usize),
    IsLocked(usize),
    Available,
    IsSet,
    /// By an event, which the first task sets.
    Wait,
    /// By a condition, which the first task makes true.
    WaitForTrue,
    LockEither,
    LockOrWait,
}

/// The steps of a task. The first task never waits for a signal.
fn task(random: &mut Random, is_first: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    // The order of acquisition: the locks, the reader-writer lock, the semaphore.
    let mut level = 0;
    for _ in 0..1 + random.below(3) {
        let step = match random.below(if is_first { 11 } else { 15 }) {
            0 | 1 if level < 1 => Step::Lock(0),
            2 if level < 2 => Step::Lock(1),
            3 if level < 3 => Step::Read,
            4 if level < 3 => Step::Write,
            5 if level < 4 => Step::Acquire(1 + random.below(2)),
            6 => Step::Try(random.below(2)),
            7 => Step::IsLocked(random.below(2)),
            8 => Step::AddPermit,
            9 => Step::Available,
            10 => Step::IsSet,
            11 if level == 0 => Step::Wait,
            12 if level == 0 => Step::WaitForTrue,
            13 if level == 0 => Step::LockEither,
            14 if level == 0 => Step::LockOrWait,
            _ => Step::ReleaseAll,
        };
        level = match step {
            Step::Lock(lock) => lock + 1,
            Step::Read | Step::Write => 3,
            Step::Acquire(_) => 4,
            Step::ReleaseAll => 0,
            _ => level,
        };
        steps.push(step);
    }
    steps
}

struct Shared {
    locks: [Mutex<String>; 2],
    map: RwLock<String>,
    semaphore: Semaphore,
    event: Event,
    is_true: Mutex<bool>,
    condition: Condition,
}

impl Shared {
    /// Each has a number then that does not depend on who comes to it first: classes are compared
    /// by them.
    fn touch(&self) {
        for lock in &self.locks {
            lock.is_locked();
        }
        self.map.is_locked();
        self.semaphore.available_permits();
        self.event.is_set();
        let is_true = self.is_true.try_lock().expect("nobody has it");
        self.condition.notify_all(&is_true);
    }
}

async fn run_task(name: &'static str, steps: Vec<Step>, shared: Arc<Shared>, log: Log) {
    let mut guards = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Lock(lock) => {
                let mut guard = shared.locks[lock].lock().await;
                guard.push_str(name);
                log.say(name, &*guard);
                guards.0.push(guard);
            }
            Step::Read => {
                let guard = shared.map.read().await;
                log.say(name, &*guard);
                guards.1.push(guard);
            }
            Step::Write => {
                let mut guard = shared.map.write().await;
                guard.push_str(name);
                guards.2.push(guard);
            }
            Step::Acquire(permits) => {
                guards.3.push(shared.semaphore.acquire_many(permits).await);
            }
            Step::AddPermit => shared.semaphore.add_permits(1),
            Step::ReleaseAll => guards = Default::default(),
            Step::Try(lock) => {
                let tried = shared.locks[lock].try_lock();
                log.say(name, tried.map_or("-".into(), |guard| guard.clone()));
            }
            Step::IsLocked(lock) => log.say(name, shared.locks[lock].is_locked()),
            Step::Available => log.say(name, shared.semaphore.available_permits()),
            Step::IsSet => log.say(name, shared.event.is_set()),
            Step::Wait => shared.event.wait().await,
            Step::WaitForTrue => {
                let guard = shared.is_true.lock().await;
                drop(shared.condition.wait_for(guard, |is_true| *is_true).await);
            }
            Step::LockEither => {
                let [first, second] = &shared.locks;
                let which = match select(pin!(first.lock()), pin!(second.lock())).await {
                    Either::Left((guard, _)) => format!("left {}", *guard),
                    Either::Right((guard, _)) => format!("right {}", *guard),
                };
                log.say(name, which);
            }
            Step::LockOrWait => {
                let (lock, wait) = (shared.locks[0].lock(), shared.event.wait());
                let which = match select(pin!(lock), pin!(wait)).await {
                    Either::Left((guard, _)) => format!("lock {}", *guard),
                    Either::Right(_) => "event".into(),
                };
                log.say(name, which);
            }
        }
    }
    drop(guards);
    if name == "a" {
        shared.event.set();
        let mut is_true = shared.is_true.lock().await;
        *is_true = true;
        shared.condition.notify_all(&is_true);
    }
}

fn variable(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().expect("a number"))
}

#[test]
fn programs() {
    let first = variable("ASYNC_MONITOR_SEED").unwrap_or(1);
    let count = variable("ASYNC_MONITOR_STEPS").unwrap_or(20_000) / 1_000;
    let mut skipped = 0;
    for seed in first..first + count {
        let mut random = Random::new(seed);
        let tasks: Vec<Vec<Step>> = (0..2 + random.below(2))
            .map(|index| task(&mut random, index == 0))
            .collect();
        println!("{seed}: {tasks:?}");
        for cancels in [0, 1] {
            // Where a task that waits for either of two things sees who has woken it, and another
            // is cancelled, which of two wakes it makes two classes of what ends alike.
            let is_either = |step: &Step| matches!(step, Step::LockEither | Step::LockOrWait);
            let by_classes = cancels == 0 || !tasks.iter().flatten().any(is_either);
            let name = format!("program {seed}");
            let compared = compare(&name, cancels, 600, by_classes, |run, log| {
                let shared = Arc::new(Shared {
                    locks: Default::default(),
                    map: RwLock::default(),
                    semaphore: Semaphore::new(2),
                    event: Event::new(),
                    is_true: Mutex::new(false),
                    condition: Condition::new(),
                });
                shared.touch();
                for (name, steps) in ["a", "b", "c"].into_iter().zip(&tasks) {
                    let (shared, steps) = (Arc::clone(&shared), steps.clone());
                    run.spawn(name, run_task(name, steps, shared, log.clone()));
                }
            });
            assert_ne!(compared, Compared::Failures, "{name}");
            skipped += u64::from(compared == Compared::Nothing);
        }
    }
    assert!(skipped <= count, "{skipped} of {} were skipped", 2 * count);
}
