//! What is awaited in a section is no future: the message is that of plain code.

use async_monitor::{Guarded, Lock, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    fn limit(&self) -> i64 {
        3
    }

    #[synchronized(ledger)]
    async fn awaits_a_call(&self) {
        *ledger.balance += self.limit().await;
    }

    #[synchronized(ledger)]
    async fn awaits_a_variable(&self, amount: i64) {
        *ledger.balance += amount.await;
    }

    #[synchronized(ledger)]
    async fn awaits_in_an_argument(&self) {
        assert_eq!(self.limit().await, *ledger.balance);
    }
}

fn main() {}
