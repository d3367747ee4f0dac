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
    pub async fn deposit(&self, amount: i64) -> Result<i64, String> {
        *ledger.balance += amount;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger)]
    pub async fn withdraw(&self, amount: i64) -> Result<i64, String> {
        self.deposit(-amount).await
    }

    #[synchronized(l = ledger)]
    pub async fn other_ways(&self, amount: i64) -> Result<i64, String> {
        (self.deposit(amount)).await?;
        Box::pin(self.deposit(amount)).await?;
        Self::deposit(self, amount).await?;
        Account::deposit(&self, amount).await?;
        println!("{:?} {l:?}", self.deposit(amount).await);
        if amount > 0 {
            for _ in 0..3 {
                self.deposit(self.deposit(amount).await?).await?;
            }
        }
        Ok(0)
    }

    #[synchronized(ledger)]
    pub async fn count(&self, n: i64) {
        if n > 0 {
            *ledger.balance += n;
            Box::pin(self.count(n - 1)).await;
        }
    }

    pub async fn in_a_block(&self) {
        async_monitor::with_lock!(self.ledger, {
            let _ = self.deposit(1).await;
            *ledger.balance += 1;
        });
        let _ = self.deposit(1).await;
    }

    #[synchronized(log)]
    pub async fn note(&self, amount: i64) {
        log.push(amount);
        Box::pin(self.note(amount)).await;
    }
}

fn main() {}
