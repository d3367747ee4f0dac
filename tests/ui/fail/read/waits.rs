use async_monitor::{Condition, Guarded, Lock, Mutex, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    bare: Lock,
    notes: Mutex<Vec<i64>>,
    changed: Condition,
}

impl Account {
    #[synchronized(read(ledger))]
    async fn wait(&self) -> i64 {
        self.changed.wait(ledger).await;
        *ledger.balance
    }

    #[synchronized(read(bare))]
    async fn wait_for(&self) {
        self.changed.wait_for(bare, |()| true).await;
    }

    #[synchronized(read(notes))]
    async fn notify(&self) {
        self.changed.notify_one(notes);
    }
}

fn main() {}
