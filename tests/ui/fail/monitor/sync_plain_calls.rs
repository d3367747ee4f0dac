// Locks of `sync`, which are acquired in the call: no derive, and one.
use async_monitor::{AsyncLock as _, Guarded, Lock, Mutex, monitor, sync, synchronized, with_lock};

struct Store {
    state: sync::Mutex<u64>,
    slow: Mutex<u64>,
    log: sync::Lock,
}

#[monitor(plain)]
impl Store {
    #[synchronized(state)]
    fn locks(&self) {
        *self.state.lock() += *state;
    }

    #[synchronized(state)]
    fn section(&self) {
        with_lock!(self.state, blocking, { *state += 1 });
    }

    fn helper(&self) {
        *self.state.lock() += 1;
    }

    #[synchronized(state)]
    fn through_another(&self) {
        self.helper();
        *state += 1;
    }

    #[synchronized(slow)]
    async fn is_awaited(&self) {
        drop(self.slow.acquire().await);
        *slow += 1;
    }

    // Acquires nothing: a future that is dropped.
    #[synchronized(slow)]
    async fn is_not_awaited(&self) {
        drop(self.slow.lock());
        *slow += 1;
    }

    #[synchronized(state)]
    fn one_order(&self) {
        drop(self.log.acquire());
        *state += 1;
    }

    #[synchronized(log)]
    fn other_order(&self) {
        *self.state.lock() += 1;
        let _ = log;
    }
}

#[derive(Guarded)]
struct Account {
    ledger: sync::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    history: sync::Lock,
    #[guarded_by(history)]
    entries: Guarded<Vec<i64>>,
    slow: Lock,
    #[guarded_by(slow)]
    sum: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    fn acquires(&self) {
        *self.acquire_ledger().fields().balance += *ledger.balance;
    }

    #[synchronized(ledger)]
    fn acquires_the_field(&self) {
        drop(self.ledger.acquire());
        *ledger.balance += 1;
    }

    #[synchronized(ledger)]
    fn section(&self) {
        with_lock!(self.ledger, blocking, { *ledger.balance += 1 });
    }

    #[synchronized(ledger)]
    async fn calls(&self) {
        self.deposit(1);
    }

    fn helper(&self) {
        drop(self.acquire_ledger());
    }

    #[synchronized(ledger)]
    fn through_another(&self) {
        self.helper();
    }

    // Acquires nothing: a future that is dropped.
    #[synchronized(slow)]
    async fn is_not_awaited(&self) {
        drop(self.acquire_slow());
        *slow.sum += 1;
    }

    #[synchronized(ledger)]
    fn one_order(&self) {
        self.acquire_history().fields().entries.push(*ledger.balance);
    }

    #[synchronized(history)]
    fn other_order(&self) {
        let ledger = self.ledger.acquire();
        history.entries.push(1);
        drop(ledger);
    }
}

fn main() {}
