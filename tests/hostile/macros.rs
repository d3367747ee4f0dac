//! Macros of the user with the names of those that a body may have, and items in a body.

#![allow(clippy::await_holding_lock)] // one task, on one thread

use std::sync::Mutex;

use async_monitor::{Guarded, Lock, synchronized, watch};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

/// One of the user's own.
macro_rules! with_lock {
    ($lock:expr, $block:block) => {{
        let guard = $lock.lock().unwrap();
        let value = $block;
        drop(guard);
        value
    }};
}

mod passed_on {
    macro_rules! with_lock {
        ($($arguments:tt)*) => { async_monitor::with_lock!($($arguments)*) };
    }
    pub(crate) use with_lock;
}

struct Bytes<const N: usize>([u8; N]);

const SIZE: usize = 3;

async fn one() -> i64 {
    1
}

impl Account {
    #[synchronized(ledger)]
    async fn under_another_lock(&self, other: &Mutex<i64>) -> i64 {
        *ledger.balance += with_lock!(other, { one().await + 1 });
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn under_two_locks(&self, other: &Lock) -> i64 {
        *ledger.balance += passed_on::with_lock!(other, { one().await });
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn asks_for_its_own(&self, other: &Lock) {
        passed_on::with_lock!(other, { self.with_an_item().await });
    }

    #[synchronized(ledger)]
    async fn with_an_item(&self) -> i64 {
        async fn bytes() -> Bytes<{ SIZE + 1 }> {
            one().await;
            Bytes([0; SIZE + 1])
        }
        *ledger.balance + bytes().await.0.len() as i64
    }

    #[synchronized(ledger)]
    async fn in_arguments(&self, other: &Lock) -> String {
        let values = vec![
            one().await,
            passed_on::with_lock!(other, { one().await }),
            passed_on::with_lock!(other, { *ledger.balance }),
        ];
        assert_eq!(one().await, 1, "{}", one().await);
        format!("{values:?} {} {}", one().await, one().await)
    }
}

#[test]
fn macros_of_the_same_names() {
    let (account, other) = (Account::default(), Lock::new());
    assert_eq!(block_on(account.under_another_lock(&Mutex::new(0))), 2);
    assert_eq!(block_on(account.under_two_locks(&other)), 3);
    assert_eq!(block_on(account.with_an_item()), 7);
    assert_eq!(block_on(account.in_arguments(&other)), "[1, 1, 3] 1 1");
}

#[test]
#[should_panic(expected = "`Account.ledger` is held by the section")]
fn a_section_around_is_known_through_a_macro() {
    // It waits for ever where the build does not watch.
    #[allow(clippy::assertions_on_constants)] // it depends on the build
    let () = assert!(watch::IS_ON, "`Account.ledger` is held by the section");
    let (account, other) = (Account::default(), Lock::new());
    block_on(account.asks_for_its_own(&other));
}
