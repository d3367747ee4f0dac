//! Watching: whatever section holds a lock, and whatever form asks for it within, that panics at
//! once.

mod watched;

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_monitor::{
    Elapsed, Guarded, Lock, RwLock, monitor, sync, synchronized, watch, with_lock,
};
use futures::executor::block_on;
use futures::future;
use watched::{pause, poll, waiting};

const _: () = assert!(watch::IS_ON, "in a release build, add `--features watch`");

/// Far more than it takes, and less than it takes for anything else to be reported.
const AT_ONCE: Duration = Duration::from_secs(2);

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

/// What a section does while it holds its lock.
type Awaited = Pin<Box<dyn Future<Output = ()>>>;
type Awaits = fn(Arc<Account>) -> Awaited;
type Calls = fn(&Account);

/// What code ends with.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// A panic.
    Refused(String),
    Ends,
    Hangs,
}

/// What the code ends with. The thread of what hangs is left behind.
fn outcome(code: impl FnOnce(Arc<Account>) + Send + 'static) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let account = Arc::new(Account::default());
        let outcome = catch_unwind(AssertUnwindSafe(|| code(account)));
        let _ = sender.send(match outcome {
            Ok(()) => Outcome::Ends,
            Err(panic) => Outcome::Refused(*panic.downcast().expect("a message")),
        });
    });
    receiver.recv_timeout(AT_ONCE).unwrap_or(Outcome::Hangs)
}

/// The cells of a table that are not as they should be.
#[derive(Default)]
struct Table(Vec<String>);

impl Table {
    /// The code panics, as the lock is held.
    fn refuses(
        &mut self,
        cell: &str,
        lock: &str,
        code: impl FnOnce(Arc<Account>) + Send + 'static,
    ) {
        let outcome = outcome(code);
        let begins = |message: &str| {
            let of_it = message.starts_with(&format!("deadlock: `{lock}` is held by"));
            of_it || message.starts_with("deadlock: a lock of `sync` is held by this thread")
        };
        if !matches!(&outcome, Outcome::Refused(message) if begins(message)) {
            self.0.push(format!("{cell}: {outcome:?}"));
        }
    }

    #[track_caller]
    fn end(self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

/// Forms that ask for `ledger` and are awaited.
const AWAITS: [(&str, Awaits); 6] = [
    ("method", |account| {
        Box::pin(async move { account.deposit(1).await })
    }),
    ("condition", |account| {
        Box::pin(async move { account.withdraw().await })
    }),
    ("with_lock!", |account| {
        Box::pin(async move { with_lock!(account.ledger, { *ledger.balance += 1 }) })
    }),
    ("acquire_ledger", |account| {
        Box::pin(async move { drop(account.acquire_ledger().await) })
    }),
    ("acquire", |account| {
        Box::pin(async move { drop(account.ledger.acquire().await) })
    }),
    ("join!", |account| {
        Box::pin(async move {
            futures::join!(account.deposit(1), future::ready(()));
        })
    }),
];

/// Forms that ask for `ledger` and park.
const CALLS: [(&str, Calls); 5] = [
    ("blocking method", |account| {
        account.balance();
    }),
    ("blocking condition", |account| account.withdraw_blocking()),
    ("blocking with_lock!", |account| {
        with_lock!(account.ledger, blocking, { *ledger.balance += 1 })
    }),
    ("acquire_ledger_blocking", |account| {
        drop(account.acquire_ledger_blocking())
    }),
    ("acquire_blocking", |account| {
        drop(account.ledger.acquire_blocking())
    }),
];

/// Forms that ask for `state`, a sync lock.
const SHORT: [(&str, Calls); 4] = [
    ("method", |account| {
        account.is_open();
    }),
    ("with_lock!", |account| {
        with_lock!(account.state, blocking, { *state.open = true })
    }),
    ("acquire_state", |account| drop(account.acquire_state())),
    ("acquire", |account| drop(account.state.acquire())),
];

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) {
        *ledger.balance += amount;
    }

    #[synchronized(ledger, when = *ledger.balance > 0)]
    async fn withdraw(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(ledger, blocking)]
    fn balance(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(ledger, blocking, when = *ledger.balance > 0)]
    fn withdraw_blocking(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(state)]
    fn is_open(&self) -> bool {
        *state.open
    }

    // Sections of an async lock, which await.

    #[synchronized(ledger)]
    async fn awaits(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, when = *ledger.balance == 0)]
    async fn awaits_when(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, atomic)]
    async fn awaits_atomic(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger, timeout = Duration::from_secs(1))]
    async fn awaits_timeout(&self, ask: impl Future<Output = ()>) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask.await;
        Ok(())
    }

    #[synchronized(ledger, log)]
    async fn awaits_several(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask.await;
    }

    async fn awaits_block(&self, ask: impl Future<Output = ()>) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            ask.await;
        })
    }

    async fn awaits_block_in_section(&self, ask: impl Future<Output = ()>) {
        with_lock!(self.log, {
            log.lines.push(String::new());
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                ask.await;
            })
        })
    }

    // The same, which call.

    #[synchronized(ledger)]
    async fn calls(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, no_await)]
    async fn calls_no_await(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, when = *ledger.balance == 0)]
    async fn calls_when(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, atomic)]
    async fn calls_atomic(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, timeout = Duration::from_secs(1))]
    async fn calls_timeout(&self, ask: impl FnOnce()) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask();
        Ok(())
    }

    #[synchronized(ledger, log)]
    async fn calls_several(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask();
    }

    #[synchronized(ledger)]
    async fn calls_behind_an_await(&self, ask: impl FnOnce()) {
        future::ready(()).await;
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger)]
    async fn calls_behind_a_macro(&self, ask: impl FnOnce()) {
        assert_eq!(*ledger.balance, 0);
        ask();
    }

    async fn calls_block(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            ask();
        })
    }

    async fn calls_block_in_section(&self, ask: impl FnOnce()) {
        with_lock!(self.log, {
            log.lines.push(String::new());
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                ask();
            })
        })
    }

    async fn calls_behind_a_section(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            with_lock!(self.log, { log.lines.push(String::new()) });
            *ledger.balance += 1;
            ask();
        })
    }

    async fn parks_block_in_async(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            ask();
        })
    }

    // Plain ones.

    #[synchronized(ledger, blocking)]
    fn parks(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, when = *ledger.balance == 0)]
    fn parks_when(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, atomic)]
    fn parks_atomic(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        ask();
    }

    #[synchronized(ledger, blocking, timeout = Duration::from_secs(1))]
    fn parks_timeout(&self, ask: impl FnOnce()) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        ask();
        Ok(())
    }

    #[synchronized(ledger, log, blocking)]
    fn parks_several(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        log.lines.push(String::new());
        ask();
    }

    fn parks_block(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            ask();
        })
    }

    fn parks_block_when(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, when = *ledger.balance == 0, {
            *ledger.balance += 1;
            ask();
        })
    }

    fn parks_block_behind_a_macro(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, blocking, {
            assert_eq!(*ledger.balance, 0);
            ask();
        })
    }

    fn parks_block_in_a_block(&self, ask: impl FnOnce()) {
        with_lock!(self.log, blocking, {
            log.lines.push(String::new());
            with_lock!(self.ledger, blocking, {
                *ledger.balance += 1;
                ask();
            })
        })
    }

    #[synchronized(ledger, blocking)]
    fn parks_and_has_a_block(&self, ask: impl FnOnce()) {
        *ledger.balance += 1;
        with_lock!(self.log, blocking, {
            log.lines.push(String::new());
            ask();
        })
    }

    // Sections of a sync lock.

    #[synchronized(state)]
    fn short(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state)]
    async fn short_async(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state, no_await)]
    async fn short_no_await(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    #[synchronized(state)]
    async fn short_async_behind_a_macro(&self, ask: impl FnOnce()) {
        assert!(!*state.open);
        ask();
    }

    #[synchronized(ledger, state)]
    async fn short_and_async(&self, ask: impl FnOnce()) {
        *state.open = *ledger.balance == 0;
        ask();
    }

    #[synchronized(state, when = !*state.open)]
    async fn short_when(&self, ask: impl FnOnce()) {
        *state.open = true;
        ask();
    }

    fn short_block(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            *state.open = true;
            ask();
        })
    }

    fn short_block_behind_a_macro(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            assert!(!*state.open);
            ask();
        })
    }

    fn short_block_with_macros_within(&self, ask: impl FnOnce()) {
        with_lock!(self.state, blocking, {
            if !*state.open {
                let _ = format!("closed");
                ask();
            }
        })
    }

    async fn short_block_in_async(&self, ask: impl FnOnce()) {
        with_lock!(self.state, {
            *state.open = true;
            ask();
        })
    }

    async fn short_block_in_section(&self, ask: impl FnOnce()) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            with_lock!(self.state, {
                *state.open = true;
                ask();
            })
        })
    }

    fn short_by_hand(&self, ask: impl FnOnce()) {
        let guard = self.acquire_state();
        ask();
        drop(guard);
    }
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    async fn monitored(&self, ask: impl Future<Output = ()>) {
        *ledger.balance += 1;
        ask.await;
    }

    #[synchronized(ledger)]
    async fn nests_monitored(&self, ask: impl Future<Output = ()>) {
        ledger.monitored(ask).await;
    }
}

/// Hides an `.await` behind a name that is known of others.
macro_rules! info {
    ($future:expr) => {
        $future.await
    };
}

impl Account {
    #[synchronized(ledger)]
    async fn suspends_unseen(&self) {
        *ledger.balance += 1;
        info!(pause());
        *ledger.balance += 1;
        info!(pause());
        *ledger.balance += 1;
    }

    async fn block_that_suspends_unseen(&self) {
        with_lock!(self.ledger, {
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
        })
    }

    async fn parked_block_that_suspends_unseen(&self) {
        with_lock!(self.ledger, blocking, {
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
            info!(pause());
            *ledger.balance += 1;
        })
    }

    #[synchronized(ledger)]
    async fn awaits_between(&self) {
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
    }

    #[synchronized(ledger, atomic)]
    async fn is_rolled_back_between(&self) -> Result<(), Elapsed> {
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        pause().await;
        *ledger.balance += 1;
        Ok(())
    }

    #[synchronized(ledger)]
    async fn leaves_early(&self, how: u32) -> Option<i64> {
        *ledger.balance += 1;
        if how == 0 {
            return None;
        }
        assert_ne!(how, 1);
        let again = how.checked_sub(3)?;
        assert_ne!(again, 0);
        Some(*ledger.balance)
    }

    async fn block_that_leaves_early(&self, how: u32) -> Option<i64> {
        for _ in 0..2 {
            with_lock!(self.ledger, {
                *ledger.balance += 1;
                if how == 0 {
                    continue;
                }
                assert_ne!(how, 1);
                if how == 2 {
                    break;
                }
                Some(how).filter(|how| *how > 4)?;
            });
        }
        None
    }
}

/// Where the lock is held by a section that is suspended, or was dropped, it may be asked for.
#[test]
fn sections_that_suspend_are_not_around_what_comes_next() {
    macro_rules! sections {
        ($($section:ident)*) => {$(
            let account: &'static Account = Box::leak(Box::default());
            let mut section = waiting(account.$section());
            let mut deposit = waiting(account.deposit(1));
            // Another thread goes on with it, and leaves it suspended.
            let section = thread::spawn(move || {
                assert!(poll(&mut section).is_pending());
                drop(waiting(account.deposit(1)));
                section
            });
            let mut section = section.join().expect("no panic");
            drop(waiting(account.deposit(1)));
            assert!(poll(&mut section).is_ready());
            assert!(poll(&mut deposit).is_ready());
            // Dropped where it is suspended, by another thread.
            let section = waiting(account.$section());
            thread::spawn(move || drop(section)).join().expect("no panic");
            assert_eq!(account.balance(), if stringify!($section) == "is_rolled_back_between" { 4 } else { 5 });
            nothing_is_around(account);
        )*};
    }

    sections! {
        suspends_unseen block_that_suspends_unseen parked_block_that_suspends_unseen
        awaits_between is_rolled_back_between
    }
}

#[test]
fn sections_that_are_left_early_are_not_around_what_comes_next() {
    for how in 0..6 {
        let account = Account::default();
        let outcome = catch_unwind(AssertUnwindSafe(|| block_on(account.leaves_early(how))));
        assert_eq!(outcome.is_err(), how == 1 || how == 3);
        nothing_is_around(&account);
        let leaves = AssertUnwindSafe(|| block_on(account.block_that_leaves_early(how)));
        assert_eq!(catch_unwind(leaves).is_err(), how == 1);
        nothing_is_around(&account);
    }
}

/// Whoever waits on this thread is in no section of the account.
#[track_caller]
fn nothing_is_around(account: &Account) {
    let guard = account.try_acquire_ledger();
    assert!(guard.is_some());
    drop(waiting(account.deposit(1)));
    drop(guard);
}

/// A thread may wait for a sync lock that another one holds, and acquire it again and again.
#[test]
fn sync_locks_of_other_threads_are_waited_for() {
    let account: &'static Account = Box::leak(Box::default());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            thread::spawn(move || {
                for _ in 0..200 {
                    let mut guard = account.acquire_state();
                    *guard.fields().open ^= true;
                    thread::yield_now();
                    drop(guard);
                    account.short(|| thread::yield_now());
                    drop(account.try_acquire_state());
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

macro_rules! awaiting {
    ($table:ident, $($section:ident)*) => {
        $(for (form, ask) in AWAITS {
            let cell = format!("{} x {form}", stringify!($section));
            $table.refuses(&cell, "Account.ledger", move |account| {
                let _ = block_on(account.$section(ask(Arc::clone(&account))));
            });
        })*
    };
}

macro_rules! calling {
    ($table:ident, $forms:ident, $lock:literal, $($section:ident)*) => {
        $(for (form, ask) in $forms {
            let cell = format!("{} x {form}", stringify!($section));
            $table.refuses(&cell, $lock, move |account| {
                let _ = block_on(account.$section(|| ask(&account)));
            });
        })*
    };
}

macro_rules! plain {
    ($table:ident, $forms:ident, $lock:literal, $($section:ident)*) => {
        $(for (form, ask) in $forms {
            let cell = format!("{} x {form}", stringify!($section));
            $table.refuses(&cell, $lock, move |account| {
                let _ = account.$section(|| ask(&account));
            });
        })*
    };
}

#[test]
fn sections_that_await() {
    let mut table = Table::default();
    awaiting!(table,
        awaits awaits_when awaits_atomic awaits_timeout awaits_several awaits_block
        awaits_block_in_section monitored nests_monitored
    );
    table.end();
}

#[test]
fn async_sections_that_call() {
    let mut table = Table::default();
    calling!(table, CALLS, "Account.ledger",
        calls calls_no_await calls_when calls_atomic calls_timeout calls_several
        calls_behind_an_await calls_behind_a_macro
        calls_block calls_block_in_section calls_behind_a_section parks_block_in_async
    );
    table.end();
}

#[test]
fn plain_sections() {
    let mut table = Table::default();
    plain!(table, CALLS, "Account.ledger",
        parks parks_when parks_atomic parks_timeout parks_several
        parks_block parks_block_when parks_block_behind_a_macro parks_block_in_a_block
        parks_and_has_a_block
    );
    table.end();
}

#[test]
fn sections_of_sync_locks() {
    let mut table = Table::default();
    plain!(table, SHORT, "Account.state",
        short short_block short_block_behind_a_macro short_block_with_macros_within
        short_by_hand
    );
    let message = outcome(|account| {
        let guard = account.acquire_state();
        account.is_open();
        drop(guard);
    });
    let Outcome::Refused(message) = message else {
        panic!("{message:?}");
    };
    assert!(
        message.contains("is held by this thread, which acquired it at tests/watch_relocks.rs:"),
        "{message}"
    );
    calling!(table, SHORT, "Account.state",
        short_async short_no_await short_async_behind_a_macro short_and_async short_when
        short_block_in_async short_block_in_section
    );
    table.end();
}
