use async_monitor::{Lock, monitor, synchronized};

pub struct Account {
    ledger: Lock,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) {
        drop((ledger, amount));
    }
}

fn main() {}
