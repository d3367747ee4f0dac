use async_monitor::{Guarded, Lock, monitor, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

#[monitor(ledger)]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }
}

#[monitor(allow(deadlocks, order), timeout = 3, "text")]
impl Account {
    #[synchronized(ledger)]
    pub async fn withdraw(&self, amount: i64) {
        ledger.deposit(-amount).await;
    }
}

#[monitor(allow)]
impl Account {}

#[monitor(crate = 3)]
impl Account {}

async fn everything_is_there(account: &Account) {
    account.deposit(1).await;
    account.withdraw(1).await;
}

fn main() {}
