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
    #[synchronized(ledger, other.ledger)]
    async fn transfer(&self, other: &Account) {}

    #[synchronized(a = ledger, a = owner)]
    async fn both(&self) {}
}

fn main() {}
