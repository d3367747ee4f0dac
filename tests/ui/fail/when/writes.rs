use async_monitor::{Guarded, Lock, Semaphore, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
    permits: Semaphore,
}

impl Account {
    #[synchronized(ledger, when = { *ledger.balance += 1; *ledger.balance > 3 })]
    async fn assigns(&self) {}

    #[synchronized(ledger, when = ledger.history.pop().is_some())]
    async fn calls(&self) {}
}

fn main() {}
