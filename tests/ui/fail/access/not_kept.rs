#![deny(unused_must_use, let_underscore_lock)]

use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
}

async fn released_at_once(account: &Account, lock: &Lock) {
    account.acquire_ledger().await;
    account.try_acquire_ledger();
    account.acquire_ledger_blocking();
    lock.acquire().await;
    lock.try_acquire();
}

async fn never_acquired(account: &Account, lock: &Lock) {
    account.acquire_ledger();
    lock.acquire();
}

/// No lint of the compiler looks at these: it knows the guards of std only.
async fn nobody_sees_it(lock: &Lock) {
    let _ = lock.acquire().await;
}

fn main() {}
