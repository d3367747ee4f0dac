use std::num::ParseIntError;
use std::time::Duration;

use async_monitor::{Guarded, Lock, synchronized};

const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger, timeout = PATIENCE)]
    async fn no_result(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, timeout = PATIENCE)]
    async fn other_error(&self) -> Result<i64, ParseIntError> {
        Ok(*ledger.balance)
    }
}

fn main() {}
