//! Guards of locks of `sync` by hand, over an `.await` of what is spawned.

use async_monitor::{Guarded, Lock, sync};
use std::future::Future;
use std::sync::Arc;

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    brief: sync::Lock,
    #[guarded_by(brief)]
    name: Guarded<String>,
    #[lock(rw, sync)]
    cfg: sync::RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
}

fn spawn<F: Future + Send + 'static>(future: F) {
    drop(future)
}
async fn step() {}

fn mutex(mutex: Arc<sync::Mutex<Vec<u8>>>) {
    spawn(async move {
        let mut guard = mutex.lock();
        guard.push(1);
        step().await;
    });
}
fn lock(lock: Arc<sync::Lock>) {
    spawn(async move {
        let guard = lock.acquire();
        step().await;
        drop(guard);
    });
}
fn rw(rw: Arc<sync::RwLock<Vec<u8>>>) {
    spawn(async move {
        let guard = rw.read();
        step().await;
        drop(guard);
    });
}
fn derived(account: Arc<Account>) {
    spawn(async move {
        let mut guard = account.acquire_brief();
        guard.fields().name.push('a');
        step().await;
    });
}
fn derived_read(account: Arc<Account>) {
    spawn(async move {
        let guard = account.read_cfg();
        step().await;
        drop(guard);
    });
}
/// A temporary lives as long as the loop.
fn temporary(mutex: Arc<sync::Mutex<Vec<u8>>>) {
    spawn(async move {
        for _ in mutex.lock().iter() {
            step().await;
        }
    });
}
fn sent(mutex: &'static sync::Mutex<u8>) {
    let guard = mutex.lock();
    std::thread::spawn(move || drop(guard));
}

fn main() {}
