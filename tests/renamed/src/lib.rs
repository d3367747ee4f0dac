//! Uses the macros by other paths than `::async_monitor`.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    single_use_lifetimes,
    unused_qualifications,
    rust_2018_idioms
)]
#![deny(clippy::all, clippy::pedantic)]

/// What another crate shows under a name of its own.
pub mod facade {
    pub use ::monitors as sync;
}

/// By the name in `Cargo.toml`.
pub mod by_name {
    use monitors::{Guarded, Lock, RwLock, synchronized, with_lock};

    /// An account.
    #[derive(Debug, Default, Guarded)]
    #[guarded(crate = ::monitors)]
    pub struct Account {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        limit: Guarded<i64>,
    }

    impl Account {
        /// Deposits.
        #[synchronized(ledger, crate = ::monitors)]
        pub async fn deposit(&self, amount: i64) -> i64 {
            *ledger.balance += amount;
            *ledger.balance
        }

        /// Waits until there is enough.
        #[synchronized(ledger, crate = ::monitors, when = *ledger.balance >= amount)]
        pub async fn withdraw(&self, amount: i64) -> i64 {
            *ledger.balance -= amount;
            *ledger.balance
        }

        /// Several locks, and a body that may not suspend.
        #[synchronized(ledger, read(cfg), no_await, crate = ::monitors)]
        pub async fn is_over(&self) -> bool {
            *ledger.balance > *cfg.limit
        }

        /// A block.
        pub async fn block(&self) -> i64 {
            with_lock!(self.cfg, crate = ::monitors, {
                *cfg.limit += 1;
                *cfg.limit
            })
        }
    }
}

/// By a path in this crate.
pub mod by_path {
    use crate::facade::sync::{Guarded, Mutex, synchronized, with_lock};

    static COUNT: Mutex<u32> = Mutex::new(0);

    /// Something that is counted.
    #[derive(Guarded)]
    #[guarded(crate = crate::facade::sync)]
    pub struct Counted<T> {
        #[lock]
        value: Mutex<T>,
    }

    impl<T: Clone> Counted<T> {
        /// Counts, and keeps the value.
        pub async fn new(value: T) -> Self {
            with_lock!(COUNT, crate = crate::facade::sync, { *count += 1 });
            Counted {
                value: Mutex::new(value),
            }
        }

        /// The value.
        #[synchronized(value, crate = crate::facade::sync)]
        pub async fn value(&self) -> T {
            value.value.clone()
        }
    }

    /// How many there were.
    #[synchronized(COUNT, crate = super::facade::sync)]
    pub async fn count() -> u32 {
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::{by_name, by_path};
    use futures::executor::block_on;

    #[test]
    fn the_macros_work_by_another_name() {
        let account = by_name::Account::default();
        block_on(async {
            assert_eq!(account.deposit(3).await, 3);
            assert_eq!(account.withdraw(1).await, 2);
            assert!(account.is_over().await);
            assert_eq!(account.block().await, 1);
        });
    }

    #[test]
    fn the_macros_work_by_a_path() {
        block_on(async {
            let counted = by_path::Counted::new('a').await;
            assert_eq!(counted.value().await, 'a');
            assert_eq!(by_path::count().await, 1);
        });
    }
}
