//! The future of a lock in place of its guard.

use async_monitor::{Guarded, Lock, Mutex, RwLock};
use std::collections::HashMap;

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

fn main() {}
