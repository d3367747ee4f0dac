//! The macros beside the same thing written by hand.

use std::future::Future;
use std::hint::black_box;
use std::task::{Context, Waker};

use async_monitor::{Guarded, Lock, LockId, Mutex, RwLock, sync, synchronized, with_lock};

use super::*;
use crate::tasks::ready;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    notes: Mutex<i64>,
    more: Mutex<i64>,
    short: sync::Mutex<i64>,
}

impl Account {
    #[synchronized(ledger)]
    async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }

    async fn deposit_by_hand(&self, amount: i64) -> i64 {
        let mut guard = self.acquire_ledger().await;
        let ledger = guard.fields();
        *ledger.balance += amount;
        *ledger.balance
    }

    async fn deposit_block(&self, amount: i64) -> i64 {
        with_lock!(self.ledger, {
            *ledger.balance += amount;
            *ledger.balance
        })
    }

    #[synchronized(read(cfg))]
    async fn limit(&self) -> i64 {
        *cfg.limit
    }

    async fn limit_by_hand(&self) -> i64 {
        *self.read_cfg().await.fields().limit
    }

    #[synchronized(notes)]
    async fn note(&self, amount: i64) -> i64 {
        *notes += amount;
        *notes
    }

    async fn note_by_hand(&self, amount: i64) -> i64 {
        let mut notes = self.notes.lock().await;
        *notes += amount;
        *notes
    }

    #[synchronized(notes)]
    async fn note_and_yield(&self, amount: i64) -> i64 {
        *notes += amount;
        turn().await;
        *notes
    }

    async fn note_and_yield_by_hand(&self, amount: i64) -> i64 {
        let mut notes = self.notes.lock().await;
        *notes += amount;
        turn().await;
        *notes
    }

    #[synchronized(notes, more)]
    async fn two(&self, amount: i64) -> i64 {
        *notes += amount;
        *more += *notes;
        *more
    }

    async fn two_by_hand(&self, amount: i64) -> i64 {
        let (mut notes, mut more);
        if LockId::of(&self.notes) < LockId::of(&self.more) {
            notes = self.notes.lock().await;
            more = self.more.lock().await;
        } else {
            more = self.more.lock().await;
            notes = self.notes.lock().await;
        }
        *notes += amount;
        *more += *notes;
        *more
    }

    #[synchronized(notes, blocking)]
    fn note_blocking(&self, amount: i64) -> i64 {
        *notes += amount;
        *notes
    }

    fn note_blocking_by_hand(&self, amount: i64) -> i64 {
        let mut notes = self.notes.lock_blocking();
        *notes += amount;
        *notes
    }

    #[synchronized(short)]
    fn short(&self, amount: i64) -> i64 {
        *short += amount;
        *short
    }

    fn short_by_hand(&self, amount: i64) -> i64 {
        let mut short = self.short.lock();
        *short += amount;
        *short
    }
}

/// An `.await` that is ready.
async fn turn() {}

/// A section of an account that nobody else has.
fn plain_row(name: &'static str, section: impl Fn(&'static Account) -> i64 + 'static) -> Row {
    let account: &Account = leak(Account::default());
    Row::repeat(name, move || {
        black_box(section(black_box(account)));
    })
}

/// A section of an account that nobody else has.
fn row<F: Future + 'static>(
    name: &'static str,
    section: impl Fn(&'static Account) -> F + 'static,
) -> Row {
    let account: &Account = leak(Account::default());
    let mut cx = Context::from_waker(Waker::noop());
    Row::repeat(name, move || {
        black_box(ready(section(black_box(account)), &mut cx));
    })
}

pub(super) fn workloads() -> Vec<Workload> {
    let workload = |name: &str, rows| Workload {
        name: format!("Section, {name}"),
        clock: Clock::Thread,
        limit: "acquire and drop by hand",
        // No more instructions, as counting them shows. Their time repeats within
        // two percent.
        target: Some(1.02),
        rows,
    };
    vec![
        workload(
            "#[synchronized], a lock of a derive",
            vec![
                row(OURS, |account| account.deposit(1)),
                row(LIMIT, |account| account.deposit_by_hand(1)),
            ],
        ),
        workload(
            "with_lock!, a lock of a derive",
            vec![
                row(OURS, |account| account.deposit_block(1)),
                row(LIMIT, |account| account.deposit_by_hand(1)),
            ],
        ),
        workload(
            "#[synchronized], to read",
            vec![
                row(OURS, |account| account.limit()),
                row(LIMIT, |account| account.limit_by_hand()),
            ],
        ),
        workload(
            "#[synchronized], a mutex",
            vec![
                row(OURS, |account| account.note(1)),
                row(LIMIT, |account| account.note_by_hand(1)),
            ],
        ),
        workload(
            "#[synchronized], a mutex, an await in the body",
            vec![
                row(OURS, |account| account.note_and_yield(1)),
                row(LIMIT, |account| account.note_and_yield_by_hand(1)),
            ],
        ),
        workload(
            "#[synchronized], two mutexes",
            vec![
                row(OURS, |account| account.two(1)),
                row(LIMIT, |account| account.two_by_hand(1)),
            ],
        ),
        workload(
            "#[synchronized], a mutex, blocking",
            vec![
                plain_row(OURS, |account| account.note_blocking(1)),
                plain_row(LIMIT, |account| account.note_blocking_by_hand(1)),
            ],
        ),
        workload(
            "#[synchronized], sync::Mutex",
            vec![
                plain_row(OURS, |account| account.short(1)),
                plain_row(LIMIT, |account| account.short_by_hand(1)),
            ],
        ),
    ]
}
