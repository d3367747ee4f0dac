use async_monitor::local::{Lock, RwLock, Semaphore};

async fn locks(lock: &Lock, rw: &RwLock<u8>, semaphore: &Semaphore) {
    lock.lock().await;
    lock.release();
    lock.locked();
    rw.lock().await;
    semaphore.release();
}

fn main() {}
