//! Compiles where no attribute may change the level of a lint.

#![forbid(
    dead_code,
    missing_debug_implementations,
    missing_docs,
    single_use_lifetimes,
    unreachable_code,
    unused_assignments,
    unused_imports,
    unused_mut,
    unused_variables
)]
#![forbid(clippy::all, clippy::pedantic)]

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};

/// Of every kind of section, one.
///
/// # Errors
///
/// It fails where nothing is left.
#[synchronized(m, n, atomic)]
pub async fn all_or_nothing(m: &Mutex<u8>, n: &Mutex<u8>) -> Result<u8, &'static str> {
    *m = m.checked_sub(1).ok_or("nothing is left")?;
    *n += 1;
    Ok(*n)
}

/// Reads.
#[synchronized(read(m), lock)]
pub async fn read(m: &RwLock<u8>, lock: &Lock) -> u8 {
    *m
}

/// Waits.
#[synchronized(m, when = *m > 0, no_await)]
pub async fn wait(m: &Mutex<u8>) -> u8 {
    *m
}

/// Gives up.
///
/// # Errors
///
/// It takes too long.
#[synchronized(m, timeout = limit)]
pub async fn give_up(
    m: &Mutex<u8>,
    limit: core::time::Duration,
) -> Result<u8, async_monitor::Elapsed> {
    Ok(*m)
}

/// Is a block.
pub async fn block(m: &Mutex<u8>, n: &RwLock<u8>) -> u8 {
    let first;
    with_lock!(m, n = read(n), atomic, {
        first = *m;
        *m = *n;
    });
    first
}

/// Is a monitor.
#[derive(Debug, Default, Guarded)]
pub struct Account {
    /// Is plain.
    pub id: i64,
    /// Protects the balance.
    pub ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    config: RwLock<u8>,
}

#[monitor]
impl Account {
    /// Changes the balance.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance + self.id
    }

    /// Changes it twice, or not at all.
    ///
    /// # Errors
    ///
    /// The amount is too large.
    #[synchronized(ledger, atomic)]
    pub async fn twice(&self, amount: i64) -> Result<i64, &'static str> {
        let once = ledger.deposit(amount).await;
        once.checked_add(amount).ok_or("too large")
    }

    /// Reads.
    #[synchronized(read(config))]
    pub async fn limit(&self) -> u8 {
        *config.value
    }
}
