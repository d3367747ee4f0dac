//! Uses the macros in edition 2021, under every lint.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unused,
    rust_2018_idioms,
    rust_2024_compatibility
)]
#![deny(clippy::all, clippy::pedantic)]
// Temporaries of a last expression are reported here as they are in fns without the
// attribute, where no attribute of a fn allows it either.
#![allow(tail_expr_drop_order)]

pub mod monitor;

pub use monitor::Words;

use async_monitor::{synchronized, with_lock, Guarded, Lock, Mutex, RwLock};

/// How often something happened.
static COUNT: Mutex<u32> = Mutex::new(0);

/// An account.
#[derive(Debug, Default, Guarded)]
pub struct Account<T> {
    /// The lock of the ledger.
    pub ledger: Lock,
    /// What is in it.
    #[guarded_by(ledger)]
    pub balance: Guarded<i64>,
    #[guarded_by(ledger)]
    items: Guarded<Vec<T>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<usize>,
}

impl<T: Clone + Sync> Account<T> {
    /// Adds an item.
    ///
    /// # Errors
    ///
    /// The item, if there is no place for it.
    #[synchronized(ledger, read(cfg))]
    pub async fn add(&self, item: T) -> Result<usize, T> {
        if ledger.items.len() >= *cfg.limit {
            return Err(item);
        }
        ledger.items.push(item);
        *ledger.balance += 1;
        Ok(ledger.items.len())
    }

    /// Changes the limit.
    #[synchronized(cfg)]
    pub async fn set_limit(&self, limit: usize) {
        *cfg.limit = limit;
    }

    /// Pays, or does nothing.
    ///
    /// # Errors
    ///
    /// What is missing.
    #[synchronized(ledger, atomic)]
    pub async fn pay(&self, amount: i64) -> Result<i64, i64> {
        *ledger.balance -= amount;
        if *ledger.balance < 0 {
            return Err(-*ledger.balance);
        }
        Ok(*ledger.balance)
    }

    /// The same in a block.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub async fn pay_in_a_block(&self, amount: i64) -> Result<i64, i64> {
        with_lock!(self.ledger, atomic, {
            *ledger.balance -= amount;
            if *ledger.balance < 0 {
                Err(-*ledger.balance)?;
            }
            Ok(*ledger.balance)
        })
    }

    /// A temporary of the last expression borrows from the section, and is gone
    /// before the section ends.
    #[synchronized(ledger)]
    pub async fn first(&self) -> Option<T> {
        std::cell::RefCell::new(ledger)
            .borrow()
            .items
            .first()
            .cloned()
    }

    /// The same in a block.
    pub async fn last(&self) -> Option<T> {
        with_lock!(self.ledger, {
            std::cell::RefCell::new(ledger)
                .borrow()
                .items
                .last()
                .cloned()
        })
    }
}

/// Sections that never suspend.
#[derive(Debug, Default)]
pub struct Dictionary {
    words: async_monitor::sync::Mutex<Vec<String>>,
    slow: Mutex<Vec<String>>,
}

impl Dictionary {
    /// A temporary of the last expression borrows from the section, and is gone before the
    /// section ends.
    #[synchronized(words)]
    pub fn first(&self) -> Option<String> {
        std::cell::RefCell::new(words).borrow().first().cloned()
    }

    /// The same under other options.
    #[synchronized(words, atomic, when = !words.is_empty())]
    pub async fn last(&self) -> Option<String> {
        std::cell::RefCell::new(words).borrow().last().cloned()
    }

    /// The same of an async lock.
    #[synchronized(slow, blocking, atomic)]
    pub fn parked(&self) -> Option<String> {
        std::cell::RefCell::new(slow).borrow().last().cloned()
    }

    /// The same in blocks.
    pub fn blocks(&self) -> Option<String> {
        with_lock!(self.words, self.slow, blocking, { words.append(slow) });
        with_lock!(self.words, blocking, {
            std::cell::RefCell::new(words).borrow().last().cloned()
        })
    }
}

impl<T: Clone> Account<T> {
    /// The same in a condition, and under the other options.
    #[synchronized(
        ledger,
        when = !std::cell::RefCell::new(ledger).borrow().items.is_empty(),
        no_await
    )]
    pub async fn some(&self) -> Option<T> {
        std::cell::RefCell::new(ledger)
            .borrow()
            .items
            .first()
            .cloned()
    }

    /// The same once more.
    #[synchronized(ledger, atomic)]
    pub async fn other(&self) -> Option<T> {
        std::cell::RefCell::new(ledger)
            .borrow()
            .items
            .last()
            .cloned()
    }

    /// The same in a block.
    pub async fn both(&self) -> Option<T> {
        with_lock!(
            self.ledger,
            atomic,
            when = !std::cell::RefCell::new(ledger).borrow().items.is_empty(),
            {
                std::cell::RefCell::new(ledger)
                    .borrow()
                    .items
                    .first()
                    .cloned()
            }
        )
    }
}

/// Counts.
#[synchronized(COUNT)]
pub async fn count() -> u32 {
    *count += 1;
    *count
}

#[cfg(test)]
mod tests {
    use super::{count, Account};
    use futures::executor::block_on;

    #[test]
    fn the_macros_work() {
        let account = Account::default();
        block_on(async {
            assert_eq!(account.add('a').await, Err('a'));
            account.set_limit(2).await;
            assert_eq!(account.add('a').await, Ok(1));
            assert_eq!(account.add('b').await, Ok(2));
            assert_eq!(account.first().await, Some('a'));
            assert_eq!(account.last().await, Some('b'));
            assert_eq!(account.some().await, Some('a'));
            assert_eq!(account.other().await, Some('b'));
            assert_eq!(account.both().await, Some('a'));
            assert_eq!(account.pay(3).await, Err(1));
            assert_eq!(account.pay_in_a_block(3).await, Err(1));
            assert_eq!(account.pay(1).await, Ok(1));
            assert_eq!(account.pay_in_a_block(1).await, Ok(0));
            assert_eq!(count().await, 1);
        });
    }
}
