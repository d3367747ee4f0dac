//! A balance is read in one section and written in another.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn get(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn set(&self, balance: i64) {
        *ledger.balance = balance;
    }

    #[synchronized(ledger)]
    async fn add(&self, amount: i64) {
        *ledger.balance += amount;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let account = Arc::new(Account::default());
    // By those who were not cancelled.
    let added = Rc::new(Cell::new(0));
    for (name, amount) in [("ada", 10), ("bob", 20)] {
        let added = Rc::clone(&added);
        task(run, name, &account, move |account| async move {
            if is_mended {
                account.add(amount).await;
            } else {
                let seen = account.get().await;
                account.set(seen + amount).await;
            }
            added.set(added.get() + amount);
        });
    }
    run.finally(move || assert_eq!(block_on(account.get()), added.get(), "an update was lost"));
}
