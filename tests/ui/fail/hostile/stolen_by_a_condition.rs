//! A condition does not get at the guard that it looks through.

use std::mem;

use async_monitor::__private::{
    ByReference, ConditionGuard, base, enter_when, entry, entry_type, needed, probe,
};
use async_monitor::{Guarded, Lock, Mutex};

#[derive(Guarded)]
struct Account {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    plain: Mutex<i64>,
}

const LEDGER: u128 = 122_075_695_621_518_212_564_394_156_771_862_851_892;

fn by_reference() -> ByReference {
    // SAFETY: no condition here is a `move` closure.
    unsafe { ByReference::new() }
}

/// The guard itself, in exchange for that of another account.
async fn exchanged(a: &Account, other: AccountLedgerGuard<'_>) {
    let mut other = Some(other);
    enter_when::<_, _, LEDGER, _>(a, &entry_type(&()), by_reference(), |_, guard| {
        let mut other = other.take().unwrap();
        mem::swap(guard, &mut other);
        false
    })
    .await;
}

/// By its field.
async fn opened(a: &Account) {
    enter_when::<_, _, LEDGER, _>(a, &entry_type(&()), by_reference(), |_, guard: ConditionGuard<'_, _, _, LEDGER>| {
        let _guard: &mut AccountLedgerGuard<'_> = guard.0;
        false
    })
    .await;
}

/// By a view of their own, which is of another lock.
async fn viewed(a: &Account) {
    const OTHER: u128 = 1;

    impl async_monitor::__private::HasLock<OTHER> for Account {
        const __NAME: &'static str = "";
        type Mode = async_monitor::__private::Suspending;
        type Guard<'g> = AccountLedgerGuard<'g>;
        type Held<'v> = Option<&'v i64>;

        fn lock_address(&self) -> *const () {
            (&raw const self.ledger).cast()
        }

        fn view<'v>(guard: &'v mut AccountLedgerGuard<'_>) -> Option<&'v i64>
        where
            Self: 'v,
        {
            let _steal_it = guard;
            None
        }
    }

    let (of_type, branch) = base();
    of_type.__infer(a);
    let found = probe::<_, OTHER>(of_type, branch).__select(&a.ledger);
    let (object, branch) = needed();
    object.__set(a);
    let thief = entry_type(&entry(found, object, branch));
    enter_when::<_, _, LEDGER, _>(a, &thief, by_reference(), |thief, guard| {
        thief.__evaluate(guard);
        false
    })
    .await;
}

fn main() {}
