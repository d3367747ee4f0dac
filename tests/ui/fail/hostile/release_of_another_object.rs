//! A guard that is released for an object whose lock it does not hold: conditions would be
//! evaluated on what somebody borrows.

use async_monitor::__private::{object, object_lock};
use async_monitor::{AsyncLock, Guarded, Lock, SyncLock, sync};

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    owner: Guarded<String>,
}

fn main() {
    let (account, other) = (Account::default(), Lock::new());
    let mut guard = account.try_acquire_ledger().unwrap();
    let owner: &mut String = guard.fields().owner;
    let held = other.try_acquire().unwrap();
    <Lock as AsyncLock>::__release_object(held, || {
        object(object_lock::<Account, __AccountLedger>(&account)).unwrap()
    });
    owner.push('!');

    let short = sync::Lock::new();
    <sync::Lock as SyncLock>::__release_object(short.acquire(), || {
        object(object_lock::<Account, __AccountLedger>(&account)).unwrap()
    });
}
