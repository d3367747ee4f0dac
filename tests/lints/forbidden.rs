//! Compiles although no attribute may change the level of a lint.

#![forbid(
    dead_code,
    missing_debug_implementations,
    missing_docs,
    private_bounds,
    single_use_lifetimes,
    type_alias_bounds,
    unreachable_code,
    unused_assignments,
    unused_imports,
    unused_mut,
    unused_variables
)]
#![forbid(clippy::all, clippy::pedantic)]
// By their names, too: a group that is forbidden lets the lints in it be allowed, for now.
#![forbid(
    clippy::diverging_sub_expression,
    clippy::missing_const_for_fn,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::needless_lifetimes,
    clippy::too_many_arguments,
    clippy::unnecessary_wraps,
    clippy::unused_self
)]

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

/// Is a block that never ends.
///
/// # Panics
///
/// Always.
pub async fn no_end(m: &Mutex<u8>, n: u8) -> u8 {
    with_lock!(m, atomic, {
        *m = n;
        panic!("{m}")
    })
}

/// The same in a statement, with branches.
///
/// # Panics
///
/// Always, or it never returns.
pub async fn no_end_of_branches(m: &Mutex<u8>, n: u8) -> u8 {
    with_lock!(m, atomic, {
        if n > 3 {
            todo!()
        }
        match n {
            0 => unreachable!("{m}"),
            1 => core::panic!("one"),
            _ => loop {
                *m = n;
                core::future::ready(()).await;
            },
        }
    });
}

/// The same in time.
///
/// # Errors
///
/// It takes too long.
///
/// # Panics
///
/// Always.
pub async fn no_end_in_time(
    m: &Mutex<u8>,
    limit: core::time::Duration,
) -> Result<u8, async_monitor::Elapsed> {
    with_lock!(m, timeout = limit, { panic!("{m}") })?;
    with_lock!(m, atomic, timeout = limit, {
        *m = 3;
        panic!("always")
    })
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

/// Has bounds, and a private type.
#[derive(Debug, Default, Guarded)]
pub struct Cache<T: Clone + Sync> {
    #[lock(rw)]
    table: RwLock<()>,
    #[guarded_by(table)]
    entry: Guarded<Option<T>>,
    #[guarded_by(table)]
    private: Guarded<Private>,
}

#[derive(Debug, Default, Clone)]
struct Private(u8);

#[monitor]
impl<T: Clone + Sync> Cache<T> {
    /// Reads.
    #[synchronized(read(table))]
    pub async fn get(&self) -> Option<T> {
        if table.private.0 > 0 {
            return None;
        }
        table.entry.clone()
    }
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

    /// Takes a lot: one more, with the view, is one too many.
    #[synchronized(ledger)]
    pub async fn many(&self, a: i64, b: i64, c: i64, d: i64, fee: i64, tax: i64) -> i64 {
        *ledger.balance + a + b + c + d + fee + tax
    }

    /// Fails.
    ///
    /// # Errors
    ///
    /// Always.
    #[synchronized(ledger)]
    pub async fn fails(&self) -> Result<i64, i64> {
        Err(*ledger.balance)
    }

    /// Never returns.
    ///
    /// # Panics
    ///
    /// Always.
    #[synchronized(ledger)]
    pub async fn never(&self) -> ! {
        panic!("{}", ledger.balance)
    }

    /// Never returns, and leaves everything as it was.
    ///
    /// # Panics
    ///
    /// Always.
    #[synchronized(ledger, atomic)]
    pub async fn never_changes(&self) -> ! {
        *ledger.balance += 1;
        panic!("{}", ledger.balance)
    }
}
