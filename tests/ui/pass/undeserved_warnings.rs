//! Nothing here deserves a warning.
#![deny(warnings, unfulfilled_lint_expectations)]

use async_monitor::{Guarded, Lock, Mutex, monitor, synchronized};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<u8>,
    #[lock]
    count: Mutex<u8>,
}

#[monitor]
impl Account {
    /// Needs the exclusion of a lock, and nothing of what it guards.
    #[synchronized(ledger, count, atomic)]
    pub async fn both(&self) -> u8 {
        *count.value
    }

    #[synchronized(ledger)]
    pub async fn hinted(&self, #[expect(unused_variables)] hint: u8) -> u8 {
        *ledger.balance
    }
}

fn main() {}
