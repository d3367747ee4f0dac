//! Destructors of the user's that would see a guard, or a future that is pinned.

use async_monitor::{Guarded, Lock};

#[derive(Guarded)]
struct Account {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Drop for AccountLedgerGuard<'_> {
    fn drop(&mut self) {}
}

impl Drop for AccountLedgerReacquire<'_> {
    fn drop(&mut self) {}
}

impl Unpin for AccountLedgerReacquire<'_> {}

#[derive(Guarded)]
struct Borrows<'d> {
    #[lock]
    lock: Lock,
    #[guarded_by(lock)]
    data: Guarded<&'d str>,
}

/// The guard would be dropped after what its object borrows.
fn dropped_after_the_data() {
    let guard;
    let text = String::new();
    let borrows = Borrows {
        lock: Lock::new(),
        data: Guarded::new(&text),
    };
    guard = borrows.try_acquire_lock();
}

fn main() {}
