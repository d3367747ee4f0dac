//! A struct that derives `Guarded` may be a lock itself.

#![deny(warnings)]

use std::convert::Infallible;

use async_monitor::{AsyncLock, Guarded, Lock, LockGuard, synchronized, with_lock};

#[derive(Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

impl AsyncLock for Account {
    type Guard<'a> = LockGuard<'a>;
    type Error = Infallible;

    async fn acquire(&self) -> Result<LockGuard<'_>, Infallible> {
        Ok(self.ledger.acquire().await)
    }

    fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.ledger.try_acquire()
    }
}

struct Bank {
    account: Account,
}

impl Bank {
    /// The field of the struct, as a lock.
    #[synchronized(account)]
    async fn proof(&self) -> bool {
        let guard: &LockGuard<'_> = account;
        std::ptr::eq(guard, account)
    }

    /// The lock in the struct.
    #[synchronized(self.account.ledger)]
    async fn deposit(&self) -> i64 {
        *ledger.balance += 1;
        *ledger.balance
    }
}

fn main() {
    let bank = Bank {
        account: Account {
            ledger: Lock::new(),
            balance: Guarded::new(1),
        },
    };
    futures::executor::block_on(async {
        assert!(bank.proof().await);
        assert_eq!(bank.deposit().await, 2);
        with_lock!(bank.account, {
            let _: &LockGuard<'_> = account;
        });
    });
}
