//! A check finds the same classes and the same outcomes as exhaustive runs.
//!
//! If a case has more than `ASYNC_MONITOR_STEPS` schedules (2,000, unless the variable is set),
//! the first of them are tried, which differ in their last steps only, and half as many
//! random ones, which differ in all of them. The check must find every class and every outcome of
//! these; whether it finds no others is then not compared. For each
//! primitive, [`whole`] has at least one case that is exhausted.
//!
//! With 60,000, all but seven cases are, in some minutes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::{Check, Run};
use async_monitor::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, Mutex, RwLock, Semaphore, sync,
};
use futures::future::{Either, select};

/// How many schedules an exhaustive run tries.
pub(crate) fn most() -> u64 {
    let steps = std::env::var("ASYNC_MONITOR_STEPS");
    steps
        .ok()
        .and_then(|steps| steps.parse().ok())
        .unwrap_or(2_000)
}

/// The observations of the tasks of a run.
#[derive(Clone, Default)]
pub(crate) struct Log(Rc<RefCell<Vec<(String, String)>>>);

impl Log {
    pub(crate) fn say(&self, who: &str, what: impl Display) {
        self.0.borrow_mut().push((who.into(), what.to_string()));
    }
}

/// The kind of a comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compared {
    /// The search with all schedules.
    WithAll,
    /// The search with a part of the schedules.
    WithPart,
    /// Two failures.
    Failures,
    /// Nothing: the search was cut off.
    Nothing,
}

/// Compares, without cancels and with one, up to that many exhaustive runs.
pub(crate) fn same(name: &str, most: u64, test: impl Fn(&mut Run, Log)) {
    for cancels in [0, 1] {
        let compared = compare(name, cancels, most, true, &test);
        let is_like = matches!(compared, Compared::WithAll | Compared::WithPart);
        assert!(is_like, "{name}: {compared:?}");
    }
}

/// The same, for a case that is small enough to be exhausted.
pub(crate) fn whole(name: &str, test: impl Fn(&mut Run, Log)) {
    for cancels in [0, 1] {
        let compared = compare(name, cancels, 2_000, true, &test);
        assert_eq!(compared, Compared::WithAll, "{name}");
    }
}

/// The same, for a case that deadlocks in some schedules.
pub(crate) fn fails(name: &str, test: impl Fn(&mut Run, Log)) {
    for cancels in [0, 1] {
        let compared = compare(name, cancels, most(), true, &test);
        assert_eq!(compared, Compared::Failures, "{name}");
    }
}

/// The same, or by the outcomes alone. The search itself tries at most twenty times as many.
pub(crate) fn compare(
    name: &str,
    cancels: usize,
    most: u64,
    by_classes: bool,
    test: impl Fn(&mut Run, Log),
) -> Compared {
    let outcomes: Rc<RefCell<[BTreeSet<String>; 3]>> = Rc::default();
    let check = Check::new().cancels(cancels).max_runs(most);
    let [_, searched, all] = check.__compare(|run, phase| {
        let log = Log::default();
        test(run, log.clone());
        let outcomes = Rc::clone(&outcomes);
        run.finally(move || {
            let mut lines = log.0.borrow().clone();
            lines.sort();
            outcomes.borrow_mut()[phase].insert(format!("{lines:?}"));
        });
    });
    let (searched, all) = match (searched, all) {
        (Ok(searched), Ok(all)) => (searched, all),
        (Err(a), Err(b)) => {
            println!(
                "{name:<28} c={cancels} both fail: {} / {}",
                a.what(),
                b.what()
            );
            return Compared::Failures;
        }
        (a, b) => panic!("{name}, {cancels} cancels: only one fails: {a:?} {b:?}"),
    };
    let is_all = all.0.is_proof();
    let missed = |of: &[u64], by: &[u64]| of.iter().filter(|class| !by.contains(class)).count();
    let (missed, extra) = (missed(&all.1, &searched.1), missed(&searched.1, &all.1));
    let [_, by_search, by_all] = outcomes.take();
    println!(
        "{name:<28} c={cancels} search {} (+{}) classes {}; all {} classes {}{}; missed {missed}, \
         extra {extra}; outcomes {}",
        searched.0.schedules(),
        searched.0.redundant(),
        searched.1.len(),
        all.0.schedules(),
        all.1.len(),
        if is_all { "" } else { " (in part)" },
        by_search.len(),
    );
    if !searched.0.is_proof() {
        return Compared::Nothing;
    }
    assert!(missed == 0 || !by_classes, "{name}: classes were missed");
    assert!(
        !by_classes || !is_all || extra == 0,
        "{name}: classes that do not exist"
    );
    let unseen: Vec<&String> = by_all.difference(&by_search).collect();
    assert!(
        unseen.is_empty(),
        "{name}: outcomes were missed: {unseen:?}"
    );
    if is_all {
        Compared::WithAll
    } else {
        Compared::WithPart
    }
}

#[test]
fn mutex() {
    whole("2 tasks, 1 section", |run, log| {
        let mutex = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (mutex, log) = (Arc::clone(&mutex), log.clone());
            run.spawn(name, async move {
                let mut guard = mutex.lock().await;
                guard.push_str(name);
                log.say(name, &*guard);
            });
        }
    });
    whole("2 tasks, 2 sections", |run, log| {
        let mutex = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (mutex, log) = (Arc::clone(&mutex), log.clone());
            run.spawn(name, async move {
                mutex.lock().await.push_str(name);
                let mut guard = mutex.lock().await;
                guard.push_str(name);
                log.say(name, &*guard);
            });
        }
    });
    same("3 tasks, 1 section", most(), |run, log| {
        let mutex = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b", "c"] {
            let (mutex, log) = (Arc::clone(&mutex), log.clone());
            run.spawn(name, async move {
                let mut guard = mutex.lock().await;
                guard.push_str(name);
                log.say(name, &*guard);
            });
        }
    });
    whole("ab, ba one after the other", |run, _| {
        let locks = Arc::new((Lock::new(), Lock::new()));
        let other = Arc::clone(&locks);
        run.spawn("a", async move {
            drop(locks.0.acquire().await);
            drop(locks.1.acquire().await);
        });
        run.spawn("b", async move {
            drop(other.1.acquire().await);
            drop(other.0.acquire().await);
        });
    });
    same("nested", most(), |run, log| {
        let locks = Arc::new((Mutex::new(String::new()), Mutex::new(String::new())));
        for name in ["a", "b"] {
            let (locks, log) = (Arc::clone(&locks), log.clone());
            run.spawn(name, async move {
                let mut outer = locks.0.lock().await;
                outer.push_str(name);
                let mut inner = locks.1.lock().await;
                inner.push_str(name);
                log.say(name, format!("{outer}/{inner}"));
            });
        }
        run.spawn("c", async move {
            let mut inner = locks.1.lock().await;
            inner.push('c');
            log.say("c", &*inner);
        });
    });
}

#[test]
fn two_cancels() {
    let compared = compare("3 tasks, 2 cancels", 2, 20_000, true, |run, log| {
        let mutex = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b", "c"] {
            let (mutex, log) = (Arc::clone(&mutex), log.clone());
            run.spawn(name, async move {
                let mut guard = mutex.lock().await;
                guard.push_str(name);
                log.say(name, &*guard);
            });
        }
    });
    assert_eq!(compared, Compared::WithAll);
}

#[cfg(feature = "local")]
#[test]
fn of_one_thread() {
    whole("a local mutex and event", |run, log| {
        let both = Rc::new((
            async_monitor::local::Mutex::new(0),
            async_monitor::local::Event::new(),
        ));
        let other = Rc::clone(&both);
        run.spawn("a", async move {
            *other.0.lock().await += 1;
            other.1.set();
        });
        run.spawn("b", async move {
            log.say("b", format!("{} {:?}", both.1.is_set(), both.0.try_lock()));
            both.1.wait().await;
            log.say("b", *both.0.lock().await);
        });
    });
}

#[test]
fn attempts() {
    whole("a try", |run, log| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        run.spawn("a", async move { *other.lock().await += 1 });
        run.spawn("b", async move {
            let tried = mutex.try_lock().map(|guard| *guard);
            log.say("b", format!("{tried:?}"));
        });
    });
    same("try and is_locked", most(), |run, log| {
        let mutex = Arc::new(Mutex::new(0));
        let (a, b) = (Arc::clone(&mutex), Arc::clone(&mutex));
        run.spawn("a", async move { *a.lock().await += 1 });
        run.spawn("b", async move { *b.lock().await += 1 });
        run.spawn("c", async move {
            let locked = mutex.is_locked();
            let tried = mutex.try_lock().map(|guard| *guard);
            log.say("c", format!("{locked} {tried:?}"));
        });
    });
}

#[test]
fn rwlock() {
    whole("a reader and a writer", |run, log| {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        run.spawn("w", async move { *other.write().await += 1 });
        run.spawn("r", async move {
            log.say("r", *lock.read().await);
            log.say("r", *lock.read().await);
        });
    });
    same("readers and writers", most(), |run, log| {
        let lock = Arc::new(RwLock::new(String::new()));
        for name in ["v", "w"] {
            let lock = Arc::clone(&lock);
            run.spawn(name, async move { lock.write().await.push_str(name) });
        }
        run.spawn("r", async move {
            let first = lock.read().await.clone();
            let second = lock.read().await.clone();
            log.say("r", format!("{first}/{second}"));
        });
    });
    same("two readers, a writer", most(), |run, log| {
        let lock = Arc::new(RwLock::new(0));
        for name in ["r", "s"] {
            let (lock, log) = (Arc::clone(&lock), log.clone());
            run.spawn(name, async move { log.say(name, *lock.read().await) });
        }
        run.spawn("w", async move { *lock.write().await += 1 });
    });
}

#[test]
fn upgrades() {
    whole("an upgrade and a writer", |run, log| {
        let lock = Arc::new(RwLock::new(0));
        let other = Arc::clone(&lock);
        run.spawn("u", async move {
            let guard = lock.upgradable_read().await;
            let seen = *guard;
            let mut guard = async_monitor::RwLockUpgradableReadGuard::upgrade(guard).await;
            *guard += 1;
            log.say("u", format!("{seen}/{guard}"));
        });
        run.spawn("w", async move { *other.write().await += 1 });
    });
    same("upgrade", most(), |run, log| {
        let lock = Arc::new(RwLock::new(String::new()));
        let (a, b) = (Arc::clone(&lock), Arc::clone(&lock));
        let other = log.clone();
        run.spawn("u", async move {
            let guard = a.upgradable_read().await;
            let seen = guard.clone();
            let mut guard = async_monitor::RwLockUpgradableReadGuard::upgrade(guard).await;
            guard.push('u');
            other.say("u", format!("{seen}/{guard}"));
        });
        run.spawn("w", async move { b.write().await.push('w') });
        run.spawn("r", async move { log.say("r", &*lock.read().await) });
    });
}

#[test]
fn semaphore() {
    whole("one of 2 permits, and both", |run, log| {
        let semaphore = Arc::new(Semaphore::new(2));
        let other = Arc::clone(&semaphore);
        run.spawn("a", async move { drop(other.acquire().await) });
        run.spawn("b", async move {
            drop(semaphore.acquire_many(2).await);
            log.say("b", semaphore.available_permits());
        });
    });
    same("semaphore of 2", most(), |run, log| {
        let semaphore = Arc::new(Semaphore::new(2));
        let (a, b) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
        run.spawn("a", async move { drop(a.acquire().await) });
        run.spawn("b", async move { drop(b.acquire_many(2).await) });
        run.spawn("c", async move {
            let available = semaphore.available_permits();
            let tried = semaphore.try_acquire().is_some();
            log.say("c", format!("{available} {tried}"));
        });
    });
}

/// A permit that either of two tasks releases: the one that lets the third enter happens
/// before what that one does next.
#[test]
fn either_of_two_releases() {
    same("either of two releases", most(), |run, log| {
        let semaphore = Arc::new(Semaphore::new(0));
        let seen = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (semaphore, seen) = (Arc::clone(&semaphore), Arc::clone(&seen));
            run.spawn(name, async move {
                seen.lock().await.push_str(name);
                semaphore.add_permits(1);
            });
        }
        run.spawn("c", async move {
            semaphore.acquire().await.forget();
            log.say("c", &*seen.lock().await);
        });
    });
    same("either of two sets", most(), |run, log| {
        let event = Arc::new(Event::new());
        let seen = Arc::new(Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (event, seen) = (Arc::clone(&event), Arc::clone(&seen));
            run.spawn(name, async move {
                seen.lock().await.push_str(name);
                event.set();
            });
        }
        run.spawn("c", async move {
            event.wait().await;
            log.say("c", &*seen.lock().await);
        });
    });
}

/// A task that waits for either of two things, which two others do.
#[test]
fn either_of_two_wake_ups() {
    same("select over two events", most(), |run, log| {
        let events = Arc::new((Event::new(), Event::new()));
        let seen = Arc::new(Mutex::new(String::new()));
        let (a, b) = (Arc::clone(&events), Arc::clone(&events));
        let (c, d) = (Arc::clone(&seen), Arc::clone(&seen));
        run.spawn("a", async move {
            c.lock().await.push('a');
            a.0.set();
        });
        run.spawn("b", async move {
            d.lock().await.push('b');
            b.1.set();
        });
        run.spawn("c", async move {
            let (first, second) = (events.0.wait(), events.1.wait());
            let which = match select(std::pin::pin!(first), std::pin::pin!(second)).await {
                Either::Left(_) => "first",
                Either::Right(_) => "second",
            };
            log.say("c", format!("{which} {}", seen.lock().await));
        });
    });
}

#[test]
fn event() {
    whole("set and clear", |run, log| {
        let event = Arc::new(Event::new());
        let other = Arc::clone(&event);
        run.spawn("w", async move {
            other.wait().await;
            log.say("w", other.is_set());
        });
        run.spawn("s", async move {
            event.set();
            event.clear();
            event.set();
        });
    });
    same("event", most(), |run, log| {
        let event = Arc::new(Event::new());
        let (a, b) = (Arc::clone(&event), Arc::clone(&event));
        let other = log.clone();
        run.spawn("w", async move {
            a.wait().await;
            other.say("w", a.is_set());
        });
        run.spawn("s", async move {
            b.set();
            b.clear();
            b.set();
        });
        run.spawn("i", async move {
            log.say("i", format!("{} {}", event.is_set(), event.is_set()));
        });
    });
}

#[test]
fn condition() {
    whole("wait, notify", |run, log| {
        let state = Arc::new((Mutex::new(0), Condition::new()));
        let other = Arc::clone(&state);
        run.spawn("w", async move {
            let guard = state.0.lock().await;
            let guard = state.1.wait_for(guard, |n| *n > 0).await;
            log.say("w", *guard);
        });
        run.spawn("s", async move {
            let mut guard = other.0.lock().await;
            *guard += 1;
            other.1.notify_one(&guard);
        });
    });
    same("wait_for, notify 2", most(), |run, log| {
        let state = Arc::new((Mutex::new(0), Condition::new()));
        for name in ["v", "w"] {
            let (state, log) = (Arc::clone(&state), log.clone());
            run.spawn(name, async move {
                let guard = state.0.lock().await;
                let mut guard = state.1.wait_for(guard, |n| *n > 0).await;
                log.say(name, *guard);
                *guard -= 1;
            });
        }
        run.spawn("s", async move {
            let mut guard = state.0.lock().await;
            *guard += 2;
            state.1.notify(&guard, 2);
        });
    });
    same("notifications passed on", most(), |run, log| {
        let state = Arc::new((Mutex::new(0), Condition::new()));
        for name in ["v", "w"] {
            let (state, log) = (Arc::clone(&state), log.clone());
            run.spawn(name, async move {
                let guard = state.0.lock().await;
                let mut guard = if *guard == 0 {
                    state.1.wait(guard).await
                } else {
                    guard
                };
                *guard -= 1;
                log.say(name, *guard);
                state.1.notify_one(&guard);
            });
        }
        run.spawn("s", async move {
            let mut guard = state.0.lock().await;
            *guard += 2;
            state.1.notify_one(&guard);
        });
    });
}

#[test]
fn barrier() {
    whole("barrier of 2", |run, log| {
        let barrier = Arc::new(Barrier::new(2));
        for name in ["a", "b"] {
            let (barrier, log) = (Arc::clone(&barrier), log.clone());
            run.spawn(name, async move {
                log.say(name, barrier.wait().await.unwrap().index());
            });
        }
    });
    same("barrier of 2, reset", most(), |run, log| {
        let barrier = Arc::new(Barrier::new(2));
        for name in ["a", "b"] {
            let (barrier, log) = (Arc::clone(&barrier), log.clone());
            run.spawn(name, async move {
                log.say(name, format!("{:?}", barrier.wait().await));
            });
        }
        run.spawn("c", async move {
            barrier.abort();
            log.say("c", barrier.is_broken());
        });
    });
}

#[test]
fn select_and_join() {
    whole("select over a lock and an event", |run, log| {
        let (mutex, event) = (Arc::new(Mutex::new(0)), Arc::new(Event::new()));
        let (held, set) = (Arc::clone(&mutex), Arc::clone(&event));
        run.spawn("h", async move {
            let _guard = held.lock().await;
            set.set();
        });
        run.spawn("s", async move {
            let (lock, wait) = (mutex.lock(), event.wait());
            let which = match select(std::pin::pin!(lock), std::pin::pin!(wait)).await {
                Either::Left(_) => "lock",
                Either::Right(_) => "event",
            };
            log.say("s", which);
        });
    });
    same("select over two locks", most(), |run, log| {
        let locks = Arc::new((Mutex::new(0), Mutex::new(0)));
        let other = Arc::clone(&locks);
        run.spawn("h", async move {
            let _outer = other.0.lock().await;
            let _inner = other.1.lock().await;
        });
        run.spawn("s", async move {
            let (first, second) = (locks.0.lock(), locks.1.lock());
            let which = match select(std::pin::pin!(first), std::pin::pin!(second)).await {
                Either::Left(_) => 0,
                Either::Right(_) => 1,
            };
            log.say("s", which);
        });
    });
    same("join of two locks", most(), |run, log| {
        let locks = Arc::new((Mutex::new(String::new()), Mutex::new(String::new())));
        let other = Arc::clone(&locks);
        run.spawn("h", async move {
            other.0.lock().await.push('h');
            other.1.lock().await.push('h');
        });
        run.spawn("j", async move {
            let joined = futures::join!(
                async {
                    let mut guard = locks.0.lock().await;
                    guard.push('j');
                    guard.clone()
                },
                async {
                    let mut guard = locks.1.lock().await;
                    guard.push('j');
                    guard.clone()
                }
            );
            log.say("j", format!("{joined:?}"));
        });
    });
    same("futurelock", most(), |run, log| {
        let mutex = Arc::new(Mutex::new(0));
        let event = Arc::new(Event::new());
        let (a, e) = (Arc::clone(&mutex), Arc::clone(&event));
        run.spawn("h", async move {
            let _guard = a.lock().await;
            e.set();
        });
        run.spawn("s", async move {
            let mut first = std::pin::pin!(mutex.lock());
            let wait = std::pin::pin!(event.wait());
            let what = match select(first.as_mut(), wait).await {
                Either::Left(_) => "lock",
                Either::Right(_) => {
                    let free = mutex.try_lock().is_some();
                    let _guard = mutex.lock().await;
                    if free { "event, free" } else { "event, taken" }
                }
            };
            log.say("s", what);
        });
    });
}

#[test]
fn threads() {
    whole("blocking forms", |run, log| {
        let mutex = Arc::new(Mutex::new(String::new()));
        let other = Arc::clone(&mutex);
        run.thread("t", move || {
            mutex.lock_blocking().push('t');
            log.say("t", &*mutex.lock_blocking());
        });
        run.spawn("a", async move { other.lock().await.push('a') });
    });
}

#[test]
fn sync_locks() {
    whole("sync mutex", |run, log| {
        let mutex = Arc::new(sync::Mutex::new(String::new()));
        for name in ["a", "b", "c"] {
            let (mutex, log) = (Arc::clone(&mutex), log.clone());
            run.thread(name, move || {
                let mut guard = mutex.lock();
                guard.push_str(name);
                log.say(name, &*guard);
            });
        }
    });
    same("sync locks nested", most(), |run, log| {
        let outer = Arc::new(sync::Mutex::new(String::new()));
        let inner = Arc::new(sync::Mutex::new(String::new()));
        for name in ["a", "b"] {
            let (outer, inner, log) = (Arc::clone(&outer), Arc::clone(&inner), log.clone());
            run.thread(name, move || {
                let mut first = outer.lock();
                first.push_str(name);
                let mut second = inner.lock();
                second.push_str(name);
                log.say(name, format!("{first}/{second}"));
            });
        }
        run.thread("c", move || inner.lock().push('c'));
    });
    fails("sync deadlock", |run, _| {
        let locks = Arc::new((sync::Lock::new(), sync::Lock::new()));
        let other = Arc::clone(&locks);
        run.thread("a", move || {
            let _first = locks.0.acquire();
            let _second = locks.1.acquire();
        });
        run.thread("b", move || {
            let _first = other.1.acquire();
            let _second = other.0.acquire();
        });
    });
    same("sync rwlock and try", most(), |run, log| {
        let lock = Arc::new(sync::RwLock::new(0));
        for name in ["r", "s"] {
            let (lock, log) = (Arc::clone(&lock), log.clone());
            run.thread(name, move || log.say(name, *lock.read()));
        }
        run.thread("w", move || {
            *lock.write() += 1;
            log.say("w", lock.try_write().is_some());
        });
    });
}

#[test]
fn bounded() {
    whole("bounded semaphore", |run, log| {
        let semaphore = Arc::new(BoundedSemaphore::new(1));
        let other = Arc::clone(&semaphore);
        run.spawn("f", async move { other.acquire().await.forget() });
        run.spawn(
            "r",
            async move { log.say("r", semaphore.release(1).is_ok()) },
        );
    });
}
