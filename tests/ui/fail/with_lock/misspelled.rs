use async_monitor::{Guarded, Lock, with_lock};

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

async fn struct_instead_of_lock(account: &Account) {
    with_lock!(account, {
        *account.balance += 1;
    });
}

async fn closure(account: &Account) {
    with_lock!(account.ledger, |ledger| {
        *ledger.balance += 1;
    });
}

async fn closure_without_parameters(account: &Account) {
    with_lock!(account.ledger, || *ledger.balance += 1);
}

async fn async_block(account: &Account) {
    with_lock!(account.ledger, async move {
        *ledger.balance += 1;
    });
}

async fn expression(account: &Account) {
    with_lock!(account.ledger, *ledger.balance += 1);
}

async fn without_comma(account: &Account) {
    with_lock!(account.ledger {
        *ledger.balance += 1;
    });
}

async fn with_an_arrow(account: &Account) {
    with_lock!(account.ledger => {
        *ledger.balance += 1;
    });
}

async fn with_let(account: &Account) {
    with_lock!(let l = account.ledger, {
        *l.balance += 1;
    });
}

async fn acquired_by_a_method(account: &Account) {
    with_lock!(account.acquire_ledger(), {
        *ledger.balance += 1;
    });
}

async fn acquired(account: &Account) {
    with_lock!(account.ledger.acquire().await, {
        *ledger.balance += 1;
    });
}

async fn bound_to_a_future(account: &Account) {
    with_lock!(l = account.acquire_ledger(), {
        *l.balance += 1;
    });
}

async fn guard(account: &Account) {
    let guard = account.acquire_ledger().await;
    with_lock!(guard, {
        *guard.balance += 1;
    });
}

fn main() {}
