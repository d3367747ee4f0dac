//! `atomic` sections.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized, with_lock};
use futures::FutureExt;
use futures::executor::block_on;

#[derive(Guarded, Default)]
pub struct Account {
    name: String,
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock(rw)]
    limits: RwLock<()>,
    #[guarded_by(limits)]
    overdraft: Guarded<i64>,
    #[lock]
    notes: Mutex<String>,
    plain: Mutex<u8>,
    bare: Lock,
}

#[derive(Debug, PartialEq)]
struct Overdraft;

impl Account {
    #[synchronized(ledger, atomic)]
    async fn withdraw(&self, amount: i64) -> Result<i64, Overdraft> {
        *ledger.balance -= amount;
        ledger.history.push(-amount);
        if *ledger.balance < 0 {
            return Err(Overdraft);
        }
        if amount == 0 {
            return Ok(0);
        }
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, atomic)]
    async fn by_question_mark(&self, text: &str) -> Result<&str, Box<dyn std::error::Error>> {
        *ledger.balance += 1;
        let amount: i64 = text.parse()?;
        *ledger.balance += amount;
        Ok(&self.name)
    }

    /// Not a `Result` by its type.
    #[synchronized(ledger, atomic)]
    async fn optional(&self) -> Option<i64> {
        *ledger.balance += 1;
        None
    }

    #[synchronized(ledger, write(limits), notes, plain, bare, atomic)]
    async fn all(&self, fails: bool) -> Result<(), ()> {
        *ledger.balance = 10;
        ledger.history.clear();
        *limits.overdraft = 10;
        notes.value.push('x');
        *plain = 10;
        let _: &async_monitor::LockGuard<'_> = bare;
        if fails { Err(()) } else { Ok(()) }
    }

    #[synchronized(ledger, read(limits), atomic)]
    async fn with_a_read(&self) -> Result<(), ()> {
        *ledger.balance += *limits.overdraft;
        Err(())
    }

    #[synchronized(ledger, atomic, no_await)]
    async fn without_suspension(&self, amount: i64) -> Result<i64, String> {
        *ledger.balance += amount;
        if amount < 0 {
            return Err("negative".into());
        }
        let amount = i32::try_from(amount).map_err(|error| error.to_string())?;
        Ok(amount.into())
    }

    #[synchronized(ledger, atomic)]
    async fn suspends(&self) -> Box<dyn Fn() -> i64> {
        *ledger.balance = 1;
        futures::pending!();
        *ledger.balance = 2;
        futures::pending!();
        *ledger.balance = 3;
        if self.name == "early" {
            return Box::new(|| 4);
        }
        Box::new(|| 3)
    }

    #[synchronized(ledger, atomic)]
    async fn panics(&self) {
        *ledger.balance = 1;
        panic!("in the body")
    }

    #[synchronized(ledger, atomic, when = *ledger.balance > 0)]
    async fn when_there_is_some(&self) -> Result<(), i64> {
        *ledger.balance -= 1;
        Err(*ledger.balance)
    }

    #[synchronized(ledger, atomic)]
    async fn of_an_unnamed_type(&self) -> Result<impl Iterator<Item = i64> + use<>, u8> {
        *ledger.balance += 1;
        let copy = ledger.history.clone();
        if copy.is_empty() {
            return Err(1);
        }
        Ok(copy.into_iter())
    }

    async fn balance(&self) -> i64 {
        *self.acquire_ledger().await.fields().balance
    }
}

fn account(balance: i64) -> Account {
    Account {
        name: "mine".to_owned(),
        balance: balance.into(),
        ..Account::default()
    }
}

#[test]
fn an_err_rolls_back_what_the_body_has_changed() {
    block_on(async {
        let account = account(3);
        assert_eq!(account.withdraw(2).await, Ok(1));
        assert_eq!(account.withdraw(2).await, Err(Overdraft));
        assert_eq!(account.balance().await, 1);
        assert_eq!(account.withdraw(0).await, Ok(0));
        let mut guard = account.acquire_ledger().await;
        assert_eq!(*guard.fields().history, [-2, 0]);
    });
}

#[test]
fn a_question_mark_in_an_atomic_body_rolls_it_back() {
    block_on(async {
        let account = account(0);
        assert_eq!(account.by_question_mark("4").await.unwrap(), "mine");
        assert!(account.by_question_mark("four").await.is_err());
        assert_eq!(account.balance().await, 5);
    });
}

#[test]
fn only_an_err_is_a_failure() {
    block_on(async {
        let account = account(0);
        assert_eq!(account.optional().await, None);
        assert_eq!(account.balance().await, 1);
        assert!(account.of_an_unnamed_type().await.is_err());
        assert_eq!(account.balance().await, 1);
        account.withdraw(1).await.unwrap();
        assert_eq!(account.of_an_unnamed_type().await.unwrap().count(), 1);
        assert_eq!(account.balance().await, 1);
    });
}

#[test]
fn every_lock_of_a_section_is_rolled_back() {
    block_on(async {
        let account = account(1);
        assert_eq!(account.all(true).await, Err(()));
        assert_eq!(account.balance().await, 1);
        assert_eq!(*account.read_limits().await.fields().overdraft, 0);
        assert_eq!(account.acquire_notes().await.fields().value, "");
        assert_eq!(*account.plain.lock().await, 0);
        assert_eq!(account.all(false).await, Ok(()));
        assert_eq!(account.balance().await, 10);
        assert_eq!(*account.read_limits().await.fields().overdraft, 10);
        assert_eq!(account.acquire_notes().await.fields().value, "x");
        assert_eq!(*account.plain.lock().await, 10);
        assert_eq!(account.with_a_read().await, Err(()));
        assert_eq!(account.balance().await, 10);
    });
}

#[test]
fn atomic_and_no_await_combine() {
    block_on(async {
        let account = account(1);
        assert_eq!(account.without_suspension(1).await, Ok(1));
        assert!(account.without_suspension(-1).await.is_err());
        assert!(account.without_suspension(i64::MAX - 5).await.is_err());
        assert_eq!(account.balance().await, 2);
    });
}

#[test]
fn a_cancel_rolls_back_wherever_it_comes() {
    for polls in 0..=2 {
        let account = account(7);
        {
            let mut future = pin!(account.suspends());
            let mut cx = Context::from_waker(Waker::noop());
            for _ in 0..polls {
                assert!(future.as_mut().poll_unpin(&mut cx).is_pending());
            }
        }
        assert_eq!(account.balance().now_or_never(), Some(7), "{polls}");
    }
    let account = account(7);
    let mut cx = Context::from_waker(Waker::noop());
    let mut future = pin!(account.suspends());
    let value = loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut cx) {
            break value;
        }
    };
    assert_eq!(value(), 3);
    assert_eq!(account.balance().now_or_never(), Some(3));
}

#[test]
fn a_panic_rolls_back() {
    let account = account(7);
    let panicked = catch_unwind(AssertUnwindSafe(|| block_on(account.panics())));
    assert!(panicked.is_err());
    assert_eq!(account.balance().now_or_never(), Some(7));
}

#[test]
fn the_snapshot_is_taken_at_entry_and_not_before_the_wait() {
    let account = account(0);
    let mut cx = Context::from_waker(Waker::noop());
    let mut waits = pin!(account.when_there_is_some());
    assert!(waits.as_mut().poll_unpin(&mut cx).is_pending());
    *account.try_acquire_ledger().unwrap().fields().balance = 5;
    assert_eq!(block_on(waits), Err(4));
    assert_eq!(account.balance().now_or_never(), Some(5));
}

#[test]
fn a_block_commits_at_its_end() {
    block_on(async {
        let (from, to) = (account(3), account(0));
        let transfer = async |amount: i64| -> Result<i64, Overdraft> {
            let left = with_lock!(a = from.ledger, b = to.ledger, atomic, {
                *b.balance += amount;
                *a.balance -= amount;
                // The body swaps references, not the data.
                std::mem::swap(a, b);
                std::mem::swap(&mut a.balance, &mut b.balance);
                std::mem::swap(&mut a.history, &mut b.history);
                if *a.balance < 0 {
                    None.ok_or(Overdraft)?;
                }
                *a.balance
            });
            Ok(left)
        };
        assert_eq!(transfer(2).await, Ok(1));
        assert_eq!(transfer(2).await, Err(Overdraft));
        assert_eq!((from.balance().await, to.balance().await), (1, 2));
    });
}

#[test]
fn a_block_whose_value_is_an_err_is_rolled_back() {
    block_on(async {
        let account = account(3);
        let result: Result<u8, u8> = with_lock!(account.ledger, atomic, {
            *ledger.balance = 0;
            // Exits of inner loops and closures do not leave the block.
            for n in 0.. {
                if n == 3 {
                    break;
                }
            }
            let early = |n: i64| {
                if n == 0 {
                    return Err(1);
                }
                Ok(0)
            };
            early(*ledger.balance)
        });
        assert_eq!(result, Err(1));
        assert_eq!(account.balance().await, 3);
    });
}

#[test]
fn a_cancelled_block_is_rolled_back() {
    let account = account(3);
    let section = async {
        with_lock!(account.ledger, plain = account.plain, atomic, {
            *ledger.balance = 0;
            *plain = 1;
            futures::pending!();
        });
    };
    assert_eq!(section.now_or_never(), None);
    assert_eq!(account.balance().now_or_never(), Some(3));
    assert_eq!(*account.plain.try_lock().unwrap(), 0);
}

/// Counts clones, and checks whether a drop happens under the lock.
struct Watched<'w> {
    value: u8,
    watch: &'w Watch,
}

#[derive(Default)]
struct Watch {
    clones: AtomicUsize,
    drops: RefCell<Vec<(u8, bool)>>,
    lock: RefCell<Option<Arc<Lock>>>,
}

impl Clone for Watched<'_> {
    fn clone(&self) -> Self {
        self.watch.clones.fetch_add(1, Ordering::Relaxed);
        Watched {
            value: self.value,
            watch: self.watch,
        }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(lock) = &*self.watch.lock.borrow() {
            let is_free = !lock.is_locked();
            self.watch.drops.borrow_mut().push((self.value, is_free));
        }
    }
}

#[derive(Guarded)]
struct Shelf<'w> {
    lock: Arc<Lock>,
    #[guarded_by(lock)]
    item: Guarded<Watched<'w>>,
}

impl Shelf<'_> {
    #[synchronized(lock, atomic)]
    async fn replace(&self, value: u8, fails: bool) -> Result<(), ()> {
        lock.item.value = value;
        if fails { Err(()) } else { Ok(()) }
    }
}

#[test]
fn snapshots_are_dropped_after_the_locks_are_released() {
    let watch = Watch::default();
    let shelf = Shelf {
        lock: Arc::default(),
        item: Guarded::new(Watched {
            value: 1,
            watch: &watch,
        }),
    };
    *watch.lock.borrow_mut() = Some(Arc::clone(&shelf.lock));
    block_on(shelf.replace(2, false)).unwrap();
    assert_eq!(watch.drops.take(), [(1, true)], "the copy");
    block_on(shelf.replace(3, true)).unwrap_err();
    assert_eq!(watch.drops.take(), [(3, true)], "what was put back");
    assert_eq!(watch.clones.load(Ordering::Relaxed), 2);
    drop(shelf.lock.try_acquire().unwrap());
    watch.lock.take();
}

#[derive(Guarded)]
struct Generic<'d, T: 'd, const N: usize>
where
    T: Send,
{
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<[T; N]>,
    #[guarded_by(lock)]
    borrowed: Guarded<&'d str>,
}

impl<'d, T: Clone + Send + 'd, const N: usize> Generic<'d, T, N> {
    #[synchronized(lock, atomic)]
    async fn set(&self, at: usize, item: T) -> Result<T, usize> {
        *lock.borrowed = "changed";
        match lock.items.get_mut(at) {
            Some(place) => Ok(std::mem::replace(place, item)),
            None => Err(N),
        }
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn generic_state_is_rolled_back() {
    let generic = Generic {
        lock: Lock::new(),
        items: Guarded::new(["a".to_owned(), "b".to_owned()]),
        borrowed: Guarded::new("at first"),
    };
    assert_eq!(block_on(is_send(generic.set(2, "c".into()))), Err(2));
    assert_eq!(
        *generic.try_acquire_lock().unwrap().fields().borrowed,
        "at first"
    );
    assert_eq!(block_on(generic.set(1, "c".into())), Ok("b".into()));
    assert_eq!(
        *generic.try_acquire_lock().unwrap().fields().borrowed,
        "changed"
    );
}

#[async_trait::async_trait]
trait Store {
    async fn put(&self, amount: i64) -> Result<i64, String>;
}

#[async_trait::async_trait]
impl Store for Account {
    #[synchronized(ledger, atomic)]
    async fn put(&self, amount: i64) -> Result<i64, String> {
        *ledger.balance += amount;
        futures::future::ready(()).await;
        if amount > 100 {
            return Err("too much".into());
        }
        Ok(*ledger.balance)
    }
}

#[test]
fn boxed_futures_are_rolled_back() {
    let account = account(0);
    assert_eq!(block_on(account.put(5)), Ok(5));
    assert!(block_on(account.put(500)).is_err());
    assert_eq!(account.balance().now_or_never(), Some(5));
}
