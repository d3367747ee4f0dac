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
    async fn dropped(&self) {
        drop(ledger);
        *ledger.balance += 1;
    }

    #[synchronized(ledger)]
    async fn by_the_name_of_the_macro(&self) {
        drop(__guard0);
    }
}

fn main() {}
