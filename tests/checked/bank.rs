//! The bank, in every schedule and with every cancel.

use std::sync::Arc;

use async_monitor::check::Check;

use super::{Account, transfer};

#[test]
fn no_money_is_lost() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = Arc::new(["Ada", "Tony"].map(|owner| Account::new(owner, 10)));
        for (name, from, to) in [("there", 0, 1), ("back", 1, 0)] {
            let bank = Arc::clone(&bank);
            run.spawn(name, async move {
                let _ = transfer(&bank[from], &bank[to], 7).await;
            });
        }
        let other = Arc::clone(&bank);
        run.spawn("auditor", async move {
            for account in &*other {
                account.statement().await;
            }
        });
        run.finally(move || {
            let balance = |account: &Account| {
                let mut guard = account.try_acquire_ledger().expect("nobody has it");
                *guard.fields().balance
            };
            assert_eq!(
                balance(&bank[0]) + balance(&bank[1]),
                20,
                "money was lost or made"
            );
        });
    });
    assert!(outcome.is_proof());
}
