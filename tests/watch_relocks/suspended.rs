//! Sections that are suspended, or have ended, are around nothing.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::thread;
use std::time::Duration;

use async_monitor::watch::Kind;
use async_monitor::{Elapsed, Guarded, Lock, synchronized, with_lock};
use futures::executor::block_on;

use crate::account::Account;
use crate::watched::{none, pause, poll, waiting, watching};

/// Hides an `.await` behind a name that is known of others.
macro_rules! info {
    ($future:expr) => {
        $future.await
    };
}

impl Account {
    #[synchronized(ledger)]
    async fn suspends_unseen(&self) {
        *ledger.balance += 1;
        info!(pause());
        *ledger.balance += 1;
        info!(pause());
        *ledger.balance += 1;
    }

    async fn block_that_suspends_unseen(&self) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
        })
    }

    async fn parked_block_that_suspends_unseen(&self) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
        })
    }

    #[synchronized(ledger)]
    async fn awaits_between(&self) {
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
    }

    #[synchronized(ledger, atomic)]
    async fn is_rolled_back_between(&self) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        Ok(())
    }

    #[synchronized(ledger)]
    async fn leaves_early(&self, how: u32) -> Option<i64> {
        *ledger.balance += 1;
        if how == 0 {
            return None;
        }
        assert_ne!(how, 1);
        let again = how.checked_sub(3)?;
        assert_ne!(again, 0);
        Some(*ledger.balance)
    }

    async fn block_that_leaves_early(&self, how: u32) -> Option<i64> {
        for _ in 0..2 {
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                if how == 0 {
                    continue;
                }
                assert_ne!(how, 1);
                if how == 2 {
                    break;
                }
                Some(how).filter(|how| *how > 4)?;
            });
        }
        None
    }
}

/// Where the lock is held by a section that is suspended, or was dropped, it may be asked for.
#[test]
fn sections_that_suspend_are_not_around_what_comes_next() {
    macro_rules! sections {
        ($($section:ident)*) => {$(
            let account: &'static Account = Box::leak(Box::default());
            let mut section = waiting(account.$section());
            let mut deposit = waiting(account.deposit(1));
            // Another thread goes on with it, and leaves it suspended.
            let section = thread::spawn(move || {
                assert!(poll(&mut section).is_pending());
                drop(waiting(account.deposit(1)));
                section
            });
            let mut section = section.join().expect("no panic");
            drop(waiting(account.deposit(1)));
            assert!(poll(&mut section).is_ready());
            assert!(poll(&mut deposit).is_ready());
            // Dropped where it is suspended, by another thread.
            let section = waiting(account.$section());
            thread::spawn(move || drop(section)).join().expect("no panic");
            assert_eq!(account.balance(), if stringify!($section) == "is_rolled_back_between" { 4 } else { 5 });
            nothing_is_around(account);
        )*};
    }

    sections! {
        suspends_unseen block_that_suspends_unseen parked_block_that_suspends_unseen
        awaits_between is_rolled_back_between
    }
}

#[derive(Guarded, Default)]
struct Slow {
    steps: Lock,
    #[guarded_by(steps)]
    count: Guarded<u32>,
}

impl Slow {
    #[synchronized(steps)]
    async fn step(&self) {
        *steps.count += 1;
    }

    #[synchronized(steps)]
    async fn polls_others(&self, other: &mut Pin<Box<impl Future<Output = ()>>>) {
        *steps.count += 1;
        let is_pending = poll(other).is_pending();
        info!(pause());
        *steps.count += u32::from(is_pending);
    }
}

/// What it has polled by hand is not asked for within it once it goes on.
#[test]
fn a_section_that_goes_on_is_not_around_what_it_has_polled() {
    watching(Duration::from_millis(50));
    let slow = Slow::default();
    let mut step = Box::pin(slow.step());
    let mut section = waiting(slow.polls_others(&mut step));
    thread::sleep(Duration::from_millis(300));
    none(Kind::WaitsWithin, "Slow");
    assert!(poll(&mut section).is_ready());
    drop(section);
    assert!(poll(&mut step).is_ready());
}

#[test]
fn sections_that_are_left_early_are_not_around_what_comes_next() {
    for how in 0..6 {
        let account = Account::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| block_on(account.leaves_early(how))));
        assert_eq!(outcome.is_err(), how == 1 || how == 3);
        nothing_is_around(&account);
        let leaves = AssertUnwindSafe(|| block_on(account.block_that_leaves_early(how)));
        assert_eq!(catch_unwind(leaves).is_err(), how == 1);
        nothing_is_around(&account);
    }
}

/// Whoever waits on this thread is in no section of the account.
#[track_caller]
fn nothing_is_around(account: &Account) {
    let guard = account.try_acquire_ledger();
    assert!(guard.is_some());
    drop(waiting(account.deposit(1)));
    drop(guard);
}

/// A thread may wait for a sync lock that another one holds, and acquire it again and again.
#[test]
fn sync_locks_of_other_threads_are_waited_for() {
    let account: &'static Account = Box::leak(Box::default());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                for _ in 0..200 {
                    let mut guard = account.acquire_state();
                    *guard.fields().open ^= true;
                    thread::yield_now();
                    drop(guard);
                    account.short(thread::yield_now);
                    drop(account.try_acquire_state());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}
