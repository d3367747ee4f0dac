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

fn read(account: &Account) -> i64 {
    let mut guard = account.acquire_owner_blocking();
    *guard.fields().balance
}

async fn section(account: &Account) -> usize {
    with_lock!(account.ledger, { ledger.name.len() })
}

fn main() {}
