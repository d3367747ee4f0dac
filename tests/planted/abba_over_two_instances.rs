//! Two tasks hold one account each, and ask for the other.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized, with_lock};

use crate::support::task;

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
        other.deposit(amount).await;
    }

    /// Both locks, in the order that is the same for all.
    async fn pay_mended(&self, other: &Account, amount: i64) {
        with_lock!(from = self.ledger, to = other.ledger, {
            *from.balance -= amount;
            *to.balance += amount;
        });
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let accounts = Arc::new([Account::default(), Account::default()]);
    for (name, from) in [("ada", 0), ("bob", 1)] {
        task(run, name, &accounts, move |accounts| async move {
            let (from, to) = (&accounts[from], &accounts[1 - from]);
            if is_mended {
                from.pay_mended(to, 1).await;
            } else {
                from.pay(to, 1).await;
            }
        });
    }
}
