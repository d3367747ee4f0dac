//! Watching: for every kind of section, and every form of request for its lock within it, the
//! request panics at once.

mod account;
mod forms;
mod suspended;
#[path = "../watched/mod.rs"]
mod watched;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_monitor::{AsyncLock, watch, with_lock};
use futures::executor::block_on;

use self::account::Account;
use self::forms::{AWAITS, CALLS, PARKED_READS, PARKED_WRITES, READS, SHORT, WRITES};

const _: () = assert!(watch::IS_ON, "in a release build, add `--features watch`");

/// Far more than it takes, and less than it takes for anything else to be reported.
const AT_ONCE: Duration = Duration::from_secs(2);

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

    /// The code ends.
    fn allows(&mut self, cell: &str, code: impl FnOnce(Arc<Account>) + Send + 'static) {
        let outcome = outcome(code);
        if outcome != Outcome::Ends {
            self.0.push(format!("{cell}: {outcome:?}"));
        }
    }

    #[track_caller]
    fn end(self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
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
        awaits_block_in_section monitored nests_monitored is_helped
    );
    table.end();
}

#[cfg_attr(not(debug_assertions), ignore = "less is on the list there")]
#[test]
fn readers_and_writers() {
    let mut table = Table::default();
    for (form, ask) in READS {
        table.allows(&format!("reads x {form}"), move |account| {
            block_on(account.reads(ask(Arc::clone(&account))));
        });
    }
    for (form, ask) in PARKED_READS {
        table.allows(&format!("reads and calls x {form}"), move |account| {
            block_on(account.reads_and_calls(|| ask(&account)));
            account.reads_and_parks(|| ask(&account));
        });
    }
    for (form, ask) in WRITES {
        table.refuses(&format!("reads x {form}"), "Account.log", move |account| {
            block_on(account.reads(ask(Arc::clone(&account))));
        });
    }
    for (form, ask) in READS.into_iter().chain(WRITES) {
        table.refuses(&format!("writes x {form}"), "Account.log", move |account| {
            block_on(account.writes(ask(Arc::clone(&account))));
        });
    }
    calling!(table, PARKED_WRITES, "Account.log", reads_and_calls writes_and_calls);
    calling!(table, PARKED_READS, "Account.log", writes_and_calls);
    plain!(table, PARKED_WRITES, "Account.log", reads_and_parks writes_and_parks);
    plain!(table, PARKED_READS, "Account.log", writes_and_parks);
    table.end();
}

/// Where a section acquires the lock of another crate, or somebody does by the trait.
#[cfg_attr(not(debug_assertions), ignore = "less is on the list there")]
#[test]
fn locks_of_other_crates() {
    macro_rules! adapters {
        ($table:ident, $($mutex:ty)*) => {$(
            let cell = |form: &str| format!("{} x {form}", stringify!($mutex));
            $table.refuses(&cell("with_lock!"), "mutex", |_| block_on(async {
                let mutex = Arc::new(<$mutex>::new(0));
                let again = Arc::clone(&mutex);
                with_lock!(mutex, {
                    *mutex += 1;
                    with_lock!(again, { *again += 1 });
                })
            }));
            $table.refuses(&cell("with_lock! that parks"), "mutex", |_| {
                let mutex = Arc::new(<$mutex>::new(0));
                let again = Arc::clone(&mutex);
                with_lock!(mutex, blocking, {
                    *mutex += 1;
                    let twice = || with_lock!(again, blocking, { *again += 1 });
                    twice();
                })
            });
            $table.refuses(&cell("acquire"), "mutex", |_| block_on(async {
                let mutex = Arc::new(<$mutex>::new(0));
                let again = Arc::clone(&mutex);
                with_lock!(mutex, {
                    *mutex += 1;
                    drop(AsyncLock::acquire(&*again).await);
                })
            }));
        )*};
    }

    let mut table = Table::default();
    adapters!(table, tokio::sync::Mutex<u32> async_lock::Mutex<u32> futures::lock::Mutex<u32>);
    table.end();
}

#[cfg_attr(not(debug_assertions), ignore = "less is on the list there")]
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

#[cfg_attr(not(debug_assertions), ignore = "less is on the list there")]
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

#[cfg_attr(not(debug_assertions), ignore = "less is on the list there")]
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
        message
            .contains("is held by this thread, which acquired it at tests/watch_relocks/main.rs:"),
        "{message}"
    );
    calling!(table, SHORT, "Account.state",
        short_async short_no_await short_async_behind_a_macro short_and_async short_when
        short_block_in_async short_block_in_section
    );
    table.end();
}
