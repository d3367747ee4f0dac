//! An index of, and a loop over, what has no value yet.

use async_monitor::{Guarded, Lock, Mutex, RwLock, sync};
use std::collections::HashMap;

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    brief: sync::Lock,
    #[guarded_by(brief)]
    names: Guarded<HashMap<u8, String>>,
}

async fn not_awaited(mutex: &Mutex<Vec<u8>>, rw: &RwLock<HashMap<u8, u8>>) -> u8 {
    mutex.lock()[0] = 1;
    let first = mutex.lock()[1];
    let map = rw.read();
    first + map[&1]
}

async fn not_awaited_in_a_loop(mutex: &Mutex<Vec<u8>>, rw: &RwLock<HashMap<u8, u8>>) {
    let mut sum = 0;
    for byte in mutex.lock() {
        sum += byte;
    }
    for byte in &mutex.lock() {
        sum += byte;
    }
    for byte in &mut *mutex.lock() {
        *byte += 1;
    }
    for (_, byte) in &*rw.read() {
        sum += byte;
    }
}

fn without_the_lock(account: &Account) -> i64 {
    let first = account.history[0];
    for amount in &account.history {
        drop(amount);
    }
    for name in &*account.names {
        drop(name);
    }
    first
}

fn without_fields(account: &Account) -> String {
    let mut ledger = account.acquire_ledger_blocking();
    ledger.history[0] += 1;
    for amount in &ledger.history {
        drop(amount);
    }
    let brief = account.acquire_brief();
    brief.names[&1].clone()
}

fn main() {}
