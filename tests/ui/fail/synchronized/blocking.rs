use async_monitor::{Guarded, Lock, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

async fn step() {}

impl Account {
    #[synchronized(ledger, blocking)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, blocking, blocking)]
    fn twice(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, blocking = true)]
    fn with_a_value(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, bloking)]
    fn misspelled(&self, amount: i64) {
        *ledger.balance += amount;
    }

    async fn block(&self) {
        with_lock!(self.ledger, blocking, {
            step().await;
            *ledger.balance += 1;
        })
    }
}

#[async_trait::async_trait]
trait Withdraw {
    async fn withdraw(&self);
}

#[async_trait::async_trait]
impl Withdraw for Account {
    #[synchronized(ledger, blocking)]
    async fn withdraw(&self) {
        *ledger.balance -= 1;
    }
}

fn main() {}
