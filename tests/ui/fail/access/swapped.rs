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

fn smuggled<'a>(account: &'a Account, local: &'a mut i64) -> &'a mut i64 {
    let mut guard = account.acquire_ledger_blocking();
    let mut fields = guard.fields();
    std::mem::swap(&mut fields.balance, &mut { local });
    std::mem::replace(&mut fields.balance, Box::leak(Box::new(1)))
}

fn escaped(guard: &mut AccountLedgerGuard<'static>) -> &'static mut i64 {
    guard.fields().balance
}

fn main() {}
