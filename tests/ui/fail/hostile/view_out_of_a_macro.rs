//! The macro of a struct may be one of the user's, who gets the tokens with which `#[monitor]`
//! binds the view of a body, and puts them somewhere else.

use async_monitor::{__view_in, Guarded, Lock};

mod declared {
    use super::*;

    #[derive(Guarded)]
    pub struct Account {
        pub name: String,
        #[lock]
        pub ledger: Lock,
        #[guarded_by(ledger)]
        pub balance: Guarded<i64>,
    }
}

use declared::{Account, AccountLedgerHeld};

/// The view outlives its body.
fn kept<'s>(view: &'s mut AccountLedgerHeld<'s>) -> &'static mut AccountLedgerHeld<'static> {
    __view_in!(view => mut ledger);
    ledger
}

fn kept_to_read<'s>(view: &'s AccountLedgerHeld<'s>) -> &'s i64 {
    __view_in!(view => ledger);
    ledger.balance
}

/// The guard does not outlive the view.
fn released(account: &Account) {
    let mut guard = account.acquire_ledger_blocking();
    let mut held = guard.fields();
    let view = &mut held;
    __view_in!(view => mut ledger);
    drop(guard);
    *ledger.balance += 1;
}

fn released_to_read(account: &Account) {
    let mut guard = account.acquire_ledger_blocking();
    let held = guard.fields();
    let view = &held;
    __view_in!(view => ledger);
    drop(guard);
    assert_eq!(*ledger.balance, 1);
}

/// The view is used beside the one of the body.
fn twice<'s>(view: &'s mut AccountLedgerHeld<'s>) {
    let again = &mut *view;
    __view_in!(again => mut ledger);
    *view.balance += 1;
    *ledger.balance += 1;
}

/// What keeps the guard is given away.
fn forgotten<'s>(view: &'s mut AccountLedgerHeld<'s>) {
    __view_in!(view => mut ledger);
    std::mem::forget(outlived);
    std::mem::forget(tied);
    *ledger.balance += 1;
}

/// The view is that of something else.
fn other(mut number: i64) {
    let view = &mut number;
    __view_in!(view => mut ledger);
}

fn main() {}
