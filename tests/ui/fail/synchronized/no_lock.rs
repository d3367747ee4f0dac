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
    #[synchronized]
    async fn nothing(&self) {}

    #[synchronized()]
    async fn empty(&self) {}
}

fn main() {}
