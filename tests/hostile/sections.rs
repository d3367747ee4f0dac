//! Sections whose locks, conditions and data are not what they seem.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::mem;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_monitor::{
    AsyncLock, Elapsed, Guarded, Lock, LockGuard, LockId, Mutex, synchronized, with_lock,
};
use futures::FutureExt;
use futures::executor::block_on;

const LONG: Duration = Duration::from_secs(3600);

#[derive(Guarded, Default)]
struct Account {
    #[lock]
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<Fussy>,
    #[guarded_by(ledger)]
    other: Guarded<Fussy>,
    plain: Mutex<Fussy>,
}

impl Account {
    fn is_free(&self) -> bool {
        self.try_acquire_ledger().is_some() && self.plain.try_lock().is_some()
    }

    fn values(&self) -> [i64; 3] {
        let mut guard = self.try_acquire_ledger().unwrap();
        let held = guard.fields();
        let plain = self.plain.try_lock().unwrap();
        [held.balance.value, held.other.value, plain.value]
    }
}

/// Data whose clones panic if it says so, and whose drops do something.
#[derive(Default)]
struct Fussy {
    value: i64,
    clone_panics: bool,
    on_drop: Option<fn()>,
}

impl Clone for Fussy {
    fn clone(&self) -> Self {
        assert!(!self.clone_panics, "cloned");
        Fussy {
            value: self.value,
            ..Fussy::default()
        }
    }
}

impl Drop for Fussy {
    fn drop(&mut self) {
        if let Some(on_drop) = self.on_drop {
            on_drop();
        }
    }
}

fn panics<T>(task: impl FnOnce() -> T) -> bool {
    catch_unwind(AssertUnwindSafe(task)).is_err()
}

/// Leads to another account each time.
struct Liar<'a>(&'a [Account; 2], Cell<usize>);

impl Deref for Liar<'_> {
    type Target = Account;

    fn deref(&self) -> &Account {
        self.1.set(self.1.get() + 1);
        &self.0[self.1.get() % 2]
    }
}

#[test]
fn a_pointer_that_leads_elsewhere_each_time() {
    let accounts = [Account::default(), Account::default()];
    for start in 0..2 {
        let liar = Liar(&accounts, Cell::new(start));
        assert!(panics(|| block_on(async {
            with_lock!(liar.ledger, { ledger.balance.value += 1 });
        })));
        // A plain lock is looked for once.
        block_on(async { with_lock!(liar.plain, atomic, { plain.value += 1 }) });
    }
    assert!(accounts.iter().all(Account::is_free));
    assert!(
        accounts
            .iter()
            .all(|account| account.values()[..2] == [0, 0])
    );
}

/// A lock that has the id of another, and may be none.
struct Impostor<'a>(&'a Mutex<Fussy>, LockId, Cell<u32>);

impl AsyncLock for Impostor<'_> {
    type Guard<'a>
        = Shifty<'a>
    where
        Self: 'a;
    type Error = Infallible;

    async fn acquire(&self) -> Result<Shifty<'_>, Infallible> {
        self.2.set(self.2.get() + 1);
        Ok(Shifty(
            [Fussy::default(), Fussy::default()],
            Cell::new(0),
            self.0,
        ))
    }

    fn try_acquire(&self) -> Option<Shifty<'_>> {
        None
    }

    fn id(&self) -> LockId {
        self.1
    }
}

/// A guard that leads to the one and the other by turns.
struct Shifty<'a>([Fussy; 2], Cell<usize>, &'a Mutex<Fussy>);

impl Deref for Shifty<'_> {
    type Target = Fussy;

    fn deref(&self) -> &Fussy {
        self.1.set(self.1.get() + 1);
        &self.0[self.1.get() % 2]
    }
}

impl std::ops::DerefMut for Shifty<'_> {
    fn deref_mut(&mut self) -> &mut Fussy {
        self.1.set(self.1.get() + 1);
        &mut self.0[self.1.get() % 2]
    }
}

impl Drop for Shifty<'_> {
    fn drop(&mut self) {
        // While others of the section are still held, or not any more.
        let _ = self.2.try_lock();
    }
}

#[test]
fn a_lock_of_the_user_that_lies() {
    let account = Account::default();
    let ours = account.plain.id();
    let impostor = Impostor(&account.plain, ours, Cell::new(0));
    assert!(panics(|| block_on(async {
        with_lock!(x = impostor, y = account.plain, { mem::swap(x, y) });
    })));
    assert_eq!(impostor.2.get(), 0);
    for key in [0, u64::MAX] {
        let impostor = Impostor(&account.plain, LockId::from_key(key), Cell::new(0));
        let undone = block_on(async {
            with_lock!(
                x = impostor,
                y = account.plain,
                ledger = account.ledger,
                atomic,
                {
                    mem::swap(x, y);
                    mem::swap(x, ledger.balance);
                    y.value += 1;
                    Err::<(), ()>(())
                }
            )
        });
        assert!(undone.is_err());
        assert_eq!(impostor.2.get(), 1);
    }
    assert_eq!(account.values(), [0, 0, 0]);
}

#[test]
fn clones_that_panic_at_entry() {
    for broken in 0..3 {
        let mut account = Account::default();
        account.ledger_mut().balance.clone_panics = broken == 0;
        account.ledger_mut().other.clone_panics = broken == 1;
        account.plain.get_mut().clone_panics = broken == 2;
        let ran = Cell::new(false);
        assert!(panics(|| block_on(async {
            with_lock!(account.ledger, account.plain, atomic, {
                ran.set(true);
                ledger.balance.value += 1;
                plain.value += 1;
            });
        })));
        assert!(!ran.get() && account.is_free());
        assert_eq!(account.values(), [0, 0, 0]);
    }
}

#[test]
fn what_was_put_back_may_do_anything_when_it_is_dropped() {
    static ACCOUNT: std::sync::LazyLock<Account> = std::sync::LazyLock::new(Account::default);
    static SEEN: AtomicUsize = AtomicUsize::new(0);

    fn look() {
        assert!(ACCOUNT.is_free(), "a lock is held");
        SEEN.fetch_add(1, Ordering::Relaxed);
        panic!("dropped");
    }

    let account = &*ACCOUNT;
    assert!(panics(|| block_on(async {
        with_lock!(account.ledger, account.plain, atomic, {
            for data in [&mut *ledger.balance, &mut *ledger.other, plain] {
                data.value += 1;
            }
            ledger.other.on_drop = Some(look);
            Err::<(), ()>(())
        })
    })));
    assert_eq!(SEEN.load(Ordering::Relaxed), 1);
    assert_eq!(account.values(), [0, 0, 0]);
}

#[synchronized(account.ledger, account.plain, atomic, timeout = LONG)]
async fn in_steps(account: &Account, steps: usize) -> Result<usize, Elapsed> {
    for step in 0..steps {
        ledger.balance.value += 1;
        plain.value += 1;
        let inner = with_lock!(mutex = Mutex::new(step), atomic, {
            ledger.other.value += 1;
            futures::pending!();
            // Ends nothing but the closure and the block.
            let one = (|| return 1)();
            *mutex + async { return one }.await
        });
        assert_eq!(inner, step + 1);
    }
    Ok(steps)
}

#[cfg_attr(miri, ignore = "there are no timers")]
#[test]
fn a_section_that_is_cancelled_anywhere() {
    for polls in 0..6 {
        let account = Account::default();
        let held = (account.plain.try_lock(), account.try_acquire_ledger());
        {
            let mut future = pin!(in_steps(&account, 3));
            assert!(polls % 2 == 0 || future.as_mut().now_or_never().is_none());
            drop(held);
            for poll in 0..polls {
                let output = future.as_mut().now_or_never();
                assert_eq!(output.is_some(), poll == 3);
                if output.is_some() {
                    break;
                }
            }
        }
        assert!(account.is_free());
        assert_eq!(
            account.values(),
            if polls > 3 { [3, 3, 3] } else { [0, 0, 0] }
        );
    }
}

#[test]
fn conditions_that_do_more_than_look() {
    let account = Account::default();
    let looks = Cell::new(0);
    let mut waiting = Box::pin(async {
        with_lock!(
            account.ledger,
            when = {
                looks.set(looks.get() + 1);
                // Held by whoever looks; and no other may be waited for.
                assert!(account.try_acquire_ledger().is_none());
                let plain = account.plain.try_lock().unwrap();
                drop(plain);
                assert!(looks.get() != 2, "evaluated again");
                ledger.balance.value > 0
            },
            { ledger.balance.value -= 1 }
        );
    });
    assert!(waiting.as_mut().now_or_never().is_none());
    account.try_acquire_ledger().unwrap().fields().balance.value = 1;
    assert!(panics(|| waiting.as_mut().now_or_never()));
    assert!(account.is_free());
    drop(waiting);
    assert_eq!((account.values()[0], looks.get()), (1, 2));
}

#[test]
fn a_waiter_that_is_forgotten_or_dropped_while_it_looks_or_is_parked() {
    let account = Account::default();
    let waiting = || {
        Box::pin(async {
            with_lock!(account.ledger, when = ledger.balance.value > 0, {
                ledger.balance.value -= 1;
            });
        })
    };
    let (mut parked, mut forgotten, mut dropped, mut last) =
        (waiting(), waiting(), waiting(), waiting());
    for future in [&mut parked, &mut forgotten, &mut dropped, &mut last] {
        assert!(future.as_mut().now_or_never().is_none());
    }
    drop(parked);
    // All that are parked look again, the first of them first.
    account.try_acquire_ledger().unwrap().fields().balance.value = 1;
    assert!(account.try_acquire_ledger().is_none());
    drop(forgotten);
    drop(dropped);
    assert_eq!(last.as_mut().now_or_never(), Some(()));
    assert_eq!(account.values()[0], 0);
    let mut leaked = waiting();
    assert!(leaked.as_mut().now_or_never().is_none());
    mem::forget(leaked);
    assert!(account.is_free());
}

fn logged_limit<'l>(
    log: &RefCell<Vec<&str>>,
    limit: &'l std::sync::Mutex<Duration>,
) -> std::sync::MutexGuard<'l, Duration> {
    log.borrow_mut().push("timeout");
    limit.lock().unwrap()
}

/// Expressions are evaluated once, in the order in which they are written, and
/// nothing of them lives longer than it must.
#[test]
fn expressions_of_a_section() {
    let account = Account::default();
    let log = RefCell::new(Vec::new());
    let logged = |name: &'static str| log.borrow_mut().push(name);
    let limit = std::sync::Mutex::new(LONG);
    let accounts = std::sync::Mutex::new(vec![std::sync::Arc::new(Account::default())]);
    let entered = block_on(async {
        with_lock!(
            a = {
                logged("a");
                &account
            }
            .ledger,
            timeout = *logged_limit(&log, &limit),
            when = {
                logged("when");
                a.balance.value == 0
            },
            {
                logged("body");
                // Not held for longer than the expression.
                assert!(limit.try_lock().is_ok());
                a.balance.value
            }
        )
    });
    assert_eq!(entered, Ok(0));
    assert_eq!(*log.borrow(), ["a", "timeout", "when", "body"]);
    block_on(async {
        with_lock!(
            b = {
                logged("b");
                accounts.lock().unwrap()[0].clone()
            }
            .ledger,
            a = {
                logged("a");
                &account
            }
            .ledger,
            { mem::swap(a.balance, b.balance) }
        );
    });
    assert_eq!(log.borrow()[4..], ["b", "a"]);
}

/// What leaves an atomic block behind a macro undoes it.
#[test]
fn a_way_out_that_is_hidden() {
    macro_rules! leave {
        ($value:expr) => {
            return $value
        };
    }

    async fn left(account: &Account) -> Result<i64, Infallible> {
        with_lock!(account.ledger, account.plain, atomic, {
            ledger.balance.value += 1;
            plain.value += 1;
            leave!(Ok(ledger.balance.value))
        })
    }

    let account = Account::default();
    assert_eq!(block_on(left(&account)), Ok(1));
    assert_eq!(account.values(), [0, 0, 0]);
}

/// Names of the user that are those of the expansion.
#[test]
fn names_of_the_expansion() {
    let account = Account::default();
    let (__base0, __guard0, __view0, __lock0) = (1, 2, 3, 4);
    let (__committed, __snapshot0, __value, __acquired) = (5, 6, 7, 8);
    let sum = block_on(async {
        'outer: loop {
            let value = with_lock!(account.ledger, account.plain, timeout = LONG, {
                if plain.value == 2 {
                    break 'outer ledger.balance.value;
                }
                plain.value += 1;
                ledger.balance.value += __base0 + __guard0 + __view0 + __lock0;
                if plain.value == 1 {
                    continue 'outer;
                }
                with_lock!(x = account.plain.id_of_nothing(), atomic, {
                    *x += __committed + __snapshot0 + __value + __acquired;
                    *x
                })
            });
            assert_eq!(value, Ok(26));
        }
    });
    assert_eq!(sum, 20);
    assert!(account.is_free());
}

trait IdOfNothing {
    fn id_of_nothing(&self) -> Mutex<i64> {
        Mutex::new(0)
    }
}

impl<T> IdOfNothing for T {}

/// A guard that is a reference to a lock itself.
#[test]
fn a_lock_in_the_place_of_a_guard() {
    let lock = Lock::new();
    let seen =
        block_on(async { with_lock!(lock, { (lock as &LockGuard<'_>) as *const _ as usize }) });
    assert!(seen != 0 && lock.try_acquire().is_some());
}

/// A writer that stays on as a reader has told its news.
#[test]
fn a_change_by_a_writer_that_becomes_a_reader() {
    use async_monitor::{RwLock, RwLockWriteGuard};

    let lock = RwLock::new(0);
    let mut reader = Box::pin(async { with_lock!(read(lock), when = *lock == 1, { *lock }) });
    let mut writer = Box::pin(async { with_lock!(lock, when = *lock == 1, { *lock += 1 }) });
    assert!(reader.as_mut().now_or_never().is_none());
    assert!(writer.as_mut().now_or_never().is_none());
    let mut guard = lock.try_write().unwrap();
    *guard = 1;
    let guard = RwLockWriteGuard::downgrade(guard);
    assert_eq!(reader.as_mut().now_or_never(), Some(1));
    assert!(writer.as_mut().now_or_never().is_none());
    drop(guard);
    assert_eq!(writer.as_mut().now_or_never(), Some(()));
    assert_eq!(*lock.try_read().unwrap(), 2);
}
