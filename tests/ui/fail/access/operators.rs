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

fn operators(account: &Account) -> bool {
    account.balance += 1;
    let sum = account.balance + 1;
    let n: i64 = account.balance;
    println!("{}", account.balance);
    account.balance == 3
}

fn formatted(account: &Account) {
    println!("{} {:?}", *account.balance, *account.history);
}

async fn copied(account: &Account) -> i64 {
    let n = with_lock!(account.ledger, { account.balance });
    n
}

fn main() {}
