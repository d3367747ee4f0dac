// The first example of the README, which `tests/readme.rs` compares and runs.

use async_monitor::{Guarded, Lock, monitor, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    pub id: u64,                                   // unguarded: plain, shared, read-only
    ledger: Lock,                                  // a lock ...
    #[guarded_by(ledger)] balance: Guarded<i64>,   // ... and what it guards
    #[guarded_by(ledger)] history: Guarded<Vec<i64>>,
}

#[monitor]
impl Account {
    /// Holds `self.ledger` from the first statement to the last.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        ledger.history.push(amount);
        *ledger.balance
    }

    /// Waits, without holding the lock, until the balance suffices.
    #[synchronized(ledger, when = *ledger.balance >= amount)]
    pub async fn withdraw(&self, amount: i64) -> i64 {
        ledger.deposit(-amount).await              // already held: no second acquisition
        // self.deposit(-amount).await             // would deadlock: does not compile
    }
}

async fn transfer(from: &Account, to: &Account, amount: i64) {
    with_lock!(a = from.ledger, b = to.ledger, {   // any order, from any task: no deadlock
        *a.balance -= amount;
        *b.balance += amount;
    })
}

fn main() {}
