use async_monitor::{Guarded, Lock, holding, monitor, sync, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    brief: sync::Lock,
    #[guarded_by(brief)]
    name: Guarded<String>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn this(&self) -> &Account {
        *ledger.balance += 1;
        self
    }

    #[synchronized(ledger)]
    pub async fn balance(&self) -> &i64 {
        ledger.balance
    }

    #[synchronized(ledger)]
    pub async fn first(&self, _least: &i64) -> Option<&i64> {
        ledger.history.first()
    }

    #[synchronized(read(ledger))]
    pub async fn last(self: &Self) -> Option<&i64> {
        ledger.history.last()
    }

    #[synchronized(ledger)]
    pub async fn all<'a>(&'a self, all: &mut Vec<&'a i64>) {
        all.push(ledger.balance);
    }

    #[synchronized(brief)]
    pub fn name(&self) -> &str {
        brief.name
    }

    #[synchronized(brief)]
    pub fn spawned(&self) {
        std::thread::spawn(move || brief.name.clear());
    }

    #[synchronized(ledger)]
    pub async fn for_ever(&self) {
        let _history: &'static mut Vec<i64> = ledger.history;
    }

    #[holding(ledger)]
    fn helper(&self) {
        let _history: &'static mut Vec<i64> = ledger.history;
    }

    #[synchronized(ledger)]
    pub async fn outlives(&self) -> &Account {
        ledger.this().await
    }
}

async fn outlives(account: &Account) -> &Account {
    let mut guard = account.acquire_ledger().await;
    let this = guard.fields().this().await;
    drop(guard);
    this
}

fn main() {}
