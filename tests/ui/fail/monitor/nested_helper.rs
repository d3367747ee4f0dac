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
    }

    async fn twice(&self, amount: i64) {
        self.deposit(amount).await;
        self.deposit(amount).await;
    }

    async fn four_times(&self, amount: i64) {
        self.twice(amount).await;
        self.twice(amount).await;
    }

    fn balance(&self) -> i64 {
        *self.acquire_ledger_blocking().fields().balance
    }

    #[synchronized(ledger)]
    pub async fn interest(&self) {
        let amount = *ledger.balance / 100;
        self.twice(amount).await;
        self.four_times(amount).await;
    }

    #[synchronized(ledger)]
    pub async fn report(&self) {
        println!("{} of {}", *ledger.balance, self.balance());
    }
}

fn main() {}
