use async_monitor::{Guarded, Lock, with_lock};

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

async fn deposit(account: &Account) {
    with_lock!(account.ledger, atomic, {
        *ledger.balance -= 1;
    });
}

fn main() {}
