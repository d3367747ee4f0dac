//! Many tasks move money between accounts. A transfer holds the locks of two accounts, in whatever
//! order they are named, and no two transfers can wait for each other. A transfer is atomic, even
//! if it is refused or cancelled half-way: at the end, there is as much money as at the beginning.
//!
//! ```text
//! cargo run --example bank
//! ```

use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized, with_lock};
use futures::FutureExt;

const TASKS: usize = 64;
const TRANSFERS: usize = 1_000;

#[derive(Guarded)]
struct Account {
    /// Not guarded: everybody may read it at any time.
    owner: &'static str,
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    transfers: Guarded<u32>,
}

impl Account {
    fn new(owner: &'static str, balance: i64) -> Self {
        Account {
            owner,
            ledger: Lock::new(),
            balance: balance.into(),
            transfers: Guarded::default(),
        }
    }

    /// Balance and number of transfers, of the same moment.
    #[synchronized(ledger)]
    async fn statement(&self) -> (i64, u32) {
        (*ledger.balance, *ledger.transfers)
    }
}

/// Why a transfer did not take place.
#[derive(Debug)]
enum Refused {
    Overdraft,
    SameAccount,
}

/// Moves `amount` from one account to another, or does nothing.
async fn transfer(from: &Account, to: &Account, amount: i64) -> Result<(), Refused> {
    // Nobody can hold the same lock twice: `with_lock!` would panic.
    if std::ptr::eq(from, to) {
        return Err(Refused::SameAccount);
    }
    // However many tasks transfer from A to B and from B to A: the locks are
    // acquired in an order of their own, which is the same for all.
    with_lock!(a = from.ledger, b = to.ledger, atomic, {
        *b.balance += amount;
        *b.transfers += 1;
        // Other tasks run here, but none of them reaches these two accounts. Should
        // this one be cancelled here, `b` is as it was before.
        tokio::task::yield_now().await;
        *a.balance -= amount;
        *a.transfers += 1;
        if *a.balance >= 0 {
            Ok(())
        } else {
            Err(Refused::Overdraft) // which puts back what was added to `b`
        }
    })
}

#[tokio::main]
async fn main() {
    let owners = ["Ada", "Barbara", "Edsger", "Grace", "Niklaus", "Tony"];
    let bank: Arc<[_]> = owners.map(|owner| Account::new(owner, 10_000)).into();
    let before = total(&bank).await;

    let tasks: Vec<_> = (0..TASKS)
        .map(|task| tokio::spawn(customer(task, Arc::clone(&bank))))
        .collect();
    let (mut done, mut refused, mut cancelled) = (0, 0, 0);
    for task in tasks {
        let customer = task.await.expect("no customer panics");
        done += customer.done;
        refused += customer.refused;
        cancelled += customer.cancelled;
    }

    for account in &*bank {
        let (balance, transfers) = account.statement().await;
        println!(
            "{:<8} {balance:>6} after {transfers} transfers",
            account.owner
        );
    }
    let after = total(&bank).await;
    println!("{done} transfers done, {refused} refused, {cancelled} cancelled");
    println!("total before: {before}, total after: {after}");
    assert_eq!(before, after, "money was lost or made");
}

/// What became of the transfers that a customer asked for.
#[derive(Default)]
struct Customer {
    done: usize,
    refused: usize,
    cancelled: usize,
}

/// Asks for many transfers, between accounts that differ from task to task, and
/// loses patience with some.
async fn customer(task: usize, bank: Arc<[Account]>) -> Customer {
    let mut customer = Customer::default();
    for n in 0..TRANSFERS {
        let pair = task * 7919 + n * 104_729;
        let from = &bank[pair % bank.len()];
        let to = &bank[pair / bank.len() % bank.len()];
        let amount = (pair % 997) as i64;
        let transfer = transfer(from, to, amount);
        let result = if n % 10 == 0 {
            // One poll, and it is dropped.
            transfer.now_or_never()
        } else {
            Some(transfer.await)
        };
        match result {
            Some(Ok(())) => customer.done += 1,
            Some(Err(Refused::SameAccount | Refused::Overdraft)) => customer.refused += 1,
            None => customer.cancelled += 1,
        }
    }
    customer
}

/// All the money there is, while no transfer is going on.
async fn total(bank: &[Account]) -> i64 {
    let mut total = 0;
    for account in bank {
        total += account.statement().await.0;
    }
    total
}

/// `cargo test --features check --example bank`
#[cfg(all(test, feature = "check"))]
#[path = "../tests/checked/bank.rs"]
mod checked;
