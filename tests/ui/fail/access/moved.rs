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

fn of_another_lock(guard: AccountOwnerGuard<'_>) -> AccountLedgerGuard<'_> {
    AccountLedgerGuard(guard.0, std::marker::PhantomData)
}

fn main() {}
