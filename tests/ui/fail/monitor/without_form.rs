// Methods of the object that its views do not have.
use async_monitor::{Guarded, Lock, Mutex, monitor, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
    jobs: Mutex<Vec<u32>>,
}

#[monitor]
impl Account {
    #[synchronized(ledger, when = *ledger.balance >= amount)]
    async fn withdraw(&self, amount: i64) {
        *ledger.balance -= amount;
    }

    #[synchronized(ledger, owner)]
    async fn close(&self) {
        *ledger.balance = 0;
        owner.name.clear();
    }

    #[synchronized(ledger)]
    async fn withdraw_twice(&self) {
        ledger.withdraw(1).await;
        ledger.close().await;
    }

    // A method of what is guarded has nothing to do with that of the object.
    #[synchronized(jobs, when = !jobs.is_empty())]
    async fn pop(&self) -> Option<u32> {
        jobs.pop()
    }
}

struct Queue {
    jobs: Mutex<Vec<u32>>,
}

#[monitor(plain)]
impl Queue {
    #[synchronized(jobs, when = !jobs.is_empty())]
    async fn pop(&self) -> Option<u32> {
        jobs.pop()
    }
}

fn main() {}
