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

async fn by_the_guard(account: &Account) {
    let mut guard = account.acquire_ledger().await;
    *guard.balance += 1;
    guard.history.push(1);
}

async fn without_await(account: &Account) {
    let mut guard = account.acquire_ledger();
    *guard.fields().balance += 1;
}

async fn without_mut(account: &Account) {
    let guard = account.acquire_ledger().await;
    *guard.fields().balance += 1;
}

async fn without_star(account: &Account) {
    let mut guard = account.acquire_ledger().await;
    let ledger = guard.fields();
    ledger.balance += 1;
}

async fn in_a_fn_that_is_not_async(account: &Account) {
    let block = || account.acquire_ledger().await;
}

impl Account {
    #[synchronized(ledger)]
    async fn without_the_name_of_the_lock(&self) {
        *self.balance += 1;
        *balance += 1;
    }

    #[synchronized(ledger)]
    async fn again(&self) {
        ledger.deposit(1).await;
    }
}

fn main() {}
