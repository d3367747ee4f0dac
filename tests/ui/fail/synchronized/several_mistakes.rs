use async_monitor::{Guarded, Lock, synchronized};

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

impl Account {
    #[synchronized(ledger, atomics, owner = "owner", when = |l| true)]
    fn everything(&mut self, amount: i64) -> i64 {
        amount
    }

    #[synchronized(a = ledger, a = owner, no_await, no_await)]
    async fn twice(&self) {
        turn().await;
    }
}

async fn turn() {}

async fn both_are_still_there(account: &mut Account) {
    let _: i64 = account.everything(1);
    account.twice().await;
}

fn main() {}
