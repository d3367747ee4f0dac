use async_monitor::__private::GuardOf;
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

fn forged<'a>(
    account: &'a Account,
    guard: GuardOf<'a, Account, __AccountLedger>,
) -> AccountLedgerGuard<'a> {
    AccountLedgerGuard(
        async_monitor::__private::Core::new(account, guard),
        std::marker::PhantomData,
    )
}

fn made_up<'a>(account: &'a Account, balance: &'a mut i64, history: &'a mut Vec<i64>) {
    AccountLedgerHeld {
        balance,
        history,
        __owner: async_monitor::__private::Owner::new(account),
    };
}

fn main() {}
