//! No expansion allows what a crate forbids.
#![forbid(
    dead_code,
    missing_debug_implementations,
    single_use_lifetimes,
    unreachable_code,
    unused_imports,
    unused_macros,
    unused_mut,
    unused_variables
)]

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};

#[derive(Guarded, Debug, Default)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<u8>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<u8>,
    #[lock]
    count: Mutex<u8>,
    #[lock]
    nothing: Lock,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self) -> u8 {
        *ledger.balance += 1;
        *ledger.balance
    }

    #[synchronized(read(cfg))]
    pub async fn limit(&self) -> u8 {
        *cfg.limit
    }

    #[synchronized(ledger, count, atomic)]
    pub async fn both(&self) -> u8 {
        *count.value
    }

    #[synchronized(ledger, atomic)]
    pub async fn slowly(&self) -> u8 {
        std::future::ready(()).await;
        ledger.deposit().await
    }

    #[synchronized(nothing)]
    pub async fn alone(&self) -> u8 {
        1
    }

    #[synchronized(ledger, when = *ledger.balance > 1)]
    pub async fn later(&self) -> u8 {
        *ledger.balance
    }
}

#[synchronized(mutex)]
pub async fn read(mutex: &Mutex<u8>) -> u8 {
    *mutex
}

async fn all(account: &Account) {
    account.deposit().await;
    account.limit().await;
    account.both().await;
    account.slowly().await;
    account.alone().await;
    account.later().await;
    read(&Mutex::new(1)).await;
    with_lock!(account.ledger, atomic, { *ledger.balance += 1 });
}

fn main() {
    futures::executor::block_on(all(&Account::default()));
}
