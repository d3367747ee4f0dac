//! What asyncio, tokio and std call it.

use async_monitor::{Event, Lock, Mutex, RwLock, Semaphore};

async fn lock(lock: &Lock) {
    let _guard = lock.lock().await;
    lock.release();
    lock.locked();
}

fn results(lock: &Lock, rw: &RwLock<u8>) -> u8 {
    if lock.locked() {
        lock.lock()
    } else {
        *rw.lock()
    }
}

async fn others(mutex: &Mutex<u8>, rw: &RwLock<u8>, semaphore: &Semaphore, event: &Event) {
    let _guard = mutex.acquire().await;
    let _guard = rw.lock().await;
    semaphore.release();
    event.notified().await;
    let _value = mutex.lock().await.unwrap();
}

fn main() {}
