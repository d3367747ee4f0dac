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
    #[synchronized(ledger, wait = *ledger.balance > 0)]
    async fn misspelled(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(ledger, retries = 3)]
    async fn invented(&self) {}

    #[synchronized("ledger")]
    async fn quoted(&self) {}

    #[synchronized(ledger owner)]
    async fn without_comma(&self) {}
}

fn main() {}
