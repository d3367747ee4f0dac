use async_monitor::{Guarded, Lock, RwLock, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, ledger: i64) {
        *ledger.balance += 1;
    }

    #[synchronized(read(cfg))]
    async fn configure(&self, cfg: &str) -> bool {
        *cfg.limit > 0
    }
}

#[synchronized(account.ledger)]
async fn withdraw(account: &Account, ledger: &mut i64) {
    *ledger.balance -= 1;
}

struct State<T>(T);

#[synchronized(state.ledger)]
async fn by_another_name(state: &Account) {
    *ledger.balance -= 1;
    drop(state);
}

#[synchronized(ledger.ledger)]
async fn through_the_parameter(ledger: &Account) -> bool {
    *ledger.balance -= 1;
    ledger.cfg.is_locked()
}

#[synchronized(read(ledger.ledger))]
async fn through_a_pattern(State(ledger): State<std::sync::Arc<Account>>) -> i64 {
    *ledger.balance
}

#[synchronized(ledger = ledger.ledger)]
async fn on_purpose(ledger: &Account) {
    *ledger.balance -= 1;
}

fn main() {}
