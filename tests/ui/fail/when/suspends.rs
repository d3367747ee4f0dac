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

async fn rate() -> i64 {
    1
}

impl Account {
    #[synchronized(ledger, when = *ledger.balance > rate().await)]
    async fn suspends(&self) {}
}

fn main() {}
