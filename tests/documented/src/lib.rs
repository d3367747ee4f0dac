//! Structs as users write them, for their docs.

pub mod error;

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized};

/// An account.
#[derive(Guarded, Debug)]
pub struct Account<T = u8> {
    /// Protects the books.
    pub ledger: Lock,
    /// What there is.
    #[guarded_by(ledger)]
    pub balance: Guarded<i64>,
    /// What was there.
    #[guarded_by(ledger)]
    history: Guarded<Vec<T>>,
    /// Protects what is seldom changed.
    #[lock(rw)]
    pub cfg: RwLock<()>,
    /// How much there may be.
    #[guarded_by(cfg)]
    pub limit: Guarded<i64>,
    /// How often.
    #[lock]
    pub count: Mutex<u64>,
    #[lock]
    private: Mutex<u64>,
}

#[monitor]
impl Account {
    /// Adds an amount.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        ledger.history.push(1);
        *ledger.balance
    }

    /// How much there may be.
    #[synchronized(read(cfg))]
    pub async fn limit(&self) -> i64 {
        *cfg.limit
    }

    /// Counts, all or nothing.
    #[synchronized(count, atomic)]
    pub async fn count(&self) -> Result<u64, ()> {
        *count.value += 1;
        Ok(*count.value)
    }

    /// Counts in secret.
    #[synchronized(private, when = *private.value > 0)]
    pub async fn secret(&self) -> u64 {
        *private.value
    }
}
