use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    #[lock(rw)]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

fn main() {}
