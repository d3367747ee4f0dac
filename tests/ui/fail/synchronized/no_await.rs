use async_monitor::{Guarded, Lock, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    owner: Lock,
}

async fn fetch() -> i64 {
    1
}

macro_rules! hidden {
    ($future:ident) => {
        $future().await
    };
}

impl Account {
    #[synchronized(ledger, no_await)]
    async fn suspends(&self) {
        *ledger.balance += fetch().await;
    }

    #[synchronized(ledger, no_await)]
    async fn suspends_in_a_macro(&self) {
        assert_eq!(*ledger.balance, fetch().await);
    }

    #[synchronized(ledger, no_await)]
    async fn suspends_where_nobody_sees_it(&self) {
        *ledger.balance += hidden!(fetch);
    }

    #[synchronized(ledger, no_await)]
    async fn waits_for_another_lock(&self) {
        with_lock!(self.owner, {
            *ledger.balance += 1;
        });
    }
}

async fn block(account: &Account) {
    with_lock!(account.ledger, no_await, {
        *ledger.balance += fetch().await;
    });
}

fn main() {}
