//! The bank, in every schedule and with every cancel.

use std::sync::Arc;

use async_monitor::check::Check;

use super::{Account, Refused, transfer};

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

/// In a circle, and more than there is: nobody owes anything.
#[test]
fn nobody_owes_anything() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = Arc::new(["Ada", "Tony", "Grace"].map(|owner| Account::new(owner, 10)));
        for (name, from, to, amount) in [
            ("a to b", 0, 1, 7),
            ("b to c", 1, 2, 12),
            ("c to a", 2, 0, 8),
        ] {
            let bank = Arc::clone(&bank);
            run.spawn(name, async move {
                let result = transfer(&bank[from], &bank[to], amount).await;
                assert!(!matches!(result, Err(Refused::SameAccount)));
            });
        }
        run.finally(move || {
            let mut total = 0;
            for account in &*bank {
                let mut guard = account.try_acquire_ledger().expect("nobody has it");
                let balance = *guard.fields().balance;
                assert!(balance >= 0, "{} owes {balance}", account.owner);
                total += balance;
            }
            assert_eq!(total, 30, "money was lost or made");
        });
    });
    assert!(outcome.is_proof());
}

/// A balance and the number of transfers are of the same moment.
#[test]
fn a_statement_is_of_one_moment() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = Arc::new(["Ada", "Tony"].map(|owner| Account::new(owner, 10)));
        for (name, from) in [("there", 0), ("back", 1)] {
            let bank = Arc::clone(&bank);
            run.spawn(name, async move {
                let _ = transfer(&bank[from], &bank[1 - from], 1).await;
            });
        }
        run.spawn("auditor", async move {
            let statement = bank[0].statement().await;
            let is_possible = matches!(statement, (10, 0 | 2) | (9 | 11, 1));
            assert!(is_possible, "{statement:?}");
        });
    });
    assert!(outcome.is_proof());
}
