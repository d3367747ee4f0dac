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
    #[synchronized(ledger, timout = std::time::Duration::ZERO)]
    async fn one_letter(&self) {}

    #[synchronized(ledger, Timeout = 3)]
    async fn a_capital(&self) {}

    #[synchronized(ledger, wehn = *ledger.balance > 3)]
    async fn two_letters(&self) {}

    #[synchronized(ledger, noawait)]
    async fn no_underscore(&self) {}

    #[synchronized(ledger, nowait)]
    async fn nearly(&self) {}

    #[synchronized(ledger, atomics)]
    async fn plural(&self) {}

    #[synchronized(ledger, krate = ::async_monitor)]
    async fn as_elsewhere(&self) {}

    #[synchronized(ledger, no_await = true)]
    async fn with_a_value(&self) {}

    #[synchronized(ledger, when)]
    async fn without_a_value(&self) {}

    #[synchronized(ledger, when(*ledger.balance > 3))]
    async fn as_a_call(&self) {}

    #[synchronized(ledger, when: *ledger.balance > 3)]
    async fn with_a_colon(&self) {}

    #[synchronized(ledger, when *ledger.balance > 3)]
    async fn with_nothing(&self) {}

    #[synchronized(ledger, crate = "async_monitor")]
    async fn quoted(&self) {}

    #[synchronized(ledger, until = ledger.is_open)]
    async fn by_another_name(&self) {}
}

fn main() {}
