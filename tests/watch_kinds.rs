//! Watching: all kinds of waits, and the cycles that they are part of.

mod watched;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use async_monitor::watch::{self, Kind, Resource, Wait};
use async_monitor::{
    Barrier, Condition, Event, Guarded, Lock, Mutex, RwLock, RwLockUpgradableReadGuard, Semaphore,
    sync, synchronized, with_lock,
};
use futures::FutureExt;
use futures::executor::block_on;
use futures::stream::{FuturesUnordered, StreamExt};
use watched::{none, one, panic_of, pause, poll, reported, waiting};

const THRESHOLD: Duration = Duration::from_millis(40);

fn watching() {
    watched::watching(THRESHOLD);
}

/// Long enough for a report.
fn a_while() {
    thread::sleep(THRESHOLD * 5);
}

/// The wait from that line, as it is listed now.
fn listed(line: u32) -> Option<Wait> {
    let report = watch::report();
    let mut waits = report.waits.into_iter();
    waits.find(|wait| wait.place.file() == file!() && wait.place.line() == line)
}

/// A struct with its own name, which identifies its reports.
macro_rules! account {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        #[allow(dead_code)]
        struct $name {
            ledger: Lock,
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
            log: Lock,
            #[guarded_by(log)]
            lines: Guarded<usize>,
            #[lock(rw)]
            settings: RwLock<()>,
            #[guarded_by(settings)]
            limit: Guarded<i64>,
            changed: Condition,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(ledger)]
            async fn deposit(&self) {
                *ledger.balance += 1;
            }

            #[synchronized(ledger, when = *ledger.balance > 5)]
            async fn withdraw(&self) {
                *ledger.balance -= 5;
            }

            #[synchronized(ledger)]
            async fn deposit_and_say(&self) {
                *ledger.balance += 1;
            }

            #[synchronized(log)]
            async fn write(&self) {
                *log.lines += 1;
            }

            #[synchronized(ledger)]
            async fn deposit_and_write(&self) {
                *ledger.balance += 1;
                pause().await;
                self.write().await;
            }

            #[synchronized(log)]
            async fn write_and_withdraw(&self) {
                *log.lines += 1;
                self.withdraw().await;
            }

            #[synchronized(log)]
            async fn write_and_deposit(&self) {
                *log.lines += 1;
                pause().await;
                self.deposit().await;
            }

            #[synchronized(log)]
            async fn write_and_wait(&self) {
                *log.lines += 1;
                let guard = self.acquire_ledger().await;
                let _ = self.changed.wait(guard).await;
            }
        }
    };
}

#[test]
fn an_event_is_listed() {
    watching();
    let event = Event::new();
    let waits = waiting(event.wait());
    let line = line!() - 1;
    let wait = listed(line).expect("it waits");
    assert_eq!(
        (wait.resource, wait.name.as_str()),
        (Resource::Event, "Event")
    );
    assert!(wait.to_string().ends_with("for `Event`"), "{wait}");
    event.set();
    let wait = listed(line).expect("it was not polled");
    assert!(
        wait.to_string().contains("was notified by `Event`"),
        "{wait}"
    );
    drop(waits);
    assert!(listed(line).is_none());
}

#[test]
fn a_condition_is_listed() {
    watching();
    let mutex = Mutex::new(0);
    let condition = Condition::new();
    let mut waits = waiting(condition.wait(mutex.try_lock().expect("it is free")));
    let line = line!() - 1;
    let wait = listed(line).expect("it waits");
    assert_eq!(wait.resource, Resource::Condition);
    assert!(
        wait.to_string().contains("a notification of `Condition`"),
        "{wait}"
    );
    condition.notify_one(&mutex.try_lock().expect("it is free"));
    assert!(poll(&mut waits).is_ready());
    assert!(listed(line).is_none());
}

#[test]
fn a_barrier_is_listed() {
    watching();
    let barrier = Barrier::new(2);
    let mut waits = waiting(barrier.wait());
    let line = line!() - 1;
    let wait = listed(line).expect("it waits");
    assert_eq!(wait.resource, Resource::Barrier);
    assert!(wait.to_string().contains("others at `Barrier`"), "{wait}");
    assert!(barrier.wait().now_or_never().is_some());
    assert!(poll(&mut waits).is_ready());
    assert!(listed(line).is_none());
}

#[test]
fn the_condition_of_a_section_is_listed() {
    account!(Listed);
    watching();
    let account = Listed::default();
    block_on(account.deposit());
    let waits = waiting(account.withdraw());
    let report = watch::report();
    let of_it = |wait: &&Wait| wait.name == "Listed.ledger";
    let wait = report.waits.iter().find(of_it).expect("it waits");
    assert_eq!(wait.resource, Resource::When);
    assert!(wait.has_condition_false);
    assert_eq!(wait.last_section.expect("it was a section").name, "deposit");
    // Others change what it waits for, and it is not woken.
    block_on(account.deposit_and_say());
    let report = watch::report();
    let last = report
        .waits
        .iter()
        .find(of_it)
        .expect("it waits")
        .last_section;
    assert_eq!(last.expect("it was a section").name, "deposit_and_say");
    block_on(account.deposit());
    let report = watch::report();
    let wait = report.waits.iter().find(of_it).expect("it waits");
    let text = wait.to_string();
    assert!(
        text.contains("for `*ledger.balance > 5` of `Listed.ledger`, which was false"),
        "{text}"
    );
    assert!(
        text.contains("was last acquired by `deposit` (tests/watch_kinds.rs:"),
        "{text}"
    );
    drop(waits);
}

#[test]
fn the_condition_of_a_section_of_a_sync_lock_is_listed() {
    #[derive(Guarded, Default)]
    struct Short {
        #[lock(sync)]
        state: sync::Lock,
        #[guarded_by(state)]
        open: Guarded<bool>,
    }

    impl Short {
        #[synchronized(state, when = *state.open)]
        async fn enter(&self) {}

        #[synchronized(state)]
        fn open(&self) {
            *state.open = true;
        }
    }

    watching();
    let short = Short::default();
    let mut waits = waiting(short.enter());
    let is_listed = || {
        let report = watch::report();
        let mut waits = report.waits.into_iter();
        waits.find(|wait| wait.name == "Short.state")
    };
    assert_eq!(is_listed().expect("it waits").resource, Resource::When);
    short.open();
    assert!(poll(&mut waits).is_ready());
    assert!(is_listed().is_none());
}

#[test]
fn a_grant_with_a_condition_that_nobody_picks_up() {
    account!(Conditional);
    watching();
    let account = Conditional::default();
    let held = account.try_acquire_ledger().expect("it is free");
    let waits = waiting(account.withdraw());
    drop(held);
    let report = one(Kind::Unpolled, "Conditional.ledger");
    assert_eq!(report.waits[0].resource, Resource::When);
    drop(waits);
}

/// It waits for its condition, and so for the lock, whose holder waits for it.
#[test]
fn a_condition_in_a_cycle() {
    account!(InCycle);
    watching();
    let account = InCycle::default();
    let conditional = waiting(account.write_and_withdraw());
    let mut other = waiting(account.deposit_and_write());
    assert!(poll(&mut other).is_pending());
    let report = one(Kind::Deadlock, "InCycle");
    assert_eq!(report.waits.len(), 2, "{report}");
    drop(conditional);
}

#[test]
fn a_condition_without_a_cycle_is_none() {
    account!(NoCycle);
    watching();
    let account = NoCycle::default();
    let conditional = waiting(account.write_and_withdraw());
    let other = waiting(account.write());
    a_while();
    none(Kind::Deadlock, "NoCycle");
    drop((conditional, other));
}

/// It reacquires the lock once it is notified, and the holder waits for it.
#[test]
fn a_notification_in_a_cycle() {
    account!(Notified);
    watching();
    let account = Notified::default();
    let notified = waiting(account.write_and_wait());
    a_while();
    none(Kind::Deadlock, "Notified");
    let mut other = waiting(account.deposit_and_write());
    assert!(poll(&mut other).is_pending());
    let report = one(Kind::Deadlock, "Notified");
    let mut resources: Vec<_> = report.waits.iter().map(|wait| wait.resource).collect();
    resources.sort();
    assert_eq!(resources, [Resource::Lock, Resource::Condition]);
    drop(notified);
}

/// A section with a permit of `seats` requests the ledger, and another one the reverse.
macro_rules! seated {
    ($name:ident) => {
        account!($name);

        impl $name {
            async fn sits_and_deposits(&self, seats: &Semaphore) {
                with_lock!(seats, {
                    let _: &_ = seats;
                    pause().await;
                    self.deposit().await;
                })
            }

            #[synchronized(ledger)]
            async fn deposits_and_sits(&self, seats: &Semaphore) {
                *ledger.balance += 1;
                pause().await;
                with_lock!(seats, {
                    let _: &_ = seats;
                })
            }
        }
    };
}

#[test]
fn permits_in_a_cycle() {
    seated!(Seated);
    watching();
    let (account, seats) = (Seated::default(), Semaphore::new(2));
    let mut sections = vec![
        Box::pin(account.sits_and_deposits(&seats)),
        Box::pin(account.sits_and_deposits(&seats)),
    ];
    for section in &mut sections {
        assert!(poll(section).is_pending());
    }
    let mut other = waiting(account.deposits_and_sits(&seats));
    for section in &mut sections {
        assert!(poll(section).is_pending());
    }
    assert!(poll(&mut other).is_pending());
    let report = one(Kind::Deadlock, "Seated");
    // All holders of a permit.
    assert_eq!(report.waits.len(), 3, "{report}");
}

#[test]
fn a_permit_that_somebody_else_has_breaks_the_cycle() {
    seated!(Elsewhere);
    watching();
    let (account, seats) = (Elsewhere::default(), Semaphore::new(2));
    let by_hand = seats.try_acquire();
    let mut one = waiting(account.sits_and_deposits(&seats));
    let mut other = waiting(account.deposits_and_sits(&seats));
    assert!(poll(&mut one).is_pending() && poll(&mut other).is_pending());
    a_while();
    none(Kind::Deadlock, "Elsewhere");
    drop(by_hand);
    assert!(poll(&mut other).is_ready());
    assert!(poll(&mut one).is_ready());
}

#[test]
fn permits_that_are_added_by_number_are_not_accounted_for() {
    seated!(Added);
    watching();
    let (account, seats) = (Added::default(), Semaphore::new(0));
    seats.add_permits(1);
    let mut one = waiting(account.sits_and_deposits(&seats));
    let mut other = waiting(account.deposits_and_sits(&seats));
    assert!(poll(&mut one).is_pending() && poll(&mut other).is_pending());
    a_while();
    none(Kind::Deadlock, "Added");
    seats.add_permits(1);
    assert!(poll(&mut other).is_ready());
}

#[test]
fn an_upgrade_in_a_cycle() {
    account!(Upgraded);
    watching();
    let account = Upgraded::default();
    let shared = RwLock::new(0);
    let mut reader = waiting(async {
        with_lock!(read(shared), {
            let _: &_ = shared;
            pause().await;
            account.deposit().await;
        })
    });
    let mut upgrades = waiting(async {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            let guard = upgradable(&shared).await;
            let _ = RwLockUpgradableReadGuard::upgrade(guard).await;
        })
    });
    assert!(poll(&mut reader).is_pending() && poll(&mut upgrades).is_pending());
    let report = one(Kind::Deadlock, "Upgraded");
    assert!(report.to_string().contains("to upgrade"), "{report}");

    async fn upgradable(lock: &RwLock<i64>) -> RwLockUpgradableReadGuard<'_, i64> {
        lock.upgradable_read().await
    }
}

/// A writer waits for the future that upgrades, which waits for a reader.
#[test]
fn an_upgrade_that_keeps_a_writer_waiting() {
    account!(Kept);
    watching();
    let account = Kept::default();
    let shared = RwLock::new(0);
    let mut reader = waiting(async {
        with_lock!(read(shared), {
            let _: &_ = shared;
            pause().await;
            account.deposit().await;
        })
    });
    let guard = shared.upgradable_read().now_or_never().expect("it is free");
    let upgrades = waiting(RwLockUpgradableReadGuard::upgrade(guard));
    let mut writer = waiting(async {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            pause().await;
            with_lock!(shared, {
                *shared += 1;
            });
        })
    });
    assert!(poll(&mut reader).is_pending() && poll(&mut writer).is_pending());
    one(Kind::Deadlock, "Kept");
    drop(upgrades);
}

#[test]
fn a_section_that_waits_for_what_it_polls_itself() {
    account!(Polls);
    watching();
    let account = Polls::default();
    let mut section = waiting(async {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            let mut deposits: FuturesUnordered<_> = [account.deposit()].into_iter().collect();
            deposits.next().await;
        })
    });
    let report = one(Kind::WaitsWithin, "Polls.ledger");
    assert_eq!(report.held.len(), 1);
    let text = report.to_string();
    assert!(
        text.contains("it holds `Polls.ledger`, acquired by `with_lock!`"),
        "{text}"
    );
    assert!(poll(&mut section).is_pending());
    a_while();
    one(Kind::WaitsWithin, "Polls.ledger");
}

#[test]
fn a_section_that_goes_on_without_what_it_polls() {
    account!(GoesOn);
    watching();
    let account = GoesOn::default();
    let mut deposits: FuturesUnordered<_> = [account.deposit()].into_iter().collect();
    let mut section = waiting(async {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            assert!(deposits.next().now_or_never().is_none());
            pause().await;
            pause().await;
        })
    });
    assert!(poll(&mut section).is_pending());
    a_while();
    none(Kind::WaitsWithin, "GoesOn");
    assert!(poll(&mut section).is_ready());
    drop(section);
    assert_eq!(block_on(deposits.next()), Some(()));
}

#[test]
fn another_executor_in_a_section() {
    account!(Nested);
    watching();
    let account: &'static Nested = Box::leak(Box::default());
    thread::spawn(move || {
        block_on(async {
            with_lock!(account.ledger, {
                *ledger.balance += 1;
                blocks(account).await;
            })
        });

        async fn blocks(account: &Nested) {
            runs_by_itself(account.deposit());
        }
    });
    one(Kind::WaitsWithin, "Nested.ledger");
}

#[test]
fn another_executor_in_a_section_of_a_plain_fn() {
    account!(Plain);

    impl Plain {
        #[synchronized(ledger, blocking)]
        fn deposit_twice(&self) {
            *ledger.balance += 1;
            runs_by_itself(self.deposit());
        }
    }

    watching();
    let account: &'static Plain = Box::leak(Box::default());
    thread::spawn(move || account.deposit_twice());
    one(Kind::WaitsWithin, "Plain.ledger");
}

/// As an executor that does not know of any other.
fn runs_by_itself<F: Future>(future: F) -> F::Output {
    struct Unparks(thread::Thread);

    impl std::task::Wake for Unparks {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(std::sync::Arc::new(Unparks(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// One wait is in two cycles, one after the other.
#[test]
fn a_cycle_that_closes_again_is_reported_again() {
    account!(Again);
    watching();
    let account = Again::default();
    let mut first = waiting(account.write_and_deposit());
    let mut second = waiting(account.write_and_deposit());
    let mut stays = waiting(account.deposit_and_write());
    assert!(poll(&mut stays).is_pending() && poll(&mut first).is_pending());
    let deadlocks =
        || reported(|report| report.kind == Kind::Deadlock && watched::is_about(report, "Again"));
    assert_eq!(deadlocks().len(), 1);
    drop(first);
    assert!(poll(&mut second).is_pending());
    a_while();
    assert_eq!(deadlocks().len(), 1);
    assert!(poll(&mut second).is_pending());
    a_while();
    assert_eq!(deadlocks().len(), 2);
}

/// It began to wait before it was polled in a section.
#[test]
fn a_wait_that_comes_into_a_section() {
    account!(Comes);
    watching();
    let account = Comes::default();
    let mut holder = waiting(account.deposit_and_write());
    let mut deposit = waiting(account.deposit());
    let section = waiting(async {
        with_lock!(account.log, {
            *log.lines += 1;
            (&mut deposit).await;
        })
    });
    assert!(poll(&mut holder).is_pending());
    one(Kind::Deadlock, "Comes");
    drop(section);
}

#[test]
fn a_hook_may_panic() {
    account!(Panics);
    account!(Survives);
    watching();
    let (account, other) = (Panics::default(), Survives::default());
    let (mut one, mut two) = (
        waiting(account.deposit_and_write()),
        waiting(account.write_and_deposit()),
    );
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    watched::one(Kind::Deadlock, "Panics");
    let (mut one, mut two) = (
        waiting(other.deposit_and_write()),
        waiting(other.write_and_deposit()),
    );
    assert!(poll(&mut one).is_pending() && poll(&mut two).is_pending());
    watched::one(Kind::Deadlock, "Survives");
}

#[test]
fn a_lock_shows_its_holder() {
    account!(Shown);
    watching();
    let account = Shown::default();
    let text = || format!("{:?}", account.ledger);
    assert_eq!(text(), "Lock { locked: false, waiters: 0 }");
    let mut section = waiting(account.deposit_and_write_with_pause());
    assert!(
        text().starts_with(
            "Lock { locked: true, waiters: 0, holder: `deposit_and_write_with_pause` (tests/"
        ),
        "{}",
        text()
    );
    let waits = waiting(account.deposit());
    assert!(poll(&mut section).is_ready());
    // Granted, and not picked up: the previous holder has released it.
    assert_eq!(text(), "Lock { locked: true, waiters: 0 }");
    drop(waits);
    assert_eq!(text(), "Lock { locked: false, waiters: 0 }");

    let mutex = Mutex::new(5);
    let guard = mutex.try_lock();
    let line = line!() - 1;
    assert_eq!(
        format!("{mutex:?}"),
        "Mutex { value: <locked>, locked: true, waiters: 0 }"
    );
    let text = format!("{mutex:#?}");
    assert!(
        text.contains(&format!("holder: tests/watch_kinds.rs:{line}:")),
        "{text}"
    );
    drop(guard);

    let lock = RwLock::new(5);
    let text = |lock: &RwLock<i32>| format!("{lock:#?}");
    let reader = lock.try_read();
    assert!(!text(&lock).contains("holder"), "{lock:#?}");
    drop(reader);
    let writer = lock.try_write();
    assert!(text(&lock).contains("holder"), "{lock:#?}");
    drop(writer);

    let semaphore = Semaphore::new(1);
    assert!(!format!("{semaphore:#?}").contains("holder"));
    let permit = semaphore.try_acquire();
    assert!(format!("{semaphore:#?}").contains("holder"));
    drop(permit);

    impl Shown {
        #[synchronized(ledger)]
        async fn deposit_and_write_with_pause(&self) {
            *ledger.balance += 1;
            pause().await;
        }
    }
}

#[test]
fn a_condition_of_a_sync_lock_that_a_section_around_holds() {
    #[derive(Guarded, Default)]
    struct Around {
        #[lock(sync)]
        state: sync::Lock,
        #[guarded_by(state)]
        open: Guarded<bool>,
    }

    impl Around {
        #[synchronized(state, when = *state.open)]
        fn enter(&self) {}

        #[synchronized(state)]
        fn enter_again(&self) {
            *state.open = true;
            self.enter();
        }
    }

    let around = Around::default();
    let message = panic_of(|| around.enter_again());
    assert!(
        message.starts_with("deadlock: `Around.state` is held"),
        "{message}"
    );
    // Nothing is left of it.
    around.enter();
}

/// For its `Poll`.
#[test]
fn a_wait_that_is_over_is_not_listed() {
    watching();
    let event = Event::new();
    let mut wait = pin!(event.wait());
    let line = line!() - 1;
    let mut cx = Context::from_waker(Waker::noop());
    assert!(wait.as_mut().poll(&mut cx).is_pending());
    event.set();
    assert_eq!(wait.as_mut().poll(&mut cx), Poll::Ready(()));
    assert!(listed(line).is_none());
}
