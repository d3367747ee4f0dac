//! A guard and a permit are released by value: once.

use async_monitor::{BoundedSemaphore, Lock, Semaphore};

async fn lock(lock: &Lock) {
    let guard = lock.acquire().await;
    guard.release();
    guard.release();
}

async fn permit(semaphore: &Semaphore) {
    let permit = semaphore.acquire().await;
    permit.release();
    drop(permit);
}

async fn permit_of_a_bounded_one(semaphore: &BoundedSemaphore) {
    let permit = semaphore.acquire().await;
    permit.release();
    permit.release();
}

fn main() {}
