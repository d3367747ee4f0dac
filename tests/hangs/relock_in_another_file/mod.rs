//! A section calls a fn of another file, which calls a method that acquires the same lock.

mod audit;

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    pub async fn balance(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
        audit::note(self).await;
    }
}

pub fn run() {
    block_on(Account::default().deposit(1));
}
