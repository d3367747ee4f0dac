//! Watching, in builds with `debug_assertions`: what is held and nobody waits for.
#![cfg(debug_assertions)]

mod watched;

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use async_monitor::watch::{self, Held, Mode};
use async_monitor::{
    AsyncLock, Condition, Guarded, Lock, Mutex, OwnedSemaphorePermit, RwLock,
    RwLockUpgradableReadGuard, RwLockWriteGuard, Semaphore, local, sync, synchronized, with_lock,
};
use futures::executor::block_on;
use watched::waiting;

/// What is listed as held and was acquired in one of those lines.
fn held(lines: RangeInclusive<u32>) -> Vec<Held> {
    let mut held = watch::report().held;
    held.retain(|held| held.place.file() == file!() && lines.contains(&held.place.line()));
    held
}

/// The modes of what was acquired from that line on, in the order of their names.
fn modes(from: u32) -> Vec<Option<Mode>> {
    let held = held(from..=from + 20);
    let mut modes: Vec<_> = held.iter().map(|held| held.mode).collect();
    modes.sort_by_key(|mode| format!("{mode:?}"));
    modes
}

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    limits: RwLock<()>,
    #[guarded_by(limits)]
    limit: Guarded<i64>,
    short: sync::Lock,
    #[guarded_by(short)]
    cents: Guarded<i64>,
}

fn of_account() -> Vec<(String, Option<Mode>, Option<&'static str>)> {
    let held = watch::report().held.into_iter();
    let held = held.filter(|held| held.lock.starts_with("Account."));
    held.map(|held| {
        (
            held.lock,
            held.mode,
            held.section.map(|section| section.name),
        )
    })
    .collect()
}

impl Account {
    /// Its body has no `.await`, so that it is never suspended.
    #[synchronized(ledger)]
    async fn deposit(&self) -> Vec<(String, Option<Mode>, Option<&'static str>)> {
        *ledger.balance += 1;
        of_account()
    }

    #[synchronized(read(limits))]
    async fn limit(&self) -> Vec<(String, Option<Mode>, Option<&'static str>)> {
        assert_eq!(*limits.limit, 0);
        of_account()
    }

    #[synchronized(short)]
    fn count(&self) -> Vec<(String, Option<Mode>, Option<&'static str>)> {
        *short.cents += 1;
        of_account()
    }

    #[synchronized(ledger, limits)]
    async fn both(&self) -> usize {
        *ledger.balance += *limits.limit;
        of_account().len()
    }

    #[synchronized(ledger, when = *ledger.balance > 0)]
    async fn withdraw(&self) -> usize {
        *ledger.balance -= 1;
        of_account().len()
    }
}

#[test]
fn sections_that_run() {
    let account = Account::default();
    let by = |lock: &str, mode, section| vec![(lock.to_owned(), Some(mode), section)];
    let expected = by("Account.ledger", Mode::Exclusive, Some("deposit"));
    assert_eq!(block_on(account.deposit()), expected);
    let expected = by("Account.limits", Mode::Shared, Some("limit"));
    assert_eq!(block_on(account.limit()), expected);
    // Its place is known, and not its section: see `Held::section`.
    let expected = by("Account.short", Mode::Exclusive, None);
    assert_eq!(account.count(), expected);
    assert_eq!(block_on(account.both()), 2);
    assert_eq!(block_on(account.withdraw()), 1);
    let in_a_block = block_on(async { with_lock!(account.ledger, { of_account().len() }) });
    assert_eq!(in_a_block, 1);
    assert_eq!(of_account(), []);
}

#[test]
fn readers_and_who_writes() {
    let lock = RwLock::new(0);
    let from = line!() + 1;
    let (one, two) = (lock.try_read(), lock.try_read());
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    drop(one);
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    let upgradable = block_on(lock.upgradable_read());
    assert_eq!(modes(from), [Some(Mode::Shared), Some(Mode::Upgradable)]);
    drop(two);
    assert_eq!(modes(from), [Some(Mode::Upgradable)]);
    let writer = RwLockUpgradableReadGuard::try_upgrade(upgradable).expect("it is alone");
    assert_eq!(modes(from), [Some(Mode::Exclusive)]);
    let reader = RwLockWriteGuard::downgrade(writer);
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    drop(reader);
    let upgradable = block_on(lock.upgradable_read());
    let writer = block_on(RwLockUpgradableReadGuard::upgrade(upgradable));
    assert_eq!(modes(from), [Some(Mode::Exclusive)]);
    drop(writer);
    let upgradable = block_on(lock.upgradable_read());
    let other = block_on(lock.read());
    let reader = RwLockUpgradableReadGuard::downgrade(upgradable);
    drop(other);
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    drop(reader);
    assert_eq!(modes(from), []);
    assert!(!lock.is_locked());
}

#[test]
fn an_upgrade_that_is_cancelled() {
    let lock = RwLock::new(0);
    let from = line!() + 1;
    let (upgradable, reader) = (block_on(lock.upgradable_read()), block_on(lock.read()));
    let upgrading = waiting(RwLockUpgradableReadGuard::upgrade(upgradable));
    assert_eq!(modes(from), [Some(Mode::Shared), Some(Mode::Upgradable)]);
    drop(upgrading);
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    drop(reader);
    assert_eq!(modes(from), []);
}

#[test]
fn permits_one_by_one() {
    let semaphore = Arc::new(Semaphore::new(5));
    let from = line!() + 1;
    let mut permits = block_on(semaphore.acquire_many_owned(3));
    assert_eq!(modes(from), [Some(Mode::Permits(3))]);
    let one = permits.split(1).expect("there are three");
    let other = block_on(semaphore.acquire_owned());
    assert_eq!(modes(from), [Some(Mode::Permits(4))]);
    drop(one);
    permits.merge(other);
    assert_eq!(modes(from), [Some(Mode::Permits(3))]);
    // More permits are held by nobody.
    semaphore.add_permits(4);
    assert_eq!(modes(from), [Some(Mode::Permits(3))]);
    OwnedSemaphorePermit::forget(permits);
    assert_eq!(modes(from), []);
}

/// The wait for a condition, and the lock that it acquires again.
#[test]
fn around_a_condition() {
    let (lock, condition) = (Lock::new(), Condition::new());
    let line = line!() + 1;
    let guard = block_on(lock.acquire());
    assert_eq!(held(line..=line).len(), 1);
    let mut waits = waiting(condition.wait(guard));
    assert_eq!(modes(line), []);
    condition.notify_one(&block_on(lock.acquire()));
    let watched::Ready(guard) = watched::Ready::of(&mut waits);
    let ids = watch::report().held.into_iter().filter_map(|held| held.id);
    assert_eq!(ids.filter(|id| *id == AsyncLock::id(&lock)).count(), 1);
    drop(guard);
    assert!(
        watch::report()
            .held
            .iter()
            .all(|held| held.id != Some(AsyncLock::id(&lock)))
    );
}

#[test]
fn for_one_thread_and_for_sync_locks() {
    let from = line!() + 1;
    let (mutex, one) = (local::Mutex::new(0), sync::RwLock::new(0));
    let guard = block_on(mutex.lock());
    let (reader, another) = (one.read(), one.try_read());
    assert_eq!(modes(from), [Some(Mode::Exclusive), Some(Mode::Shared)]);
    drop((guard, reader));
    assert_eq!(modes(from), [Some(Mode::Shared)]);
    drop(another);
    let writer = one.write();
    assert_eq!(modes(from), [Some(Mode::Exclusive)]);
    drop(writer);
    assert_eq!(modes(from), []);
}

/// Counted from the acquisition.
#[test]
fn since_when() {
    let mutex = Mutex::new(0);
    let line = line!() + 1;
    let guard = block_on(mutex.lock());
    thread::sleep(Duration::from_millis(20));
    let waits = waiting(mutex.lock());
    let [held] = &held(line..=line)[..] else {
        panic!("it is listed once");
    };
    assert!(held.since >= Duration::from_millis(20));
    drop((waits, guard));
}

/// Many threads, and many locks in one bucket of the table.
#[test]
fn a_crowd() {
    let locks: Vec<Mutex<u64>> = (0..2000).map(Mutex::new).collect();
    let from = line!() + 1;
    thread::scope(|scope| {
        for start in 0..4 {
            let locks = &locks;
            scope.spawn(move || {
                for lock in locks.iter().cycle().skip(start * 500).take(4000) {
                    *lock.lock_blocking() += 1;
                }
            });
        }
    });
    assert_eq!(modes(from), []);
    let guards: Vec<_> = locks.iter().map(|lock| block_on(lock.lock())).collect();
    let listed = modes(from).len();
    assert!(listed > 1500, "{listed} are listed");
    drop(guards);
    assert_eq!(modes(from), []);
}
