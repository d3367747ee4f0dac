//! Names and traits of the user that are those of the expansions.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_monitor::__private::{GuardOf, field};
use async_monitor::{Guarded, Lock, LockGuard, synchronized};
use futures::FutureExt;
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<String>,
}

impl Account {
    #[synchronized(ledger)]
    async fn credit(&self) {
        ledger.balance.push('1');
    }
}

/// Locks that nobody holds, each for one guard.
#[allow(dead_code)]
static OTHERS: [Lock; 4] = [const { Lock::new() }; 4];
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Methods by the names of those that the derive calls, for every type, which lead
/// to another lock.
#[allow(dead_code)] // That nobody calls them is the point.
trait Diverts: Sized {
    fn __lock(self) -> &'static Lock {
        &OTHERS[NEXT.fetch_add(1, Ordering::Relaxed)]
    }

    fn __of<'g, O, M>(self, guard: LockGuard<'g>) -> GuardOf<'g, Account, __AccountLedger> {
        drop(guard);
        let other: &'g Lock = Diverts::__lock(());
        let guard = other.try_acquire().unwrap();
        field(other)
            .__resolve()
            .__of::<Account, __AccountLedger>(guard)
    }
}

impl<T> Diverts for T {}

#[test]
fn methods_of_a_trait_do_not_come_before_those_of_the_derive() {
    let account = Account::default();
    let first = account.acquire_ledger_blocking();
    assert!(account.try_acquire_ledger().is_none());
    let mut second = Box::pin(account.acquire_ledger());
    assert!(second.as_mut().now_or_never().is_none());
    drop(first);
    let mut second = block_on(second);
    second.fields().balance.push('2');
    drop(second);
    block_on(account.credit());
    assert_eq!(account.balance.into_inner(), "21");
    assert_eq!(NEXT.load(Ordering::Relaxed), 0);
}
