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

fn opened<'a>(guard: AccountLedgerGuard<'a>) -> AccountLedgerGuard<'a> {
    let async_monitor::__private::Core { guard, .. } = guard.0;
    AccountLedgerGuard(
        async_monitor::__private::Core {
            guard,
            _owner: std::marker::PhantomData::<&'a Account>,
        },
        std::marker::PhantomData,
    )
}

fn main() {}
