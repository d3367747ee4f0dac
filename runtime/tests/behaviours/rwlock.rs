//! `RwLock`: RW and N-33 in the list of behaviours (README.md).
//!
//! Rows that are not here:
//!
//! | row | why |
//! |---|---|
//! | RW-13 | there is no maximum to set: the number of readers is bounded by the word only |
//! | RW-17 | `downgrade` takes no closure |
//! | RW-20, maps and filter-maps | the guards have none; owned guards and downgrades are tested |

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::MutexGuard;

use crate::flavour::Rc;
use std::thread;

use crate::flavour::future::{
    RwLockRead, RwLockReadOwned, RwLockUpgradableRead, RwLockUpgradableReadOwned, RwLockUpgrade,
    RwLockUpgradeOwned, RwLockWrite, RwLockWriteOwned,
};
use crate::flavour::{
    OwnedRwLockReadGuard as OwnedReadGuard, OwnedRwLockUpgradableReadGuard as OwnedUpgradableGuard,
    OwnedRwLockWriteGuard as OwnedWriteGuard, RwLock, RwLockReadGuard as ReadGuard,
    RwLockUpgradableReadGuard as UpgradableGuard, RwLockWriteGuard as WriteGuard,
};

use crate::random::Random;
use crate::shown::waiters;
use crate::support::{Waiter, impls, queued, race, taken, waiter};

/// Which of read, upgradable read and write can be acquired at once.
fn open_for<T>(lock: &RwLock<T>) -> [bool; 3] {
    // One after the other: each guard is dropped before the next attempt.
    let read = lock.try_read().is_some();
    let upgradable = lock.try_upgradable_read().is_some();
    let write = lock.try_write().is_some();
    [read, upgradable, write]
}

/// Nobody is inside and nobody waits.
#[track_caller]
fn assert_free<T: std::fmt::Debug>(lock: &RwLock<T>) {
    assert!(!lock.is_locked());
    assert_eq!(waiters(lock), 0);
    assert_eq!(open_for(lock), [true, true, true]);
}

#[test]
fn rw_01_many_readers_or_one_writer() {
    let lock = RwLock::new(0);
    let readers = [taken(lock.read()), taken(lock.read()), taken(lock.read())];
    assert!(lock.is_locked());
    let mut writer = queued(lock.write());
    drop(readers);
    let writing = writer.ready();

    let mut reader = queued(lock.read());
    drop(writing);
    drop(reader.ready());

    let _writing = taken(lock.write());
    drop(queued(lock.write()));
}

#[test]
fn rw_02_last_reader_wakes_the_writer() {
    let lock = RwLock::new(0);
    let (r1, r2) = (taken(lock.read()), taken(lock.read()));
    let mut writer = queued(lock.write());

    drop(r1);
    assert_eq!(writer.wakes(), 0);
    drop(r2);
    assert_eq!(writer.wakes(), 1);
    let _writing = writer.ready();
    assert_eq!(writer.wakes(), 1);
}

#[test]
fn rw_03_readers_behind_a_writer_wait() {
    let lock = RwLock::new(0);
    let reading = taken(lock.read());
    let mut writer = queued(lock.write());
    let mut reader = queued(lock.read());
    assert!(lock.try_read().is_none());

    drop(reading);
    assert_eq!((writer.wakes(), reader.wakes()), (1, 0));
    assert!(lock.try_read().is_none());
    drop(writer.ready());
    assert_eq!(reader.wakes(), 1);
    let _reading = reader.ready();
}

#[test]
fn rw_04_n33_queued_writer_cancelled() {
    let lock = RwLock::new(0);
    let r1 = taken(lock.read());
    let w1 = queued(lock.write());
    let mut r2 = queued(lock.read());
    let mut r3 = queued(lock.read());
    let mut w2 = queued(lock.write());
    let mut r4 = queued(lock.read());

    drop(w1);
    assert_eq!((r2.wakes(), r3.wakes()), (1, 1));
    assert_eq!((w2.wakes(), r4.wakes()), (0, 0));
    let readers = [r1, r2.ready(), r3.ready()];
    r4.pending();

    drop(readers);
    assert_eq!((w2.wakes(), r4.wakes()), (1, 0));
    drop(w2.ready());
    assert_eq!(r4.wakes(), 1);
    let _r4 = r4.ready();
}

/// The same after the writer was chosen.
#[test]
fn rw_04_chosen_writer_cancelled() {
    let lock = RwLock::new(0);
    let r1 = taken(lock.read());
    let w1 = queued(lock.write());
    let r2 = queued(lock.read());
    let r3 = queued(lock.read());
    let w2 = queued(lock.write());

    drop(r1);
    assert_eq!((w1.wakes(), r2.wakes()), (1, 0));
    drop(w1);
    assert_eq!((r2.wakes(), r3.wakes(), w2.wakes()), (1, 1, 0));
}

#[test]
fn rw_10_first_come_first_served_whatever_the_kind() {
    let lock = RwLock::new(0);
    let writing = taken(lock.write());
    let mut r1 = queued(lock.read());
    let mut w1 = queued(lock.write());
    let r2 = queued(lock.read());
    let w2 = queued(lock.write());
    drop(writing);
    assert_eq!((r1.wakes(), w1.wakes(), r2.wakes()), (1, 0, 0));

    drop(r1.ready());
    assert_eq!((w1.wakes(), r2.wakes(), w2.wakes()), (1, 0, 0));
    drop(w1.ready());
    assert_eq!((r2.wakes(), w2.wakes()), (1, 0));
}

#[test]
fn rw_11_downgrade_lets_readers_in() {
    let lock = RwLock::new(0);
    let mut writing = taken(lock.write());
    let mut r1 = queued(lock.read());
    let mut r2 = queued(lock.read());
    let w2 = queued(lock.write());
    let r3 = queued(lock.read());
    *writing = 7;

    let reading = WriteGuard::downgrade(writing);
    assert_eq!((r1.wakes(), r2.wakes()), (1, 1));
    assert_eq!((w2.wakes(), r3.wakes()), (0, 0));
    assert_eq!((*reading, *r1.ready(), *r2.ready()), (7, 7, 7));
    assert_eq!((w2.wakes(), r3.wakes()), (0, 0));
    drop(reading);
    assert_eq!((w2.wakes(), r3.wakes()), (1, 0));
}

#[test]
fn rw_12_downgrade_with_a_writer_first_in_line() {
    let lock = RwLock::new(0);
    let writing = taken(lock.write());
    let w2 = queued(lock.write());
    let mut reader = queued(lock.read());

    let reading = WriteGuard::downgrade(writing);
    assert_eq!((w2.wakes(), reader.wakes()), (0, 0));
    reader.pending();
    assert!(lock.try_read().is_none());
    drop(reading);
    assert_eq!((w2.wakes(), reader.wakes()), (1, 0));
}

#[test]
fn rw_12_that_writer_cancelled() {
    let lock = RwLock::new(0);
    let writing = taken(lock.write());
    let w2 = queued(lock.write());
    let mut reader = queued(lock.read());

    let _reading = WriteGuard::downgrade(writing);
    assert_eq!(reader.wakes(), 0);
    drop(w2);
    assert_eq!(reader.wakes(), 1);
    let _reader = reader.ready();
}

#[test]
fn rw_14_what_can_be_had_at_once() {
    let lock = RwLock::new(0);
    assert_eq!(open_for(&lock), [true, true, true]);

    let reading = taken(lock.read());
    assert_eq!(open_for(&lock), [true, true, false]);
    let waiting = queued(lock.write());
    assert_eq!(open_for(&lock), [false, false, false]);
    drop((waiting, reading));

    let upgradable = taken(lock.upgradable_read());
    assert_eq!(open_for(&lock), [true, false, false]);
    let waiting = queued(lock.upgradable_read());
    assert_eq!(open_for(&lock), [false, false, false]);
    drop((waiting, upgradable));

    let writing = taken(lock.write());
    assert_eq!(open_for(&lock), [false, false, false]);
    drop(writing);
    assert_free(&lock);
}

#[test]
fn rw_14_nothing_can_be_had_in_the_window() {
    let lock = RwLock::new(0);
    let writing = taken(lock.write());
    let chosen = queued(lock.write());
    drop(writing);
    assert_eq!(chosen.wakes(), 1);
    assert!(lock.is_locked());
    assert_eq!(open_for(&lock), [false, false, false]);
    drop(chosen);

    // A chosen reader is a reader.
    let writing = taken(lock.write());
    let chosen = queued(lock.read());
    drop(writing);
    assert_eq!(chosen.wakes(), 1);
    assert_eq!(open_for(&lock), [true, true, false]);
    drop(chosen);
    assert_free(&lock);
}

#[test]
fn rw_15_upgradable_reader_beside_readers() {
    let lock = RwLock::new(0);
    let before = taken(lock.read());
    let upgradable = taken(lock.upgradable_read());
    let after = taken(lock.read());
    assert_eq!(*before + *upgradable + *after, 0);

    // Not beside another, nor beside a writer.
    let mut second = queued(lock.upgradable_read());
    let mut writer = queued(lock.write());
    drop((before, after));
    assert_eq!((second.wakes(), writer.wakes()), (0, 0));
    drop(upgradable);
    assert_eq!((second.wakes(), writer.wakes()), (1, 0));
    drop(second.ready());
    assert_eq!(writer.wakes(), 1);
    let writing = writer.ready();

    let mut upgradable = queued(lock.upgradable_read());
    drop(writing);
    assert_eq!(upgradable.wakes(), 1);
    let _upgradable = upgradable.ready();
}

#[test]
fn rw_15_upgrade_waits_for_readers_and_no_writer_slips_in() {
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let (r1, r2) = (taken(lock.read()), taken(lock.read()));
    let mut writer = queued(lock.write());

    let mut upgrade = queued(UpgradableGuard::upgrade(upgradable));
    let mut late = queued(lock.read());
    drop(r1);
    assert_eq!((upgrade.wakes(), writer.wakes()), (0, 0));
    drop(r2);
    assert_eq!((upgrade.wakes(), writer.wakes()), (1, 0));
    assert_eq!(open_for(&lock), [false, false, false]);

    let mut writing = upgrade.ready();
    *writing += 1;
    writer.pending();
    late.pending();
    drop(writing);
    assert_eq!((writer.wakes(), late.wakes()), (1, 0));
    assert_eq!(*writer.ready(), 1);
    assert_eq!(late.wakes(), 1);
}

#[test]
fn rw_15_upgrade_passes_those_in_line() {
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let writer = queued(lock.write());

    let writing = taken(UpgradableGuard::upgrade(upgradable));
    assert_eq!(writer.wakes(), 0);
    drop(writing);
    assert_eq!(writer.wakes(), 1);
}

/// A waiting upgrade is before all others in the queue, so no reader enters.
#[test]
fn rw_15_no_reader_enters_while_an_upgrade_waits() {
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let reading = taken(lock.read());
    let mut upgrade = queued(UpgradableGuard::upgrade(upgradable));

    assert_eq!(open_for(&lock), [false, false, false]);
    let reader = queued(lock.read());
    drop(reading);
    assert_eq!((upgrade.wakes(), reader.wakes()), (1, 0));
    drop(upgrade.ready());
    assert_eq!(reader.wakes(), 1);
}

#[test]
fn rw_15_upgrade_that_is_not_polled_yet_is_an_upgradable_reader() {
    let lock = RwLock::new(0);
    let mut upgrade = waiter(UpgradableGuard::upgrade(taken(lock.upgradable_read())));
    assert_eq!(open_for(&lock), [true, false, false]);
    let _writing = upgrade.ready();
    assert_eq!(open_for(&lock), [false, false, false]);
}

#[test]
fn rw_15_upgrade_at_once() {
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let reading = taken(lock.read());
    let writer = queued(lock.write());

    // Not while others read: the guard comes back, and is one.
    let upgradable = UpgradableGuard::try_upgrade(upgradable).expect_err("there is a reader");
    assert_eq!(*upgradable, 0);
    drop(reading);
    assert_eq!(writer.wakes(), 0);

    // Before the queued ones.
    let mut writing = UpgradableGuard::try_upgrade(upgradable).expect("the readers are gone");
    *writing = 1;
    assert_eq!(writer.wakes(), 0);
    drop(writing);
    assert_eq!(writer.wakes(), 1);
    drop(writer);
    assert_eq!(*taken(lock.read()), 1);
    assert_free(&lock);
}

/// An upgrade also waits for a reader that was granted and has not run.
#[test]
fn rw_15_upgrade_waits_for_chosen_readers() {
    let lock = RwLock::new(0);
    let writing = taken(lock.write());
    let mut upgradable = queued(lock.upgradable_read());
    let mut reader = queued(lock.read());
    drop(writing);
    assert_eq!((upgradable.wakes(), reader.wakes()), (1, 1));

    let guard = upgradable.ready();
    let guard = UpgradableGuard::try_upgrade(guard).expect_err("a reader is on its way");
    let mut upgrade = queued(UpgradableGuard::upgrade(guard));
    drop(reader.ready());
    assert_eq!(upgrade.wakes(), 1);
    let _writing = upgrade.ready();
}

#[test]
fn rw_15_upgradable_reader_downgrades() {
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let mut second = queued(lock.upgradable_read());
    let mut reader = queued(lock.read());
    let writer = queued(lock.write());

    let reading = UpgradableGuard::downgrade(upgradable);
    assert_eq!((second.wakes(), reader.wakes()), (1, 1));
    let both = (second.ready(), reader.ready());
    drop(both);
    assert_eq!(writer.wakes(), 0);
    drop(reading);
    assert_eq!(writer.wakes(), 1);
}

#[test]
fn rw_16_unpolled_futures_leave_no_trace() {
    let lock = RwLock::new(0);
    let unpolled = (
        waiter(lock.read()),
        waiter(lock.upgradable_read()),
        waiter(lock.write()),
    );
    assert_free(&lock);

    let holder = taken(lock.write());
    let next = queued(lock.write());
    drop(holder);
    assert_eq!(next.wakes(), 1);
    drop(unpolled);
    drop(next);
    assert_free(&lock);
}

#[test]
fn rw_16_unpolled_upgrade_cancelled() {
    let lock = RwLock::new(0);
    let upgrade = waiter(UpgradableGuard::upgrade(taken(lock.upgradable_read())));
    let mut writer = queued(lock.write());

    drop(upgrade);
    assert_eq!(writer.wakes(), 1);
    drop(writer.ready());
    assert_free(&lock);
}

#[test]
fn rw_16_waiting_upgrade_cancelled() {
    // The waiters behind it can go on at once.
    let lock = RwLock::new(0);
    let upgradable = taken(lock.upgradable_read());
    let reading = taken(lock.read());
    let upgrade = queued(UpgradableGuard::upgrade(upgradable));
    let mut r2 = queued(lock.read());
    let mut u2 = queued(lock.upgradable_read());
    let mut writer = queued(lock.write());

    drop(upgrade);
    assert_eq!((r2.wakes(), u2.wakes(), writer.wakes()), (1, 1, 0));
    drop((reading, r2.ready(), u2.ready()));
    assert_eq!(writer.wakes(), 1);
    drop(writer.ready());
    assert_free(&lock);

    // Or wait for the current reader.
    let upgradable = taken(lock.upgradable_read());
    let reading = taken(lock.read());
    let writer = queued(lock.write());
    let upgrade = queued(UpgradableGuard::upgrade(upgradable));
    drop(upgrade);
    assert_eq!(writer.wakes(), 0);
    drop(reading);
    assert_eq!(writer.wakes(), 1);
    drop(writer);
    assert_free(&lock);
}

#[test]
fn rw_16_chosen_upgrade_cancelled() {
    let lock = RwLock::new(0);
    let chosen_upgrade = || {
        let upgradable = taken(lock.upgradable_read());
        let reading = taken(lock.read());
        let upgrade = queued(UpgradableGuard::upgrade(upgradable));
        drop(reading);
        assert_eq!(upgrade.wakes(), 1);
        upgrade
    };

    // Nobody behind it.
    drop(chosen_upgrade());
    assert_free(&lock);

    // A writer.
    let upgrade = chosen_upgrade();
    let mut writer = queued(lock.write());
    let reader = queued(lock.read());
    drop(upgrade);
    assert_eq!((writer.wakes(), reader.wakes()), (1, 0));
    drop(writer.ready());
    assert_eq!(reader.wakes(), 1);
    drop(reader);
    assert_free(&lock);

    // Readers of both kinds, and a writer.
    let upgrade = chosen_upgrade();
    let mut reader = queued(lock.read());
    let mut upgradable = queued(lock.upgradable_read());
    let writer = queued(lock.write());
    drop(upgrade);
    assert_eq!((reader.wakes(), upgradable.wakes()), (1, 1));
    drop(reader.ready());
    assert_eq!(writer.wakes(), 0);
    drop(upgradable.ready());
    assert_eq!(writer.wakes(), 1);
    drop(writer);
    assert_free(&lock);

    // Another upgradable reader, which is one then.
    let upgrade = chosen_upgrade();
    let mut upgradable = queued(lock.upgradable_read());
    drop(upgrade);
    assert_eq!(upgradable.wakes(), 1);
    let _upgradable = upgradable.ready();
    assert_eq!(open_for(&lock), [true, false, false]);
}

#[test]
fn rw_16_completed_upgrade_is_spent() {
    let lock = RwLock::new(0);
    let mut upgrade = waiter(UpgradableGuard::upgrade(taken(lock.upgradable_read())));
    let writing = upgrade.ready();

    let again = catch_unwind(AssertUnwindSafe(|| upgrade.poll().is_ready()));
    assert!(again.is_err());
    drop(upgrade);
    assert_eq!(open_for(&lock), [false, false, false]);
    drop(writing);
    assert_free(&lock);
}

threads_only! {
    #[test]
    fn rw_16_upgrade_cancelled_against_the_last_reader() {
        let lock = Rc::new(RwLock::new(0));
        race(
            500,
            || {
                let upgradable = taken(lock.upgradable_read_owned());
                let reading = taken(lock.read_owned());
                (reading, queued(OwnedUpgradableGuard::upgrade(upgradable)))
            },
            drop,
            drop,
            || {
                assert_free(&lock);
                assert_eq!(Rc::strong_count(&lock), 1);
            },
        );
    }
}

/// Every order of steps is possible: the next task to run is chosen at random.
#[test]
fn rw_18_nobody_sees_a_broken_invariant() {
    let lock = &RwLock::new((0, 0));
    let mut written = 0;
    Random::seeds(20, |random| {
        written += 20;
        let writer = async || {
            for _ in 0..5 {
                let mut pair = lock.write().await;
                pair.0 += 1;
                futures::pending!();
                pair.1 += 1;
            }
        };
        let upgrader = async || {
            for _ in 0..5 {
                let pair = lock.upgradable_read().await;
                let seen = *pair;
                futures::pending!();
                let mut pair = UpgradableGuard::upgrade(pair).await;
                assert_eq!(*pair, seen);
                pair.0 += 1;
                futures::pending!();
                pair.1 += 1;
                let pair = WriteGuard::downgrade(pair);
                futures::pending!();
                assert_eq!(*pair, (seen.0 + 1, seen.1 + 1));
            }
        };
        let reader = async || {
            for _ in 0..10 {
                let pair = lock.read().await;
                let seen = *pair;
                assert_eq!(seen.0, seen.1);
                futures::pending!();
                assert_eq!(*pair, seen);
            }
        };
        type Task<'a> = Waiter<dyn Future<Output = ()> + 'a>;
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for _ in 0..2 {
            tasks.push(boxed(writer()));
            tasks.push(boxed(upgrader()));
            tasks.push(boxed(reader()));
        }

        let mut steps = 0;
        while let Some(index) = random.index(&tasks) {
            steps += 1;
            assert!(steps < 100_000, "they do not come to an end");
            if tasks[index].poll().is_ready() {
                tasks.swap_remove(index);
            }
        }
        let pair = *taken(lock.read());
        assert_eq!(pair.0, pair.1);
    });
    assert_eq!(*taken(lock.read()), (written, written));
}

fn boxed<'a>(future: impl Future<Output = ()> + 'a) -> Waiter<dyn Future<Output = ()> + 'a> {
    let Waiter { task, future } = waiter(future);
    Waiter { task, future }
}

threads_only! {
    #[test]
    fn rw_19_writers_and_readers_on_threads() {
        const ROUNDS: usize = 200;
        let lock = RwLock::new((0, 0));
        thread::scope(|scope| {
            for _writer in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let mut pair = lock.write_blocking();
                        pair.0 += 1;
                        pair.1 += 1;
                    }
                });
            }
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    let pair = lock.upgradable_read_blocking();
                    let seen = *pair;
                    let mut pair = futures::executor::block_on(UpgradableGuard::upgrade(pair));
                    assert_eq!(*pair, seen);
                    *pair = (seen.0 + 1, seen.1 + 1);
                }
            });
            for _reader in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        let pair = lock.read_blocking();
                        assert_eq!(pair.0, pair.1);
                    }
                });
            }
        });
        assert_eq!(lock.into_inner(), (3 * ROUNDS, 3 * ROUNDS));
    }
}

#[test]
fn rw_20_owned_forms_let_go_of_lock_and_reference() {
    type Shared = Rc<RwLock<u8>>;
    type Use = (&'static str, fn(&Shared));
    let uses: [Use; 15] = [
        ("unpolled read", |lock| drop(lock.read_owned())),
        ("unpolled write", |lock| drop(lock.write_owned())),
        ("unpolled upgradable read", |lock| {
            drop(lock.upgradable_read_owned());
        }),
        ("read", |lock| drop(taken(lock.read_owned()))),
        ("write", |lock| drop(taken(lock.write_owned()))),
        ("upgradable read", |lock| {
            drop(taken(lock.upgradable_read_owned()));
        }),
        ("release", |lock| {
            OwnedReadGuard::release(taken(lock.read_owned()));
            OwnedUpgradableGuard::release(taken(lock.upgradable_read_owned()));
            OwnedWriteGuard::release(taken(lock.write_owned()));
        }),
        ("without waiting", |lock| {
            assert!(lock.try_read_owned().is_some());
            assert!(lock.try_upgradable_read_owned().is_some());
            assert!(lock.try_write_owned().is_some());
        }),
        ("without waiting, in vain", |lock| {
            let _writing = taken(lock.write_owned());
            assert!(lock.try_read_owned().is_none());
            assert!(lock.try_upgradable_read_owned().is_none());
            assert!(lock.try_write_owned().is_none());
        }),
        ("in line", |lock| {
            let _writing = taken(lock.write_owned());
            drop(queued(lock.read_owned()));
            drop(queued(lock.upgradable_read_owned()));
            drop(queued(lock.write_owned()));
        }),
        ("chosen", |lock| {
            let writing = taken(lock.write_owned());
            let chosen = (
                queued(lock.read_owned()),
                queued(lock.upgradable_read_owned()),
            );
            let next = queued(lock.write_owned());
            drop(writing);
            assert_eq!((chosen.0.wakes(), chosen.1.wakes()), (1, 1));
            drop(chosen);
            assert_eq!(next.wakes(), 1);
        }),
        ("downgrades", |lock| {
            let reading = OwnedWriteGuard::downgrade(taken(lock.write_owned()));
            assert!(lock.try_read_owned().is_some());
            let upgradable = taken(lock.upgradable_read_owned());
            let second = OwnedUpgradableGuard::downgrade(upgradable);
            assert!(lock.try_upgradable_read_owned().is_some());
            assert!(lock.try_write_owned().is_none());
            assert_eq!(*reading, *second);
        }),
        ("upgrade", |lock| {
            let upgradable = taken(lock.upgradable_read_owned());
            let mut writing = taken(OwnedUpgradableGuard::upgrade(upgradable));
            *writing += 1;
            assert!(lock.try_read_owned().is_none());
        }),
        ("upgrade at once", |lock| {
            let upgradable = taken(lock.upgradable_read_owned());
            let reading = taken(lock.read_owned());
            let upgradable =
                OwnedUpgradableGuard::try_upgrade(upgradable).expect_err("there is a reader");
            drop(reading);
            let writing =
                OwnedUpgradableGuard::try_upgrade(upgradable).expect("the reader is gone");
            assert!(lock.try_read_owned().is_none());
            drop(writing);
        }),
        ("upgrade cancelled: unpolled, waiting, chosen", |lock| {
            let upgrade = || OwnedUpgradableGuard::upgrade(taken(lock.upgradable_read_owned()));
            drop(upgrade());

            let reading = taken(lock.read_owned());
            drop(queued(upgrade()));

            let chosen = queued(upgrade());
            drop(reading);
            assert_eq!(chosen.wakes(), 1);
            drop(chosen);
        }),
    ];

    let lock = Rc::new(RwLock::new(0));
    for (what, used) in uses {
        used(&lock);
        assert_eq!(Rc::strong_count(&lock), 1, "{what}");
        assert_free(&lock);
    }
}

#[test]
fn rw_20_panics_let_go_of_lock_and_reference() {
    let lock = Rc::new(RwLock::new(0));
    let unwind = |_guard: &dyn std::fmt::Debug| panic!("as the row says");
    let panics: [&dyn Fn(); 8] = [
        &|| unwind(&taken(lock.read())),
        &|| unwind(&taken(lock.write())),
        &|| unwind(&taken(lock.upgradable_read())),
        &|| unwind(&taken(lock.read_owned())),
        &|| unwind(&taken(lock.write_owned())),
        &|| unwind(&taken(lock.upgradable_read_owned())),
        &|| unwind(&OwnedWriteGuard::downgrade(taken(lock.write_owned()))),
        &|| {
            let upgradable = taken(lock.upgradable_read_owned());
            let _reading = taken(lock.read_owned());
            unwind(&*queued(OwnedUpgradableGuard::upgrade(upgradable)).future);
        },
    ];

    for panics in panics {
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(Rc::strong_count(&lock), 1);
        assert_free(&lock);
    }
}

#[test]
fn rw_20_owned_futures_and_guards_keep_the_lock_alive() {
    let lock = Rc::new(RwLock::new(1));
    let weak = Rc::downgrade(&lock);
    let mut unpolled = waiter(lock.upgradable_read_owned());
    drop(lock);

    let upgradable = unpolled.ready();
    drop(unpolled);
    assert_eq!(weak.strong_count(), 1);
    let mut upgrade = waiter(OwnedUpgradableGuard::upgrade(upgradable));
    let mut writing = upgrade.ready();
    drop(upgrade);
    assert_eq!(weak.strong_count(), 1);
    *writing += 1;
    let reading = OwnedWriteGuard::downgrade(writing);
    assert_eq!((*reading, weak.strong_count()), (2, 1));
    drop(reading);
    assert_eq!(weak.strong_count(), 0);
}

/// Send and not Sync.
type NotSync = Cell<u8>;
/// Sync and not Send.
type NotSend = MutexGuard<'static, u8>;
/// Neither.
type Neither = std::rc::Rc<u8>;

/// Whether the type is Send, and whether it is Sync.
macro_rules! send_sync {
    ($type:ty) => {
        (impls!($type: Send), impls!($type: Sync))
    };
}

/// Asserts the same of several types.
macro_rules! assert_send_sync {
    ($expected:expr; $($type:ty),* $(,)?) => {
        $(assert_eq!(send_sync!($type), $expected, stringify!($type));)*
    };
}

threads_only! {
    #[test]
    fn rw_21_send_and_sync_payload() {
        assert_send_sync! { (true, true);
            u8, RwLock<u8>,
            ReadGuard<'static, u8>, UpgradableGuard<'static, u8>, WriteGuard<'static, u8>,
            OwnedReadGuard<u8>, OwnedUpgradableGuard<u8>, OwnedWriteGuard<u8>,
            RwLockRead<'static, u8>, RwLockUpgradableRead<'static, u8>, RwLockWrite<'static, u8>,
            RwLockReadOwned<u8>, RwLockUpgradableReadOwned<u8>, RwLockWriteOwned<u8>,
            RwLockUpgrade<'static, u8>, RwLockUpgradeOwned<u8>,
        }
    }
}

threads_only! {
    /// To share the lock is to share the value among readers.
    #[test]
    fn rw_21_payload_that_is_not_sync() {
        assert_send_sync! { (true, false); NotSync, RwLock<NotSync> }
        assert_send_sync! { (false, false);
            ReadGuard<'static, NotSync>, UpgradableGuard<'static, NotSync>,
            WriteGuard<'static, NotSync>,
            OwnedReadGuard<NotSync>, OwnedUpgradableGuard<NotSync>, OwnedWriteGuard<NotSync>,
            RwLockRead<'static, NotSync>, RwLockUpgradableRead<'static, NotSync>,
            RwLockWrite<'static, NotSync>,
            RwLockReadOwned<NotSync>, RwLockUpgradableReadOwned<NotSync>, RwLockWriteOwned<NotSync>,
            RwLockUpgrade<'static, NotSync>, RwLockUpgradeOwned<NotSync>,
        }
    }
}

threads_only! {
    /// A borrowed read guard may be sent to another thread even if the data is only `Sync`.
    /// All other guards could move the value out there, or be the last to drop it.
    #[test]
    fn rw_21_payload_that_is_not_send() {
        assert_send_sync! { (false, true); NotSend }
        assert_send_sync! { (false, false); RwLock<NotSend> }
        assert_send_sync! { (true, true);
            ReadGuard<'static, NotSend>, RwLockRead<'static, NotSend>,
        }
        macro_rules! not_send {
            ($($type:ty),* $(,)?) => {
                $(assert!(!send_sync!($type).0, stringify!($type));)*
            };
        }
        not_send! {
            UpgradableGuard<'static, NotSend>, WriteGuard<'static, NotSend>,
            OwnedReadGuard<NotSend>, OwnedUpgradableGuard<NotSend>, OwnedWriteGuard<NotSend>,
            RwLockUpgradableRead<'static, NotSend>, RwLockWrite<'static, NotSend>,
            RwLockReadOwned<NotSend>, RwLockUpgradableReadOwned<NotSend>, RwLockWriteOwned<NotSend>,
            RwLockUpgrade<'static, NotSend>, RwLockUpgradeOwned<NotSend>,
        }
    }
}

threads_only! {
    #[test]
    fn rw_21_payload_that_is_neither() {
        assert_send_sync! { (false, false);
            Neither, RwLock<Neither>,
            ReadGuard<'static, Neither>, UpgradableGuard<'static, Neither>,
            WriteGuard<'static, Neither>,
            OwnedReadGuard<Neither>, OwnedUpgradableGuard<Neither>, OwnedWriteGuard<Neither>,
            RwLockRead<'static, Neither>, RwLockWrite<'static, Neither>,
            RwLockUpgrade<'static, Neither>, RwLockUpgradeOwned<Neither>,
        }
    }
}

#[test]
fn rw_21_read_guard_is_covariant() {
    fn shorter<'a, 'b>(
        guard: ReadGuard<'a, &'static str>,
        _scope: &'b str,
    ) -> ReadGuard<'a, &'b str>
    where
        'b: 'a,
    {
        guard
    }

    let scope = String::from("shorter than static");
    let lock = RwLock::new("static");
    assert_eq!(*shorter(taken(lock.read()), &scope), "static");
}

#[test]
fn rw_21_unsized_payload() {
    let lock: Rc<RwLock<[u8]>> = Rc::new(RwLock::new([1, 2, 3]));
    taken(lock.write_owned())[0] = 7;
    let upgradable = taken(lock.upgradable_read());
    assert_eq!(taken(lock.read()).len(), 3);
    taken(UpgradableGuard::upgrade(upgradable))[1] = 8;
    assert_eq!(*taken(lock.read_owned()), [7, 8, 3]);
}

#[test]
fn behind_the_traits_it_is_the_same_lock() {
    use async_monitor::AsyncRwLock;

    fn same<L: AsyncRwLock>(lock: &L) {
        let reader = taken(lock.read()).ok();
        assert!(reader.is_some() && lock.try_read().is_some());
        assert!(lock.try_acquire().is_none());
        drop(reader);
        let writer = taken(lock.acquire()).ok();
        assert!(writer.is_some() && lock.try_read().is_none());
        drop(writer);
        assert!(lock.try_acquire().is_some());
    }

    let lock = RwLock::new(5);
    same(&lock);
    same(&&lock);
    same(&Box::new(RwLock::new(5)));
    same(&Rc::new(lock));
}
