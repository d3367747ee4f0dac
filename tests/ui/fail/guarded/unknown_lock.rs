use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(leger)]
    balance: Guarded<i64>,
}

#[derive(Guarded)]
struct NoLock {
    #[guarded_by(lock)]
    balance: Guarded<i64>,
}

fn main() {}
