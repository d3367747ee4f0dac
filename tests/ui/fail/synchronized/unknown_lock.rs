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
    #[synchronized(leger)]
    async fn misspelled(&self) {}

    #[synchronized(self.missing)]
    async fn missing(&self) {}

    #[synchronized(missing)]
    async fn without_receiver() {}
}

fn main() {}
