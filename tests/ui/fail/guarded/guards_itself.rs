use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    #[guarded_by(ledger)]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(balance)]
    history: Guarded<i64>,
}

fn main() {}
