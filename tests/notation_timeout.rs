//! Sections with a `timeout`.

use std::convert::Infallible;
use std::error::Error;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_monitor::{
    AsyncLock, Elapsed, Guarded, Lock, LockId, Mutex, MutexGuard, RwLock, synchronized, with_lock,
};
use futures::FutureExt;
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    limits: RwLock<()>,
    #[guarded_by(limits)]
    overdraft: Guarded<i64>,
    plain: Mutex<u8>,
    remote: Remote,
    patience: Duration,
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(5);

#[derive(Debug, PartialEq)]
enum Failed {
    Late,
    Lost,
    Overdraft,
}

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Failed::Late
    }
}

/// A handle to a lock elsewhere, which is lost where the value is zero.
#[derive(Default)]
struct Remote(Mutex<u8>);

struct Lost;

impl From<Lost> for Failed {
    fn from(_: Lost) -> Self {
        Failed::Lost
    }
}

impl AsyncLock for Remote {
    type Guard<'a> = MutexGuard<'a, u8>;
    type Error = Lost;

    async fn acquire(&self) -> Result<Self::Guard<'_>, Lost> {
        let guard = self.0.lock().await;
        if *guard == 0 { Err(Lost) } else { Ok(guard) }
    }

    fn try_acquire(&self) -> Option<Self::Guard<'_>> {
        self.0.try_lock().filter(|guard| **guard != 0)
    }

    fn id(&self) -> LockId {
        LockId::of(&self.0)
    }
}

impl Account {
    #[synchronized(ledger, timeout = self.patience)]
    async fn deposit(&self, amount: i64) -> Result<i64, Elapsed> {
        *ledger.balance += amount;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, timeout = patience, when = *ledger.balance >= amount)]
    async fn withdraw(&self, amount: i64, patience: Duration) -> Result<i64, Box<dyn Error>> {
        *ledger.balance -= amount;
        Ok(*ledger.balance)
    }

    #[synchronized(ledger, read(limits), plain, timeout = self.patience, atomic)]
    async fn several(&self, amount: i64) -> Result<(), Failed> {
        *ledger.balance -= amount;
        *plain += 1;
        if *ledger.balance < -*limits.overdraft {
            return Err(Failed::Overdraft);
        }
        Ok(())
    }

    #[synchronized(remote?, timeout = self.patience)]
    async fn one_that_can_fail(&self) -> Result<u8, Failed> {
        Ok(*remote)
    }

    #[synchronized(remote?, ledger, timeout = self.patience)]
    async fn several_that_can_fail(&self) -> Result<i64, Failed> {
        *ledger.balance += 1;
        Ok(i64::from(*remote))
    }

    #[synchronized(read(limits), timeout = self.patience, no_await)]
    async fn read(&self) -> Result<i64, Failed> {
        if *limits.overdraft == 0 {
            return Ok(0);
        }
        Ok(*limits.overdraft)
    }
}

/// What only a section can make.
fn late() -> Elapsed {
    let lock = Lock::new();
    let _held = lock.try_acquire();
    let section = async { with_lock!(lock, timeout = Duration::ZERO, {}) };
    section.now_or_never().unwrap().unwrap_err()
}

fn account(patience: Duration) -> Account {
    Account {
        patience,
        ..Account::default()
    }
}

#[test]
fn a_free_lock_needs_no_timer() {
    let account = account(Duration::ZERO);
    assert_eq!(account.deposit(1).now_or_never(), Some(Ok(1)));
    assert_eq!(account.several(1).now_or_never(), Some(Ok(())));
    assert_eq!(account.read().now_or_never(), Some(Ok(0)));
}

#[test]
fn a_held_lock_is_waited_for_and_no_longer_than_said() {
    let account = account(SHORT);
    let held = account.try_acquire_ledger().unwrap();
    assert_eq!(block_on(account.deposit(1)), Err(late()));
    assert_eq!(block_on(account.several(1)), Err(Failed::Late));
    drop(held);
    assert_eq!(block_on(account.deposit(1)), Ok(1), "it left no trace");
    let held = account.try_write_limits().unwrap();
    assert_eq!(block_on(account.read()), Err(Failed::Late));
    assert_eq!(block_on(account.several(1)), Err(Failed::Late));
    assert!(!account.ledger.is_locked() && !account.plain.is_locked());
    drop(held);
}

#[test]
fn a_timeout_of_zero_does_not_wait() {
    let account = account(Duration::ZERO);
    let _held = account.try_acquire_ledger().unwrap();
    assert_eq!(account.deposit(1).now_or_never(), Some(Err(late())));
}

#[test]
fn a_lock_released_in_time_is_acquired() {
    let account = account(LONG);
    let mut cx = Context::from_waker(Waker::noop());
    let held = account.try_acquire_ledger().unwrap();
    let mut future = pin!(account.deposit(1));
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Pending);
    drop(held);
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
}

#[test]
fn a_lock_released_before_the_expired_timer_is_polled_is_acquired() {
    let account = account(SHORT);
    let mut cx = Context::from_waker(Waker::noop());
    let held = account.try_acquire_ledger().unwrap();
    let mut future = pin!(account.deposit(1));
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Pending);
    std::thread::sleep(SHORT * 4);
    drop(held);
    assert_eq!(future.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
}

#[test]
fn the_wait_for_a_condition_is_bounded_too() {
    let account = account(LONG);
    let late = block_on(account.withdraw(3, SHORT)).unwrap_err();
    assert_eq!(late.to_string(), "the section was not entered in time");
    block_on(account.deposit(4)).unwrap();
    assert_eq!(block_on(account.withdraw(3, SHORT)).unwrap(), 1);
}

#[test]
fn errors_of_the_acquisition_differ_from_elapsed() {
    let account = account(SHORT);
    assert_eq!(block_on(account.one_that_can_fail()), Err(Failed::Lost));
    assert_eq!(block_on(account.several_that_can_fail()), Err(Failed::Lost));
    *account.remote.0.try_lock().unwrap() = 7;
    assert_eq!(block_on(account.one_that_can_fail()), Ok(7));
    assert_eq!(block_on(account.several_that_can_fail()), Ok(7));
    let held = account.remote.0.try_lock();
    assert_eq!(block_on(account.one_that_can_fail()), Err(Failed::Late));
    assert_eq!(block_on(account.several_that_can_fail()), Err(Failed::Late));
    drop(held);
    assert_eq!(block_on(account.several(9)), Err(Failed::Overdraft));
    assert_eq!(block_on(account.deposit(0)), Ok(1), "undone");
}

#[test]
fn a_block_with_a_timeout_is_a_result() {
    block_on(async {
        let account = account(SHORT);
        let entered: Result<i64, Elapsed> = with_lock!(account.ledger, timeout = SHORT, {
            *ledger.balance += 1;
            *ledger.balance
        });
        assert_eq!(entered, Ok(1));
        let held = account.try_acquire_ledger().unwrap();
        let entered = with_lock!(l = account.ledger, p = account.plain, timeout = SHORT, {
            *p += 1;
            *l.balance
        });
        assert_eq!(entered, Err(late()));
        drop(held);
        assert!(!account.plain.is_locked());
        let undone = with_lock!(account.ledger, timeout = SHORT, atomic, {
            *ledger.balance = 100;
            Err::<Infallible, _>("no")
        });
        assert_eq!(undone, Ok(Err("no")));
        assert_eq!(account.deposit(0).await, Ok(1));
    });
}

/// `?`, `return`, `break` and `.await` mean what they mean outside.
async fn around(account: &Account, n: u8) -> Result<u8, Failed> {
    for round in 0.. {
        let value = with_lock!(account.remote?, account.plain, timeout = SHORT, {
            if round == n {
                break;
            }
            if *plain == n {
                return Ok(*remote);
            }
            *plain += 1;
            std::future::ready(()).await;
            *plain
        })?;
        assert_eq!(value, round + 1);
    }
    Ok(0)
}

#[test]
fn return_and_question_mark_leave_a_block_with_a_timeout() {
    let account = account(SHORT);
    assert_eq!(block_on(around(&account, 3)), Err(Failed::Lost));
    *account.remote.0.try_lock().unwrap() = 7;
    assert_eq!(block_on(around(&account, 3)), Ok(0));
    assert_eq!(block_on(around(&account, 3)), Ok(7));
    let _held = account.plain.try_lock();
    assert_eq!(block_on(around(&account, 3)), Err(Failed::Late));
}

/// The timer is that of tokio: its clock is the one that is stopped here.
#[test]
fn the_timer_is_that_of_a_running_tokio() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    let account = account(LONG);
    let _held = account.try_acquire_ledger().unwrap();
    runtime.block_on(async {
        let start = tokio::time::Instant::now();
        assert_eq!(account.deposit(1).await, Err(late()));
        assert!(start.elapsed() >= LONG);
    });
}

#[test]
fn the_timer_is_that_of_smol_without_tokio() {
    let account = account(SHORT);
    let _held = account.try_acquire_ledger().unwrap();
    assert_eq!(smol::block_on(account.deposit(1)), Err(late()));
}

#[test]
fn sections_with_a_timeout_are_send() {
    fn is_send(_: impl Send) {}
    let account = account(SHORT);
    is_send(account.deposit(1));
    is_send(account.withdraw(1, SHORT));
    is_send(account.several(1));
    is_send(async { with_lock!(account.ledger, timeout = SHORT, { ledger.balance.abs() }) });
}
