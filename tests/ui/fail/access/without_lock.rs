use async_monitor::{Guarded, Lock};

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

fn read(account: &Account) -> i64 {
    *account.balance
}

fn write(account: &Account) {
    account.balance = Guarded::new(1);
}

fn method(account: &Account) -> usize {
    account.history.len()
}

fn methods(account: &Account) {
    account.history.push(1);
    for amount in account.history.iter() {
        println!("{amount}");
    }
    let balance: i64 = account.balance.clone();
    account.history.insert(0, balance);
    account.name.make_ascii_lowercase();
}

fn mutable(account: &Account) {
    account.balance.get_mut();
}

fn number(account: &Account) -> i64 {
    account.balance.abs()
}

fn number_and_another(account: &Account) -> Option<i64> {
    account.balance.checked_add(1)
}

fn main() {}
