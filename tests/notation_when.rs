//! Sections that wait for a condition: `when`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};
use futures::executor::{ThreadPool, block_on};
use futures::future::join_all;
use futures::join;
use futures::task::SpawnExt;

#[derive(Default, Guarded)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    open: Guarded<bool>,
    notes: Mutex<Vec<String>>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    /// Waits, without holding the lock, until the balance suffices.
    #[synchronized(ledger, when = *ledger.balance >= amount)]
    async fn withdraw(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        *ledger.balance
    }

    #[synchronized(read(cfg), when = *cfg.open)]
    async fn opened(&self) -> bool {
        *cfg.open
    }

    #[synchronized(write(cfg), when = !*cfg.open)]
    async fn open(&self) {
        *cfg.open = true;
    }

    #[synchronized(n = notes, when = n.len() == count)]
    async fn notes(&self, count: usize) -> String {
        n.concat()
    }
}

/// A struct whose lock and data are generic.
#[derive(Guarded)]
struct Slot<T: Send> {
    lock: Arc<Lock>,
    #[guarded_by(lock)]
    item: Guarded<Option<T>>,
}

impl<T: Send> Slot<T> {
    fn new() -> Self {
        Slot {
            lock: Arc::default(),
            item: Guarded::new(None),
        }
    }

    #[synchronized(lock, when = lock.item.is_none())]
    async fn put(&self, item: T) {
        *lock.item = Some(item);
    }

    #[synchronized(lock, when = lock.item.is_some())]
    async fn take(&self) -> T {
        match lock.item.take() {
            Some(item) => item,
            None => unreachable!("that is the condition"),
        }
    }
}

trait Till {
    async fn pay(&self, amount: i64) -> i64;
}

impl Till for Account {
    #[synchronized(ledger, when = *ledger.balance > amount + MARGIN)]
    async fn pay(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        amount
    }
}

const MARGIN: i64 = 1;

#[async_trait::async_trait]
trait Boxed {
    async fn spend(&self) -> i64;
}

#[async_trait::async_trait]
impl Boxed for Account {
    #[synchronized(self.ledger, when = *ledger.balance > self.floor())]
    async fn spend(&self) -> i64 {
        std::mem::take(ledger.balance)
    }
}

impl Account {
    fn floor(&self) -> i64 {
        2
    }
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_wait_for_a_condition_does_not_hold_the_lock() {
    let account = Account::default();
    let mut withdrawal = pin!(account.withdraw(5));
    assert!(poll(withdrawal.as_mut()).is_pending());
    block_on(account.deposit(3));
    assert!(poll(withdrawal.as_mut()).is_pending());
    block_on(account.deposit(3));
    assert_eq!(poll(withdrawal), Poll::Ready(1));
}

#[test]
fn a_condition_that_holds_lets_in_at_once() {
    let account = Account::default();
    block_on(async {
        account.deposit(9).await;
        assert_eq!(account.withdraw(4).await, 5);
        assert_eq!(account.pay(1).await, 1);
        assert_eq!(account.spend().await, 4);
    });
}

#[test]
fn read_and_write_sections_wait_for_conditions() {
    let account = Account::default();
    block_on(async {
        let (opened, ()) = join!(account.opened(), account.open());
        assert!(opened);
    });
}

#[test]
fn a_mutex_that_no_derive_knows_waits_for_conditions() {
    let account = Account::default();
    let (text, ()) = block_on(async {
        join!(account.notes(2), async {
            for text in ["a", "b"] {
                account.notes.lock().await.push(text.to_owned());
            }
        })
    });
    assert_eq!(text, "ab");
}

#[test]
fn a_block_waits_for_a_condition() {
    let account = Account::default();
    let mutex = Mutex::new(0);
    block_on(async {
        let waiter = async {
            with_lock!(account.ledger, when = *ledger.balance > 1, {
                *ledger.balance *= 2;
                *ledger.balance
            }) + with_lock!(mutex, when = *mutex == 3, { *mutex })
        };
        let (sum, ()) = join!(waiter, async {
            account.deposit(2).await;
            with_lock!(mutex, { *mutex = 3 });
        });
        assert_eq!(sum, 7);
    });
}

/// One slot, and many producers and consumers: nothing is lost, on real threads.
#[test]
fn no_wake_up_is_lost_without_a_notify() {
    const TASKS: u64 = 8;
    const ITEMS: u64 = if cfg!(miri) { 8 } else { 500 };
    let pool = ThreadPool::new().expect("threads can be started");
    let slot = Arc::new(Slot::new());
    let putters: Vec<_> = (0..TASKS)
        .map(|_| {
            let slot = Arc::clone(&slot);
            let put = async move {
                for item in 0..ITEMS {
                    slot.put(item).await;
                }
            };
            pool.spawn_with_handle(put).expect("the pool is running")
        })
        .collect();
    let takers: Vec<_> = (0..TASKS)
        .map(|_| {
            let slot = Arc::clone(&slot);
            let take = async move {
                let mut sum = 0;
                for _ in 0..ITEMS {
                    sum += slot.take().await;
                }
                sum
            };
            pool.spawn_with_handle(take).expect("the pool is running")
        })
        .collect();
    let sum: u64 = block_on(async {
        join_all(putters).await;
        join_all(takers).await.iter().sum()
    });
    assert_eq!(sum, TASKS * ITEMS * (ITEMS - 1) / 2);
}

#[test]
fn a_condition_that_panics_leaves_the_lock_usable() {
    let account = Account::default();
    let mut waiter = pin!(async {
        with_lock!(account.ledger, when = 1 / *ledger.balance == 7, {});
    });
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| poll(waiter.as_mut())));
    assert!(panicked.is_err());
    assert!(account.try_acquire_ledger().is_some());
}
