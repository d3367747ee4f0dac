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
    #[synchronized(ledger, when = *ledger.balance >= amount)]
    pub async fn withdraw(&self, amount: i64) {
        *ledger.balance -= amount;
    }

    #[synchronized(ledger, owner)]
    pub async fn close(&self) {
        *ledger.balance = 0;
        owner.value.clear();
    }

    #[synchronized(ledger)]
    pub async fn words(&self) -> impl Iterator<Item = i64> {
        [*ledger.balance].into_iter()
    }

    #[synchronized(ledger, atomic)]
    pub async fn undone(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(ledger)]
    pub async fn all(&self) {
        self.undone().await;
        *ledger.balance += 1;
        self.withdraw(3).await;
        self.close().await;
        self.words().await;
    }
}

fn main() {}
