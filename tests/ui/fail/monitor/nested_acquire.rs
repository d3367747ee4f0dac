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
        *self.acquire_ledger().await.fields().balance += amount;
        let _guard = self.ledger.acquire().await;
        let _guard = self.acquire_ledger_blocking();
        *ledger.balance += 1;
    }

    #[synchronized(owner)]
    pub async fn rename(&self, name: &str) {
        owner.value.clear();
        *self.owner.lock().await += name;
        *self.owner.lock_blocking() += name;
    }

    #[synchronized(cfg)]
    pub async fn raise(&self) -> i64 {
        *cfg.limit += 1;
        let _guard = self.read_cfg().await;
        let _guard = self.write_cfg().await;
        let _guard = self.cfg.upgradable_read().await;
        *self.write_cfg_blocking().fields().limit
    }

    #[synchronized(log)]
    pub async fn note(&self, amount: i64) {
        log.push(amount);
        self.log.lock().await.push(amount);
    }
}

fn main() {}
