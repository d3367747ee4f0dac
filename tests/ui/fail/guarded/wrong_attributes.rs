use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
#[lock]
#[guarded(krate = ::async_monitor)]
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
    #[guarded(ledger)]
    misplaced: u8,
}

fn main() {}
