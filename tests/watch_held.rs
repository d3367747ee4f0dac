//! Watching: the holders of locks with waiters, however they were acquired.

mod watched;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::watch::{self, Held, Kind, Mode};
use async_monitor::{Guarded, Lock, Mutex, RwLock, Semaphore, local, sync, synchronized};
use futures::FutureExt;
use futures::executor::block_on;
use watched::{Ready, one, waiting};

/// How many holders of a lock are listed that nobody waits for.
const IF_NOBODY_WAITS: usize = if cfg!(debug_assertions) { 1 } else { 0 };

const LIMIT: Duration = Duration::from_millis(100);

fn watching() {
    watched::watching(Duration::from_secs(3600));
    watch::set_long_hold(LIMIT);
}

/// The locks that are listed as held and were acquired in one of those lines.
fn held(lines: std::ops::RangeInclusive<u32>) -> Vec<Held> {
    let mut held = watch::report().held;
    held.retain(|held| held.place.file() == file!() && lines.contains(&held.place.line()));
    held
}

/// The one lock that is listed as held at that line.
#[track_caller]
fn held_at(line: u32) -> Held {
    let mut held = held(line..=line);
    assert_eq!(held.len(), 1, "{held:#?}");
    held.remove(0)
}

/// Waits until a condition is true.
#[track_caller]
fn soon(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(10), "it is not so");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_mutex() {
    watching();
    let mutex = Mutex::new(0);
    let guard = block_on(mutex.lock());
    let line = line!() - 1;
    assert_eq!(held(line..=line).len(), IF_NOBODY_WAITS);
    let waits = waiting(mutex.lock());
    thread::sleep(Duration::from_millis(5));
    let held_by_hand = held_at(line);
    assert_eq!(held_by_hand.lock, "Mutex<i32>");
    assert_eq!(held_by_hand.mode, Some(Mode::Exclusive));
    assert!(held_by_hand.section.is_none());
    assert!(held_by_hand.since >= Duration::from_millis(5));
    let text = watch::report().to_string();
    let expected = format!(
        "  `Mutex<i32>`, acquired at {}, held for ",
        held_by_hand.place
    );
    assert!(text.contains(&expected), "{text}");
    drop(waits);
    assert_eq!(held(line..=line).len(), IF_NOBODY_WAITS);
    drop(guard);
    assert!(held(line..=line).is_empty());
}

/// However a lock is acquired, its place is in user code.
#[test]
fn in_every_form() {
    let (first, mut all) = (line!(), BTreeSet::new());

    #[derive(Guarded, Default)]
    struct Settings {
        lock: Lock,
        #[guarded_by(lock)]
        name: Guarded<String>,
        #[lock(rw)]
        map: RwLock<()>,
        #[guarded_by(map)]
        values: Guarded<Vec<i64>>,
    }

    macro_rules! forms {
        ($($lock:ident: $wait:expr => { $($form:expr;)* })*) => {$($(
            let $lock = &$lock;
            let guard = $form;
            let alone = held(first..=first + 120);
            assert_eq!(alone.len(), IF_NOBODY_WAITS, "{}:\n{}", stringify!($form), watch::report());
            let waits = waiting($wait);
            let places: Vec<_> = held(first..=first + 120).iter().map(|held| held.place).collect();
            assert!(alone.iter().all(|held| held.place == places[0]), "{alone:?}");
            assert_eq!(places.len(), 1, "{}:\n{}", stringify!($form), watch::report());
            assert!(all.insert(places[0].to_string()), "{}", places[0]);
            drop((waits, guard));
            assert!(held(first..=first + 120).is_empty(), "{}", stringify!($form));
        )*)*};
    }

    watching();
    let lock = Arc::new(Lock::new());
    let mutex = Arc::new(Mutex::new(0));
    let rwlock = Arc::new(RwLock::new(0));
    let permits = Arc::new(Semaphore::new(1));
    let local = Rc::new(local::Lock::new());
    let settings = Arc::new(Settings::default());
    forms! {
        lock: lock.acquire() => {
            block_on(lock.acquire());
            lock.try_acquire();
            lock.acquire_blocking();
            block_on(lock.acquire_owned());
            lock.try_acquire_owned();
            lock.acquire_owned_blocking();
        }
        mutex: mutex.lock() => {
            block_on(mutex.lock());
            mutex.try_lock();
            mutex.lock_blocking();
            block_on(mutex.lock_owned());
            mutex.try_lock_owned();
            mutex.lock_owned_blocking();
            mutex.lock().now_or_never();
        }
        rwlock: rwlock.write() => {
            block_on(rwlock.read());
            rwlock.try_read();
            rwlock.read_blocking();
            block_on(rwlock.read_owned());
            rwlock.try_read_owned();
            rwlock.read_owned_blocking();
            block_on(rwlock.write());
            rwlock.try_write();
            rwlock.write_blocking();
            block_on(rwlock.write_owned());
            rwlock.try_write_owned();
            rwlock.write_owned_blocking();
            block_on(rwlock.upgradable_read());
            rwlock.try_upgradable_read();
            rwlock.upgradable_read_blocking();
            rwlock.try_upgradable_read_owned();
            rwlock.upgradable_read_owned_blocking();
        }
        permits: permits.acquire() => {
            block_on(permits.acquire());
            permits.try_acquire();
            permits.acquire_blocking();
            permits.acquire_many_blocking(1);
            block_on(permits.acquire_owned());
            permits.try_acquire_owned();
            permits.acquire_owned_blocking();
            permits.acquire_many_owned_blocking(1);
        }
        local: local.acquire() => {
            block_on(local.acquire());
            local.try_acquire();
            local.try_acquire_owned();
        }
        settings: settings.acquire_lock() => {
            block_on(settings.acquire_lock());
            settings.try_acquire_lock();
            settings.acquire_lock_blocking();
            block_on(settings.acquire_lock_owned());
            settings.acquire_lock().now_or_never();
            settings.acquire_lock_owned().now_or_never();
        }
        settings: settings.write_map() => {
            block_on(settings.read_map());
            settings.try_read_map();
            settings.read_map_blocking();
            block_on(settings.read_map_owned());
            block_on(settings.write_map());
            settings.try_write_map();
            settings.write_map_blocking();
            block_on(settings.write_map_owned());
        }
    }
}

/// It is granted to the first waiter, which has not picked it up: nobody holds it. Then the first does.
#[test]
fn after_it_was_handed_on() {
    watching();
    let lock = Lock::new();
    let line = line!() + 1;
    let guard = lock.try_acquire();
    let mut first = waiting(lock.acquire());
    let second = waiting(lock.acquire());
    held_at(line);
    drop(guard);
    assert!(held(line..=line + 2).is_empty());
    let third = waiting(lock.acquire());
    let fourth_line = line!() - 1;
    assert!(held(line..=fourth_line).is_empty());
    let Ready(guard) = Ready::of(&mut first);
    held_at(line + 1);
    assert_eq!(held(line..=fourth_line).len(), 1);
    drop((guard, second, third));
}

#[test]
fn readers() {
    watching();
    let lock = RwLock::new(0);
    let line = line!() + 1;
    let (one, two) = (lock.try_read(), lock.try_read());
    let waits = waiting(lock.write());
    let held_by_hand = held_at(line);
    assert_eq!(held_by_hand.mode, Some(Mode::Shared));
    let text = held_by_hand.to_string();
    assert!(
        text.starts_with("`RwLock<i32>`, last acquired at tests/"),
        "{text}"
    );
    assert!(text.ends_with(" to read"), "{text}");
    drop((one, two, waits));
}

/// One of them is a section that is suspended: by hand, the lock has its name from there.
#[test]
fn a_section_and_a_guard_that_read() {
    #[derive(Guarded, Default)]
    struct Settings {
        #[lock(rw)]
        map: RwLock<()>,
        #[guarded_by(map)]
        values: Guarded<Vec<i64>>,
    }

    impl Settings {
        #[synchronized(read(map))]
        async fn read(&self) {
            assert!(map.values.is_empty());
            std::future::pending().await
        }
    }

    watching();
    let settings = Settings::default();
    let reads = waiting(settings.read());
    let guard = settings.map.try_read();
    let line = line!() - 1;
    let waits = waiting(settings.map.write());
    assert_eq!(held_at(line).lock, "Settings.map");
    drop((reads, guard, waits));
}

#[test]
fn who_writes_and_who_may_upgrade() {
    watching();
    let lock = RwLock::new(0);
    let line = line!() + 1;
    let guard = lock.try_write().expect("it is free");
    let waits = waiting(lock.read());
    assert_eq!(held_at(line).mode, Some(Mode::Exclusive));
    drop((waits, guard));
    let line = line!() + 1;
    let guard = block_on(lock.upgradable_read());
    let waits = waiting(lock.write());
    assert_eq!(held_at(line).mode, Some(Mode::Upgradable));
    drop((waits, guard));
}

#[test]
fn permits() {
    watching();
    let one = Semaphore::new(1);
    let several = Semaphore::new(3);
    let line = line!() + 1;
    let permit = one.try_acquire();
    let others = several.try_acquire_many(2);
    let waits = (waiting(one.acquire()), waiting(several.acquire_many(2)));
    let held_by_hand = held_at(line);
    assert_eq!(held_by_hand.mode, Some(Mode::Permits(1)));
    assert!(
        held_by_hand
            .to_string()
            .starts_with("`Semaphore`, acquired at ")
    );
    let held_by_hand = held_at(line + 1);
    if cfg!(debug_assertions) {
        assert_eq!(held_by_hand.mode, Some(Mode::Permits(2)));
    } else {
        assert_eq!(held_by_hand.mode, None);
        let text = held_by_hand.to_string();
        assert!(text.starts_with("`Semaphore`, last acquired at "), "{text}");
    }
    drop((waits, permit, others));
    // There are too few permits, whoever holds the others.
    let waits = waiting(several.acquire_many(4));
    assert!(held(line..=line + 1).is_empty());
    drop(waits);
}

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    short: sync::Lock,
    #[guarded_by(short)]
    cents: Guarded<i64>,
}

const COUNT: u32 = line!() + 15;
const COUNT_DOWN: u32 = line!() + 20;

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(ledger, blocking)]
    fn deposit_while(&self, what: impl FnOnce()) {
        *ledger.balance += 1;
        what();
    }

    #[synchronized(short)]
    fn count_while(&self, what: impl FnOnce()) {
        *short.cents += 1;
        what();
    }

    #[synchronized(short, when = *short.cents > 0, blocking)]
    fn count_down_while(&self, what: impl FnOnce()) {
        *short.cents -= 1;
        what();
    }
}

/// It has not been suspended: only the waiters know of it.
#[test]
fn a_section_that_runs() {
    watching();
    let account = Account::default();
    account.deposit_while(|| {
        let waits = waiting(account.deposit());
        let report = watch::report();
        let mut held = report.held.iter();
        let held = held.find(|held| held.lock == "Account.ledger");
        let section = held.and_then(|held| held.section).expect("it is listed");
        assert_eq!(section.name, "deposit_while");
        drop(waits);
    });
}

/// It is listed because its thread waits.
#[test]
fn a_section_whose_thread_waits() {
    #[derive(Guarded, Default)]
    struct Waits {
        outer: Lock,
        #[guarded_by(outer)]
        value: Guarded<i64>,
    }

    impl Waits {
        #[synchronized(outer, blocking)]
        fn keep_while(&self, what: impl FnOnce()) {
            *outer.value += 1;
            what();
        }
    }

    watching();
    let account = Waits::default();
    let inner = Lock::new();
    let guard = inner.try_acquire();
    thread::scope(|scope| {
        scope.spawn(|| account.keep_while(|| drop(inner.acquire_blocking())));
        let count = || {
            let held = watch::report().held;
            held.iter()
                .filter(|held| held.lock == "Waits.outer")
                .count()
        };
        soon(|| count() == 1);
        // It is listed once, even if somebody waits for it.
        let waits = waiting(account.acquire_outer());
        assert_eq!(count(), 1);
        drop((waits, guard));
    });
}

/// A waiter for the lock, while `hold` keeps it, in a thread.
fn while_waited_for(hold: impl FnOnce(&dyn Fn()), wait: impl FnOnce() + Send) {
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            begin.wait();
            wait();
        });
        hold(&|| {
            begin.wait();
        });
    });
}

#[test]
fn a_short_lock() {
    watching();
    let lock = Arc::new(sync::Mutex::new(0));
    let mut line = 0;
    while_waited_for(
        |held_now| {
            let guard = lock.lock();
            line = line!() - 1;
            held_now();
            soon(|| !held(line..=line).is_empty());
            thread::sleep(Duration::from_millis(5));
            let held_by_hand = held_at(line);
            assert_eq!(held_by_hand.mode, Some(Mode::Exclusive));
            assert!(held_by_hand.since >= Duration::from_millis(5));
            soon(|| {
                let report = watch::report();
                let mut waits = report.waits.iter().filter_map(|wait| wait.last_acquired);
                waits.any(|place| place == held_by_hand.place)
            });
            drop(guard);
        },
        || drop(lock.lock()),
    );
    assert!(held(line..=line).is_empty());
}

#[test]
fn a_short_lock_to_read_and_write() {
    watching();
    let lock = sync::RwLock::new(0);
    while_waited_for(
        |held_now| {
            let guard = lock.try_read().expect("it is free");
            let line = line!() - 1;
            held_now();
            soon(|| !held(line..=line).is_empty());
            // While a writer waits, there may be readers; which, only the list of all knows.
            let mode = if cfg!(debug_assertions) {
                Some(Mode::Shared)
            } else {
                None
            };
            assert_eq!(held_at(line).mode, mode);
            drop(guard);
        },
        || drop(lock.write()),
    );
    while_waited_for(
        |held_now| {
            let guard = lock.write();
            let line = line!() - 1;
            held_now();
            soon(|| !held(line..=line).is_empty());
            assert_eq!(held_at(line).mode, Some(Mode::Exclusive));
            drop(guard);
        },
        || drop(lock.read()),
    );
}

/// Its place is the place of the section.
#[test]
fn a_section_of_a_short_lock() {
    watching();
    let account = Account::default();
    while_waited_for(
        |held_now| {
            account.count_while(|| {
                held_now();
                soon(|| held(COUNT..=COUNT).len() == 1);
            });
        },
        || account.count_while(|| ()),
    );
    while_waited_for(
        |held_now| {
            account.count_down_while(|| {
                held_now();
                soon(|| held(COUNT_DOWN..=COUNT_DOWN).len() == 1);
            });
        },
        || account.count_while(|| ()),
    );
}

/// A long hold by a guard has its place and time, too.
#[test]
fn a_long_hold() {
    #[derive(Guarded, Default)]
    struct Long {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
    }

    impl Long {
        #[synchronized(ledger)]
        async fn deposit(&self) {
            *ledger.balance += 1;
        }
    }

    watching();
    let account = Long::default();
    let guard = account.ledger.try_acquire();
    let line = line!() - 1;
    let waits = waiting(account.deposit());
    let report = one(Kind::LongHold, "Long.ledger");
    assert_eq!(report.held.len(), 1, "{report}");
    assert_eq!(report.held[0].place.line(), line);
    assert!(report.held[0].since >= LIMIT);
    let text = report.to_string();
    assert!(text.contains("It is kept by a guard"), "{text}");
    drop((guard, waits));
}

/// The text distinguishes two locks of one name; by hand, a lock has its name from the
/// sections that wait for it.
#[test]
fn names_in_a_report() {
    #[derive(Guarded, Default)]
    struct Named {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
    }

    impl Named {
        #[synchronized(ledger)]
        async fn deposit(&self) {
            *ledger.balance += 1;
        }
    }

    watching();
    let (one, other) = (Named::default(), Named::default());
    let guards = (one.ledger.try_acquire(), other.ledger.try_acquire());
    let waits = (waiting(one.deposit()), waiting(other.ledger.acquire()));
    let others = waiting(other.deposit());
    let report = watch::report();
    let named = report
        .waits
        .iter()
        .filter(|wait| wait.name == "Named.ledger");
    assert_eq!(named.count(), 3, "{report}");
    let text = report.to_string();
    let count = |part: &str| text.matches(part).count();
    assert_eq!(count("for `Named.ledger` #"), 3, "{text}");
    let mut held: Vec<_> = text
        .lines()
        .filter(|line| line.starts_with("  `Named.ledger` #"))
        .map(|line| line.split_once(',').map(|(label, _)| label))
        .collect();
    held.dedup();
    assert_eq!(held.len(), 2, "{text}");
    drop((guards, waits, others));
}
