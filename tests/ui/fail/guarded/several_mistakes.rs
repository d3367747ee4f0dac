use async_monitor::{Guarded, Lock};

/// All of them are reported at once, and what is right still works.
#[derive(Guarded)]
struct Account<'d, T: Clone>
where
    T: 'd,
{
    ledger: Lock,
    #[guarded_by(leger)]
    balance: Guarded<&'d T>,
    #[guarded_by(ledger)]
    history: Vec<i64>,
    #[guarded_by(ledger)]
    right: Guarded<u8>,
    #[lock(mutex)]
    owner: Lock,
}

fn right(account: &mut Account<'_, u8>) -> u8 {
    let right = *account.acquire_ledger_blocking().fields().right;
    right + *account.ledger_mut().right
}

fn main() {}
