use async_monitor::{Guarded, Lock};

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

async fn guard(account: &Account) {
    let mut guard = account.acquire_ledger().await;
    AccountLedgerGuard::release(guard);
    *guard.fields().balance += 1;
}

async fn fields(account: &Account) {
    let mut guard = account.acquire_ledger().await;
    let fields = guard.fields();
    drop(guard);
    *fields.balance += 1;
}

async fn twice(account: &Account) {
    let guard = account.acquire_ledger().await;
    AccountLedgerGuard::release(guard);
    AccountLedgerGuard::release(guard);
}

fn main() {}
