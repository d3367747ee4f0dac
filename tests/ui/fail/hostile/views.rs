//! Views and what they carry, kept for longer or put elsewhere.

use async_monitor::__private::{AsRead, ReborrowView, ViewOf};
use async_monitor::{Guarded, Lock, RwLock, monitor, synchronized};

#[derive(Guarded)]
struct Account {
    name: String,
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
}

#[monitor]
impl Account {
    #[synchronized(ledger, atomic)]
    async fn deposit(&self) -> &str {
        *ledger.balance += 1;
        &self.name
    }
}

fn written_while_it_is_read(account: &Account) {
    let mut guard = account.try_write_cfg().unwrap();
    let view = guard.fields();
    let read = view.as_read();
    *view.limit = 1;
    drop(read.limit);
}

fn used_while_it_is_lent(account: &Account) {
    let mut guard = account.try_acquire_ledger().unwrap();
    let mut view = guard.fields();
    let lent = view.reborrow();
    *view.balance = 1;
    *lent.balance = 2;
}

fn kept_for_longer_than_the_view<'v>(view: &mut AccountLedgerHeld<'v>) -> AccountLedgerHeld<'v> {
    view.reborrow()
}

fn read_for_longer_than_the_view<'v>(view: &AccountCfgWriteHeld<'v>) -> AccountCfgReadHeld<'v> {
    view.as_read()
}

fn object_for_longer_than_the_lock(account: &Account) -> &str {
    let mut guard = account.try_acquire_ledger().unwrap();
    let name = &guard.fields().object().name;
    drop(guard);
    name
}

async fn result_for_longer_than_the_lock(account: &Account) -> &str {
    let mut guard = account.acquire_ledger().await;
    let name = guard.fields().deposit().await;
    drop(guard);
    name
}

fn proof_of_another_lock(account: &Account) {
    let mut ledger = account.try_acquire_ledger().unwrap();
    let read = account.try_read_cfg().unwrap();
    let mut limit = 0;
    drop(AccountCfgWriteHeld {
        limit: &mut limit,
        __owner: read.fields().__owner,
    });
    drop(AccountCfgWriteHeld {
        limit: &mut limit,
        __owner: ledger.fields().__owner,
    });
}

fn proof_twice(account: &Account) {
    let mut guard = account.try_acquire_ledger().unwrap();
    let view = guard.fields();
    let _ = view.__owner.clone();
}

fn main() {}
