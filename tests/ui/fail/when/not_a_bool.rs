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
    #[synchronized(ledger, when = *ledger.balance)]
    async fn number(&self) {}

    #[synchronized(ledger, when = ledger.balance > 0)]
    async fn no_star(&self) {}
}

fn main() {}
