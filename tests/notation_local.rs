//! The macros over local locks.

use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Waker};
use std::time::Duration;

use async_monitor::local::{self, Condition, Event};
use async_monitor::{Elapsed, Guarded, monitor, synchronized, with_lock};
use futures::FutureExt;
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: local::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    /// It is no matter that this is of one thread, too.
    #[guarded_by(ledger)]
    shared: Guarded<Rc<str>>,
    #[lock(rw)]
    cfg: local::RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    #[lock]
    notes: Rc<local::Mutex<Vec<i64>>>,
    plain: local::Mutex<u8>,
    changed: Condition,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        self.changed.notify_one(ledger);
        *ledger.balance
    }

    #[synchronized(ledger, when = *ledger.balance >= amount)]
    async fn withdraw(&self, amount: i64) -> i64 {
        ledger.deposit(-amount).await
    }

    #[synchronized(ledger, notes, read(cfg), plain, atomic)]
    async fn all(&self, amount: i64) -> Result<(), i64> {
        *ledger.balance += amount;
        notes.value.push(amount);
        *plain += 1;
        if *ledger.balance > *cfg.limit {
            return Err(*ledger.balance);
        }
        Ok(())
    }

    #[synchronized(write(cfg))]
    async fn set_limit(&self, limit: i64) {
        *cfg.limit = limit;
    }

    #[synchronized(ledger, timeout = Duration::ZERO)]
    async fn at_once(&self) -> Result<i64, Elapsed> {
        Ok(*ledger.balance)
    }

    async fn by_hand(&self) -> i64 {
        let guard = self.acquire_ledger().await;
        let mut guard = self
            .changed
            .wait_for(guard, |ledger| *ledger.balance > 0)
            .await;
        *guard.fields().balance
    }
}

#[test]
fn sections() {
    block_on(async {
        let account = Account::default();
        account.set_limit(5).await;
        assert_eq!(account.all(6).await, Err(6));
        assert_eq!(account.all(3).await, Ok(()));
        assert_eq!(account.acquire_notes().await.fields().value, &[3]);
        assert_eq!(*account.plain.lock().await, 1);
        assert_eq!(account.deposit(1).await, 4);
        let held = account.try_acquire_ledger();
        assert!(account.at_once().await.is_err());
        drop(held);
        assert_eq!(account.at_once().await.ok(), Some(4));
    });
}

#[test]
fn conditions() {
    let account = Account::default();
    block_on(async {
        let deposit = account.deposit(3);
        let (left, seen, _) = futures::join!(account.withdraw(2), account.by_hand(), deposit);
        assert_eq!((left, seen), (1, 1));
    });
}

#[test]
fn a_condition_that_is_given_up() {
    let account = Account::default();
    let mut cx = Context::from_waker(Waker::noop());
    {
        let mut waits = pin!(account.withdraw(2));
        assert!(waits.as_mut().poll_unpin(&mut cx).is_pending());
        assert_eq!(account.deposit(3).now_or_never(), Some(3));
        assert!(
            account.try_acquire_ledger().is_none(),
            "it is let in, to look"
        );
    }
    assert!(account.try_acquire_ledger().is_some());
}

#[test]
fn blocks_over_several_objects() {
    block_on(async {
        let (from, to) = (Account::default(), Account::default());
        let done = Event::new();
        let transfer = async {
            with_lock!(a = from.ledger, b = to.ledger, {
                *a.balance -= 1;
                *b.balance += 1;
            });
            done.set();
        };
        futures::join!(transfer, done.wait());
        assert_eq!(to.deposit(0).await, 1);
    });
}
