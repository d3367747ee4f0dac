//! One lock in several objects, and guards and views that are moved between objects.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};
use futures::FutureExt;
use futures::executor::block_on;

/// Two fields behind locks that may be one.
#[derive(Guarded)]
struct Pair {
    #[lock]
    a: Arc<Lock>,
    #[lock]
    b: Arc<Lock>,
    #[guarded_by(a)]
    left: Guarded<String>,
    #[guarded_by(b)]
    right: Guarded<String>,
}

impl Pair {
    fn new(a: Arc<Lock>, b: Arc<Lock>) -> Self {
        Pair {
            a,
            b,
            left: Guarded::new("left".into()),
            right: Guarded::new("right".into()),
        }
    }

    #[synchronized(a, b, atomic)]
    async fn exchange(&self) {
        mem::swap(a.left, b.right);
    }
}

fn panics(task: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(task)).is_err()
}

#[test]
fn fields_behind_one_lock_by_two_names() {
    let lock = Arc::new(Lock::new());
    let pair = Pair::new(lock.clone(), lock.clone());
    assert!(panics(|| block_on(pair.exchange())));
    // It has panicked before it took anything.
    let mut guard = pair.try_acquire_a().unwrap();
    assert!(pair.try_acquire_b().is_none() && lock.try_acquire().is_none());
    guard.fields().left.push('!');
    drop(guard);
    pair.try_acquire_b().unwrap().fields().right.push('?');
    assert_eq!(
        pair.left.into_inner() + &pair.right.into_inner(),
        "left!right?"
    );
}

#[test]
fn structs_that_share_a_lock() {
    let lock = Arc::new(Lock::new());
    let (one, two) = (
        Pair::new(lock.clone(), Arc::default()),
        Pair::new(Arc::default(), lock.clone()),
    );
    let held = one.try_acquire_a().unwrap();
    assert!(two.try_acquire_b().is_none());
    drop(held);
    assert!(panics(|| block_on(async {
        with_lock!(a = one.a, b = two.b, { mem::swap(a.left, b.right) });
    })));
    block_on(async {
        with_lock!(a = one.a, b = two.a, { mem::swap(a.left, b.left) });
    });
    assert!(lock.try_acquire().is_some());
}

#[derive(Guarded, Default)]
struct Account {
    name: String,
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<Box<i64>>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<Box<i64>>,
    #[lock]
    data: Mutex<String>,
}

#[monitor]
impl Account {
    #[synchronized(ledger, atomic)]
    async fn deposit(&self, amount: i64) -> Result<&str, ()> {
        **ledger.balance += amount;
        ledger.history.push(amount);
        futures::pending!();
        if amount == 0 { Err(()) } else { Ok(&self.name) }
    }

    #[synchronized(read(cfg))]
    async fn limit<'a>(&'a self, text: &'static str) -> (&'a str, i64, &'static str) {
        (&self.name, **cfg.limit, text)
    }

    #[synchronized(cfg)]
    async fn raise(&self) -> i64 {
        **cfg.limit += 1;
        **cfg.limit
    }
}

fn account(name: &str, balance: i64) -> Account {
    Account {
        name: name.into(),
        balance: Guarded::new(Box::new(balance)),
        ..Account::default()
    }
}

/// Polls until it is ready: what is pending wants to be polled again.
fn driven<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Some(output) = future.as_mut().now_or_never() {
            return output;
        }
    }
}

#[test]
fn guards_and_cores_that_change_places() {
    let (a, b) = (account("a", 1), account("b", 2));
    let (mut first, mut second) = (
        a.try_acquire_ledger().unwrap(),
        b.try_acquire_ledger().unwrap(),
    );
    mem::swap(&mut first, &mut second);
    mem::swap(&mut first.0, &mut second.0);
    mem::swap(&mut first.0, &mut second.0);
    **first.fields().balance += 10;
    drop(first);
    assert!(a.try_acquire_ledger().is_none() && b.try_acquire_ledger().is_some());
    **second.fields().balance += 20;
    drop(second);
    assert_eq!((*a.balance.into_inner(), *b.balance.into_inner()), (21, 12));
}

#[test]
fn views_and_references_that_change_places() {
    let (a, b) = (account("a", 1), account("b", 2));
    let outcome = driven(async {
        with_lock!(x = a.ledger, y = b.ledger, atomic, {
            // One of the two, and then both of another view.
            mem::swap(&mut x.balance, &mut y.balance);
            assert_eq!(x.deposit(0).await, Err(()));
            assert_eq!((**x.balance, **y.balance), (2, 1));
            assert_eq!(x.deposit(10).await, Ok("a"));
            mem::swap(x, y);
            assert_eq!(x.deposit(100).await, Ok("b"));
            Err::<(), _>((**x.balance, **y.balance))
        })
    });
    assert_eq!(outcome, Err((101, 12)));
    assert_eq!((*a.balance.into_inner(), *b.balance.into_inner()), (1, 2));
    assert!(a.history.into_inner().is_empty() && b.history.into_inner().is_empty());
}

#[test]
fn a_section_within_a_section_that_is_cancelled() {
    let account = account("a", 1);
    driven(async {
        with_lock!(account.ledger, {
            **ledger.balance = 2;
            for polls in 0..3 {
                let mut inner = Box::pin(ledger.deposit(10));
                for _ in 0..polls.min(1) {
                    assert!(inner.as_mut().now_or_never().is_none());
                }
                if polls == 2 {
                    mem::forget(inner);
                } else {
                    drop(inner);
                    assert_eq!((**ledger.balance, ledger.history.len()), (2, 0));
                }
            }
            // What is forgotten is not undone, as nothing is dropped.
            assert_eq!((**ledger.balance, ledger.history.len()), (12, 1));
        });
    });
    assert!(account.try_acquire_ledger().is_some());
}

#[test]
fn a_condition_behind_a_lock_that_others_have_too() {
    let lock = Arc::new(Lock::new());
    let (one, two) = (
        Pair::new(lock.clone(), Arc::default()),
        Pair::new(Arc::default(), lock.clone()),
    );
    let mut waiting = Box::pin(async {
        with_lock!(one.a, when = a.left.is_empty(), { a.left.push('x') });
    });
    assert!(waiting.as_mut().now_or_never().is_none());
    // No news, but it may have been.
    two.try_acquire_b().unwrap().fields().right.clear();
    assert!(waiting.as_mut().now_or_never().is_none());
    std::thread::scope(|scope| {
        let mut guard = one.try_acquire_a().unwrap();
        scope.spawn(move || {
            guard.fields().left.clear();
            drop(guard);
        });
    });
    assert!(two.try_acquire_b().is_none());
    assert_eq!(waiting.as_mut().now_or_never(), Some(()));
    assert!(two.try_acquire_b().is_some());
}

#[test]
fn proofs_that_change_places() {
    let (a, b) = (account("a", 1), account("b", 2));
    let (mut first, mut second) = (
        a.try_acquire_ledger().unwrap(),
        b.try_acquire_ledger().unwrap(),
    );
    let (mut x, mut y) = (first.fields(), second.fields());
    mem::swap(&mut x.__owner, &mut y.__owner);
    assert_eq!(driven(x.deposit(10)), Ok("b"));
    // Made up of what is there: a proof that is true, with other data.
    let (mut balance, mut history) = (Box::new(7), Vec::new());
    let mut made_up = AccountLedgerHeld {
        balance: &mut balance,
        history: &mut history,
        __owner: y.__owner,
    };
    assert_eq!(driven(made_up.deposit(10)), Ok("a"));
    assert_eq!((*balance, history), (17, vec![10]));
    drop(first);
    drop(second);
    assert_eq!((*a.balance.into_inner(), *b.balance.into_inner()), (11, 2));
}

// Clippy is shown no such fn.
#[cfg(not(clippy))]
#[test]
fn a_body_that_is_given_another_object() {
    let (a, b) = (account("a", 1), account("b", 2));
    let mut guard = a.try_acquire_ledger().unwrap();
    let name = driven(Account::__deposit_held(&b, &mut guard.fields(), 5));
    assert_eq!(name, Ok("b"));
    drop(guard);
    assert_eq!(*a.balance.into_inner(), 6);
}

#[test]
fn what_is_leaked_stays_locked() {
    let mut account = account("a", 1);
    mem::forget(account.try_acquire_ledger().unwrap());
    let data = Box::leak(Box::new(account.try_acquire_data().unwrap())).fields();
    data.value.push('x');
    let view = Box::leak(Box::new(account.try_write_cfg().unwrap())).fields();
    mem::forget(view);
    assert!(account.try_acquire_ledger().is_none());
    assert!(account.try_acquire_data().is_none());
    assert!(account.try_read_cfg().is_none());
    // Nobody else has it, locked or not.
    **account.ledger_mut().balance += 1;
    account.data_mut().value.push('y');
    assert_eq!(*account.data.into_inner(), *"xy");
}

#[test]
fn reads_through_a_view_that_writes() {
    let account = account("a", 1);
    let mut guard = account.try_write_cfg().unwrap();
    let mut view = guard.fields();
    let (name, limit, text) = block_on(view.limit("t"));
    assert_eq!(block_on(view.raise()), limit + 1);
    assert_eq!((name, text), ("a", "t"));
    assert_eq!(block_on(view.limit("t")).1, 1);
}

#[test]
fn a_future_that_takes_the_lock_again_by_hand() {
    use async_monitor::{HoldsLock, Relock};

    let (a, b) = (account("a", 1), account("b", 2));
    let guard = a.try_acquire_ledger().unwrap();
    let released = <AccountLedgerGuard<'_> as Relock>::give_up(guard);
    // Another object's: whatever it is given, it takes the lock of.
    let _ = released;
    let mut again = <AccountLedgerGuard<'_> as Relock>::reacquire(&b);
    let mut other = <AccountLedgerGuard<'_> as Relock>::reacquire(&a);
    mem::swap(&mut again, &mut other);
    mem::swap(&mut again.0, &mut other.0);
    let held = b.try_acquire_ledger().unwrap();
    let id = held.lock_id();
    let mut again = pin!(again);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(again.as_mut().poll(&mut cx).is_pending());
    assert!(a.try_acquire_ledger().is_some());
    drop(held);
    let held = again.now_or_never().unwrap();
    assert_eq!(held.lock_id(), id);
    drop(other);
}

/// Views with a destructor that uses what they lead to.
mod with_drop {
    use super::*;

    #[derive(Guarded, Default)]
    pub(super) struct Log {
        #[lock]
        lock: Lock,
        #[guarded_by(lock)]
        lines: Guarded<Vec<String>>,
    }

    impl Drop for LogLockHeld<'_> {
        fn drop(&mut self) {
            self.lines.push("view".into());
        }
    }

    impl Drop for Log {
        fn drop(&mut self) {
            let lines = self.lock_mut().lines;
            lines.push("end".into());
        }
    }

    #[monitor]
    impl Log {
        #[synchronized(lock, atomic)]
        async fn line(&self, line: &str) -> Result<(), ()> {
            lock.lines.push(line.into());
            if line.is_empty() { Err(()) } else { Ok(()) }
        }

        #[synchronized(lock, when = lock.lines.len() > 1)]
        async fn lines(&self) -> Vec<String> {
            let _ = lock.line("").await;
            lock.lines.clone()
        }
    }

    #[test]
    fn views_are_dropped_before_what_they_borrow() {
        let log = Log::default();
        block_on(log.line("one")).unwrap();
        assert!(block_on(log.line("")).is_err());
        let lines = block_on(log.lines());
        assert!(lines.iter().any(|line| line == "one") && !lines.contains(&String::new()));
        let guard = log.try_acquire_lock();
        drop(guard);
    }
}

/// What is guarded has no size, and more than one bound.
mod unsized_data {
    use super::*;

    trait Count {
        fn count(&mut self) -> u32;
    }

    impl Count for u32 {
        fn count(&mut self) -> u32 {
            *self += 1;
            *self
        }
    }

    #[derive(Guarded)]
    struct Counter<T: ?Sized> {
        #[lock]
        data: Box<Mutex<dyn Count + Send>>,
        #[lock(rw)]
        lock: RwLock<()>,
        #[guarded_by(lock)]
        count: Guarded<T>,
    }

    #[test]
    fn trait_objects() {
        let counter: &Counter<dyn Count + Send + Sync> = &Counter {
            data: Box::new(Mutex::new(0_u32)),
            lock: RwLock::new(()),
            count: Guarded::new(1_u32),
        };
        block_on(async {
            with_lock!(counter.data, counter.lock, {
                assert_eq!((data.value.count(), lock.count.count()), (1, 2));
            });
            with_lock!(read(counter.lock), {
                let _: &(dyn Count + Send + Sync) = lock.count;
            });
        });
    }
}
