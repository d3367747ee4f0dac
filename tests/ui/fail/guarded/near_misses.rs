use async_monitor::{Guarded, Lock, RwLock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(leger)]
    balance: Guarded<i64>,
    #[guarded_by(Ledger)]
    history: Guarded<Vec<i64>>,
    #[guarded_by(cgf)]
    limit: Guarded<i64>,
    #[guarded_by(lock)]
    other: Guarded<i64>,
    #[guarded_by(self.ledger)]
    path: Guarded<i64>,
    #[guarded_by = "ledger"]
    value: Guarded<i64>,
    forgotten: Guarded<i64>,
}

fn main() {}
