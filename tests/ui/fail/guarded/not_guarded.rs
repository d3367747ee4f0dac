use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: i64,
    #[guarded_by(ledger)]
    history: Vec<(u64, i64)>,
    #[lock]
    name: Guarded<String>,
    #[guarded_by(ledger)]
    other: Guarded<u8>,
}

fn main() {}
