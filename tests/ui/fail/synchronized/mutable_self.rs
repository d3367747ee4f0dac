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
    #[synchronized(ledger)]
    async fn deposit(&mut self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(self.ledger)]
    async fn typed(self: &mut Self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(read(owner))]
    async fn read(&mut self) -> usize {
        owner.name.len()
    }
}

fn main() {}
