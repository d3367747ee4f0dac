//! Watching sees the locks of other crates.

#![cfg(any(debug_assertions, feature = "watch"))]

#[path = "../watched/mod.rs"]
mod reports;

use std::future::Future;
use std::pin::{Pin, pin};
use std::time::Duration;

use async_monitor::watch::{self, Kind, Mode, Resource};
use async_monitor::{AsyncLock, Guarded, synchronized, with_lock};
use futures::executor::block_on;
use futures::join;

use self::reports::{one, panic_of};
use crate::{for_each_mutex, poll, yields};

macro_rules! mutex_tests {
    () => {
        use super::*;

        #[derive(Guarded, Default)]
        struct Account {
            ledger: Mutex<()>,
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
            data: Mutex<u32>,
        }

        impl Account {
            #[synchronized(ledger)]
            async fn deposit(&self, amount: i64) {
                *ledger.balance += amount;
            }

            #[synchronized(ledger)]
            async fn deposit_twice(&self, amount: i64) {
                *ledger.balance += amount;
                self.deposit(amount).await;
            }

            #[synchronized(data)]
            async fn count(&self) {
                *data += 1;
            }

            #[synchronized(data)]
            async fn counts_twice(&self) {
                *data += 1;
                self.count().await;
            }

            #[synchronized(ledger)]
            async fn acquires_by_name(&self) {
                *ledger.balance += 1;
                drop(self.acquire_ledger().await);
            }
        }

        #[test]
        fn a_section_that_asks_for_its_own_lock_panics() {
            let account = Account::default();
            let message = panic_of(|| block_on(account.deposit_twice(1)));
            assert!(
                message.starts_with(
                    "deadlock: `Account.ledger` is held by the section `deposit_twice`"
                ),
                "{message}"
            );
            assert!(message.contains("`deposit`"), "{message}");
            let message = panic_of(|| block_on(account.counts_twice()));
            assert!(message.starts_with("deadlock: `data` is held"), "{message}");
            panic_of(|| block_on(account.acquires_by_name()));
            // Everything has been released.
            block_on(async {
                account.deposit(1).await;
                account.count().await;
            });
        }

        #[test]
        fn others_do_not() {
            let (account, other) = (Account::default(), Account::default());
            block_on(async {
                with_lock!(account.ledger, {
                    *ledger.balance += 1;
                    other.deposit(1).await;
                    account.count().await;
                });
                // Futures of one task.
                let first = async {
                    with_lock!(account.data, {
                        yields().await;
                        *data += 1;
                    });
                };
                join!(first, account.count());
            });
        }
    };
}

for_each_mutex!(mutex_tests);
use mutex_tests;

/// Two locks of different crates.
#[derive(Default)]
struct Opposite {
    left_of_tokio: tokio::sync::RwLock<u32>,
    right_of_futures: futures::lock::Mutex<u32>,
}

impl Opposite {
    #[synchronized(left_of_tokio)]
    async fn left_first(&self) {
        yields().await;
        self.only_right().await;
        *left_of_tokio += 1;
    }

    #[synchronized(right_of_futures)]
    async fn right_first(&self) {
        yields().await;
        self.only_left().await;
        *right_of_futures += 1;
    }

    #[synchronized(read(left_of_tokio))]
    async fn only_left(&self) -> u32 {
        *left_of_tokio
    }

    #[synchronized(right_of_futures)]
    async fn only_right(&self) {
        *right_of_futures += 1;
    }
}

fn pend<F: Future>(future: &mut Pin<&mut F>) {
    assert!(poll(future.as_mut()).is_pending());
}

#[test]
fn a_cycle_is_reported() {
    reports::watching(Duration::from_millis(100));
    let both = Opposite::default();
    let mut left = pin!(both.left_first());
    let mut right = pin!(both.right_first());
    for _ in 0..2 {
        pend(&mut left);
        pend(&mut right);
    }
    let report = one(Kind::Deadlock, "right_of_futures");
    assert_eq!(report.waits.len(), 2);
    for wait in &report.waits {
        assert_eq!(wait.resource, Resource::Lock);
        assert!(wait.place.file().ends_with("watched.rs"));
        assert_eq!(wait.holding.len(), 1);
    }
    let mut sections: Vec<_> = report
        .waits
        .iter()
        .map(|wait| (wait.name.as_str(), wait.section.unwrap().name, wait.mode))
        .collect();
    sections.sort_unstable_by_key(|section| section.0);
    assert_eq!(
        sections,
        [
            ("left_of_tokio", "only_left", Mode::Shared),
            ("right_of_futures", "only_right", Mode::Exclusive)
        ]
    );
}

#[test]
fn waits_are_listed_while_they_last() {
    let listed_permits = tokio::sync::Semaphore::new(0);
    let lock = async_lock::RwLock::new(String::new());
    let reader = lock.try_read();
    let named = |name: &str| {
        let waits = watch::report().waits;
        let mut waits = waits.into_iter().filter(|wait| wait.name == name);
        (waits.next(), waits.next().is_none())
    };
    {
        let mut of_permits = pin!(async {
            with_lock!(listed_permits?, {
                let _ = listed_permits;
            });
            Ok::<_, tokio::sync::AcquireError>(())
        });
        pend(&mut of_permits);
        let (wait, is_only) = named("listed_permits");
        let wait = wait.expect("the wait for permits");
        assert_eq!(wait.resource, Resource::Semaphore);
        assert_eq!(wait.mode, Mode::Permits(1));
        assert!(is_only);
    }
    assert!(named("listed_permits").0.is_none());
    {
        // Not in a section: known by its type, at this place.
        let line = line!() + 1;
        let mut writes = pin!(AsyncLock::acquire(&lock));
        pend(&mut writes);
        let (wait, is_only) = named("RwLock<String>");
        let wait = wait.expect("the wait for the lock");
        assert_eq!((wait.place.line(), wait.mode), (line, Mode::Exclusive));
        assert!(is_only && !wait.granted && wait.section.is_none());
        drop(reader);
        assert!(poll(writes.as_mut()).is_ready());
        assert!(named("RwLock<String>").0.is_none());
    }
}
