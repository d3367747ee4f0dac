use async_monitor::{Condition, Guarded, Lock, Mutex, monitor, synchronized};

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

async fn borrowed(condition: &Condition, account: &Account) {
    let guard = account.acquire_ledger().await;
    condition.wait(&guard).await;
}

async fn without_a_guard(condition: &Condition, account: &Account) {
    condition.wait().await;
    condition.notify_one();
}

async fn by_the_lock(condition: &Condition, lock: &Lock) {
    condition.wait(lock).await;
}

async fn view(condition: &Condition, account: &Account) {
    let mut guard = account.acquire_ledger().await;
    condition.wait(guard.fields()).await;
}

async fn future(condition: &Condition, mutex: &Mutex<u8>) {
    condition.notify_one(&mutex.lock());
}

async fn by_value(condition: &Condition, account: &Account) {
    condition.notify_one(account.acquire_ledger().await);
}

async fn mapped(condition: &Condition, mutex: &Mutex<(u8, u8)>) {
    let guard = async_monitor::MutexGuard::map(mutex.lock().await, |pair| &mut pair.0);
    condition.wait(guard).await;
}

async fn not_a_bool(condition: &Condition, account: &Account) {
    let guard = account.acquire_ledger().await;
    condition.wait_for(guard, |ledger| *ledger.balance).await;
}

async fn forgotten(condition: &Condition, account: &Account) {
    let guard = account.acquire_ledger().await;
    condition.wait(guard).await;
    guard.fields();
}

async fn of_std(condition: &Condition, lock: &std::sync::Mutex<u8>) {
    condition.notify_one(&lock.lock().unwrap());
}

async fn predicate(condition: &Condition, lock: &Lock) {
    let guard = lock.acquire().await;
    condition.wait_for(&guard, |_| true).await;
}

async fn result(condition: &Condition, lock: &Lock) {
    let guard = lock.acquire().await;
    let guard = condition.wait(&guard).await;
    guard.release();
}

#[derive(Guarded)]
pub struct Queue {
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<Vec<i64>>,
    not_empty: Condition,
}

#[monitor]
impl Queue {
    #[synchronized(state)]
    async fn section(&self) {
        self.not_empty.wait(state).await;
    }

    #[synchronized(state)]
    async fn notify(&self) {
        self.not_empty.notify_one(&state);
    }
}

fn main() {}
