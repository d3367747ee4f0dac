use async_monitor::{Guarded, Lock, monitor, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger, atomic = 3)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized]
    pub async fn no_lock(&self) {}

    #[synchronized(ledger)]
    pub fn not_async(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger)]
    pub async fn mutable(&mut self) {
        *ledger.balance += 1;
    }

    #[synchronized(leger)]
    pub async fn misspelled(&self) {
        *leger.balance += 1;
    }

    #[synchronized(ledger)]
    pub async fn wrong_type(&self) -> i64 {
        *ledger.balance += "1";
        ledger.balance
    }

    #[synchronized(ledger)]
    pub async fn right(&self) {
        *ledger.balance += 1;
    }
}

async fn everything_is_there(account: &mut Account) {
    account.deposit(1).await;
    account.no_lock().await;
    account.not_async();
    account.mutable().await;
    account.misspelled().await;
    account.acquire_ledger().await.fields().right().await;
}

fn main() {}
