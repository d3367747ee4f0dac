use async_monitor::{Guarded, Lock, synchronized};

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
}

impl Account {
    #[synchronized(ledger, timeout = std::time::Duration::from_secs(1))]
    async fn timeout(&self) {}

    #[synchronized(ledger, atomic)]
    async fn atomic(&self) {}
}

fn main() {}
