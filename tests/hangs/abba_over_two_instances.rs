//! Two tasks hold one account each, and ask for the other.

use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{a_moment, global, run_tasks};

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

    #[synchronized(ledger)]
    async fn pay(&self, other: &Account, amount: i64) {
        *ledger.balance -= amount;
        a_moment().await;
        other.deposit(amount).await;
    }
}

pub fn run() {
    let accounts: &[Account; 2] = global();
    let [one, other] = accounts;
    run_tasks([Box::pin(one.pay(other, 1)), Box::pin(other.pay(one, 1))]);
}
