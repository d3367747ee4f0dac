//! A guard is forgotten: nobody gives the lock back.

use async_monitor::Mutex;

use crate::support::{global, run_tasks};

async fn take(buffer: &Mutex<Vec<u8>>) -> *const u8 {
    let guard = buffer.lock().await;
    let bytes = guard.as_ptr();
    std::mem::forget(guard);
    bytes
}

pub fn run() {
    let buffer: &Mutex<Vec<u8>> = global();
    run_tasks([
        Box::pin(async {
            take(buffer).await;
        }),
        Box::pin(async {
            buffer.lock().await.push(1);
        }),
    ]);
}
