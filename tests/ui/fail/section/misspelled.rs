// The name of a lock is misspelled: that is said once, where it is written.
use async_monitor::{Guarded, Lock, Mutex, RwLock, holding, monitor, sync, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[guarded_by(ledger)]
    history: Guarded<Vec<i64>>,
    #[lock]
    owner: Lock,
    #[guarded_by(owner)]
    name: Guarded<String>,
    count: sync::Mutex<u32>,
    items: RwLock<Vec<u32>>,
}

static TOTAL: Mutex<i64> = Mutex::new(0);

fn log(_: &mut AccountLedgerHeld<'_>, _: i64) {}

impl Account {
    #[synchronized(legder)]
    async fn method(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        log(ledger, 1);
        println!("{}", ledger.balance);
        ledger.history.push(amount);
        *ledger.balance
    }

    #[synchronized(legder, owner)]
    async fn two_locks(&self, amount: i64) {
        *ledger.balance += amount;
        owner.name.clear();
    }

    #[synchronized(legder, when = *ledger.balance > 0)]
    async fn condition(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(legder, when = *ledger.balance > 0)]
    async fn condition_alone(&self) {}

    #[synchronized(legder, atomic)]
    async fn atomic(&self) -> Result<(), ()> {
        *ledger.balance -= 1;
        Err(())
    }

    #[synchronized(read(legder))]
    async fn read(&self) -> i64 {
        *ledger.balance
    }

    #[synchronized(coutn)]
    fn plain(&self) -> u32 {
        *count += 1;
        *count
    }

    #[synchronized(item)]
    async fn plural(&self) -> u32 {
        items.push(1);
        items[0]
    }
}

#[monitor]
impl Account {
    #[synchronized(legder)]
    async fn under_monitor(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }

    #[holding(legder)]
    fn under_holding(&self) {
        *ledger.balance += 1;
    }
}

struct Bank {
    inner: Account,
}

impl Bank {
    #[synchronized(self.inner.legder)]
    async fn path(&self) {
        *ledger.balance += 1;
    }
}

#[synchronized(TOTL)]
async fn in_capitals() {
    *total += 1;
}

// In a block, what the compiler says of the body comes first, and does not propose the name
// that is wrong.
async fn block(account: &Account) {
    with_lock!(account.legder, {
        *ledger.balance += 1;
    });
}

// The lock is right, and the body is not.
impl Account {
    #[synchronized(ledger)]
    async fn body(&self, amount: i64) -> i64 {
        *legder.balance += amount;
        *legder.balance
    }

    #[synchronized(read(ledger), owner)]
    async fn body_reads(&self) -> i64 {
        owner.name.clear();
        *legder.balance
    }

    #[synchronized(ledger)]
    async fn once_in_the_body(&self, amount: i64) -> i64 {
        *legder.balance += amount;
        *ledger.balance
    }
}

fn main() {}
