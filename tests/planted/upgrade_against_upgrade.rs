//! A lock for readers and writers is made of two permits: who reads has one, and who wants to
//! write after that asks for the other.

use std::sync::Arc;

use async_monitor::Semaphore;
use async_monitor::check::Run;

use crate::support::task;

async fn read_and_write(permits: &Semaphore) {
    let _read = permits.acquire().await;
    let _write = permits.acquire().await;
}

async fn read_and_write_mended(permits: &Semaphore) {
    let _write = permits.acquire_many(2).await;
}

pub fn run(run: &mut Run, is_mended: bool) {
    let permits = Arc::new(Semaphore::new(2));
    run.name("permits", &*permits);
    for name in ["ada", "bob"] {
        task(run, name, &permits, move |permits| async move {
            if is_mended {
                read_and_write_mended(&permits).await;
            } else {
                read_and_write(&permits).await;
            }
        });
    }
}
