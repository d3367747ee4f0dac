//! Watching beside a reference model: sections of random locks, to read and to write,
//! and of permits, nested and concurrent (`join`, `select`), waits for an event, and
//! pauses; in random tasks, some of which are cancelled.
//!
//! Each step is checked: a section panics if and only if it requests a lock that a section
//! around it holds. A deadlock is reported only if there was one in the round; and a deadlock
//! at the end of the round is always reported.
//!
//! ```text
//! ASYNC_MONITOR_SEED=1 ASYNC_MONITOR_STEPS=100000 cargo test --release --features watch --test watch_random -- --nocapture
//! ```

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::{self, Kind, Report};
use async_monitor::{AsyncLock, Event, Guarded, LockId, RwLock, Semaphore, with_lock};
use futures::future;

const _: () = assert!(watch::IS_ON, "in a release build, add `--features watch`");

const LOCKS: usize = 3;
const TASKS: usize = 4;
const PERMITS: usize = 2;
const THRESHOLD: Duration = Duration::from_millis(4);

#[derive(Guarded, Default)]
struct Object {
    #[lock(rw)]
    lock: RwLock<()>,
    #[guarded_by(lock)]
    entered: Guarded<usize>,
}

struct Things {
    objects: [Object; LOCKS],
    seats: Semaphore,
    event: Event,
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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Resource {
    Write(usize),
    Read(usize),
    Permit,
}

impl Resource {
    fn is_same(self, other: Resource) -> bool {
        self.lock() == other.lock()
    }

    /// None for the permits.
    fn lock(self) -> Option<usize> {
        match self {
            Resource::Write(index) | Resource::Read(index) => Some(index),
            Resource::Permit => None,
        }
    }

    fn excludes(self, other: Resource) -> bool {
        let is_lock = self.lock().is_some();
        let reads = |resource| matches!(resource, Resource::Read(_));
        is_lock && self.is_same(other) && !(reads(self) && reads(other))
    }
}

/// The steps of a task.
#[derive(Debug)]
enum Step {
    Section(Resource, Vec<Step>),
    Pause,
    Event,
    Join(Vec<Step>, Vec<Step>),
    Select(Vec<Step>, Vec<Step>),
}

fn plan(random: &mut Random, depth: usize) -> Vec<Step> {
    let length = 1 + random.below(2);
    (0..length).map(|_| step(random, depth)).collect()
}

fn step(random: &mut Random, depth: usize) -> Step {
    if depth == 0 {
        return match random.below(6) {
            0 => Step::Event,
            _ => Step::Pause,
        };
    }
    let mut inner = || plan(random, depth - 1);
    let (first, second) = (inner(), inner());
    let index = random.below(LOCKS);
    match random.below(12) {
        0..=4 => Step::Section(Resource::Write(index), first),
        5 | 6 => Step::Section(Resource::Read(index), first),
        7 | 8 => Step::Section(Resource::Permit, first),
        9 => Step::Join(first, second),
        10 => Step::Select(first, second),
        _ => Step::Pause,
    }
}

/// Pending once.
fn pause() -> impl Future<Output = ()> {
    let mut polled = false;
    future::poll_fn(move |_| match std::mem::replace(&mut polled, true) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    })
}

/// A wait, by the sections that it is in.
struct Asks {
    resource: Resource,
    within: Vec<u64>,
    task: usize,
}

/// The current state.
#[derive(Default)]
struct Truth {
    next: Cell<u64>,
    waits: RefCell<BTreeMap<u64, Asks>>,
    /// The locks that each section holds.
    holds: RefCell<BTreeMap<u64, Resource>>,
    /// A section has requested a lock that one around it holds.
    asks_for_its_own: Cell<bool>,
}

/// Undoes itself, even if a task is cancelled.
struct Noted<'t>(&'t Truth, u64);

impl Drop for Noted<'_> {
    fn drop(&mut self) {
        self.0.waits.borrow_mut().remove(&self.1);
        self.0.holds.borrow_mut().remove(&self.1);
    }
}

impl Truth {
    fn number(&self) -> u64 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    fn asks(&self, resource: Resource, within: &[u64], task: usize) -> Noted<'_> {
        let number = self.number();
        let holds = self.holds.borrow();
        let is_own = within
            .iter()
            .any(|section| holds[section].excludes(resource));
        if is_own {
            self.asks_for_its_own.set(true);
        }
        let asks = Asks {
            resource,
            within: within.to_vec(),
            task,
        };
        self.waits.borrow_mut().insert(number, asks);
        Noted(self, number)
    }

    fn holds(&self, resource: Resource) -> Noted<'_> {
        let number = self.number();
        self.holds.borrow_mut().insert(number, resource);
        Noted(self, number)
    }

    fn shown(&self) -> String {
        let (waits, holds) = (self.waits.borrow(), self.holds.borrow());
        let waits = waits.values().map(|asks| {
            format!(
                "{:?} in {:?} of {}\n",
                asks.resource, asks.within, asks.task
            )
        });
        format!("{}{holds:?}", waits.collect::<String>())
    }

    /// Whether some of the waits that count are in a cycle.
    fn has_cycle(&self, counts: impl Fn(&Asks) -> bool) -> bool {
        let (waits, holds) = (self.waits.borrow(), self.holds.borrow());
        let mut stuck: BTreeMap<u64, &Asks> = waits
            .iter()
            .filter(|(_, asks)| counts(asks))
            .map(|(number, asks)| (*number, asks))
            .collect();
        loop {
            let in_them: BTreeSet<u64> = stuck
                .values()
                .flat_map(|asks| asks.within.iter().copied())
                .collect();
            let held = || {
                let held = holds.iter();
                held.filter(|(section, _)| in_them.contains(section))
                    .map(|(_, held)| *held)
            };
            let is_kept = |resource: Resource| match resource {
                Resource::Permit => held().filter(|held| *held == resource).count() >= PERMITS,
                _ => held().any(|held| held.excludes(resource)),
            };
            let stays = |asks: &Asks| {
                // A reader that waits beside readers is behind a writer.
                let is_behind = || {
                    let is_read = matches!(asks.resource, Resource::Read(_));
                    let mut others = stuck.values().map(|other| other.resource);
                    is_read && others.any(|other| other.excludes(asks.resource) && is_kept(other))
                };
                is_kept(asks.resource) || is_behind()
            };
            let before = stuck.len();
            let kept: BTreeSet<u64> = stuck
                .iter()
                .filter(|(_, asks)| stays(asks))
                .map(|(number, _)| *number)
                .collect();
            stuck.retain(|number, _| kept.contains(number));
            if stuck.len() == before {
                break;
            }
        }
        // A cycle: from a wait to a section that holds its lock, to a wait in that section.
        let next = |asks: &Asks| -> Vec<u64> {
            let holders: Vec<u64> = holds
                .iter()
                .filter(|(_, held)| held.is_same(asks.resource))
                .map(|(section, _)| *section)
                .collect();
            stuck
                .iter()
                .filter(|(_, other)| other.within.iter().any(|within| holders.contains(within)))
                .map(|(number, _)| *number)
                .collect()
        };
        stuck.keys().any(|start| {
            let mut seen = BTreeSet::new();
            let mut to_see = next(stuck[start]);
            while let Some(number) = to_see.pop() {
                if number == *start {
                    return true;
                }
                if seen.insert(number) {
                    to_see.extend(next(stuck[&number]));
                }
            }
            false
        })
    }
}

/// In a call that is awaited within a section.
async fn all_of(running: Running<'_>) {
    running.await;
}

type Running<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn run<'a>(
    things: &'a Things,
    truth: &'a Truth,
    task: usize,
    steps: &'a [Step],
    within: Vec<u64>,
) -> Running<'a> {
    Box::pin(async move {
        for step in steps {
            match step {
                Step::Pause => pause().await,
                Step::Event => things.event.wait().await,
                Step::Join(first, second) => {
                    let first = run(things, truth, task, first, within.clone());
                    let second = run(things, truth, task, second, within.clone());
                    future::join(first, second).await;
                }
                Step::Select(first, second) => {
                    let first = run(things, truth, task, first, within.clone());
                    let second = run(things, truth, task, second, within.clone());
                    future::select(first, second).await;
                }
                Step::Section(resource, inner) => {
                    let asks = truth.asks(*resource, &within, task);
                    let inside = |asks: Noted<'a>| {
                        drop(asks);
                        let holds = truth.holds(*resource);
                        let mut within = within.clone();
                        within.push(holds.1);
                        (holds, run(things, truth, task, inner, within))
                    };
                    match *resource {
                        Resource::Write(index) => {
                            with_lock!(things.objects[index].lock, {
                                *lock.entered += 1;
                                let (_holds, inner) = inside(asks);
                                all_of(inner).await;
                            })
                        }
                        Resource::Read(index) => {
                            with_lock!(read(things.objects[index].lock), {
                                let _: &usize = lock.entered;
                                let (_holds, inner) = inside(asks);
                                all_of(inner).await;
                            })
                        }
                        Resource::Permit => {
                            with_lock!(seats = things.seats, {
                                let _: &_ = seats;
                                let (_holds, inner) = inside(asks);
                                all_of(inner).await;
                            })
                        }
                    }
                }
            }
        }
    })
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

static REPORTS: Mutex<Vec<Report>> = Mutex::new(Vec::new());

/// A round that is over. Its locks stay, so that reports that come late are known.
struct Past {
    things: Arc<Things>,
    had_cycle: bool,
    is_reported: bool,
}

impl Past {
    fn ids(&self) -> impl Iterator<Item = LockId> + '_ {
        let objects = self.things.objects.iter().map(|object| object.lock.id());
        objects.chain([self.things.seats.id()])
    }
}

#[derive(Default)]
struct Rounds {
    past: VecDeque<Past>,
    polls: u64,
    refused: u64,
    deadlocks: u64,
    reports: u64,
    quiet: u64,
}

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().expect("a number"))
}

#[test]
fn reports_are_true_and_none_is_missing() {
    watch::set_threshold(THRESHOLD);
    watch::set_hook(|report| REPORTS.lock().expect("no panic").push(report.clone()));
    let mut random = Random(number_of("ASYNC_MONITOR_SEED", 1).max(1));
    let steps = number_of("ASYNC_MONITOR_STEPS", 4000);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !info.to_string().contains("deadlock: `Object.lock`") {
            hook(info);
        }
    }));
    let mut rounds = Rounds::default();
    while rounds.polls < steps {
        rounds.next(&mut random);
    }
    let Rounds {
        polls,
        refused,
        deadlocks,
        reports,
        quiet,
        ..
    } = rounds;
    println!(
        "{polls} polls: {refused} refused, each with a reason; {deadlocks} rounds ended in a deadlock, \
         each reported; {reports} reports, each true; {quiet} rounds were watched for a false one"
    );
    assert!(refused > 0 && deadlocks > 0 && quiet > 0);
}

impl Rounds {
    fn next(&mut self, random: &mut Random) {
        let things = Arc::new(Things {
            objects: Default::default(),
            seats: Semaphore::new(PERMITS),
            event: Event::new(),
        });
        let truth = Truth::default();
        let plans: Vec<Vec<Step>> = (0..TASKS).map(|_| plan(random, 3)).collect();
        let wakers: Vec<_> = (0..TASKS)
            .map(|_| Arc::new(Woken(AtomicBool::new(false))))
            .collect();
        let mut tasks: Vec<Option<Running<'_>>> = plans
            .iter()
            .enumerate()
            .map(|(task, plan)| Some(run(&things, &truth, task, plan, Vec::new())))
            .collect();
        let mut had_cycle = false;
        for _ in 0..random.below(60) {
            let index = random.below(TASKS);
            match random.below(60) {
                0 | 1 => tasks[index] = None,
                2 => things.event.set(),
                3 | 4 => things.event.clear(),
                _ => self.poll(&mut tasks[index], &wakers[index], &truth),
            }
            had_cycle = had_cycle || truth.has_cycle(|_| true);
        }
        // A task that was woken may have been granted its request.
        let is_known = |asks: &Asks| !wakers[asks.task].0.load(Ordering::SeqCst);
        let cycle = truth.has_cycle(is_known);
        self.past.push_back(Past {
            things: Arc::clone(&things),
            had_cycle,
            is_reported: false,
        });
        let begin = Instant::now();
        if cycle {
            self.deadlocks += 1;
            while !self.past.back().expect("this round").is_reported {
                assert!(
                    begin.elapsed() < Duration::from_secs(20),
                    "a deadlock is missed: {plans:?}\n{}\n{}",
                    watch::report(),
                    truth.shown()
                );
                thread::sleep(Duration::from_millis(1));
                self.look();
            }
        } else if random.below(8) == 0 {
            thread::sleep(THRESHOLD * 3);
            self.quiet += 1;
        }
        self.look();
        if self.past.len() > 256 {
            self.past.pop_front();
        }
    }

    fn poll(&mut self, task: &mut Option<Running<'_>>, woken: &Arc<Woken>, truth: &Truth) {
        let Some(running) = task else {
            return;
        };
        self.polls += 1;
        woken.0.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(woken));
        let mut cx = Context::from_waker(&waker);
        let polled = catch_unwind(AssertUnwindSafe(|| running.as_mut().poll(&mut cx)));
        let asks_for_its_own = truth.asks_for_its_own.replace(false);
        match polled {
            Ok(polled) => {
                assert!(!asks_for_its_own, "a task waits for what it holds");
                if polled.is_ready() {
                    *task = None;
                }
            }
            Err(panic) => {
                let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                assert!(
                    message.starts_with("deadlock: `Object.lock` is held"),
                    "{message}"
                );
                assert!(asks_for_its_own, "refused without a reason");
                self.refused += 1;
                *task = None;
            }
        }
    }

    /// Looks at the reports so far.
    fn look(&mut self) {
        for report in std::mem::take(&mut *REPORTS.lock().expect("no panic")) {
            if matches!(report.kind, Kind::Unpolled | Kind::LongHold) {
                continue;
            }
            assert_eq!(report.kind, Kind::Deadlock, "{report}");
            self.reports += 1;
            let ids: Vec<LockId> = report.waits.iter().map(|wait| wait.id).collect();
            let mut rounds = self.past.iter_mut();
            let round = rounds.find(|round| round.ids().any(|id| ids.contains(&id)));
            let round = round.expect("a round of late");
            assert!(round.had_cycle, "a false report: {report}");
            round.is_reported = true;
        }
    }
}
