//! The guard of a derive has no methods of its own but `fields`.

use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

async fn released(account: &Account) {
    let guard = account.acquire_ledger().await;
    guard.release();
}

fn main() {}
