//! An acquisition is found however it is spelled.
use async_monitor::{Guarded, Lock, monitor, synchronized};
use std::pin::pin;

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<u64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn bump(&self) -> u64 {
        *ledger.balance += 1;
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn bound(&self) -> u64 {
        let first = self.bump();
        first.await + 1
    }

    #[synchronized(ledger)]
    async fn pinned(&self) -> u64 {
        let mut first = pin!(<Self>::bump(self));
        first.as_mut().await
    }

    #[synchronized(ledger)]
    async fn associated(&self) {
        drop(Self::acquire_ledger(self).await);
    }

    #[synchronized(ledger)]
    async fn of_the_lock(&self) {
        drop(Lock::acquire(&self.ledger).await);
    }
}

fn main() {}
