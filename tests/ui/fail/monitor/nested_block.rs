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
    pub async fn deposit(&self, amount: i64) {
        with_lock!(self.ledger, {
            *ledger.balance += amount;
        });
        with_lock!(mine = self.ledger, owner = self.owner, {
            *mine.balance += amount;
            owner.value.clear();
        });
        *ledger.balance += 1;
    }

    pub async fn both(&self) {
        with_lock!(self.owner, write(self.cfg), {
            with_lock!(read(self.cfg), owner = self.ledger, {
                *owner.balance += *cfg.limit;
            });
            *cfg.limit += owner.value.len() as i64;
        });
    }
}

fn main() {}
