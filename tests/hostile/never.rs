//! Sections that end in a panic, or never.

#![deny(warnings)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use async_monitor::{Guarded, Lock, monitor, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl Account {
    #[synchronized(ledger, atomic)]
    async fn atomic(&self) -> ! {
        *ledger.balance += 1;
        panic!("after a change")
    }

    #[synchronized(ledger, no_await)]
    async fn at_once(&self) -> ! {
        *ledger.balance += 1;
        panic!("after a change")
    }

    #[synchronized(ledger, atomic, no_await)]
    async fn both(&self) -> ! {
        *ledger.balance += 1;
        panic!("after a change")
    }
}

#[monitor]
impl Account {
    #[synchronized(ledger, atomic)]
    async fn ends(&self, steps: u8) -> ! {
        for _ in 0..steps {
            *ledger.balance += 1;
            futures::future::ready(()).await;
        }
        panic!("after changes")
    }

    #[synchronized(ledger, atomic)]
    async fn ends_at_once(&self) -> ! {
        *ledger.balance += 1;
        panic!("after a change")
    }

    #[synchronized(ledger)]
    async fn on_the_view(&self) -> ! {
        ledger.ends(2).await
    }

    #[synchronized(ledger)]
    async fn on_the_view_at_once(&self) -> ! {
        ledger.ends_at_once().await
    }
}

/// What is left of the balance.
fn after(account: &Account, section: impl Future) -> i64 {
    let ended = catch_unwind(AssertUnwindSafe(|| {
        block_on(section);
    }));
    assert!(ended.is_err());
    let mut guard = account.try_acquire_ledger().unwrap();
    *guard.fields().balance
}

#[test]
fn sections_that_return_nothing_at_all() {
    let account = Account::default();
    assert_eq!(after(&account, account.atomic()), 0);
    assert_eq!(after(&account, account.both()), 0);
    assert_eq!(after(&account, account.ends(3)), 0);
    assert_eq!(after(&account, account.ends_at_once()), 0);
    assert_eq!(after(&account, account.on_the_view()), 0);
    assert_eq!(after(&account, account.on_the_view_at_once()), 0);
    assert_eq!(after(&account, account.at_once()), 1);
}
