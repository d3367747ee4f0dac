//! Several threads: a thread that finds a queue locked spins.

use std::thread;

use no_std::{Account, Ring, transfer};

use crate::executor::block_on;

const STEPS: u32 = 3000;

#[test]
fn transfers_between_threads_lose_nothing() {
    let accounts = [
        Account::new(0, 1000),
        Account::new(1, 1000),
        Account::new(2, 1000),
    ];
    thread::scope(|scope| {
        for number in 0..4 {
            let accounts = &accounts;
            scope.spawn(move || {
                block_on(async {
                    for step in 0..STEPS as usize {
                        let from = &accounts[(number + step) % 3];
                        let to = &accounts[(number + step * 2 + 1) % 3];
                        if from.id != to.id {
                            // Refused, or not.
                            let _ = transfer(from, to, 1 + step as i64 % 7).await;
                        }
                    }
                });
            });
        }
    });
    let sum = block_on(async {
        let mut sum = 0;
        for account in &accounts {
            sum += account.state().await.0;
        }
        sum
    });
    assert_eq!(sum, 3000);
}

#[test]
fn items_pass_from_thread_to_thread_in_order() {
    static RING: Ring = Ring::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            block_on(async {
                for item in 0..STEPS {
                    RING.push(item).await;
                }
            })
        });
        block_on(async {
            for item in 0..STEPS {
                assert_eq!(RING.pop().await, item);
            }
        });
    });
}

#[test]
fn withdrawals_wait_for_deposits_of_other_threads() {
    let account = Account::new(1, 0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                block_on(async {
                    for _ in 0..STEPS {
                        account.withdraw(2).await;
                    }
                })
            });
        }
        block_on(async {
            for _ in 0..STEPS * 4 {
                account.deposit(1).await;
            }
        });
    });
    assert_eq!(block_on(account.state()).0, 0);
}
