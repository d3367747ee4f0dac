//! The option `blocking`: sections of async locks in plain fns.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_monitor::{
    Elapsed, Guarded, Lock, LockId, Mutex, MutexGuard, RwLock, synchronized, with_lock,
};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    notes: Arc<Mutex<Vec<i64>>>,
    remote: Remote,
}

#[derive(Default)]
struct Remote {
    is_lost: Cell<bool>,
    rows: Mutex<Vec<u8>>,
}

#[derive(Debug, PartialEq)]
struct Lost;

#[derive(Debug, PartialEq)]
enum Failed {
    Lost,
    Late,
    Overdraft,
}

impl From<Lost> for Failed {
    fn from(_: Lost) -> Self {
        Failed::Lost
    }
}

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Failed::Late
    }
}

impl async_monitor::AsyncLock for Remote {
    type Guard<'a> = MutexGuard<'a, Vec<u8>>;
    type Error = Lost;

    async fn acquire(&self) -> Result<Self::Guard<'_>, Lost> {
        if self.is_lost.get() {
            return Err(Lost);
        }
        Ok(self.rows.lock().await)
    }

    fn try_acquire(&self) -> Option<Self::Guard<'_>> {
        self.rows.try_lock()
    }

    fn id(&self) -> LockId {
        LockId::from_key(7)
    }
}

const LONG: Duration = Duration::from_secs(60);

impl Account {
    #[synchronized(ledger, blocking)]
    fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        ledger.history.push(amount);
        *ledger.balance
    }

    #[synchronized(read(ledger), blocking)]
    fn balance(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(read(cfg), notes, blocking)]
    fn note_limit(&self) -> usize {
        notes.push(*cfg.limit);
        notes.len()
    }

    #[synchronized(ledger, blocking, when = *ledger.balance >= amount)]
    fn withdraw(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        *ledger.balance
    }

    #[synchronized(ledger, blocking, atomic)]
    fn pay(&self, amount: i64) -> Result<i64, Failed> {
        *ledger.balance -= amount;
        ledger.history.push(-amount);
        if *ledger.balance < 0 {
            return Err(Failed::Overdraft);
        }
        Ok(*ledger.balance)
    }

    #[synchronized(rows = remote?, blocking)]
    fn push(&self, row: u8) -> Result<usize, Failed> {
        rows.push(row);
        Ok(rows.len())
    }

    #[synchronized(ledger, blocking, timeout = limit)]
    fn deposit_in(&self, limit: Duration) -> Result<i64, Failed> {
        *ledger.balance += 1;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, read(cfg), blocking, timeout = limit, atomic)]
    fn both_in(&self, limit: Duration) -> Result<i64, Elapsed> {
        *ledger.balance += *cfg.limit;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, blocking, timeout = limit, when = *ledger.balance >= 5)]
    fn five_in(&self, limit: Duration) -> Result<i64, Elapsed> {
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, blocking, no_await)]
    fn numbers(&self) -> impl Iterator<Item = i64> + use<> {
        ledger.history.clone().into_iter()
    }
}

#[test]
fn a_plain_fn_runs_its_section() {
    let account = Account::default();
    assert_eq!(account.deposit(3), 3);
    assert_eq!(account.balance(), 3);
    assert_eq!(account.note_limit(), 1);
    assert_eq!(account.withdraw(1), 2);
    assert_eq!(account.pay(5), Err(Failed::Overdraft));
    assert_eq!(account.balance(), 2);
    assert_eq!(account.pay(2), Ok(0));
    assert_eq!(account.numbers().collect::<Vec<_>>(), [3, -2]);
    assert_eq!(account.push(1), Ok(1));
    account.remote.is_lost.set(true);
    assert_eq!(account.push(1), Err(Failed::Lost));
}

#[test]
fn a_block_parks_in_a_plain_fn() {
    let (a, b) = (Account::default(), Account::default());
    let moved = with_lock!(x = a.ledger, y = b.ledger, blocking, {
        *x.balance -= 3;
        *y.balance += 3;
        *y.balance
    });
    assert_eq!((moved, a.balance()), (3, -3));
    let undone: Result<i64, Failed> = with_lock!(a.ledger, atomic, blocking, {
        *ledger.balance += 10;
        Err(Failed::Overdraft)
    });
    assert_eq!((undone, a.balance()), (Err(Failed::Overdraft), -3));
    let in_time = with_lock!(a.ledger, blocking, timeout = LONG, { *ledger.balance });
    assert_eq!(in_time, Ok(-3));
    let value = with_lock!(b.ledger, blocking, when = *ledger.balance > 0, {
        *ledger.balance
    });
    assert_eq!(value, 3);
    for number in 0..3 {
        with_lock!(b.ledger, blocking, {
            if number == 1 {
                break;
            }
            *ledger.balance += 1;
        });
    }
    assert_eq!(b.balance(), 4);
}

/// What a thread and a task share.
#[derive(Guarded, Default)]
struct Counter {
    lock: Lock,
    #[guarded_by(lock)]
    count: Guarded<usize>,
    #[guarded_by(lock)]
    is_done: Guarded<bool>,
}

impl Counter {
    #[synchronized(lock, blocking)]
    fn add(&self) {
        *lock.count += 1;
    }

    #[synchronized(lock)]
    async fn add_async(&self) {
        *lock.count += 1;
        tokio::task::yield_now().await;
    }

    #[synchronized(lock, blocking, when = *lock.count >= count)]
    fn wait_for(&self, count: usize) -> usize {
        *lock.is_done = true;
        *lock.count
    }
}

#[test]
fn threads_and_tasks_exclude_each_other() {
    let counter = Counter::default();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| counter.wait_for(3000));
        for _ in 0..2 {
            scope.spawn(|| (0..1000).for_each(|_| counter.add()));
        }
        let tasks = async {
            for _ in 0..1000 {
                counter.add_async().await;
            }
        };
        tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(tasks);
        assert_eq!(waiter.join().ok(), Some(3000));
    });
    assert_eq!(counter.wait_for(3000), 3000);
}

/// The thread that parks is the one that would have to poll the owner of the grant.
#[test]
fn a_section_on_the_only_thread_of_an_executor_takes_over() {
    let counter = Arc::new(Counter::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let guard = counter.acquire_lock().await;
        let waiting = tokio::spawn({
            let counter = Arc::clone(&counter);
            async move { counter.add_async().await }
        });
        tokio::task::yield_now().await;
        // Granted to the task, which nobody polls while this thread is parked.
        drop(guard);
        counter.add();
        waiting.await.expect("it ends");
    });
    assert_eq!(counter.wait_for(2), 2);
}

#[test]
fn a_section_that_parks_gives_up_in_time() {
    let account = Account::default();
    assert_eq!(account.deposit_in(Duration::ZERO), Ok(1));
    assert_eq!(account.both_in(LONG), Ok(1));
    assert_eq!(account.both_in(Duration::MAX), Ok(1));

    let guard = block_on(account.acquire_ledger());
    let begin = Instant::now();
    for limit in [Duration::ZERO, Duration::from_millis(20)] {
        assert_eq!(account.deposit_in(limit), Err(Failed::Late));
        assert!(account.both_in(limit).is_err());
        let late = with_lock!(account.ledger, blocking, timeout = limit, {
            *ledger.balance += 1;
        });
        assert!(late.is_err());
    }
    assert!(begin.elapsed() >= Duration::from_millis(60));
    drop(guard);

    assert!(account.five_in(Duration::from_millis(5)).is_err());
    assert_eq!(account.deposit(10), 11);
    assert_eq!(account.five_in(Duration::from_millis(5)), Ok(11));
}

#[test]
fn a_limit_bounds_nothing_but_the_wait() {
    let counter = Counter::default();
    let released = AtomicUsize::new(0);
    thread::scope(|scope| {
        let guard = counter.acquire_lock_blocking();
        let waiter = scope.spawn(|| {
            with_lock!(counter.lock, blocking, timeout = LONG, {
                *lock.count += 1;
                released.load(Ordering::Relaxed)
            })
        });
        thread::sleep(Duration::from_millis(20));
        released.store(1, Ordering::Relaxed);
        drop(guard);
        assert_eq!(waiter.join().ok(), Some(Ok(1)));
    });
}

/// No receiver, and methods of traits.
static GLOBAL: Mutex<Vec<u8>> = Mutex::new(Vec::new());

#[synchronized(GLOBAL, blocking)]
fn push_global(byte: u8) -> usize {
    global.push(byte);
    global.len()
}

struct Ticket<'c>(&'c Counter);

impl Drop for Ticket<'_> {
    #[synchronized(self.0.lock, blocking)]
    fn drop(&mut self) {
        *lock.count += 1;
    }
}

struct Parts {
    left: Vec<u8>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Iterator for Parts {
    type Item = u8;

    #[synchronized(taken, blocking)]
    fn next(&mut self) -> Option<u8> {
        let part = self.left.pop()?;
        taken.push(part);
        Some(part)
    }
}

#[test]
fn methods_of_traits_run_their_sections() {
    assert_eq!(push_global(1), 1);
    let counter = Counter::default();
    drop(Ticket(&counter));
    assert_eq!(counter.wait_for(1), 1);
    let mut parts = Parts {
        left: vec![1, 2],
        taken: Arc::default(),
    };
    assert_eq!(
        (parts.next(), parts.next(), parts.next()),
        (Some(2), Some(1), None)
    );
    assert_eq!(*parts.taken.lock_blocking(), [2, 1]);
}
