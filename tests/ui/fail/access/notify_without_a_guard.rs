use async_monitor::{Condition, Guarded, Lock};

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

fn notify(account: &Account, condition: &Condition) {
    condition.notify_one(&account.ledger);
    condition.notify_all(account);
}

fn with_mut(account: &mut Account, condition: &Condition) {
    condition.notify_one(&account.ledger_mut());
}

fn main() {}
