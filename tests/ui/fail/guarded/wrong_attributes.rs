use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
#[lock]
struct Account {
    #[lock(exclusive)]
    ledger: Lock,
    #[guarded_by]
    balance: Guarded<i64>,
    #[guarded_by("ledger")]
    history: Guarded<Vec<i64>>,
    #[guarded_by(ledger, owner)]
    name: Guarded<String>,
    #[guarded_by(ledger)]
    #[guarded_by(owner)]
    twice: Guarded<String>,
    #[lock = "rw"]
    owner: Lock,
    #[lock]
    #[lock]
    other: Lock,
}

fn main() {}
