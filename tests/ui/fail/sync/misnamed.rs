use async_monitor::sync::{Lock, RwLock};

fn locks(lock: &Lock, rw: &RwLock<u8>) {
    let _guard = lock.lock();
    *rw.lock() += 1;
}

fn main() {}
