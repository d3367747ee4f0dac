//! Bugs that a check finds, and its reports.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::{Check, Failure, Run};
use async_monitor::{Barrier, Condition, Event, Mutex, RwLock, Semaphore, sync};

/// The failure of a test, whose table has at most a dozen lines and whose replay fails alike.
fn fails(check: &Check, test: impl Fn(&mut Run)) -> Failure {
    let failure = check.run(&test).unwrap_err();
    println!("{failure}\n");
    assert!(failure.table().lines().count() <= 13, "{failure}");
    let replay = failure.replay().expect("a schedule to replay");
    let again = check.clone().replay(replay).run(&test).unwrap_err();
    assert_eq!(again.what(), failure.what());
    assert_eq!(again.table(), failure.table());
    failure
}

#[test]
fn a_lost_update() {
    let failure = fails(&Check::new().cancels(0), |run| {
        let account = Arc::new(Mutex::new(0));
        run.name("account", &*account);
        for name in ["ada", "bob", "eve"] {
            let account = Arc::clone(&account);
            run.spawn(name, async move {
                let seen = *account.lock().await;
                *account.lock().await = seen + 10;
            });
        }
        run.finally(move || assert_eq!(*account.try_lock().unwrap(), 30, "an update was lost"));
    });
    assert!(failure.what().contains("an update was lost"));
    assert!(failure.table().contains("holds account"));
}

#[test]
fn locks_in_opposite_orders() {
    let failure = fails(&Check::new(), |run| {
        let locks = Arc::new((Mutex::new(1), Mutex::new(2)));
        run.name("books", &locks.0);
        run.name("stock", &locks.1);
        let other = Arc::clone(&locks);
        run.spawn("seller", async move {
            let _books = locks.0.lock().await;
            let _stock = locks.1.lock().await;
        });
        run.spawn("buyer", async move {
            let _stock = other.1.lock().await;
            let _books = other.0.lock().await;
        });
    });
    assert!(
        failure
            .what()
            .contains("`seller` waits for stock, which `buyer` holds")
    );
}

#[test]
fn half_a_change_after_a_cancel() {
    let failure = fails(&Check::new(), |run| {
        let accounts = Arc::new((Mutex::new(10), Mutex::new(0)));
        run.name("from", &accounts.0);
        run.name("to", &accounts.1);
        let (a, b) = (Arc::clone(&accounts), Arc::clone(&accounts));
        run.spawn("transfer", async move {
            *a.0.lock().await -= 5;
            *a.1.lock().await += 5;
        });
        run.spawn("auditor", async move {
            let _ = *b.1.lock().await;
        });
        run.finally(move || {
            let sum = *accounts.0.try_lock().unwrap() + *accounts.1.try_lock().unwrap();
            assert_eq!(sum, 10, "money is gone");
        });
    });
    assert!(
        failure
            .table()
            .contains("transfer  CANCELLED where it waits")
    );
}

#[test]
fn a_missed_notification() {
    let failure = fails(&Check::new().cancels(0), |run| {
        let state = Arc::new((Mutex::new(false), Condition::new()));
        let other = Arc::clone(&state);
        run.spawn("waiter", async move {
            let is_ready = *state.0.lock().await;
            if !is_ready {
                let guard = state.0.lock().await;
                drop(state.1.wait(guard).await);
            }
        });
        run.spawn("setter", async move {
            let mut guard = other.0.lock().await;
            *guard = true;
            other.1.notify_one(&guard);
        });
    });
    assert!(
        failure
            .what()
            .contains("`waiter` waits to be notified by condition")
    );
}

#[test]
fn check_then_act() {
    fails(&Check::new().cancels(0), |run| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        run.spawn("a", async move { *mutex.lock().await += 1 });
        run.spawn("b", async move {
            if !other.is_locked() {
                assert!(other.try_lock().is_some(), "it was free");
            }
        });
    });
}

#[test]
fn what_is_always_true() {
    let failure = fails(&Check::new().cancels(0), |run| {
        let mutex = Arc::new(Mutex::new(0));
        let other = Arc::clone(&mutex);
        run.spawn("a", async move {
            *mutex.lock().await = -1;
            *mutex.lock().await = 1;
        });
        run.always(move || assert!(other.try_lock().is_none_or(|value| *value >= 0)));
    });
    assert!(failure.what().starts_with("always: "));
}

#[test]
fn tasks_that_starve_after_a_cancel() {
    let test = |run: &mut Run| {
        let events = Arc::new((Event::new(), Event::new()));
        let (a, b) = (Arc::clone(&events), Arc::clone(&events));
        run.spawn("first", async move {
            a.0.wait().await;
            a.1.set();
        });
        run.spawn("second", async move { b.1.wait().await });
        run.spawn("sets", async move { events.0.set() });
    };
    assert!(Check::new().run(test).unwrap().is_proof());
    let strict = Check::new().cancels_may_starve(false);
    assert!(
        fails(&strict, test)
            .what()
            .contains("deadlock after a cancel")
    );
}

#[test]
fn a_lock_that_is_never_released_is_no_starvation() {
    let failure = fails(&Check::new(), |run| {
        let mutex = Arc::new(Mutex::new(0));
        let (a, b) = (Arc::clone(&mutex), mutex);
        run.spawn("leaks", async move { std::mem::forget(a.lock().await) });
        run.spawn("waits", async move { *b.lock().await += 1 });
    });
    assert!(failure.what().contains("`waits` waits for"));
}

/// All holders, and whether one of them is the waiting task.
#[test]
fn who_holds_what_is_waited_for() {
    let failure = fails(&Check::new().cancels(0), |run| {
        let lock = Arc::new(RwLock::new(0));
        run.name("map", &*lock);
        let both = Arc::new(Barrier::new(2));
        for name in ["ada", "bob"] {
            let (lock, both) = (Arc::clone(&lock), Arc::clone(&both));
            run.spawn(name, async move {
                let _reads = lock.read().await;
                both.wait().await.unwrap();
                let _writes = lock.write().await;
            });
        }
    });
    assert_eq!(
        failure.what(),
        "deadlock: `ada` waits for map, which it and `bob` hold; `bob` waits for map, which it \
         and `ada` hold"
    );
}

/// Sets an event at its end, and records whether it was cancelled.
struct Ends(Arc<Event>, Rc<Cell<bool>>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// A reader that has ended and kept its guard keeps a writer out, whoever else reads.
#[test]
fn each_holder_keeps_others_out_of_a_lock() {
    let failure = Check::new()
        .run(|run| {
            let lock = Arc::new(RwLock::new(0));
            run.name("map", &*lock);
            let [begins, told, reads, gone] = [(); 4].map(|()| Arc::new(Event::new()));
            let cancelled = Rc::new(Cell::new(true));
            let ends = Ends(Arc::clone(&gone), Rc::clone(&cancelled));
            let (begun, tells) = (Arc::clone(&begins), Arc::clone(&told));
            run.spawn("tells", async move {
                let ends = ends;
                begun.wait().await;
                tells.set();
                ends.1.set(false);
            });
            run.thread("begins", move || begins.set());
            let (other, has_read) = (Arc::clone(&lock), Arc::clone(&reads));
            run.thread("waits", move || {
                let _guard = other.read_blocking();
                has_read.set();
                told.wait_blocking();
            });
            let other = Arc::clone(&lock);
            run.thread("leaks", move || {
                reads.wait_blocking();
                gone.wait_blocking();
                let guard = other.read_blocking();
                if cancelled.get() {
                    std::mem::forget(guard);
                }
            });
            run.thread("writes", move || *lock.write_blocking() += 1);
        })
        .unwrap_err();
    assert!(
        failure
            .what()
            .contains("`writes` waits for map, which `waits` and `leaks` hold"),
        "{}",
        failure.what()
    );
}

/// A permit that is never released excludes no task that may get another one.
#[test]
fn one_holder_may_give_a_permit_back() {
    let test = |run: &mut Run| {
        let semaphore = Arc::new(Semaphore::new(2));
        let [begins, told] = [(); 2].map(|()| Arc::new(Event::new()));
        let (keeps, waits) = (Arc::clone(&semaphore), Arc::clone(&semaphore));
        let (begun, tells) = (Arc::clone(&begins), Arc::clone(&told));
        run.thread("keeps", move || std::mem::forget(keeps.acquire_blocking()));
        run.thread("waits", move || {
            let _permit = waits.acquire_blocking();
            told.wait_blocking();
        });
        run.spawn("tells", async move {
            begun.wait().await;
            tells.set();
        });
        run.thread("begins", move || begins.set());
        run.thread("asks", move || drop(semaphore.acquire_blocking()));
    };
    assert!(Check::new().run(test).unwrap().is_proof());
}

#[test]
fn what_is_waited_for_has_its_kind() {
    let failure = Check::new()
        .run(|run| {
            let semaphore = Semaphore::new(0);
            run.thread("asks", move || drop(semaphore.acquire_blocking()));
        })
        .unwrap_err();
    assert_eq!(failure.what(), "deadlock: `asks` waits for semaphore #0");
}

#[test]
fn a_server_need_not_end() {
    let outcome = Check::new()
        .run(|run| {
            let semaphore = Arc::new(Semaphore::new(0));
            let served = Rc::new(Cell::new(0));
            let (other, count) = (Arc::clone(&semaphore), Rc::clone(&served));
            run.background("server", async move {
                loop {
                    other.acquire().await.forget();
                    count.set(count.get() + 1);
                }
            });
            run.spawn("client", async move { semaphore.add_permits(2) });
            run.finally(move || assert_eq!(served.get(), 2));
        })
        .unwrap();
    assert!(outcome.is_proof());
}

#[test]
fn a_task_that_never_ends() {
    let check = Check::new().max_steps(100);
    let failure = check
        .run(|run| {
            let mutex = Arc::new(Mutex::new(0));
            run.spawn("spins", async move {
                loop {
                    drop(mutex.try_lock());
                }
            });
        })
        .unwrap_err();
    assert!(failure.what().contains("have not ended: spins"));
}

#[test]
fn what_is_not_ours() {
    let failure = Check::new()
        .run(|run| run.spawn("waits", std::future::pending()))
        .unwrap_err();
    assert!(
        failure
            .what()
            .starts_with("`waits` awaits something that is not of this crate, and that no task")
    );
    let failure = Check::new()
        .run(|run| {
            let mutex = Mutex::new(0);
            run.spawn("waits", async move {
                let _guard = mutex.lock().await;
                std::future::pending().await
            });
        })
        .unwrap_err();
    let what = failure.what();
    let place = "`waits`, after bugs.rs:";
    assert!(what.starts_with(place), "{what}");
    // Beside a primitive of ours, it is unknown which of the two never comes.
    let failure = Check::new()
        .run(|run| {
            run.spawn("waits", async {
                let (foreign, event) = (std::future::pending::<()>(), Event::new());
                futures::future::select(foreign, std::pin::pin!(event.wait())).await;
            });
        })
        .unwrap_err();
    let what = failure.what();
    assert!(what.starts_with("deadlock: `waits` waits for"), "{what}");
}

#[test]
fn what_is_not_deterministic() {
    let runs = Rc::new(Cell::new(0));
    let failure = Check::new()
        .run(|run| {
            let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
            runs.set(runs.get() + 1);
            let more = runs.get() % 2;
            run.spawn("a", async move {
                for index in 0..=more {
                    *locks[index].lock().await += 1;
                }
            });
        })
        .unwrap_err();
    assert!(failure.what().contains("not deterministic"));
}

/// State that a later run leaves behind is seen only by the first schedule.
#[test]
fn what_is_left_by_a_later_run() {
    let is_seen = Rc::new(Cell::new(false));
    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            let locks = Arc::new([Mutex::new(0), Mutex::new(0)]);
            let (other, sees) = (Arc::clone(&locks), Rc::clone(&is_seen));
            let was_seen = is_seen.get();
            run.spawn("a", async move {
                *locks[0].lock().await += 1;
                if was_seen {
                    *locks[1].lock().await += 1;
                }
            });
            run.spawn("b", async move {
                if *other[0].lock().await == 0 {
                    sees.set(true);
                }
            });
        })
        .unwrap_err();
    assert!(failure.what().contains("not deterministic"));
}

/// The data of a lock that several runs share is as an earlier run left it.
#[test]
fn a_lock_of_several_runs() {
    static COUNT: Mutex<i32> = Mutex::new(0);

    let test = |run: &mut Run| {
        for name in ["a", "b"] {
            run.spawn(name, async { *COUNT.lock().await += 1 });
        }
    };
    let what = Check::new().run(test).unwrap_err().what().to_owned();
    assert!(
        what.contains("not deterministic: lock #0 (runtime/tests/check/bugs.rs:"),
        "{what}"
    );
    assert!(what.contains("was used by an earlier run"), "{what}");
    let what = Check::new().sample(9).run(test).unwrap_err();
    assert!(what.what().contains("was used by an earlier run"));

    // The closure may put it back.
    let outcome = Check::new().run(|run| {
        *COUNT.try_lock().expect("nobody has it") = 0;
        test(run);
        run.always(|| assert!(COUNT.try_lock().is_none_or(|count| *count <= 2)));
        run.finally(|| assert!(*COUNT.try_lock().expect("nobody has it") <= 2));
    });
    assert!(outcome.unwrap().is_proof());

    // Reading it is a use.
    let failure = Check::new().run(|run| {
        run.spawn("a", async {});
        run.always(|| assert!(COUNT.try_lock().is_some()));
    });
    assert!(
        failure
            .unwrap_err()
            .what()
            .contains("was used by an earlier run")
    );
    let failure = Check::new().run(|run| {
        run.spawn("a", async {});
        run.finally(|| assert!(COUNT.try_lock().is_some()));
    });
    assert!(
        failure
            .unwrap_err()
            .what()
            .contains("was used by an earlier run")
    );
}

/// A failure caused by previous runs, and not by the schedule.
#[test]
fn a_failure_that_is_not_of_the_schedule() {
    let runs = Rc::new(Cell::new(0));
    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            runs.set(runs.get() + 1);
            let is_tenth = runs.get() == 10;
            let mutex = Arc::new(Mutex::new(0));
            for name in ["a", "b", "c", "d"] {
                let mutex = Arc::clone(&mutex);
                run.spawn(name, async move { *mutex.lock().await += 1 });
            }
            run.finally(move || assert!(!is_tenth, "it is the tenth"));
        })
        .unwrap_err();
    assert!(
        failure.what().contains("not deterministic"),
        "{}",
        failure.what()
    );
    assert!(
        failure.what().contains("finally: it is the tenth"),
        "{}",
        failure.what()
    );
}

/// A destructor that locks, in tasks that panic or are dropped while another one holds the lock,
/// and releases it by itself, or when it is dropped, too.
#[test]
fn destructors_that_wait() {
    struct Locks(Arc<sync::Mutex<i32>>, Arc<Mutex<i32>>);

    impl Drop for Locks {
        fn drop(&mut self) {
            *self.1.lock_blocking() += 1;
            *self.0.lock() += 1;
        }
    }

    let test = |run: &mut Run, goes_on: bool| {
        let locks = (Arc::new(sync::Mutex::new(0)), Arc::new(Mutex::new(0)));
        let with_locks = || Locks(Arc::clone(&locks.0), Arc::clone(&locks.1));
        let never = Arc::new(Event::new());
        let (dropped, waits) = (with_locks(), Arc::clone(&never));
        run.spawn("waits", async move {
            let _dropped = dropped;
            waits.wait().await;
        });
        let dropped = with_locks();
        run.thread("blocks", move || {
            let _dropped = dropped;
            never.wait_blocking();
        });
        let (held, begins) = (with_locks(), Arc::new(Event::new()));
        let begun = Arc::clone(&begins);
        run.thread("holds", move || {
            let _second = held.1.lock_blocking();
            let _first = held.0.lock();
            begun.wait_blocking();
        });
        for name in ["fails", "fails too"] {
            let dropped = with_locks();
            run.spawn(name, async move {
                assert!(dropped.0.try_lock().is_some(), "it is taken");
            });
        }
        if goes_on {
            run.thread("begins", move || begins.set());
        }
    };
    let check = Check::new().cancels(0);
    let failure = check.run(|run| test(run, true)).unwrap_err();
    assert!(
        failure.what().starts_with("fails: it is taken"),
        "{}",
        failure.what()
    );
    let failure = check.run(|run| test(run, false)).unwrap_err();
    assert!(
        failure.what().starts_with("deadlock: "),
        "{}",
        failure.what()
    );
}

/// Code that catches all panics, and goes on, even when it has to end.
#[test]
fn a_loop_that_catches_panics() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let caught = Rc::new(Cell::new(0));
    let (first, second) = (Rc::clone(&caught), Rc::clone(&caught));
    let failure = Check::new()
        .cancels(0)
        .run(move |run| {
            let never = Arc::new(Event::new());
            let (one, two) = (Arc::clone(&never), never);
            let (first, second) = (Rc::clone(&first), Rc::clone(&second));
            run.thread("for ever", move || {
                loop {
                    let wait = AssertUnwindSafe(|| one.wait_blocking());
                    first.set(first.get() + i32::from(catch_unwind(wait).is_err()));
                }
            });
            run.thread("some times", move || {
                for _ in 0..9 {
                    let wait = AssertUnwindSafe(|| two.wait_blocking());
                    second.set(second.get() + i32::from(catch_unwind(wait).is_err()));
                }
            });
            run.spawn("fails", async { panic!("at once") });
        })
        .unwrap_err();
    assert!(
        failure.what().starts_with("fails: at once"),
        "{}",
        failure.what()
    );
    assert!(caught.get() > 9);
}

/// A task that has not begun, and whose parts panic when they are dropped.
#[test]
fn a_destructor_that_panics() {
    struct Panics;

    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }

    let failure = Check::new()
        .run(|run| {
            run.spawn("fails", async { panic!("at once") });
            let panics = Panics;
            run.spawn("waits", async move {
                std::future::pending::<()>().await;
                drop(panics);
            });
        })
        .unwrap_err();
    assert!(failure.what().starts_with("fails: at once"));
    assert!(Check::new().run(|_| {}).unwrap().is_proof());

    // A panic with a value that panics when it is dropped.
    let failure = Check::new()
        .run(|run| run.spawn("fails", async { std::panic::panic_any(Panics) }))
        .unwrap_err();
    assert!(
        failure
            .what()
            .starts_with("fails: a panic without a message")
    );
}

/// No task runs while the code outside of the tasks waits.
#[test]
fn a_check_of_what_is_always_true_must_not_wait() {
    for is_short in [false, true] {
        let failure = Check::new()
            .cancels(0)
            .run(|run| {
                let (short, long) = (sync::Mutex::new(0), Mutex::new(0));
                let both = Arc::new((short, long, Event::new()));
                let other = Arc::clone(&both);
                run.thread("holds", move || {
                    let _short = other.0.lock();
                    let _long = other.1.lock_blocking();
                    other.2.set();
                });
                run.always(move || match is_short {
                    true => drop(both.0.lock()),
                    false => drop(both.1.lock_blocking()),
                });
            })
            .unwrap_err();
        assert!(
            failure.what().starts_with("always: the test waits"),
            "{}",
            failure.what()
        );
    }
}

#[test]
fn whether_an_attempt_succeeds() {
    let failure = fails(&Check::new().cancels(0), |run| {
        let mutex = Arc::new(Mutex::new(0));
        run.name("mutex", &*mutex);
        run.spawn("holds", async move {
            let _guard = mutex.lock().await;
            assert!(mutex.try_lock().is_none());
            panic!("in the end");
        });
    });
    assert!(
        failure.table().contains("tries mutex, and does not get it"),
        "{failure}"
    );
}

/// Threads and servers, and a test that is a task itself.
#[test]
fn who_is_never_cancelled() {
    let outcome = Check::new().cancels(2).run(|run| {
        let (event, ended) = (Arc::new(Event::new()), Rc::new(Cell::new(0)));
        let (a, b, one, two) = (
            Arc::clone(&event),
            Arc::clone(&event),
            Rc::clone(&ended),
            Rc::clone(&ended),
        );
        run.thread("thread", move || {
            a.wait_blocking();
            one.set(one.get() + 1);
        });
        run.background("server", async move {
            b.wait().await;
            two.set(two.get() + 1);
        });
        run.thread("sets", move || event.set());
        run.finally(move || assert_eq!(ended.get(), 2));
    });
    assert!(outcome.unwrap().is_proof());
}

#[test]
#[should_panic(expected = "a check has at most 1 tasks")]
fn more_tasks_than_there_may_be() {
    let _ = Check::new().tasks(1).run(|run| {
        run.spawn("one", async {});
        run.spawn("two", async {});
    });
}

#[test]
fn what_is_said_in_the_end() {
    let outcome = Check::new()
        .cancels(0)
        .run(|run| {
            let mutex = Arc::new(Mutex::new(0));
            for name in ["a", "b"] {
                let mutex = Arc::clone(&mutex);
                run.spawn(name, async move { *mutex.lock().await += 1 });
            }
        })
        .unwrap();
    let said = outcome.to_string();
    let is_like = said.starts_with("checked: 2 classes of schedules, 20 steps, 4 in the longest, ");
    assert!(is_like && said.ends_with(" ms"), "{said}");
}

/// For [`a_check_that_takes_long_says_how_far_it_is`].
#[test]
#[ignore = "it is slow on purpose"]
fn slow() {
    Check::new().cancels(0).every_schedule(|run| {
        std::thread::sleep(std::time::Duration::from_millis(60));
        let mutex = Arc::new(Mutex::new(0));
        for name in ["a", "b", "c", "d"] {
            let mutex = Arc::clone(&mutex);
            run.spawn(name, async move { *mutex.lock().await += 1 });
        }
    });
}

#[test]
fn a_check_that_takes_long_says_how_far_it_is() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "bugs::slow", "--ignored", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with("checking: ") && said.contains(" schedules in 1 s\n"),
        "{said}"
    );
    assert!(said.contains("checked: 24 classes of schedules"), "{said}");
}

#[test]
fn a_bound_is_no_proof() {
    let outcome = Check::new()
        .max_runs(3)
        .run(|run| {
            let mutex = Arc::new(Mutex::new(0));
            for name in ["a", "b", "c"] {
                let mutex = Arc::clone(&mutex);
                run.spawn(name, async move { *mutex.lock().await += 1 });
            }
        })
        .unwrap();
    assert!(!outcome.is_proof());
    assert!(
        outcome
            .to_string()
            .contains("NO PROOF: stopped after 3 runs")
    );
}

#[test]
fn a_sample() {
    let check = Check::new().sample(1_000);
    let failure = fails(&check, |run| {
        let account = Arc::new(Mutex::new(0));
        for name in ["a", "b"] {
            let account = Arc::clone(&account);
            run.spawn(name, async move {
                let seen = *account.lock().await;
                *account.lock().await = seen + 1;
            });
        }
        run.finally(move || assert_eq!(*account.try_lock().unwrap(), 2));
    });
    assert!(failure.what().starts_with("finally: "));
}

/// The remains of a run, with tasks that have ended or not.
#[test]
fn nothing_is_left() {
    thread_local! {
        static LIVE: Cell<i32> = const { Cell::new(0) };
    }

    struct Counted;

    impl Counted {
        fn new() -> Self {
            LIVE.set(LIVE.get() + 1);
            Counted
        }
    }

    impl Drop for Counted {
        fn drop(&mut self) {
            LIVE.set(LIVE.get() - 1);
        }
    }

    let _ = Check::new().run(|run| {
        let mutex = Arc::new(Mutex::new(0));
        for name in ["a", "b", "c"] {
            let mutex = Arc::clone(&mutex);
            run.spawn(name, async move {
                let _outside = Counted::new();
                let guard = mutex.lock().await;
                let _inside = Counted::new();
                drop(guard);
                drop(mutex.lock().await);
                assert!(name != "c", "boom");
            });
        }
        let blocks = Arc::clone(&mutex);
        run.thread("t", move || {
            let _outside = Counted::new();
            *blocks.lock_blocking() += 1;
        });
    });
    assert_eq!(LIVE.get(), 0);
}

/// A lock with a request, in every kind, which notes whether it is free when it is dropped: nobody
/// holds it then, or waits for it.
struct Noted {
    mutex: Mutex<i32>,
    sync: sync::Mutex<i32>,
    semaphore: Semaphore,
    taken: Rc<Cell<bool>>,
}

impl Drop for Noted {
    fn drop(&mut self) {
        let is_free = self.mutex.try_lock().is_some()
            && self.sync.try_lock().is_some()
            && self.semaphore.available_permits() == 1
            && self.semaphore.try_acquire().is_some();
        if !is_free {
            self.taken.set(true);
        }
    }
}

/// A run that ends anywhere, also where a destructor is about to release a lock or to take a
/// request out of its queue: nothing stays acquired or queued.
#[test]
fn what_a_run_leaves_in_the_middle_is_given_back() {
    let taken = Rc::new(Cell::new(false));
    for sample in [true, false] {
        let check = Check::new().cancels(0);
        let check = if sample { check.sample(100) } else { check };
        let _ = check.run(|run| {
            let noted = Rc::new(Noted {
                mutex: Mutex::new(0),
                sync: sync::Mutex::new(0),
                semaphore: Semaphore::new(1),
                taken: Rc::clone(&taken),
            });
            let (holds, leaves, fails) = (Rc::clone(&noted), Rc::clone(&noted), noted);
            run.spawn("holds", async move {
                *holds.mutex.lock().await += 1;
                *holds.sync.lock() += 1;
                drop(holds.semaphore.acquire().await);
                // A later task would wait for ever for what this one does not give back.
                *holds.mutex.lock().await += 1;
            });
            run.spawn("leaves", async move {
                drop(futures::poll!(std::pin::pin!(leaves.mutex.lock())));
                drop(futures::poll!(std::pin::pin!(leaves.semaphore.acquire())));
            });
            run.spawn("fails", async move {
                let is_locked = fails.mutex.is_locked();
                let permits = fails.semaphore.available_permits();
                assert!(!is_locked && permits == 1, "it ends here");
            });
        });
    }
    assert!(!taken.get());
}

/// A task that adds permits for ever ends with its run.
#[test]
fn permits_for_ever() {
    let failure = Check::new()
        .max_steps(50)
        .run(|run| {
            let semaphore = Semaphore::new(0);
            run.spawn("adds", async move {
                loop {
                    semaphore.add_permits(1);
                    if semaphore.available_permits() > 1_000_000 {
                        semaphore.acquire_many(1_000_000).await.forget();
                    }
                }
            });
            let other = Semaphore::new(0);
            run.thread("only adds", move || {
                loop {
                    other.add_permits(0);
                }
            });
        })
        .unwrap_err();
    assert!(failure.what().contains("have not ended"), "{failure}");
}

/// A panic of the task's own, caused by the one that ends it.
#[test]
fn a_panic_that_follows_from_the_end() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            let (never, mutex) = (Event::new(), Arc::new(Mutex::new(0)));
            let other = Arc::clone(&mutex);
            run.thread("waits", move || {
                let _guard = other.lock_blocking();
                let caught = catch_unwind(AssertUnwindSafe(|| never.wait_blocking()));
                caught.expect("it is never caught in a schedule");
            });
            run.thread("fails", move || assert!(!mutex.is_locked(), "it is taken"));
        })
        .unwrap_err();
    assert!(
        failure.what().starts_with("fails: it is taken"),
        "{failure}"
    );
}

/// The payload of a panic that has ended a task is dropped by a task of another run.
#[test]
fn a_payload_that_is_kept() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    let kept = Rc::new(Cell::new(None));
    let keeps = Rc::clone(&kept);
    let failure = Check::new()
        .cancels(0)
        .run(move |run| {
            let (never, keeps) = (Event::new(), Rc::clone(&keeps));
            run.thread("waits", move || {
                keeps.set(catch_unwind(AssertUnwindSafe(|| never.wait_blocking())).err());
            });
        })
        .unwrap_err();
    assert!(failure.what().starts_with("deadlock"), "{failure}");
    let ended = Rc::new(Cell::new(0));
    let outcome = Check::new().cancels(0).run(|run| {
        let (kept, mutex, at_end) = (Rc::clone(&kept), Mutex::new(0), Rc::clone(&ended));
        ended.set(0);
        run.thread("drops", move || {
            drop(kept.take());
            *mutex.lock_blocking() += 1;
            at_end.set(at_end.get() + 1);
        });
        let ended = Rc::clone(&ended);
        run.finally(move || assert_eq!(ended.get(), 1));
    });
    assert!(outcome.unwrap().is_proof());
}

/// While its thread unwinds, a check could not tell whether its tasks do.
#[test]
fn a_check_in_a_destructor() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    struct Checks(Rc<Cell<bool>>);

    impl Drop for Checks {
        fn drop(&mut self) {
            let check = AssertUnwindSafe(|| {
                Check::new().cancels(0).run(|run| {
                    let sum = Arc::new(Mutex::new(0));
                    for name in ["a", "b"] {
                        let sum = Arc::clone(&sum);
                        run.spawn(name, async move {
                            let seen = *sum.lock().await;
                            *sum.lock().await = seen + 1;
                        });
                    }
                    run.finally(move || assert_eq!(*sum.try_lock().unwrap(), 2));
                })
            });
            self.0.set(matches!(catch_unwind(check), Ok(Ok(_))));
        }
    }

    // The first check of a process replaces the panic hook.
    assert!(Check::new().run(|_| {}).unwrap().is_proof());
    let passed = Rc::new(Cell::new(false));
    let checks = Checks(Rc::clone(&passed));
    let panics = AssertUnwindSafe(move || {
        let _checks = checks;
        panic!("on purpose");
    });
    assert!(catch_unwind(panics).is_err());
    assert!(!passed.get(), "a check passes that has run one schedule");
}

/// Two tasks that have caught a panic each, and later lose an update while a third one waits for
/// their locks in a destructor, in the middle of unwinding.
#[test]
fn what_happens_while_a_task_unwinds() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    struct Waits(Arc<Event>, Arc<[sync::Mutex<()>; 2]>);

    impl Drop for Waits {
        fn drop(&mut self) {
            self.0.set();
            drop(self.1[0].lock());
            drop(self.1[1].lock());
        }
    }

    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            let (begin, locks) = (Arc::new(Event::new()), Arc::<[_; 2]>::default());
            let (ready, account) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(0)));
            let waits = Waits(Arc::clone(&begin), Arc::clone(&locks));
            let others = Arc::clone(&ready);
            run.thread("unwinds", move || {
                others.acquire_many_blocking(2).forget();
                let panics = AssertUnwindSafe(|| {
                    let _waits = waits;
                    panic!("on purpose");
                });
                assert!(catch_unwind(panics).is_err());
            });
            for (index, name) in ["a", "b"].into_iter().enumerate() {
                let (begin, locks) = (Arc::clone(&begin), Arc::clone(&locks));
                let (ready, account) = (Arc::clone(&ready), Arc::clone(&account));
                run.thread(name, move || {
                    assert!(catch_unwind(|| panic!("on purpose")).is_err());
                    let _held = locks[index].lock();
                    ready.add_permits(1);
                    begin.wait_blocking();
                    let seen = *account.lock_blocking();
                    *account.lock_blocking() = seen + 1;
                });
            }
            run.finally(move || assert_eq!(*account.try_lock().unwrap(), 2, "an update was lost"));
        })
        .expect_err("an update may be lost");
    assert!(failure.what().contains("an update was lost"), "{failure}");
}

#[test]
fn a_destructor_that_waits_for_others() {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    struct Waits(Arc<Event>, Arc<Semaphore>);

    impl Drop for Waits {
        fn drop(&mut self) {
            self.0.set();
            drop(self.1.acquire_many_blocking(2));
        }
    }

    for fails in [false, true] {
        let result = Check::new().cancels(0).run(|run| {
            let (begin, done) = (Arc::new(Event::new()), Arc::new(Semaphore::new(0)));
            let account = Arc::new(Mutex::new(0));
            let waits = Waits(Arc::clone(&begin), Arc::clone(&done));
            run.thread("unwinds", move || {
                let panics = AssertUnwindSafe(|| {
                    let _waits = waits;
                    panic!("on purpose");
                });
                assert!(catch_unwind(panics).is_err());
            });
            for name in ["a", "b"] {
                let (begin, done) = (Arc::clone(&begin), Arc::clone(&done));
                let account = Arc::clone(&account);
                run.thread(name, move || {
                    begin.wait_blocking();
                    *account.lock_blocking() += 1;
                    *account.lock_blocking() += 1;
                    done.add_permits(1);
                });
            }
            run.spawn("fails", async move {
                begin.wait().await;
                assert!(!fails, "at once");
            });
        });
        assert_eq!(result.is_err(), fails);
    }
}

#[test]
fn a_task_that_is_made_when_its_run_has_ended() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }
    struct Spawns;
    impl Drop for Spawns {
        fn drop(&mut self) {
            let panics = Panics;
            drop(async_monitor::check::spawn(
                "late",
                async move { drop(panics) },
            ));
        }
    }
    let failure = Check::new()
        .run(|run| {
            let spawns = Spawns;
            run.spawn("waits", async move {
                let _spawns = spawns;
                std::future::pending::<()>().await;
            });
        })
        .unwrap_err();
    assert!(failure.what().starts_with("`waits` awaits"), "{failure}");
}

/// A guard that the closure of the test acquires, and a task releases.
#[test]
fn a_guard_of_the_test() {
    let sums = Rc::new(std::cell::RefCell::new(std::collections::BTreeSet::new()));
    let outcome = Check::new().run(|run| {
        let mutex = Arc::new(Mutex::new(0));
        let mut guard = Arc::clone(&mutex).try_lock_owned().expect("it is new");
        run.background("holds", async move {
            *guard += 1;
            drop(guard);
        });
        let (waits, sums) = (Arc::clone(&mutex), Rc::clone(&sums));
        run.spawn("waits", async move { *waits.lock().await += 1 });
        run.finally(move || {
            sums.borrow_mut()
                .insert(*mutex.try_lock().expect("all have ended"));
        });
    });
    assert!(outcome.unwrap().is_proof());
    // `waits` is cancelled where it waits, or not.
    assert_eq!(sums.take().into_iter().collect::<Vec<_>>(), [1, 2]);

    // It is a holder like any other, also of a platform lock.
    let failure = Check::new()
        .cancels(0)
        .run(|run| {
            let mutex: &'static sync::Mutex<i32> = Box::leak(Box::default());
            let (guard, event) = (mutex.lock(), Arc::new(Event::new()));
            let sets = Arc::clone(&event);
            run.thread("holds", move || {
                event.wait_blocking();
                drop(guard);
            });
            run.thread("waits", move || {
                *mutex.lock() += 1;
                sets.set();
            });
        })
        .unwrap_err();
    assert!(
        failure
            .what()
            .contains("`waits` waits for sync lock #0, which the test holds"),
        "{failure}"
    );
}
