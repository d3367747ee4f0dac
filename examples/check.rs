//! A bug that a test finds in one run of ten thousand, and a check in every run: two sections where
//! one is needed. The check shows the failing schedule.
//!
//! ```text
//! cargo run --features check --example check
//! ```

use std::sync::Arc;

use async_monitor::check::{Check, Failure, Outcome};
use async_monitor::{Guarded, Lock, synchronized};

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

    #[synchronized(ledger)]
    async fn set(&self, balance: i64) {
        *ledger.balance = balance;
    }

    /// Between the two sections, others change the balance.
    async fn deposit_in_two(&self, amount: i64) {
        let balance = self.balance().await;
        self.set(balance + amount).await;
    }

    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }
}

/// Two tasks deposit into an account, in every schedule.
fn check<F>(deposit: impl Fn(Arc<Account>) -> F) -> Result<Outcome, Failure>
where
    F: Future<Output = ()> + 'static,
{
    Check::new().cancels(0).run(|run| {
        let account = Arc::new(Account {
            ledger: Lock::new(),
            balance: 0.into(),
        });
        for name in ["ada", "bob"] {
            run.spawn(name, deposit(Arc::clone(&account)));
        }
        run.finally(move || {
            let mut guard = account.try_acquire_ledger().expect("nobody has it");
            assert_eq!(*guard.fields().balance, 20, "a deposit was lost");
        });
    })
}

fn main() {
    let wrong = check(|account| async move { account.deposit_in_two(10).await });
    let failure = wrong.expect_err("two sections are not one");
    println!("{failure}\n");

    let right = check(|account| async move { account.deposit(10).await });
    println!("with one section: {}", right.expect("one section is one"));
}
