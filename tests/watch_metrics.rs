//! Watching: counts of what sections do with the locks of a class.

mod watched;

use std::sync::{Mutex as StdMutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use async_monitor::watch::{self, Metrics};
use async_monitor::{
    Condition, Elapsed, Guarded, Lock, Mutex, RwLock, sync, synchronized, with_lock,
};
use futures::executor::block_on;
use watched::{Ready, pause, poll, waiting};

/// It is counted while this exists: the tests take turns.
struct Counting(#[allow(dead_code)] MutexGuard<'static, ()>);

fn counting() -> Counting {
    static TURN: StdMutex<()> = StdMutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    watch::set_metrics(true);
    Counting(turn)
}

impl Drop for Counting {
    fn drop(&mut self) {
        watch::set_metrics(false);
    }
}

#[track_caller]
fn of(lock: &str) -> Metrics {
    let mut all = watch::metrics();
    all.retain(|metrics| metrics.lock == lock);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

/// How many acquired, waited, and have released.
#[track_caller]
fn counts(lock: &str) -> (u64, u64, u64) {
    let metrics = of(lock);
    assert_plausible(&metrics);
    (metrics.acquired, metrics.wait.count, metrics.held.count)
}

#[track_caller]
fn assert_plausible(metrics: &Metrics) {
    for times in [&metrics.wait, &metrics.held] {
        assert_eq!(
            times.histogram().map(|(_, count)| count).sum::<u64>(),
            times.count
        );
        assert!(times.max <= times.total, "{metrics:?}");
        let most = times.histogram().last();
        let (at_most, count) = most.unwrap_or_default();
        assert_eq!(count == 0, times.count == 0, "{metrics:?}");
        assert!(times.max <= at_most, "{metrics:?}");
        assert!(times.count == 0 || times.max > at_most / 2 || times.max.is_zero());
    }
}

macro_rules! account {
    ($name:ident) => {
        #[derive(Guarded, Default)]
        #[allow(dead_code)]
        struct $name {
            ledger: Lock,
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
            changed: Condition,
        }

        #[allow(dead_code)]
        impl $name {
            #[synchronized(ledger)]
            async fn deposit(&self, amount: i64) {
                *ledger.balance += amount;
            }

            #[synchronized(ledger)]
            async fn hold(&self) {
                *ledger.balance += 1;
                pause().await;
            }

            #[synchronized(ledger, blocking)]
            fn deposit_blocking(&self, amount: i64) {
                *ledger.balance += amount;
            }

            #[synchronized(ledger, when = *ledger.balance >= amount)]
            async fn withdraw(&self, amount: i64) {
                *ledger.balance -= amount;
            }

            #[synchronized(ledger, timeout = Duration::from_millis(5))]
            async fn deposit_in_time(&self) -> Result<(), Elapsed> {
                *ledger.balance += 1;
                Ok(())
            }
        }
    };
}

#[test]
fn each_acquisition_of_a_section_is_counted() {
    if !watch::IS_ON {
        return;
    }
    account!(Free);
    let _counting = counting();
    let account = Free::default();
    for _ in 0..10 {
        block_on(account.deposit(1));
    }
    assert_eq!(counts("Free.ledger"), (10, 0, 10));
    account.deposit_blocking(1);
    block_on(account.deposit_in_time()).expect("in time");
    with_lock!(account.ledger, blocking, { *ledger.balance += 1 });
    block_on(async {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            async {}.await
        })
    });
    assert_eq!(counts("Free.ledger"), (14, 0, 14));
    // Two instances of a class, by one section.
    let other = Free::default();
    block_on(async {
        with_lock!(a = account.ledger, b = other.ledger, {
            *a.balance += *b.balance
        });
    });
    assert_eq!(counts("Free.ledger"), (16, 0, 16));
    assert!(of("Free.ledger").type_name.ends_with("::Free"));
}

#[test]
fn a_waiter_is_counted_once() {
    if !watch::IS_ON {
        return;
    }
    account!(Awaited);
    let _counting = counting();
    let account = Awaited::default();
    let mut holds = waiting(account.hold());
    assert_eq!(counts("Awaited.ledger"), (1, 0, 0));
    let mut waits = waiting(account.deposit(1));
    assert!(poll(&mut waits).is_pending());
    assert!(poll(&mut waits).is_pending());
    assert_eq!(counts("Awaited.ledger"), (1, 0, 0));
    Ready::of(&mut holds);
    assert_eq!(counts("Awaited.ledger"), (1, 0, 1));
    Ready::of(&mut waits);
    assert_eq!(counts("Awaited.ledger"), (2, 1, 2));
    // A nested section that waits, too.
    let mut holds = waiting(account.hold());
    let outer = Mutex::new(0);
    let mut waits = waiting(async {
        with_lock!(outer, {
            *outer += 1;
            account.deposit(1).await
        })
    });
    Ready::of(&mut holds);
    Ready::of(&mut waits);
    assert_eq!(counts("Awaited.ledger"), (4, 2, 4));
}

#[test]
fn who_is_cancelled_has_not_acquired() {
    if !watch::IS_ON {
        return;
    }
    account!(Cancelled);
    let _counting = counting();
    let account = Cancelled::default();
    let holds = waiting(account.hold());
    drop(waiting(account.deposit(1)));
    drop(waiting(account.withdraw(1)));
    block_on(account.deposit_in_time()).expect_err("it is held");
    assert_eq!(counts("Cancelled.ledger"), (1, 0, 0));
    // It has held the lock.
    drop(holds);
    assert_eq!(counts("Cancelled.ledger"), (1, 0, 1));
}

#[test]
fn a_condition_is_waited_for() {
    if !watch::IS_ON {
        return;
    }
    account!(Conditional);
    let _counting = counting();
    let account = Conditional::default();
    let mut waits = waiting(account.withdraw(1));
    block_on(account.deposit(1));
    Ready::of(&mut waits);
    assert_eq!(counts("Conditional.ledger"), (2, 1, 2));
    block_on(account.deposit(1));
    block_on(account.withdraw(1));
    assert_eq!(counts("Conditional.ledger"), (4, 1, 4));
}

#[test]
fn threads_wait_too() {
    if !watch::IS_ON {
        return;
    }
    #[derive(Guarded, Default)]
    struct Shared {
        lock: Lock,
        #[guarded_by(lock)]
        sum: Guarded<u64>,
        short: sync::Lock,
        #[guarded_by(short)]
        short_sum: Guarded<u64>,
    }
    let _counting = counting();
    let shared = Shared::default();
    thread::scope(|scope| {
        let lock = shared.lock.try_acquire();
        let short = shared.short.acquire();
        scope.spawn(|| with_lock!(shared.lock, blocking, { *lock.sum += 1 }));
        scope.spawn(|| with_lock!(shared.short, blocking, { *short.short_sum += 1 }));
        // Both are in the report once they wait.
        while watch::report()
            .waits
            .iter()
            .filter(|wait| wait.name.starts_with("Shared."))
            .count()
            < 2
        {
            thread::sleep(Duration::from_millis(1));
        }
        drop((lock, short));
    });
    assert_eq!(counts("Shared.lock"), (1, 1, 1));
    assert_eq!(counts("Shared.short"), (1, 1, 1));
    with_lock!(shared.lock, blocking, { *lock.sum += 1 });
    with_lock!(shared.short, blocking, { *short.short_sum += 1 });
    assert_eq!(counts("Shared.lock"), (2, 1, 2));
    assert_eq!(counts("Shared.short"), (2, 1, 2));
}

#[test]
fn what_threads_acquire_at_a_time_adds_up() {
    if !watch::IS_ON {
        return;
    }
    account!(Crowded);
    let _counting = counting();
    let account = Crowded::default();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..250 {
                    block_on(account.deposit(1));
                }
            });
        }
    });
    let (acquired, waited, held) = counts("Crowded.ledger");
    assert_eq!((acquired, held), (1000, 1000));
    assert!(waited <= 1000);
}

#[test]
fn a_lock_that_no_derive_knows_is_what_the_section_calls_it() {
    if !watch::IS_ON {
        return;
    }
    let _counting = counting();
    let named = (Mutex::new(0), RwLock::new(0_u8));
    block_on(async {
        with_lock!(a_mutex = named.0, { *a_mutex += 1 });
        with_lock!(a_lock = read(named.1), {
            let _ = *a_lock;
        });
    });
    let all = watch::metrics();
    let of = |kind: &str| all.iter().find(|metrics| metrics.type_name.contains(kind));
    let mutex = of("Mutex<i32>").expect("a mutex");
    assert!(!mutex.type_name.contains("__private"), "{mutex:?}");
    assert_eq!((mutex.lock, mutex.acquired), ("named.0", 1));
    let lock = of("RwLock<u8>").expect("a lock");
    assert!(!lock.type_name.contains("__private"), "{lock:?}");
    assert_eq!((lock.lock, lock.acquired), ("named.1", 1));
}

#[test]
fn nothing_is_counted_while_it_is_switched_off() {
    account!(Switched);
    let counting = counting();
    let account = Switched::default();
    watch::set_metrics(false);
    Ready::of(&mut waiting(account.hold()));
    let is_of_it = |metrics: &Metrics| metrics.lock == "Switched.ledger";
    assert!(!watch::metrics().iter().any(is_of_it));
    watch::set_metrics(true);
    let mut holds = waiting(account.hold());
    watch::set_metrics(false);
    block_on(async { drop(waiting(account.deposit(1))) });
    Ready::of(&mut holds);
    block_on(account.deposit(1));
    if watch::IS_ON {
        // What has been counted stays, and ends.
        assert_eq!(counts("Switched.ledger"), (1, 0, 1));
    } else {
        assert!(watch::metrics().is_empty());
    }
    drop(counting);
}

#[test]
fn a_future_may_be_counted_on_several_threads() {
    if !watch::IS_ON {
        return;
    }
    account!(Sent);
    let _counting = counting();
    let account = Sent::default();
    let mut holds = waiting(account.hold());
    let mut waits = waiting(account.deposit(1));
    thread::scope(|scope| {
        scope.spawn(move || Ready::of(&mut holds));
    });
    thread::scope(|scope| {
        scope.spawn(move || Ready::of(&mut waits));
    });
    assert_eq!(counts("Sent.ledger"), (2, 1, 2));
}
