use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    owner: Mutex<String>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    log: Mutex<Vec<i64>>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
        let mut owner = self.acquire_owner().await;
        owner.fields().value.push('+');
    }

    #[synchronized(owner)]
    pub async fn audit(&self) -> i64 {
        owner.value.clear();
        self.balance().await
    }

    #[synchronized(ledger)]
    pub async fn balance(&self) -> i64 {
        *ledger.balance
    }
}

fn main() {}
