//! The future of a lock in place of its guard.

use async_monitor::{Condition, Guarded, Lock, Mutex, MutexGuard, RwLock, Semaphore};
use std::collections::HashMap;
use std::sync::Arc;

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<Vec<i64>>,
}

struct Storage {
    map: HashMap<u8, u8>,
}

async fn methods(mutex: &Mutex<Vec<u8>>, rw: &RwLock<HashMap<u8, u8>>) -> usize {
    mutex.lock().push(1);
    let mut guard = rw.write();
    guard.insert(1, 2);
    for _ in rw.upgradable_read().iter() {}
    rw.read().len()
}

async fn operators(mutex: &Mutex<u8>) {
    *mutex.lock() += 1;
    *mutex.lock() = 1;
}

async fn fields(rw: &RwLock<Storage>) -> usize {
    rw.read().map.len()
}

fn plain(mutex: &Mutex<Vec<u8>>) {
    mutex.lock().clear();
}

async fn derived(account: &Account) {
    account.acquire_ledger().fields().balance.push(1);
}

async fn guards(lock: &Lock, semaphore: &Arc<Semaphore>) -> usize {
    lock.acquire().release();
    let mut permit = semaphore.acquire_many(2);
    let other = permit.split(1);
    drop(other);
    semaphore.acquire_owned().num_permits()
}

async fn owned(mutex: &Arc<Mutex<Vec<u8>>>) {
    mutex.lock_owned().push(1);
}

async fn notified(condition: &Condition, guard: MutexGuard<'_, Vec<u8>>) {
    condition.wait(guard).push(1);
}

async fn notified_of(condition: &Condition, guard: MutexGuard<'_, Vec<u8>>) {
    condition.wait_for(guard, |bytes| !bytes.is_empty()).pop();
}

fn main() {}
