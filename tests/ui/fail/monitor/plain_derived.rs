// A struct with a derive needs no `plain`, which would hide what the derive knows.
use async_monitor::{Guarded, Lock, monitor, synchronized};

#[derive(Guarded)]
pub struct Account<T: Clone> {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<T>,
}

#[monitor(plain)]
impl<T: Clone> Account<T> {
    #[synchronized(ledger)]
    pub async fn balance(&self) -> T {
        ledger.balance.clone()
    }
}

fn main() {}
