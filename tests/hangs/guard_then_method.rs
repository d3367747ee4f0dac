//! A guard is acquired by hand, and still there when a method asks for the lock.

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;

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
}

async fn correct(account: &Account) {
    let guard = account.ledger.acquire().await;
    account.deposit(1).await;
    drop(guard);
}

pub fn run() {
    block_on(correct(&Account::default()));
}
