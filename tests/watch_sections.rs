//! Watching: what is said of sections that wait for each other, and what is not.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized, with_lock};
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

    #[synchronized(ledger)]
    async fn deposit_twice(&self, amount: i64) {
        *ledger.balance += amount;
        self.deposit(amount).await;
    }
}

fn panic_of<R>(code: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(code)) else {
        panic!("it did not panic");
    };
    *panic.downcast::<String>().expect("a message")
}

#[test]
fn a_section_that_asks_for_its_own_lock_panics() {
    let account = Account::default();
    let message = panic_of(|| block_on(account.deposit_twice(1)));
    println!("{message}");
    assert!(message.contains("`Account.ledger`"), "{message}");
    // The lock is free again.
    block_on(account.deposit(1));
    let _ = Arc::new(());
    block_on(async { with_lock!(account.ledger, { *ledger.balance }) });
}
