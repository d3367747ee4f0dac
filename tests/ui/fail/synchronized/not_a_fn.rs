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

#[synchronized(ledger)]
struct Plain {
    balance: i64,
}

#[synchronized(ledger)]
impl Account {
    async fn still_there(&self) {}
}

#[synchronized(GLOBAL)]
const NUMBER: u8 = 1;

trait Deposit {
    #[synchronized(ledger)]
    async fn deposit(&self);
}

async fn the_items_are_still_there(account: &Account, plain: &Plain) {
    account.still_there().await;
    let _ = (plain.balance, NUMBER);
}

fn main() {}
