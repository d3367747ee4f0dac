//! What these locks are not: reader-writer locks, sync locks, and locks of plain fns.

use async_monitor::{Guarded, synchronized};
use tokio::sync;

#[derive(Guarded)]
struct Shared {
    #[lock(rw)]
    lock: tokio::sync::Mutex<()>,
    #[guarded_by(lock)]
    value: Guarded<u32>,
}

#[derive(Guarded)]
struct Short {
    #[lock(sync)]
    lock: async_lock::Mutex<()>,
    #[guarded_by(lock)]
    value: Guarded<u32>,
}

#[derive(Guarded)]
struct ByModule {
    lock: sync::Mutex<()>,
    #[guarded_by(lock)]
    value: Guarded<u32>,
}

#[derive(Guarded)]
struct SharedByModule {
    #[lock(rw)]
    lock: sync::RwLock<()>,
    #[guarded_by(lock)]
    value: Guarded<u32>,
}

struct Plain {
    lock: futures::lock::Mutex<u32>,
}

impl Plain {
    #[synchronized(lock)]
    fn add(&self) {
        *lock += 1;
    }
}

fn main() {}
