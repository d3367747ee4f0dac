//! A crowd of tasks, each of which has several requests of all kinds at once, on a few
//! threads that take whatever task is to be polled; and threads beside them that park.
//!
//! | what is checked | how |
//! |---|---|
//! | exclusion | plain numbers as guarded data, and counters of holders |
//! | no wake-up is lost | a patient task is polled only after one of its wakers was woken, so that it hangs after a lost one |
//! | nothing hangs | everything ends, or a watchdog prints what each task waits for |
//! | nothing is lost | permits, money and writes are counted at the end |
//! | no waker is kept | the counts of the tasks' handles at the end |
//!
//! A task must not do the following, which would be a deadlock by the contract: wait at one
//! primitive while it keeps an unpolled future at another; park while it holds
//! something; park on the last thread that holders need ([`Rules`]).
//!
//! Each seed is a small crowd of its own. On one thread, the same seed is always the same
//! schedule. After `ASYNC_MONITOR_PATIENCE` seconds (60) without progress, it counts as hanging.

pub(crate) mod bin;
pub(crate) mod bodies;
pub(crate) mod executor;
pub(crate) mod held;
mod outsiders;
pub(crate) mod requests;
mod task;
mod watchdog;
pub(crate) mod world;

use std::env;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex as StdMutex};
use std::thread;

use self::bin::Bin;
use self::executor::{Handle, Next, RunQueue};
use self::task::Task;
use self::watchdog::Watchdog;
use self::world::{Place, Rules, World};
use crate::random::Random;

/// A task, as the threads share it.
pub(crate) struct Slot<'w> {
    handle: Arc<Handle>,
    task: StdMutex<Option<Task<'w>>>,
}

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?.replace('_', "");
    Some(value.parse().expect("a number"))
}

/// How often a task begins anew: less often where a step takes a thousand times as long.
const ROUNDS: usize = if cfg!(miri) { 2 } else { 20 };

/// Runs one crowd after the other, until they have made enough acquisitions: of the requested
/// steps, one of `share`.
fn crowds(share: u64, rules: impl Fn(u64, &mut Random) -> Rules) {
    let steps = variable("ASYNC_MONITOR_STEPS").unwrap_or(40_000) / share;
    let mut seed = variable("ASYNC_MONITOR_SEED").unwrap_or(1);
    let mut done = 0;
    while done == 0 || done < steps {
        let _seed = watchdog::Seed(seed);
        let mut random = Random::new(seed);
        let rules = rules(seed, &mut random);
        done += run(rules, &mut random) as u64;
        seed += 1;
    }
}

/// Runs one crowd. Returns the number of acquisitions.
fn run(rules: Rules, random: &mut Random) -> usize {
    let mut seeds =
        || Random::new(((random.below(1 << 31) as u64) << 31) | random.below(1 << 31) as u64);
    watchdog::speak_up();
    let world = World::new(rules);
    let bin = Arc::new(Bin::new(&world.rules));
    let queue = Arc::new(RunQueue::default());
    let slots: Vec<_> = (0..world.rules.tasks)
        .map(|number| {
            let handle = Handle::new(number, &queue);
            let task = Task::new(&world, &bin, &handle, seeds());
            Slot {
                handle,
                task: StdMutex::new(Some(task)),
            }
        })
        .collect();
    let watchdog = Watchdog::default();
    thread::scope(|scope| {
        let named = |what: &str, number: usize| {
            let seed = world.rules.seed;
            thread::Builder::new().name(format!("crowd of seed {seed}, {what} {number}"))
        };
        let (world, bin, queue, slots) = (&world, &*bin, &*queue, &*slots);
        let mut threads = Vec::new();
        for number in 0..world.rules.workers {
            let random = seeds();
            let worker = move || work(slots, queue, bin, random);
            threads.push(named("worker", number).spawn_scoped(scope, worker));
        }
        for number in 0..world.rules.outsiders {
            let random = seeds();
            let outsider = move || outsiders::outsider(world, bin, random);
            threads.push(named("outsider", number).spawn_scoped(scope, outsider));
        }
        if world.rules.janitor {
            let mut random = seeds();
            let janitor = move || bin.empty_until_closed(&mut random);
            let janitor = named("janitor", 0).spawn_scoped(scope, janitor);
            janitor.expect("a thread");
        }
        let dog = named("watchdog", 0).spawn_scoped(scope, || watchdog.watch(world, bin, slots));
        dog.expect("a thread");
        for thread in threads {
            let joined = thread.expect("a thread").join();
            joined.expect("the thread has said why");
        }
        bin.close();
        watchdog.is_over();
    });
    for slot in slots {
        assert!(slot.task.lock().expect("no panic").is_none());
        assert_eq!(Arc::strong_count(&slot.handle), 1, "a waker is kept");
    }
    drop(bin);
    let served = world.served.load(Ordering::Relaxed);
    world.check();
    served
}

/// A thread of the executor.
fn work<'w>(slots: &[Slot<'w>], queue: &RunQueue, bin: &Bin<'w>, mut random: Random) {
    while let Some(number) = queue.next(slots.len(), &mut random) {
        let Slot { handle, task } = &slots[number];
        handle.begin();
        let mut slot = task.lock().expect("no panic");
        let next = slot.as_mut().expect("it has not ended").run();
        if next == Next::End {
            *slot = None;
        }
        drop(slot);
        handle.end(next);
        bin.empty_some(&mut random);
        if queue.is_empty() {
            // Somebody may be about to sleep until something in there is dropped.
            bin.empty(&mut random);
        }
    }
    bin.empty(&mut random);
}

fn places(random: &mut Random) -> Vec<Place> {
    if random.one_in(4) {
        return Place::ALL.to_vec();
    }
    (0..1 + random.below(2))
        .map(|_| random.of(&Place::ALL))
        .collect()
}

/// Always the same for the same seed, unless a thread parks.
#[test]
fn tasks_with_many_requests_on_one_thread() {
    crowds(1, |seed, random| {
        let prompt = random.one_in(4);
        Rules {
            seed,
            workers: 1,
            tasks: 1 + random.below(6),
            rounds: ROUNDS,
            outsiders: 0,
            turns: 0,
            places: places(random),
            prompt,
            may_park: usize::from(prompt),
            // It takes a millisecond each time.
            parks: 64,
            upgrades: random.one_in(2),
            shares: false,
            janitor: false,
        }
    });
}

#[test]
fn tasks_with_many_requests_migrate_between_threads() {
    crowds(2, |seed, random| {
        let workers = 2 + random.below(3);
        Rules {
            seed,
            workers,
            tasks: 2 + random.below(8),
            rounds: ROUNDS,
            outsiders: random.below(3),
            turns: 5 * ROUNDS,
            places: places(random),
            prompt: false,
            may_park: workers - 1,
            parks: 24,
            upgrades: random.one_in(2),
            shares: false,
            janitor: true,
        }
    });
}

#[test]
fn tasks_with_many_requests_on_threads_that_all_may_park() {
    // Most of the time, they wait for a thread to run out of patience.
    crowds(8, |seed, random| {
        let workers = 1 + random.below(3);
        Rules {
            seed,
            workers,
            tasks: 2 + random.below(8),
            rounds: ROUNDS,
            outsiders: random.below(3),
            turns: 5 * ROUNDS,
            places: places(random),
            prompt: true,
            may_park: workers,
            parks: 16,
            upgrades: random.one_in(2),
            shares: false,
            janitor: true,
        }
    });
}

/// Holders of a share wait for another, so that no other release can make
/// up for a forgotten hand-off: after a downgrade, or when blocking waiters give up.
#[test]
fn tasks_that_hold_a_share_wait_for_another() {
    crowds(1, |seed, random| {
        let place = random.of(&[
            Place::RwLock,
            Place::RwLock,
            Place::Semaphore,
            Place::Bounded,
        ]);
        let workers = 1 + random.below(3);
        Rules {
            seed,
            workers,
            tasks: match place {
                Place::RwLock => 1 + random.below(6),
                _ => 2,
            },
            rounds: ROUNDS,
            outsiders: 0,
            turns: 0,
            places: vec![place],
            prompt: false,
            may_park: 0,
            parks: 64,
            upgrades: false,
            shares: true,
            janitor: workers > 1,
        }
    });
}
