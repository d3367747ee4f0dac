use async_monitor::{Guarded, Lock, synchronized, with_lock};

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
    #[synchronized(ledger, when = |ledger| *ledger.balance > 0)]
    async fn closure(&self) {
        *ledger.balance -= 1;
    }

    #[synchronized(ledger, when = *ledger.balance = 3)]
    async fn assignment(&self) {}

    #[synchronized(ledger, when = _amount = 3)]
    async fn assignment_of_a_parameter(&self, _amount: i64) {}

    #[synchronized(ledger, when = *balance > 0)]
    async fn without_the_name_of_the_lock(&self) {}

    #[synchronized(ledger, when = ledger.history.first())]
    async fn option(&self) {}
}

async fn block(account: &Account) {
    with_lock!(account.ledger, when = async { true }, {});
}

fn main() {}
