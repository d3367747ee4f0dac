use async_monitor::{Guarded, Lock, synchronized, with_lock};
use std::sync::Arc;

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
}

fn spawn(_: impl Future + Send + 'static) {}

async fn spawned(account: Arc<Account>) {
    with_lock!(account.ledger, {
        spawn(async move { *ledger.balance += 1 });
    });
}

impl Account {
    #[synchronized(ledger)]
    async fn spawned_in_a_method(&self) {
        spawn(async move { *ledger.balance += 1 });
    }

    #[synchronized(ledger)]
    async fn first(&self) -> Option<&i64> {
        ledger.history.first()
    }
}

async fn stored(account: &Account) {
    let mut first = None;
    with_lock!(account.ledger, {
        first = ledger.history.first();
    });
    println!("{first:?}");
}

async fn whole_view(account: &Account) -> &mut AccountLedgerHeld<'_> {
    with_lock!(account.ledger, { ledger })
}

async fn by_hand(account: &Account) -> &i64 {
    let mut guard = account.acquire_ledger().await;
    guard.fields().balance
}

fn main() {}
