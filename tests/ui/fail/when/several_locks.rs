use async_monitor::{Guarded, Lock, Semaphore, synchronized, with_lock};

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
    #[synchronized(ledger, owner, when = *ledger.balance > 0)]
    async fn two(&self) {}
}

async fn block(a: &Account, b: &Account) {
    with_lock!(x = a.ledger, y = b.ledger, when = *x.balance > *y.balance, {});
}

fn main() {}
