//! What may not leave its thread does not, whatever holds it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::MutexGuard;

use async_monitor::__private::{GuardOf, ObjectLock, RestoreView};
use async_monitor::{AsyncLock, Guarded, Lock, Mutex, Relock, RwLock};

#[derive(Guarded)]
struct Account<T> {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<T>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<T>,
    #[lock]
    data: Mutex<T>,
    plain: Cell<u8>,
}

#[derive(Guarded)]
struct Shared<T> {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<T>,
}

fn is_send<T: Send>(_: T) {}
fn is_sync<T: Sync>(_: &T) {}

// The object has a cell.
fn of_an_object_that_is_not_sync(account: &Account<u8>, of: &ObjectLock<Account<u8>, __AccountLedger>) {
    is_send(account.try_acquire_ledger());
    is_send(account.try_read_cfg());
    is_send(account.try_acquire_data());
    is_send(account.try_acquire_ledger().unwrap().fields());
    is_send(<AccountLedgerGuard<'_, u8> as Relock>::reacquire(account));
    is_send(of);
}

// The data is not `Send`.
fn of_data_that_is_not_send(shared: &Shared<Rc<u8>>, locked: &Shared<MutexGuard<'_, u8>>) {
    is_send(shared.try_acquire_ledger());
    is_send(locked.try_acquire_ledger());
    is_send(shared.try_acquire_ledger().unwrap().fields().save());
}

// The data is not `Sync`.
fn of_data_that_is_not_sync(shared: &Shared<Cell<u8>>) {
    is_sync(&shared.try_acquire_ledger().unwrap());
    is_sync(&shared.try_acquire_ledger().unwrap().fields());
}

// The lock's own guard, by its hidden name.
fn of_a_hidden_guard(guard: GuardOf<'_, Account<u8>, __AccountData>, lock: &Mutex<Rc<u8>>) {
    is_sync(&AsyncLock::try_acquire(lock));
    drop(guard);
}

fn main() {}
