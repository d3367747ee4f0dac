//! The macros cost nothing, compared with the same code written by hand. Here,
//! the sizes of futures; `.ci/instructions` counts instructions.

use async_monitor::{Guarded, Lock, Mutex, RwLock, sync, synchronized, with_lock};

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

    #[synchronized(read(cfg))]
    async fn limit(&self) -> i64 {
        *cfg.limit
    }

    async fn limit_by_hand(&self) -> i64 {
        *self.read_cfg().await.fields().limit
    }

    #[synchronized(read(ledger))]
    async fn balance(&self) -> i64 {
        turn().await;
        *ledger.balance
    }

    async fn balance_by_hand(&self) -> i64 {
        let mut guard = self.acquire_ledger().await;
        let ledger = &guard.fields();
        turn().await;
        *ledger.balance
    }

    #[synchronized(read(notes))]
    async fn notes(&self) -> i64 {
        *notes
    }

    async fn notes_by_hand(&self) -> i64 {
        *self.notes.lock().await
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
}

/// A section of a sync lock by hand, after a step that could wait.
async fn short_by_hand(value: &sync::Mutex<i64>, amount: i64) -> i64 {
    std::future::ready(value).await;
    let mut value = value.lock();
    *value += amount;
    *value
}

#[synchronized(value)]
async fn short(value: &sync::Mutex<i64>, amount: i64) -> i64 {
    *value += amount;
    *value
}

async fn turn() {}

async fn block(account: &Account, amount: i64) -> i64 {
    with_lock!(account.ledger, {
        *ledger.balance += amount;
        *ledger.balance
    })
}

async fn block_by_hand(account: &Account, amount: i64) -> i64 {
    let mut guard = account.acquire_ledger().await;
    let ledger = guard.fields();
    *ledger.balance += amount;
    *ledger.balance
}

#[cfg_attr(debug_assertions, ignore = "what is watched is larger")]
#[test]
fn a_future_of_the_notation_is_no_larger_than_one_by_hand() {
    let account = Account::default();
    let sizes = [
        (
            "a lock of a derive",
            size_of_val(&account.deposit(1)),
            size_of_val(&account.deposit_by_hand(1)),
        ),
        (
            "to read",
            size_of_val(&account.limit()),
            size_of_val(&account.limit_by_hand()),
        ),
        (
            "to read for itself alone",
            size_of_val(&account.balance()),
            size_of_val(&account.balance_by_hand()),
        ),
        (
            "to read a mutex",
            size_of_val(&account.notes()),
            size_of_val(&account.notes_by_hand()),
        ),
        (
            "a mutex",
            size_of_val(&account.note(1)),
            size_of_val(&account.note_by_hand(1)),
        ),
        (
            "a sync lock",
            size_of_val(&short(&account.short, 1)),
            size_of_val(&short_by_hand(&account.short, 1)),
        ),
        (
            "a block",
            size_of_val(&block(&account, 1)),
            // A block does not know that `account` is a reference, and borrows the
            // local; by hand the reference is copied.
            size_of_val(&block_by_hand(&account, 1)) + size_of::<&Account>(),
        ),
    ];
    for (what, notation, by_hand) in sizes {
        assert!(
            notation <= by_hand,
            "{what}: {notation} bytes, by hand {by_hand}"
        );
    }
}
