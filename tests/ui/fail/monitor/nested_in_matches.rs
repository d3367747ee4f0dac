use async_monitor::{Guarded, Lock, monitor, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn balance(&self) -> Option<i64> {
        Some(*ledger.balance)
    }

    #[synchronized(ledger)]
    async fn is_rich(&self, least: i64) -> bool {
        matches!(self.balance().await, Some(balance) if balance > least + *ledger.balance)
    }

    #[synchronized(ledger, no_await)]
    async fn is_poor(&self) -> bool {
        matches!(pause().await, Some(ref pause) if *pause > *ledger.balance)
    }
}

async fn pause() -> Option<i64> {
    None
}

fn main() {}
