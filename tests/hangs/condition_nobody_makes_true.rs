//! A withdrawal waits for a balance that no deposit will make up.

use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{global, run_tasks};

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, when = *ledger.balance >= amount)]
    async fn withdraw(&self, amount: i64) {
        *ledger.balance -= amount;
    }
}

pub fn run() {
    let account: &Account = global();
    run_tasks([
        Box::pin(account.withdraw(100)),
        Box::pin(account.deposit(99)),
    ]);
}
