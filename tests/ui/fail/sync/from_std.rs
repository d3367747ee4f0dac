//! What std's locks have, and those of `sync` do not.

use async_monitor::{Mutex, RwLock, sync};
use std::sync::Arc;

fn mutex(mutex: &sync::Mutex<Vec<u8>>) -> usize {
    mutex.lock().unwrap().push(1);
    mutex.lock().expect("not poisoned").push(2);
    if mutex.is_poisoned() {
        mutex.clear_poison();
    }
    mutex.acquire().len() + mutex.lock_blocking().len()
}

fn owned(mutex: &Arc<sync::Mutex<Vec<u8>>>) -> usize {
    mutex.lock_owned().len()
}

fn rw(rw: &sync::RwLock<Vec<u8>>) -> usize {
    rw.write().unwrap().push(1);
    rw.read().unwrap().len() + rw.read_blocking().len()
}

async fn awaited(mutex: &Mutex<Vec<u8>>, rw: &RwLock<Vec<u8>>) -> usize {
    mutex.lock().await.unwrap().push(1);
    rw.read().await.unwrap().len()
}

async fn awaited_in_vain(mutex: &sync::Mutex<Vec<u8>>) {
    mutex.lock().await.push(1);
}

fn main() {}
