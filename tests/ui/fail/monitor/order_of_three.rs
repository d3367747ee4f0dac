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
    #[synchronized(ledger)]
    pub async fn first(&self) {
        *ledger.balance += 1;
        with_lock!(self.owner, {
            owner.value.clear();
        });
    }

    #[synchronized(owner)]
    pub async fn second(&self) {
        owner.value.clear();
        with_lock!(self.log, {
            log.clear();
        });
    }

    #[synchronized(log)]
    pub async fn third(&self) {
        log.clear();
        *self.acquire_ledger().await.fields().balance += 1;
    }
}

fn main() {}
