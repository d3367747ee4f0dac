//! The future that takes a lock again for a `Condition` is pinned while it
//! waits. Safe impls that would undo that are taken.

use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Unpin for AccountLedgerReacquire<'_> {}

impl Drop for AccountLedgerReacquire<'_> {
    fn drop(&mut self) {}
}

fn main() {}
