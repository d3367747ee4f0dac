use async_monitor::{Guarded, local, synchronized};

#[derive(Guarded)]
struct Account {
    ledger: local::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger, when = *ledger.balance > 0)]
    async fn balance(&self) -> i64 {
        *ledger.balance
    }
}

fn is_send<T: Send>(_: T) {}
fn is_sync<T: Sync>(_: T) {}

async fn guards(lock: &local::Lock, mutex: &local::Mutex<u8>, rw: &local::RwLock<u8>) {
    is_send(lock.acquire().await);
    is_sync(mutex.lock().await);
    is_send(rw.read().await);
    is_send(local::MutexGuard::map(mutex.lock().await, |value| value));
}

async fn owned(lock: std::rc::Rc<local::Lock>) {
    is_send(lock.acquire_owned().await);
}

fn futures(account: &Account, event: &local::Event, semaphore: &local::Semaphore) {
    is_send(account.balance());
    is_send(event.wait());
    is_send(semaphore.acquire());
}

fn locks(account: Account, lock: local::Lock, condition: local::Condition) {
    is_sync(account);
    is_send(lock);
    is_sync(condition);
}

fn main() {}
