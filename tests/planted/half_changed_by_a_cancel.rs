//! A transfer is cancelled between its two halves.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized, with_lock};

use crate::support::{a_moment, block_on, task};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn balance(&self) -> i64 {
        *ledger.balance
    }
}

async fn transfer(from: &Account, to: &Account, amount: i64) {
    with_lock!(a = from.ledger, b = to.ledger, {
        *a.balance -= amount;
        a_moment().await;
        *b.balance += amount;
    });
}

async fn transfer_mended(from: &Account, to: &Account, amount: i64) {
    with_lock!(a = from.ledger, b = to.ledger, atomic, {
        *a.balance -= amount;
        a_moment().await;
        *b.balance += amount;
    });
}

pub fn run(run: &mut Run, is_mended: bool) {
    let accounts = Arc::new([10, 10].map(|balance| Account {
        ledger: Lock::new(),
        balance: Guarded::new(balance),
    }));
    for (name, from) in [("ada", 0), ("bob", 1)] {
        task(run, name, &accounts, move |accounts| async move {
            let (from, to) = (&accounts[from], &accounts[1 - from]);
            if is_mended {
                transfer_mended(from, to, 5).await;
            } else {
                transfer(from, to, 5).await;
            }
        });
    }
    run.finally(move || {
        let total: i64 = accounts.iter().map(|account| block_on(account.balance())).sum();
        assert_eq!(total, 20, "money was lost or made");
    });
}
