//! One upgrades, and waits for the other to end reading, which waits for the right to upgrade.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{RwLock, RwLockUpgradableReadGuard};

use crate::support::task;

async fn increment(count: &RwLock<u64>) {
    let guard = count.upgradable_read().await;
    *RwLockUpgradableReadGuard::upgrade(guard).await += 1;
}

async fn increment_if_odd(count: &RwLock<u64>, is_mended: bool) {
    let seen = count.read().await;
    if *seen % 2 == 1 {
        if is_mended {
            drop(seen);
        }
        increment(count).await;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let count = Arc::new(RwLock::new(1));
    run.name("count", &*count);
    task(run, "ada", &count, |count| async move { increment(&count).await });
    task(run, "bob", &count, move |count| async move {
        increment_if_odd(&count, is_mended).await;
    });
}
