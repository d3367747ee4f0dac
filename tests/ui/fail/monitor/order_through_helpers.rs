use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};

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
    async fn note(&self) {
        self.log.lock().await.push(1);
    }

    async fn write_down(&self) {
        self.note().await;
    }

    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
        self.write_down().await;
    }

    #[synchronized(ledger)]
    pub async fn balance(&self) -> i64 {
        *ledger.balance
    }

    pub async fn replay(&self) {
        with_lock!(self.log, {
            log.clear();
            self.balance().await;
        });
    }
}

fn main() {}
