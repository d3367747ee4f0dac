//! Two tasks want to write what they read: one upgrades, and waits for the other to end
//! reading, which waits for the right to upgrade.

use async_monitor::{RwLock, RwLockUpgradableReadGuard};

use crate::support::{a_moment, global, run_tasks};

async fn increment(count: &RwLock<u64>) {
    let guard = count.upgradable_read().await;
    a_moment().await;
    *RwLockUpgradableReadGuard::upgrade(guard).await += 1;
}

async fn double_if_odd(count: &RwLock<u64>) {
    let seen = count.read().await;
    a_moment().await;
    if *seen % 2 == 1 {
        increment(count).await;
    }
}

pub fn run() {
    let count: &RwLock<u64> = global();
    *count.try_write().expect("it is free") = 1;
    run_tasks([Box::pin(increment(count)), Box::pin(double_if_odd(count))]);
}
