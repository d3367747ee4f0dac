use async_monitor::{Condition, Guarded, Lock, Mutex, monitor, synchronized, with_lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    notes: Mutex<Vec<i64>>,
    changed: Condition,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(read(ledger))]
    async fn calls_what_writes(&self) {
        ledger.deposit(1).await;
    }

    #[synchronized(read(ledger))]
    async fn assigns(&self) {
        *ledger.balance += 1;
    }
}

impl Account {
    #[synchronized(read(ledger))]
    async fn mutates(&self) {
        ledger.history.push(1);
    }

    #[synchronized(n = read(notes))]
    async fn mutates_data(&self) {
        n.push(1);
    }
}

async fn block(account: &Account) {
    with_lock!(read(account.ledger), n = read(account.notes), {
        *ledger.balance = 1;
        n.clear();
    });
}

fn main() {}
