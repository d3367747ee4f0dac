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
    #[synchronized(read(cfg))]
    pub async fn limit(&self) -> i64 {
        *cfg.limit
    }

    #[synchronized(write(cfg))]
    pub async fn raise(&self) {
        *cfg.limit += cfg.limit().await;
    }

    #[synchronized(read(cfg))]
    pub async fn read_in_read(&self) -> i64 {
        let _guard = self.read_cfg().await;
        *cfg.limit + self.limit().await
    }

    #[synchronized(read(cfg))]
    pub async fn write_in_read(&self) -> i64 {
        self.raise().await;
        self.cfg.write().await;
        *cfg.limit
    }

    #[synchronized(cfg)]
    pub async fn read_in_write(&self) {
        *cfg.limit = self.limit().await;
    }
}

fn main() {}
