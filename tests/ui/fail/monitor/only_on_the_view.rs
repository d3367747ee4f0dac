use async_monitor::{Guarded, Lock, monitor, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, when = *ledger.balance >= amount)]
    pub async fn withdraw(&self, amount: i64) {
        *ledger.balance -= amount;
    }

    #[synchronized(ledger)]
    pub async fn both(&self) {
        ledger.deposit(1).await;
        ledger.withdraw(1).await;
    }
}

async fn without_the_lock(account: &mut Account) {
    account.ledger_mut().deposit(1).await;
}

fn main() {}
