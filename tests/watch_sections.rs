//! Watching: sections that ask for what they hold panic at once, and no other does.

mod watched;

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;

use async_monitor::{
    AsyncLock, Guarded, Lock, LockGuard, LockId, Mutex, RwLock, Semaphore, monitor, sync,
    synchronized, watch, with_lock,
};
use futures::executor::{LocalPool, block_on};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::task::LocalSpawnExt;
use futures::{FutureExt, future, join, select};
use watched::panic_of;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    log: RwLock<()>,
    #[guarded_by(log)]
    lines: Guarded<Vec<String>>,
    #[lock(sync)]
    state: sync::Lock,
    #[guarded_by(state)]
    open: Guarded<bool>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    async fn deposit_twice(&self, amount: i64) {
        *ledger.balance += amount;
        self.deposit(amount).await;
    }

    #[synchronized(ledger)]
    async fn acquires_by_name(&self) -> i64 {
        let guard = self.acquire_ledger().await;
        let _ = guard;
        *ledger.balance
    }

    #[synchronized(ledger)]
    async fn audit(&self, other: &Account) {
        other.deposit(*ledger.balance).await;
    }

    #[synchronized(read(log))]
    async fn lines(&self) -> usize {
        log.lines.len()
    }

    #[synchronized(read(log))]
    async fn reads_twice(&self) -> usize {
        log.lines.len() + self.lines().await
    }

    #[synchronized(log)]
    async fn write(&self) {
        log.lines.push(String::new());
    }

    #[synchronized(read(log))]
    async fn writes_while_it_reads(&self) {
        if log.lines.is_empty() {
            self.write().await;
        }
    }

    #[synchronized(state)]
    fn is_open(&self) -> bool {
        *state.open
    }

    #[synchronized(state)]
    fn asks_again(&self) -> bool {
        *state.open || self.is_open()
    }

    #[synchronized(ledger, blocking)]
    fn balance(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, blocking)]
    fn blocks_twice(&self) -> i64 {
        *ledger.balance + self.balance()
    }

    #[synchronized(ledger)]
    async fn awaits_a_variable(&self) {
        let deposit = self.deposit(*ledger.balance);
        deposit.await;
    }

    #[allow(clippy::needless_late_init)] // its type is not known at the declaration
    #[synchronized(ledger)]
    async fn awaits_what_is_known_later(&self) {
        let deposit;
        if *ledger.balance > 0 {
            deposit = self.deposit(1).boxed();
        } else {
            deposit = self.deposit(2).boxed();
        }
        deposit.await;
    }

    #[synchronized(ledger)]
    async fn awaits_in_an_argument(&self) -> String {
        format!("{} {:?}", *ledger.balance, self.deposit(1).await)
    }

    #[synchronized(ledger)]
    async fn awaits_in_an_assertion(&self) {
        assert!(self.is_rich().await, "not {}", *ledger.balance);
    }

    #[synchronized(ledger)]
    async fn is_rich(&self) -> bool {
        *ledger.balance > 10
    }

    #[synchronized(ledger)]
    async fn asserts(&self, other: &Account) {
        *ledger.balance += 1;
        assert!(other.is_rich().await);
    }

    #[synchronized(ledger, when = *ledger.balance > 0)]
    async fn withdraw(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(ledger)]
    async fn waits_within(&self) {
        *ledger.balance += 1;
        self.withdraw().await;
    }
}

/// The code panics, as `lock` is asked for by a section that holds it.
#[track_caller]
fn refused<R>(lock: &str, code: impl FnOnce() -> R) -> String {
    let message = panic_of(code);
    assert!(
        message.starts_with(&format!("deadlock: `{lock}` is held by the section")),
        "{message}"
    );
    message
}

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn variables_and_arguments_of_macros_are_awaited_within_the_section() {
    let account = Account::default();
    refused("Account.ledger", || block_on(account.awaits_a_variable()));
    refused("Account.ledger", || {
        block_on(account.awaits_what_is_known_later())
    });
    refused("Account.ledger", || {
        block_on(account.awaits_in_an_argument())
    });
    refused("Account.ledger", || {
        block_on(account.awaits_in_an_assertion())
    });
}

#[test]
fn an_assertion_shows_what_is_written() {
    let message = catch_unwind(AssertUnwindSafe(|| {
        block_on(Account::default().asserts(&Account::default()));
    }));
    let message = *message.unwrap_err().downcast::<&str>().expect("a message");
    assert_eq!(message, "assertion failed: other.is_rich().await");
}

#[test]
fn a_section_that_asks_for_its_own_lock_is_told() {
    let account = Account::default();
    let message = refused("Account.ledger", || block_on(account.deposit_twice(1)));
    assert!(
        message.contains("`deposit_twice` (tests/watch_sections.rs:"),
        "{message}"
    );
    assert!(
        message.contains("`deposit` (tests/watch_sections.rs:"),
        "{message}"
    );
    assert!(message.contains("`ledger.deposit(..)`"), "{message}");
    // All is released.
    block_on(account.deposit(1));
    assert_eq!(account.balance(), 2);
}

#[test]
fn whatever_form_asks() {
    let account = Arc::new(Account::default());
    refused("Account.ledger", || block_on(account.acquires_by_name()));
    refused("Account.ledger", || {
        block_on(async {
            with_lock!(account.ledger, {
                let other = Arc::clone(&account);
                let _ = *ledger.balance;
                with_lock!(other.ledger, { *ledger.balance })
            })
        })
    });
    refused("Account.ledger", || block_on(account.audit(&account)));
    refused("Account.ledger", || block_on(account.waits_within()));
    refused("Account.ledger", || account.blocks_twice());
    refused("Account.log", || block_on(account.writes_while_it_reads()));
    refused("Account.state", || account.asks_again());
    assert!(account.try_acquire_ledger().is_some());
}

/// The section would go on, were it not watched.
#[test]
fn what_would_be_given_up_is_refused_all_the_same() {
    let account = Account::default();
    refused("Account.ledger", || {
        block_on(async {
            with_lock!(account.ledger, {
                *ledger.balance += 1;
                assert!(account.try_acquire_ledger().is_none());
                future::select(pin!(account.deposit(1)), pin!(yields())).await;
            })
        })
    });
}

#[test]
fn primitives_are_asked_for_by_hand() {
    let mutex = Arc::new(Mutex::new(1));
    let message = refused("mutex", || {
        block_on(async {
            let again = Arc::clone(&mutex);
            with_lock!(mutex, {
                *mutex += 1;
                let _ = again.lock().await;
            })
        })
    });
    assert!(
        message.contains("a call at tests/watch_sections.rs:"),
        "{message}"
    );
    assert_eq!(*block_on(mutex.lock()), 2);
}

#[test]
fn other_instances_and_other_locks_are_not_refused() {
    let (one, two) = (Account::default(), Account::default());
    block_on(one.audit(&two));
    block_on(one.reads_twice());
    block_on(async {
        with_lock!(one.ledger, {
            *ledger.balance += 1;
            two.deposit(1).await;
            one.write().await;
            assert!(!one.is_open());
        })
    });
    block_on(async {
        with_lock!(from = one.ledger, to = two.ledger, {
            *from.balance = *to.balance
        })
    });
}

/// More than a section can keep account of.
#[test]
fn a_crowd_of_locks_is_not_refused() {
    let locks: Vec<Lock> = (0..34).map(|_| Lock::new()).collect();
    let held = locks[33].try_acquire();
    let mut section = pin!(async {
        with_lock!(
            a = locks[0],
            b = locks[1],
            c = locks[2],
            d = locks[3],
            e = locks[4],
            f = locks[5],
            g = locks[6],
            h = locks[7],
            i = locks[8],
            j = locks[9],
            k = locks[10],
            l = locks[11],
            m = locks[12],
            n = locks[13],
            o = locks[14],
            p = locks[15],
            q = locks[16],
            r = locks[17],
            s = locks[18],
            t = locks[19],
            u = locks[20],
            v = locks[21],
            w = locks[22],
            x = locks[23],
            y = locks[24],
            z = locks[25],
            a1 = locks[26],
            b1 = locks[27],
            c1 = locks[28],
            d1 = locks[29],
            e1 = locks[30],
            f1 = locks[31],
            g1 = locks[32],
            h1 = locks[33],
            {}
        )
    });
    assert!(poll(section.as_mut()).is_pending());
    drop(held);
    assert!(poll(section).is_ready());
}

#[test]
fn what_ends_before_does_not_count() {
    let account = Account::default();
    block_on(async {
        with_lock!(account.ledger, { *ledger.balance += 1 });
        account.deposit(1).await;
        let guard = account.acquire_ledger().await;
        drop(guard);
        account.deposit(1).await;
    });
    assert_eq!(account.balance(), 3);
}

#[test]
fn siblings_do_not_count() {
    let account = Account::default();
    block_on(async {
        let one = async {
            with_lock!(account.ledger, {
                *ledger.balance += 1;
                yields().await;
                *ledger.balance += 1;
            })
        };
        join!(one, account.deposit(1), account.deposit(1));
        select! {
            () = account.deposit(1).fuse() => {}
            () = account.deposit(1).fuse() => {}
        }
    });
    assert!(account.balance() >= 5);
}

#[test]
fn tasks_of_one_thread_do_not_count() {
    let account: &'static Account = Box::leak(Box::default());
    let mut pool = LocalPool::new();
    for _ in 0..3 {
        let task = async move {
            with_lock!(account.ledger, {
                *ledger.balance += 1;
                yields().await;
            })
        };
        pool.spawner().spawn_local(task).expect("it runs");
    }
    pool.run();
    assert_eq!(account.balance(), 3);
}

/// What is polled by something of its own in a section may wait for the section to end.
#[test]
fn what_has_a_waker_of_its_own_may_wait() {
    let account = Account::default();
    let mut background = FuturesUnordered::new();
    block_on(async {
        background.push(account.deposit(1));
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            assert!(
                future::poll_fn(|cx| Poll::Ready(background.poll_next_unpin(cx)))
                    .await
                    .is_pending()
            );
        });
        background.next().await;
    });
    assert_eq!(account.balance(), 2);
}

#[test]
fn a_wait_that_began_elsewhere_is_not_refused() {
    let account = Account::default();
    let guard = account.try_acquire_ledger().expect("it is free");
    let mut waiting = pin!(account.deposit(1));
    assert!(poll(waiting.as_mut()).is_pending());
    drop(guard);
    block_on(waiting);
    // A guard by hand belongs to no section.
    let guard = account.try_acquire_ledger().expect("it is free");
    let mut waiting = pin!(account.deposit(1));
    assert!(poll(waiting.as_mut()).is_pending());
    drop(guard);
}

#[test]
fn a_section_may_move_between_threads() {
    let account: &'static Account = Box::leak(Box::default());
    let mut section = Box::pin(async move {
        with_lock!(account.ledger, {
            *ledger.balance += 1;
            yields().await;
            yields().await;
        })
    });
    assert!(poll(section.as_mut()).is_pending());
    // It is not around what this thread does now.
    let mut waiting = pin!(account.deposit(1));
    assert!(poll(waiting.as_mut()).is_pending());
    let mut section = thread::spawn(move || {
        assert!(poll(section.as_mut()).is_pending());
        section
    })
    .join()
    .expect("no panic");
    assert!(poll(section.as_mut()).is_ready());
    assert!(poll(waiting.as_mut()).is_ready());
}

#[test]
fn permits_and_readers_are_not_refused() {
    let semaphore = Semaphore::new(2);
    let one_more = async || drop(semaphore.acquire().await);
    block_on(async {
        with_lock!(semaphore, {
            one_more().await;
            let _: &_ = semaphore;
            yields().await;
        });
    });
}

/// A lock of a user's own: what it acquires is not known.
struct Pair {
    left: Lock,
    right: Lock,
}

impl AsyncLock for Pair {
    type Guard<'a> = LockGuard<'a>;
    type Error = Infallible;

    async fn acquire(&self) -> Result<LockGuard<'_>, Infallible> {
        Ok(self.right.acquire().await)
    }

    fn try_acquire(&self) -> Option<LockGuard<'_>> {
        self.right.try_acquire()
    }

    fn id(&self) -> LockId {
        self.left.id()
    }
}

#[test]
fn the_id_of_a_users_lock_proves_nothing() {
    let pair = Pair {
        left: Lock::new(),
        right: Lock::new(),
    };
    let held = pair.left.try_acquire();
    let mut section = pin!(async {
        with_lock!(pair, {
            let _: &_ = pair;
            left(&HELD).await;
        })
    });
    let _ = poll(section.as_mut());
    drop(held);

    static HELD: Lock = Lock::new();

    async fn left(lock: &Lock) {
        drop(lock.acquire().await);
    }
}

/// Closures and other threads do not belong to the section in which they are written.
#[test]
fn closures_are_not_part_of_the_section() {
    let account = Account::default();
    block_on(async {
        with_lock!(account.log, {
            log.lines.push(String::new());
            let deposit = || with_lock!(account.ledger, blocking, { *ledger.balance += 1 });
            thread::scope(|scope| {
                scope.spawn(deposit);
                scope.spawn(deposit);
            });
            each(|| with_lock!(account.ledger, blocking, { *ledger.balance += 1 })).await;
            let later = async |first: i64, second: i64| {
                account.deposit(first).await;
                account.deposit(second).await;
            };
            later(1, 2).await;
        })
    });
    assert_eq!(account.balance(), 9);

    async fn each(mut call: impl FnMut()) {
        for _ in 0..4 {
            call();
            yields().await;
        }
    }
}

/// A macro of a known name may hide an `.await`.
#[test]
fn a_body_that_suspends_unseen_is_left_alone() {
    macro_rules! info {
        ($future:expr) => {
            $future.await
        };
    }

    let (one, two) = (Account::default(), Account::default());
    let section = |account: &'static Account| async move {
        with_lock!(account.ledger, no_await, { info!(yields()) });
        with_lock!(account.ledger, { info!(yields()) })
    };
    let (one, two): (&'static Account, &'static Account) = (leak(one), leak(two));
    let (mut first, mut second) = (Box::pin(section(one)), Box::pin(section(two)));
    assert!(poll(first.as_mut()).is_pending());
    assert!(poll(second.as_mut()).is_pending());
    drop(first);
    drop(second);
    // Nothing is left on the list of this thread.
    let held = one.try_acquire_ledger();
    let mut waiting = pin!(one.deposit(1));
    assert!(poll(waiting.as_mut()).is_pending());
    drop(held);
    assert!(poll(waiting).is_ready());
}

fn leak(account: Account) -> &'static Account {
    Box::leak(Box::new(account))
}

struct Teller {
    account: Account,
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn add(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger)]
    async fn add_twice(&self, amount: i64) {
        ledger.add(amount).await;
        ledger.add(amount).await;
    }
}

impl Teller {
    async fn work(&self) {
        self.account.add_twice(1).await;
    }
}

#[test]
fn methods_of_a_view_ask_for_nothing() {
    let teller = Teller {
        account: Account::default(),
    };
    block_on(teller.work());
    assert_eq!(teller.account.balance(), 2);
}

const _: () = assert!(watch::IS_ON, "in a release build, add `--features watch`");

async fn yields() {
    let mut polled = false;
    future::poll_fn(|cx| {
        if std::mem::replace(&mut polled, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
