//! Locks of others, and what is no lock, are reported once each, whatever is
//! done with the struct.

use async_monitor::{Condition, Guarded, synchronized, with_lock};
use std::sync::Arc;

#[derive(Guarded)]
struct InFront {
    ledger: std::sync::Mutex<()>,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl InFront {
    #[synchronized(ledger)]
    async fn withdraw(&self) {
        *ledger.balance -= 1;
    }
}

async fn used(object: &mut InFront, condition: &Condition) {
    *object.ledger_mut().balance += 1;
    let mut guard = object.acquire_ledger().await;
    *guard.fields().balance += 1;
    condition.notify_one(&guard);
}

#[derive(Guarded)]
struct WithData<T> {
    #[lock]
    data: std::sync::Mutex<Vec<T>>,
    #[lock(rw)]
    shared: Arc<std::sync::RwLock<Vec<T>>>,
}

async fn data_used(object: &mut WithData<u8>) {
    object.data_mut().value.push(1);
    object.acquire_data().await.fields().value.push(1);
    let _ = object.read_shared().await.fields().value.len();
}

#[derive(Guarded)]
struct Parted {
    #[lock(rw)]
    cfg: std::sync::RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<u8>,
}

async fn read(parted: &Parted) -> u8 {
    with_lock!(read(parted.cfg), { *cfg.limit })
}

fn main() {}
