use async_monitor::{Guarded, monitor, sync, synchronized};

macro_rules! step {
    () => {
        step().await
    };
}

#[derive(Guarded)]
pub struct Account {
    ledger: sync::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

async fn step() {}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn suspends(&self) {
        *ledger.balance += 1;
        step!();
    }
    #[synchronized(ledger, no_await)]
    async fn no_await(&self) {
        *ledger.balance += 1;
        step!();
    }
}
fn main() {}
