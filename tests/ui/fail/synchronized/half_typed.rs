//! What is half typed is one error each, and the rest of the fn has none.

use async_monitor::{Guarded, Lock, synchronized, with_lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
}

impl Account {
    #[synchronized(ledger, when = ledger.history.)]
    async fn a_method(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, when = *ledger.balance > 0 && ledger.history. && true)]
    async fn the_middle(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, when = )]
    async fn a_condition(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, timeout = )]
    async fn a_timeout(&self) -> Result<i64, async_monitor::Elapsed> {
        Ok(*ledger.balance)
    }

    #[synchronized(self.)]
    async fn a_lock(&self) -> usize {
        1
    }

    #[synchronized(ledger, self.)]
    async fn another_lock(&self) {
        ledger.history.push(*ledger.balance);
    }
}

async fn a_block(account: &Account) -> i64 {
    with_lock!(account., { 1 })
}

async fn a_blocks_condition(account: &Account) -> i64 {
    with_lock!(account.ledger, when = ledger.history., { *ledger.balance })
}

fn main() {}
