//! `#[synchronized]` and `with_lock!`: the locks that they acquire, and their bindings.

use std::cell::RefCell;
use std::ops::Deref;
use std::pin::pin;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use async_monitor::{
    BoundedSemaphore, Guarded, Lock, LockGuard, Mutex, MutexGuard, RwLock, Semaphore,
    SemaphorePermit, synchronized, with_lock,
};
use futures::executor::block_on;

/// The account of the crate's first page, and some more locks.
#[derive(Guarded, Default)]
pub struct Account {
    pub id: u64,
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    #[lock]
    state: Mutex<String>,
    #[lock(rw)]
    routes: RwLock<Vec<u8>>,
    /// Unknown to the derive.
    notes: Mutex<String>,
    table: RwLock<Vec<u8>>,
    bare: Lock,
}

static GLOBAL: Mutex<u32> = Mutex::new(0);
static LAZY: LazyLock<Mutex<Vec<u8>>> = LazyLock::new(Mutex::default);

impl Account {
    fn new(balance: i64) -> Self {
        Account {
            balance: Guarded::new(balance),
            ..Account::default()
        }
    }

    /// Holds `self.ledger` from the first statement to the last.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        note(ledger, amount);
        *ledger.balance
    }

    #[synchronized(read(cfg))]
    async fn limit(&self) -> i64 {
        let cfg: &AccountCfgReadHeld<'_> = cfg;
        *cfg.limit
    }

    #[synchronized(write(cfg), l = ledger)]
    async fn set_limit(&self, limit: i64) {
        let cfg: &mut AccountCfgWriteHeld<'_> = cfg;
        *cfg.limit = limit;
        l.history.clear();
    }

    #[synchronized(cfg)]
    async fn a_bare_reader_writer_lock_is_acquired_to_write(&self) -> i64 {
        *cfg.limit += 1;
        *cfg.limit
    }

    #[synchronized(state, c = read(routes))]
    async fn data_locks(&self) -> usize {
        state.value.push('!');
        state.value.len() + c.value.len()
    }

    #[synchronized(notes)]
    async fn note(&self, text: &str) -> usize {
        let notes: &mut String = notes;
        notes.push_str(text);
        notes.len()
    }

    #[synchronized(read(table))]
    async fn table(&self) -> usize {
        let table: &Vec<u8> = table;
        table.len()
    }

    #[synchronized(bare)]
    async fn bare(&self) -> bool {
        let _: &LockGuard<'_> = bare;
        self.bare.is_locked()
    }

    #[synchronized(g = GLOBAL, o = other, b = balance, ledger)]
    async fn named(&self, other: &Mutex<u8>, balance: &Mutex<u8>) -> u32 {
        *g += 1;
        *o += 1;
        *b += 1;
        *ledger.balance += 1;
        *g
    }
}

/// Helpers take one type, whichever section holds the lock.
fn note(ledger: &mut AccountLedgerHeld<'_>, amount: i64) {
    ledger.history.push(amount);
}

async fn transfer(from: &Account, to: &Account, amount: i64) {
    with_lock!(a = from.ledger, b = to.ledger, {
        *a.balance -= amount;
        *b.balance += amount;
    })
}

#[synchronized(GLOBAL)]
async fn count() -> u32 {
    *global += 1;
    *global
}

#[synchronized(self::LAZY)]
async fn lazy() -> usize {
    lazy.push(1);
    lazy.len()
}

#[synchronized(lock)]
async fn by_parameter(lock: &Mutex<u8>) -> u8 {
    *lock += 1;
    *lock
}

#[synchronized(s = pick(accounts, 1).ledger)]
async fn by_expression(accounts: &[Account]) -> i64 {
    *s.balance
}

fn pick(accounts: &[Account], index: usize) -> &Account {
    &accounts[index]
}

#[test]
fn methods_acquire_fields() {
    let account = Account::new(1);
    block_on(async {
        assert_eq!(account.deposit(3).await, 4);
        account.set_limit(5).await;
        assert_eq!(account.limit().await, 5);
        assert_eq!(
            account
                .a_bare_reader_writer_lock_is_acquired_to_write()
                .await,
            6
        );
        assert_eq!(account.data_locks().await, 1);
        assert_eq!(account.note("xy").await, 2);
        assert_eq!(account.table().await, 0);
        assert!(account.bare().await);
        assert!(!account.bare.is_locked());
    });
}

#[test]
fn functions_acquire_values() {
    let (first, second) = (Mutex::new(0), Mutex::new(0));
    let accounts = [Account::new(1), Account::new(2)];
    block_on(async {
        let before = count().await;
        assert_eq!(accounts[0].named(&first, &second).await, before + 1);
        assert_eq!(lazy().await, 1);
        assert_eq!(by_parameter(&first).await, 2);
        assert_eq!(by_expression(&accounts).await, 2);
    });
}

#[test]
#[allow(clippy::await_holding_refcell_ref)] // nothing else runs here
fn the_base_may_deref_to_the_struct() {
    let account = Account::new(1);
    let reference = &account;
    let double = &reference;
    let boxed = Box::new(Arc::new(Account::new(2)));
    let deep = Rc::new(Box::new(Arc::new(Account::new(3))));
    let cell = RefCell::new(Account::new(4));
    let mutex = Mutex::new(Account::new(5));
    block_on(async {
        assert_eq!(with_lock!(account.ledger, { *ledger.balance }), 1);
        assert_eq!(with_lock!(&account.ledger, { *ledger.balance }), 1);
        assert_eq!(with_lock!((*reference).ledger, { *ledger.balance }), 1);
        assert_eq!(with_lock!(double.ledger, { *ledger.balance }), 1);
        assert_eq!(with_lock!(boxed.ledger, { *ledger.balance }), 2);
        assert_eq!(with_lock!(deep.ledger, { *ledger.balance }), 3);
        assert_eq!(with_lock!(cell.borrow().ledger, { *ledger.balance }), 4);
        assert_eq!(
            with_lock!(mutex.lock().await.ledger, { *ledger.balance }),
            5
        );
        let mut owned = Account::new(6);
        let exclusive = &mut owned;
        assert_eq!(with_lock!(exclusive.ledger, { *ledger.balance }), 6);
        with_lock!(boxed.ledger, {
            let ledger: &mut AccountLedgerHeld<'_> = ledger;
            note(ledger, 1);
        });
        assert_eq!(generic(Arc::clone(&boxed)).await, 2);
    });
}

async fn generic<P: Deref<Target = Account>>(account: P) -> i64 {
    with_lock!(account.ledger, { *ledger.balance })
}

struct Shared {
    id: u32,
    state: Mutex<Vec<u32>>,
}

/// Shadows the parameter, on purpose.
#[synchronized(state = state.state)]
async fn pushed(state: &Shared, value: u32) -> usize {
    state.push(value);
    state.len()
}

#[synchronized(values = state.state)]
async fn pushed_id(state: &Shared) -> usize {
    values.push(state.id);
    values.len()
}

#[test]
fn a_lock_has_the_name_of_the_parameter_that_leads_to_it_or_another() {
    let shared = Shared {
        id: 7,
        state: Mutex::new(vec![]),
    };
    assert_eq!(block_on(pushed(&shared, 1)), 1);
    assert_eq!(block_on(pushed_id(&shared)), 2);
    assert_eq!(shared.state.into_inner(), [1, 7]);
}

#[test]
fn a_field_of_the_outer_struct_hides_the_lock_of_the_inner() {
    struct Outer {
        ledger: Mutex<u8>,
        inner: Account,
    }

    impl Deref for Outer {
        type Target = Account;

        fn deref(&self) -> &Account {
            &self.inner
        }
    }

    let outer = Outer {
        ledger: Mutex::new(1),
        inner: Account::new(2),
    };
    let section = std::panic::AssertUnwindSafe(async {
        with_lock!(outer.ledger, {
            let _ = ledger;
        });
    });
    // Rather than to acquire the other lock.
    assert!(std::panic::catch_unwind(|| block_on(section)).is_err());
    assert_eq!(
        block_on(async { with_lock!(outer.inner.ledger, { *ledger.balance }) }),
        2
    );
    assert_eq!(outer.ledger.into_inner(), 1);
}

#[test]
fn a_lock_that_no_derive_knows_binds_its_data() {
    let lock = Lock::new();
    let mutex = Arc::new(Mutex::new(vec![1]));
    let table = RwLock::new(String::new());
    let semaphore = Semaphore::new(2);
    let bounded = Box::new(BoundedSemaphore::new(1));
    block_on(async {
        with_lock!(lock, {
            let _: &LockGuard<'_> = lock;
        });
        with_lock!(m = &mutex, {
            let m: &mut Vec<i32> = m;
            m.push(2);
        });
        with_lock!(write(table), { table.push('x') });
        with_lock!(t = read(table), {
            let t: &String = t;
            assert_eq!(t, "x");
        });
        with_lock!(semaphore, {
            let _: &SemaphorePermit<'_> = semaphore;
        });
        with_lock!(b = *bounded, {
            let _ = b;
        });
        assert_eq!(bounded.available_permits(), 1);
    });
    assert_eq!(*mutex.try_lock().expect("free"), [1, 2]);
}

#[test]
fn a_lock_behind_a_mapped_guard_is_acquired() {
    let accounts = Mutex::new((Account::new(1), Account::new(2)));
    block_on(async {
        let second = MutexGuard::map(accounts.lock().await, |pair| &mut pair.1);
        assert_eq!(with_lock!(second.ledger, { *ledger.balance }), 2);
    });
}

#[test]
fn a_block_is_an_expression_that_return_break_and_question_mark_leave() {
    async fn question(account: &Account, text: &str) -> Result<i64, std::num::ParseIntError> {
        let n = with_lock!(account.ledger, {
            let n: i64 = text.parse()?;
            *ledger.balance += n;
            n
        });
        Ok(n * 10)
    }

    async fn early(account: &Account) -> i64 {
        with_lock!(account.ledger, {
            if *ledger.balance > 3 {
                return 100;
            }
        });
        0
    }

    async fn labels(account: &Account) -> i64 {
        let found = 'outer: loop {
            for _ in 0..5 {
                with_lock!(account.ledger, {
                    *ledger.balance += 1;
                    if *ledger.balance % 2 == 0 {
                        continue;
                    }
                    if *ledger.balance > 8 {
                        break 'outer *ledger.balance;
                    }
                });
            }
        };
        assert!(account.try_acquire_ledger().is_some());
        found
    }

    let account = Account::new(1);
    block_on(async {
        assert_eq!(question(&account, "2").await, Ok(20));
        assert!(question(&account, "two").await.is_err());
        assert_eq!(early(&account).await, 0);
        assert_eq!(labels(&account).await, 9);
        assert_eq!(early(&account).await, 100);
    });
}

#[test]
fn sections_nest_where_the_locks_differ() {
    let (a, b) = (Account::new(1), Account::new(2));
    let sum = block_on(async {
        with_lock!(a.ledger, {
            let first = *ledger.balance;
            first + with_lock!(second = b.ledger, { *second.balance + *ledger.balance })
        })
    });
    assert_eq!(sum, 4);
}

#[test]
fn several_locks_are_acquired_in_one_order() {
    let (a, b) = (Account::new(10), Account::new(0));
    let (a, b) = (&a, &b);
    let mut cx = Context::from_waker(Waker::noop());
    // However they are started and interleaved, no task waits for ever.
    let (mut there, mut back) = (pin!(transfer(a, b, 1)), pin!(transfer(b, a, 2)));
    let guard = a.acquire_ledger_blocking();
    assert!(there.as_mut().poll(&mut cx).is_pending());
    assert!(back.as_mut().poll(&mut cx).is_pending());
    drop(guard);
    assert_eq!(there.as_mut().poll(&mut cx), Poll::Ready(()));
    assert_eq!(back.as_mut().poll(&mut cx), Poll::Ready(()));
    block_on(async {
        assert_eq!(with_lock!(a.ledger, { *ledger.balance }), 11);
        assert_eq!(with_lock!(b.ledger, { *ledger.balance }), -1);
    });
}

#[test]
fn one_section_acquires_locks_of_different_kinds() {
    let account = Account::new(1);
    let (mutex, lock, semaphore) = (Mutex::new(1), Lock::new(), Semaphore::new(1));
    let sum = block_on(async {
        with_lock!(
            semaphore,
            account.ledger,
            m = mutex,
            read(account.cfg),
            lock,
            r = write(account.routes),
            {
                let _ = (semaphore, lock);
                *ledger.balance += 1;
                r.value.push(3);
                *ledger.balance + *m + *cfg.limit + i64::from(r.value[0])
            },
        )
    });
    assert_eq!(sum, 6);
    assert!(semaphore.try_acquire().is_some() && lock.try_acquire().is_some());
}

#[test]
#[should_panic(expected = "`from.ledger` and `to.ledger` are the same lock")]
fn the_same_lock_twice_panics() {
    let account = Account::new(1);
    block_on(transfer(&account, &account, 1));
}

#[test]
#[should_panic(expected = "`table` and `handle` are the same lock")]
fn the_same_lock_in_two_modes_through_two_handles_panics() {
    let table = Arc::new(RwLock::new(0));
    let handle = Arc::clone(&table);
    block_on(async {
        with_lock!(read(table), write(handle), {
            *handle = *table;
        });
    });
}

#[test]
fn a_section_that_is_dropped_releases_its_locks() {
    let account = Account::new(1);
    let mut cx = Context::from_waker(Waker::noop());
    {
        let mut section = pin!(async {
            with_lock!(account.ledger, read(account.cfg), {
                *ledger.balance = *cfg.limit;
                std::future::pending::<()>().await;
            });
        });
        assert!(section.as_mut().poll(&mut cx).is_pending());
        assert!(account.try_acquire_ledger().is_none());
        assert!(account.try_write_cfg().is_none());
    }
    assert!(account.try_acquire_ledger().is_some());
    assert!(account.try_write_cfg().is_some());
}
