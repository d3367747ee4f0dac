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
    #[synchronized(pick(0))]
    async fn call(&self) {}

    #[synchronized(self.locks()[0])]
    async fn index(&self) {}

    #[synchronized(self)]
    async fn receiver(&self) {}
}

struct Tuple(Lock);

impl Tuple {
    #[synchronized(self.0)]
    async fn tuple(&self) {}
}

static SUPER: Lock = Lock::new();

#[synchronized(crate::SUPER)]
async fn keyword() {}

fn main() {}
