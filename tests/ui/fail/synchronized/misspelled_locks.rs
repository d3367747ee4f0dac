use async_monitor::{Guarded, Lock, synchronized};

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
}

impl Account {
    #[synchronized(ledger())]
    async fn called(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(ledger.acquire())]
    async fn acquired(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(self.acquire_ledger().await)]
    async fn acquired_by_a_method(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(self.ledger.read())]
    async fn read(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(read(ledger, owner))]
    async fn read_both(&self) {
        *ledger.balance += 1;
    }

    #[synchronized("ledger")]
    async fn quoted(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(l = "ledger")]
    async fn bound_and_quoted(&self) {
        *l.balance += 1;
    }

    #[synchronized(mut ledger)]
    async fn mutable(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(ledger; owner)]
    async fn with_a_semicolon(&self) {}

    #[synchronized(ledger,, owner)]
    async fn with_two_commas(&self) {}

    #[synchronized((ledger, owner))]
    async fn in_parentheses(&self) {
        *ledger.balance += 1;
    }
}

struct Bank {
    inner: Account,
}

impl Bank {
    #[synchronized(inner.ledger)]
    async fn without_self(&self) {
        *ledger.balance += 1;
    }

    #[synchronized(inner)]
    async fn of_the_struct(&self) {
        *inner.balance += 1;
    }

    #[synchronized(self.inner.balance)]
    async fn of_the_field(&self) {
        *balance += 1;
    }

    #[synchronized(self.inner.ledger.balance)]
    async fn of_the_lock(&self) {
        *balance += 1;
    }

    #[synchronized("it's")]
    async fn no_name_in_quotes(&self) {}
}

fn main() {}
