//! Locks of other crates that guard the fields of a derive.

use crate::{for_each_mutex, for_each_rw_lock};

macro_rules! mutex_tests {
    () => {
        use std::pin::pin;
        use std::sync::Arc;
        use std::task::Poll;
        use std::thread;
        use std::time::Duration;

        use async_monitor::{
            Condition, Elapsed, Guarded, HoldsLock, holding, monitor, synchronized, with_lock,
        };
        use futures::executor::block_on;

        use crate::poll;

        #[derive(Guarded, Default)]
        #[guarded(debug)]
        struct Account {
            id: u64,
            ledger: Mutex<()>,
            #[guarded_by(ledger)]
            balance: Guarded<i64>,
            #[guarded_by(ledger)]
            history: Guarded<Vec<i64>>,
            #[lock]
            owner: Arc<Mutex<String>>,
        }

        #[monitor]
        impl Account {
            #[synchronized(ledger)]
            async fn deposit(&self, amount: i64) -> i64 {
                *ledger.balance += amount;
                ledger.log(amount);
                *ledger.balance
            }

            #[holding(ledger)]
            fn log(&self, amount: i64) {
                ledger
                    .history
                    .push(amount + i64::try_from(self.id).unwrap());
            }

            #[synchronized(ledger)]
            async fn deposit_twice(&self, amount: i64) -> i64 {
                ledger.deposit(amount).await;
                ledger.deposit(amount).await
            }

            #[synchronized(read(ledger))]
            async fn balance(&self) -> i64 {
                *ledger.balance
            }

            #[synchronized(ledger, atomic)]
            async fn withdraw(&self, amount: i64) -> Result<(), ()> {
                *ledger.balance -= amount;
                if *ledger.balance < 0 { Err(()) } else { Ok(()) }
            }

            #[synchronized(ledger, timeout = Duration::from_millis(5))]
            async fn soon(&self) -> Result<i64, Elapsed> {
                Ok(*ledger.balance)
            }

            #[synchronized(ledger, blocking)]
            fn blocking(&self) -> i64 {
                *ledger.balance
            }

            #[synchronized(ledger, owner)]
            async fn rename(&self, name: &str) -> i64 {
                name.clone_into(&mut *owner.value);
                *ledger.balance
            }
        }

        #[test]
        fn sections_of_a_derive() {
            let account = Account::default();
            block_on(async {
                assert_eq!(account.deposit_twice(5).await, 10);
                assert_eq!(account.withdraw(11).await, Err(()));
                assert_eq!(account.withdraw(9).await, Ok(()));
                assert_eq!(account.balance().await, 1);
                assert_eq!(account.rename("a").await, 1);
                assert_eq!(with_lock!(account.owner, { owner.value.len() }), 1);
                assert_eq!(account.soon().await, Ok(1));
            });
            assert_eq!(account.blocking(), 1);
            assert!(format!("{account:?}").contains("history: [5, 5]"));
        }

        #[test]
        fn guards_of_a_derive() {
            let mut account = Account::default();
            *account.ledger_mut().balance = 3;
            let account = Arc::new(account);
            let mut guard = block_on(account.acquire_ledger());
            assert_eq!(*guard.fields().balance, 3);
            assert!(account.try_acquire_ledger().is_none());
            assert!(format!("{account:?}").contains("history: <locked>"));
            let mut section = pin!(account.deposit(1));
            assert!(poll(section.as_mut()).is_pending());
            drop(guard);
            assert_eq!(poll(section.as_mut()), Poll::Ready(4));
            let owned = block_on(account.acquire_ledger_owned());
            assert!(account.try_acquire_ledger().is_none());
            let mut owned = thread::spawn(move || owned).join().unwrap();
            *owned.fields().balance += 1;
            drop(owned);
            assert_eq!(*account.acquire_ledger_blocking().fields().balance, 5);
        }

        #[test]
        fn a_section_that_is_dropped_releases() {
            let account = Account::default();
            let guard = account.try_acquire_ledger();
            let mut second = pin!(account.deposit(2));
            {
                let mut first = pin!(account.deposit(1));
                assert!(poll(first.as_mut()).is_pending());
                assert!(poll(second.as_mut()).is_pending());
                drop(guard);
            }
            assert_eq!(poll(second.as_mut()), Poll::Ready(2));
        }

        #[test]
        fn exclusion() {
            let account = Account::default();
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        block_on(async {
                            for _ in 0..200 {
                                account.deposit_twice(1).await;
                            }
                        });
                    });
                }
            });
            assert_eq!(account.blocking(), 1_600);
        }

        #[test]
        fn what_is_held_is_proof_for_a_condition() {
            let account = Account::default();
            let condition = Condition::new();
            block_on(async {
                with_lock!(account.ledger, {
                    condition.notify_all(ledger);
                    assert_eq!(
                        HoldsLock::lock_id(ledger),
                        async_monitor::AsyncLock::id(&account.ledger)
                    );
                });
            });
        }
    };
}

macro_rules! rw_lock_tests {
    () => {
        use std::pin::pin;
        use std::task::Poll;
        use std::thread;

        use async_monitor::{Guarded, monitor, synchronized, with_lock};
        use futures::executor::block_on;

        use crate::poll;

        #[derive(Guarded, Default)]
        struct Config {
            #[lock(rw)]
            lock: RwLock<()>,
            #[guarded_by(lock)]
            limit: Guarded<u32>,
            #[lock(rw)]
            names: RwLock<Vec<String>>,
        }

        #[monitor]
        impl Config {
            #[synchronized(read(lock))]
            async fn limit(&self) -> u32 {
                *lock.limit
            }

            #[synchronized(lock)]
            async fn raise(&self) -> u32 {
                *lock.limit += 1;
                lock.limit().await
            }

            #[synchronized(read(lock), write(names))]
            async fn name(&self) {
                names.value.push(lock.limit.to_string());
            }
        }

        #[test]
        fn sections_of_a_derive() {
            let config = Config::default();
            let reader = block_on(config.read_lock());
            let mut reads = pin!(config.limit());
            assert_eq!(poll(reads.as_mut()), Poll::Ready(0));
            let mut writes = pin!(config.raise());
            assert!(poll(writes.as_mut()).is_pending());
            assert_eq!(*reader.fields().limit, 0);
            drop(reader);
            assert_eq!(poll(writes.as_mut()), Poll::Ready(1));
            let writer = block_on(config.write_lock());
            assert!(config.try_read_lock().is_none());
            drop(writer);
            block_on(async {
                config.name().await;
                assert_eq!(
                    with_lock!(read(config.names), { names.value.clone() }),
                    ["1"]
                );
            });
        }

        #[test]
        fn exclusion() {
            let config = Config::default();
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        block_on(async {
                            for _ in 0..200 {
                                let raised = config.raise().await;
                                assert!(config.limit().await >= raised);
                            }
                        });
                    });
                }
            });
            assert_eq!(block_on(config.limit()), 800);
        }
    };
}

for_each_mutex!(mutex_tests);
for_each_rw_lock!(rw_lock_tests);
use {mutex_tests, rw_lock_tests};
