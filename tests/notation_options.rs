//! The options of `#[synchronized]` and `with_lock!`.

use std::cell::Cell;
use std::convert::Infallible;

use async_monitor::{AsyncLock, Guarded, Lock, LockId, Mutex, MutexGuard, synchronized, with_lock};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    remote: Remote,
    state: Mutex<String>,
}

/// A handle to a lock elsewhere, which can be lost.
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
    Empty,
}

impl From<Lost> for Failed {
    fn from(_: Lost) -> Self {
        Failed::Lost
    }
}

impl AsyncLock for Remote {
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

impl Account {
    #[synchronized(remote?)]
    async fn push(&self, row: u8) -> Result<usize, Failed> {
        remote.push(row);
        Ok(remote.len())
    }

    #[synchronized(ledger?, rows = remote?, state)]
    async fn mixed(&self) -> Result<u8, Failed> {
        *ledger.balance += 1;
        state.push('!');
        rows.pop().ok_or(Failed::Empty)
    }

    #[synchronized(ledger?, self.state?)]
    async fn nothing_can_fail(&self) -> usize {
        *ledger.balance += 1;
        state.len()
    }

    #[synchronized(ledger?)]
    async fn another_error(&self) -> Result<i64, std::num::ParseIntError> {
        "3".parse::<i64>().map(|n| n + *ledger.balance)
    }
}

impl Account {
    #[synchronized(ledger, no_await)]
    async fn add_up<'a>(&self, amounts: &'a [i64], names: &mut Vec<String>) -> Option<&'a i64> {
        for amount in amounts {
            if *amount == 0 {
                return None;
            }
            *ledger.balance += amount;
        }
        names.push(format!("{}", ledger.balance));
        let largest = amounts.iter().max()?;
        Some(largest)
    }

    #[synchronized(ledger, state, no_await)]
    async fn of_another_type(
        &self,
        text: String,
    ) -> Result<impl Iterator<Item = char> + use<>, Box<dyn std::error::Error>> {
        *ledger.balance += text.parse::<i64>()?;
        // An `.await` in here does not belong to the section.
        let _later = async || std::future::ready(1).await;
        let _block = async { std::future::ready(1).await };
        if text.len() > 3 {
            return Err("too long".into());
        }
        let taken = std::mem::take(state);
        Ok((taken + &text).chars().collect::<Vec<_>>().into_iter())
    }
}

#[test]
fn a_no_await_section_returns_the_value_of_its_body() {
    let account = Account::default();
    let mut names = Vec::new();
    block_on(async {
        assert_eq!(account.add_up(&[1, 2], &mut names).await, Some(&2));
        assert_eq!(account.add_up(&[4, 0, 2], &mut names).await, None);
        assert_eq!(account.add_up(&[], &mut names).await, None);
        let text: String = account
            .of_another_type("12".into())
            .await
            .unwrap()
            .collect();
        assert_eq!(text, "12");
    });
    let error = |text: &str| block_on(account.of_another_type(text.into())).err();
    assert!(error("x").is_some_and(|error| error.is::<std::num::ParseIntError>()));
    assert!(error("1234").is_some_and(|error| error.to_string() == "too long"));
    assert_eq!(names, ["3", "7"]);
}

#[test]
fn break_and_continue_leave_a_no_await_block() {
    let account = Account::default();
    let rounds = block_on(async {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let balance = with_lock!(account.ledger, no_await, {
                *ledger.balance += 1;
                if *ledger.balance < 3 {
                    continue;
                }
                if *ledger.balance == 3 {
                    break rounds;
                }
                *ledger.balance
            });
            unreachable!("{balance}");
        }
    });
    assert_eq!(rounds, 3);
}

#[async_trait::async_trait]
trait Count {
    async fn count(&self, by: u64) -> Result<u64, std::num::TryFromIntError>;
}

struct Counter(Mutex<u8>);

#[async_trait::async_trait]
impl Count for Counter {
    #[synchronized(n = self.0, no_await)]
    async fn count(&self, by: u64) -> Result<u64, std::num::TryFromIntError> {
        let by: u8 = by.try_into()?;
        *n += by;
        Ok(u64::from(*n))
    }
}

#[test]
fn options_work_on_boxed_futures() {
    let counter = Counter(Mutex::new(1));
    assert_eq!(block_on(counter.count(2)), Ok(3));
    assert!(block_on(counter.count(256)).is_err());
}

#[synchronized(lock?)]
async fn generic<L: AsyncLock>(lock: &L) -> Result<(), L::Error> {
    let _ = lock;
    Ok(())
}

async fn in_a_block(remote: &Remote) -> Result<usize, Failed> {
    let before = with_lock!(remote?, { remote.len() });
    let after = with_lock!(r = remote?, {
        r.push(1);
        r.first().copied().ok_or(Failed::Empty)?;
        r.len()
    });
    assert_eq!(before + 1, after);
    Ok(after)
}

#[test]
fn an_acquisition_that_fails_is_returned() {
    let account = Account::default();
    block_on(async {
        assert_eq!(account.push(5).await, Ok(1));
        assert_eq!(account.mixed().await, Ok(5));
        assert_eq!(account.mixed().await, Err(Failed::Empty));
        assert_eq!(in_a_block(&account.remote).await, Ok(1));
        assert_eq!(generic(&account.remote).await, Ok(()));
        account.remote.is_lost.set(true);
        assert_eq!(account.push(5).await, Err(Failed::Lost));
        assert_eq!(account.mixed().await, Err(Failed::Lost));
        assert_eq!(in_a_block(&account.remote).await, Err(Failed::Lost));
        assert_eq!(generic(&account.remote).await, Err(Lost));
    });
    assert!(!account.ledger.is_locked());
    assert!(!account.state.is_locked());
}

#[test]
fn a_question_mark_over_a_lock_that_cannot_fail_does_nothing() {
    let account = Account::default();
    block_on(async {
        assert_eq!(account.nothing_can_fail().await, 0);
        assert_eq!(account.another_error().await, Ok(4));
        let returned: Result<(), Infallible> = generic(&account.state).await;
        assert_eq!(returned, Ok(()));
        let length = with_lock!(account.ledger?, s = account.state?, {
            *ledger.balance += 1;
            s.len()
        });
        assert_eq!(length, 0);
    });
}

/// The runtime under another path, and nothing under its own.
mod renamed {
    pub mod deep {
        pub use ::async_monitor as monitor;
    }

    mod async_monitor {}

    use deep::monitor::{Guarded, Lock, RwLock, synchronized, with_lock};

    #[derive(Guarded, Default)]
    #[guarded(crate = crate::renamed::deep::monitor)]
    struct Account {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
        #[lock(rw)]
        cfg: RwLock<u8>,
    }

    impl Account {
        #[synchronized(ledger?, c = read(cfg), crate = deep::monitor)]
        async fn deposit(&self, amount: i64) -> i64 {
            *ledger.balance += amount + i64::from(*c.value);
            *ledger.balance
        }
    }

    #[test]
    fn the_crate_can_be_reached_by_another_path() {
        let account = Account::default();
        futures::executor::block_on(async {
            assert_eq!(account.deposit(2).await, 2);
            let balance = with_lock!(crate = self::deep::monitor, account.ledger, {
                *ledger.balance
            });
            assert_eq!(balance, 2);
        });
    }
}
