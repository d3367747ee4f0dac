//! Names and traits of the user that are also used by expansions.

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

/// Methods by the names of those that a section calls, for every type: they take what it needs
/// until its end.
#[allow(dead_code)] // That nobody calls them is the point.
mod takes {
    use std::mem;

    pub(super) trait Takes: Sized {
        fn __is_described_early(self) -> bool {
            forget(self)
        }

        fn __lend(self) -> Self {
            forget(self)
        }

        fn __in_parts(self) -> Self {
            forget(self)
        }

        fn __inside(self, _: bool) -> bool {
            forget(self)
        }

        fn __inside_body(self, _: bool, _: bool) -> bool {
            forget(self)
        }

        fn __resume<T>(self, _: &T) {
            forget(self)
        }

        fn __pause<T>(self, _: &T) {
            forget(self)
        }

        fn __acquires_last(self) -> bool {
            forget(self)
        }

        fn __enter_when<A: ?Sized, T, const KEY: u128, F>(
            self,
            _: &A,
            _: &T,
            _: async_monitor::__private::ByReference,
            _: F,
        ) -> std::future::Ready<()> {
            forget(self)
        }
    }

    impl<T> Takes for T {}

    fn forget<T, R>(value: T) -> R {
        mem::forget(value);
        panic!("it is taken")
    }
}

mod sections {
    use std::future::{Future, IntoFuture, Ready, ready};

    use async_monitor::__private::Lent;
    use async_monitor::{Guarded, Lock, sync, synchronized, with_lock};
    use futures::executor::block_on;

    #[allow(unused_imports)]
    use super::takes::Takes;

    #[derive(Guarded, Default)]
    struct Both {
        #[lock]
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<u32>,
        #[lock]
        brief: sync::Lock,
        #[guarded_by(brief)]
        count: Guarded<u32>,
    }

    /// Its own methods come before those of a trait.
    struct Own;

    impl IntoFuture for Own {
        type Output = ();
        type IntoFuture = Ready<()>;

        fn into_future(self) -> Ready<()> {
            ready(())
        }
    }

    impl Own {
        fn __within<const N: usize>(self, _: &mut Lent<'_, '_, N>) -> impl Future<Output = ()> {
            ready(())
        }
    }

    impl Both {
        #[synchronized(ledger)]
        async fn does_not_suspend(&self) {
            *ledger.balance += 1;
        }

        #[synchronized(brief)]
        fn is_plain(&self) {
            *brief.count += 1;
        }

        #[synchronized(ledger, blocking)]
        fn parks(&self) {
            *ledger.balance += 1;
        }

        #[synchronized(ledger)]
        async fn in_parts(&self) {
            ready(()).await;
            *ledger.balance += 1;
        }

        #[synchronized(ledger)]
        async fn lends(&self) {
            assert_eq!(ready(1).await, 1, "it is ready");
            with_lock!(brief = self.brief, { *brief.count += 1 });
            (Own).await;
            *ledger.balance += 1;
        }

        #[synchronized(ledger, when = *ledger.balance > 0)]
        async fn waits(&self) {
            *ledger.balance += 1;
        }

        #[synchronized(ledger, brief)]
        async fn takes_both(&self) {
            *ledger.balance += 1;
            *brief.count += 1;
        }
    }

    #[test]
    fn methods_of_a_trait_take_nothing_of_a_section() {
        let both = Both::default();
        block_on(async {
            both.does_not_suspend().await;
            both.in_parts().await;
            both.lends().await;
            both.waits().await;
            both.takes_both().await;
        });
        both.is_plain();
        both.parks();
        assert_eq!((both.balance.into_inner(), both.count.into_inner()), (6, 3));
    }
}
