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
    pub async fn this(&self) -> &Account {
        *ledger.balance += 1;
        self
    }

    #[synchronized(ledger)]
    pub async fn balance(&self) -> &i64 {
        ledger.balance
    }

    #[synchronized(ledger)]
    pub async fn outlives(&self) -> &Account {
        ledger.this().await
    }
}

async fn outlives(account: &Account) -> &Account {
    let mut guard = account.acquire_ledger().await;
    let this = guard.fields().this().await;
    drop(guard);
    this
}

fn main() {}
