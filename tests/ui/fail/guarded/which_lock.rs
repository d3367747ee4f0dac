use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    owner: Lock,
    name: Guarded<String>,
}

#[derive(Guarded)]
struct NotSaid {
    ledger: Lock,
    balance: Guarded<i64>,
}

#[derive(Guarded)]
struct None {
    balance: Guarded<i64>,
}

fn main() {}
