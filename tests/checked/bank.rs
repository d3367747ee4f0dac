//! The bank, in every schedule and with every cancel.

use std::sync::Arc;

use async_monitor::check::{Check, Run};

use super::{Account, Refused, transfer};

/// Accounts with 10 each, which a table calls by their owners.
fn bank<const N: usize>(run: &mut Run, owners: [&'static str; N]) -> Arc<[Account; N]> {
    let bank = Arc::new(owners.map(|owner| Account::new(owner, 10)));
    for account in &*bank {
        run.name(account.owner, account);
    }
    bank
}

/// The balance in the end.
fn balance(account: &Account) -> i64 {
    let mut guard = account.try_acquire_ledger().expect("nobody has it");
    *guard.fields().balance
}

#[test]
fn no_money_is_lost() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = bank(run, ["Ada", "Tony"]);
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
            assert_eq!(
                balance(&bank[0]) + balance(&bank[1]),
                20,
                "money was lost or made"
            );
        });
    });
    assert!(outcome.is_proof());
}

/// In a cycle, and more than there is: nobody owes anything.
#[test]
fn nobody_owes_anything() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = bank(run, ["Ada", "Tony", "Grace"]);
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
                let balance = balance(account);
                assert!(balance >= 0, "{} owes {balance}", account.owner);
                total += balance;
            }
            assert_eq!(total, 30, "money was lost or made");
        });
    });
    assert!(outcome.is_proof());
}

/// Two transfers from one account, which has enough for one of them.
#[test]
fn two_customers_of_one_account() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = bank(run, ["Ada", "Tony", "Grace"]);
        for (name, to) in [("to Tony", 1), ("to Grace", 2)] {
            let bank = Arc::clone(&bank);
            run.spawn(name, async move {
                let _ = transfer(&bank[0], &bank[to], 7).await;
            });
        }
        run.finally(move || {
            let left = balance(&bank[0]);
            assert!(left >= 0, "Ada owes {left}");
        });
    });
    assert!(outcome.is_proof());
}

/// A balance and the number of transfers are of the same moment.
#[test]
fn a_statement_is_of_one_moment() {
    let outcome = Check::new().every_schedule(|run| {
        let bank = bank(run, ["Ada", "Tony"]);
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
