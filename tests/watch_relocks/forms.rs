//! The forms of requests for a lock.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_monitor::{RwLockUpgradableReadGuard, with_lock};
use futures::future;

use crate::account::Account;

/// What a section does while it holds its lock.
pub type Awaited = Pin<Box<dyn Future<Output = ()>>>;
pub type Awaits = fn(Arc<Account>) -> Awaited;
pub type Calls = fn(&Account);

/// Forms that ask for `ledger` and are awaited.
pub const AWAITS: [(&str, Awaits); 6] = [
    ("method", |account| {
        Box::pin(async move { account.deposit(1).await })
    }),
    ("condition", |account| {
        Box::pin(async move { account.withdraw().await })
    }),
    ("with_lock!", |account| {
        Box::pin(async move { with_lock!(account.ledger, { *ledger.balance += 1 }) })
    }),
    ("acquire_ledger", |account| {
        Box::pin(async move { drop(account.acquire_ledger().await) })
    }),
    ("acquire", |account| {
        Box::pin(async move { drop(account.ledger.acquire().await) })
    }),
    ("join!", |account| {
        Box::pin(async move {
            futures::join!(account.deposit(1), future::ready(()));
        })
    }),
];

/// Forms that ask for `ledger` and park.
pub const CALLS: [(&str, Calls); 5] = [
    ("blocking method", |account| {
        account.balance();
    }),
    ("blocking condition", |account| account.withdraw_blocking()),
    ("blocking with_lock!", |account| {
        with_lock!(account.ledger, blocking, { *ledger.balance += 1 })
    }),
    ("acquire_ledger_blocking", |account| {
        drop(account.acquire_ledger_blocking())
    }),
    ("acquire_blocking", |account| {
        drop(account.ledger.acquire_blocking())
    }),
];

/// Forms that ask for `state`, a sync lock.
pub const SHORT: [(&str, Calls); 4] = [
    ("method", |account| {
        account.is_open();
    }),
    ("with_lock!", |account| {
        with_lock!(account.state, blocking, { *state.open = true })
    }),
    ("acquire_state", |account| drop(account.acquire_state())),
    ("acquire", |account| drop(account.state.acquire())),
];

/// Forms that ask for `log` to read, or to read and maybe write later, which others may beside a
/// reader.
pub const READS: [(&str, Awaits); 5] = [
    ("method", |account| {
        Box::pin(async move {
            account.lines().await;
        })
    }),
    ("with_lock!", |account| {
        Box::pin(async move { with_lock!(read(account.log), { log.lines.iter().for_each(drop) }) })
    }),
    ("read_log", |account| {
        Box::pin(async move { drop(account.read_log().await) })
    }),
    ("read", |account| {
        Box::pin(async move { drop(account.log.read().await) })
    }),
    ("upgradable_read", |account| {
        Box::pin(async move { drop(account.log.upgradable_read().await) })
    }),
];

/// Forms that ask for `log` to write.
pub const WRITES: [(&str, Awaits); 4] = [
    ("method", |account| {
        Box::pin(async move { account.write().await })
    }),
    ("write_log", |account| {
        Box::pin(async move { drop(account.write_log().await) })
    }),
    ("write", |account| {
        Box::pin(async move { drop(account.log.write().await) })
    }),
    ("upgrade", |account| {
        Box::pin(async move {
            let guard = account.log.upgradable_read().await;
            drop(RwLockUpgradableReadGuard::upgrade(guard).await);
        })
    }),
];

/// The same, which park.
pub const PARKED_READS: [(&str, Calls); 3] = [
    ("read_log_blocking", |account| {
        drop(account.read_log_blocking())
    }),
    ("read_blocking", |account| drop(account.log.read_blocking())),
    ("with_lock!", |account| {
        with_lock!(read(account.log), blocking, {
            log.lines.iter().for_each(drop)
        })
    }),
];

pub const PARKED_WRITES: [(&str, Calls); 3] = [
    ("method", |account| account.write_blocking()),
    ("write_log_blocking", |account| {
        drop(account.write_log_blocking())
    }),
    ("write_blocking", |account| {
        drop(account.log.write_blocking())
    }),
];
