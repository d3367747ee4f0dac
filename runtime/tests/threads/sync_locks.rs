//! Conditional waiters of a sync lock.

use std::sync::atomic::{AtomicIsize, Ordering};

use async_monitor::__private::{ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards, sync_when};
use async_monitor::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::crowd::Member;
use crate::{crowd, patiently};

/// An account that is never overdrawn, and what should be on it.
#[derive(Default)]
struct Account {
    balance: RwLock<usize>,
    expected: AtomicIsize,
}

/// Some pay in, and others wait until there is enough for them, to take it or to read.
#[test]
fn when_there_is_enough_at_a_sync_lock() {
    crowd(
        4,
        Account::default,
        |account: &Account,
         Member {
             number,
             turns,
             random,
         }| {
            let Account { balance, expected } = account;
            if number % 2 == 0 {
                for turn in 0..turns {
                    // Enough for everybody, in the end.
                    let amount = if turn % 2 == 0 { 3 } else { 1 };
                    *balance.write() += amount;
                    expected.fetch_add(amount as isize, Ordering::Relaxed);
                }
                return;
            }
            for _ in 0..turns {
                let amount = 1 + random.below(2);
                if random.one_in(4) {
                    // SAFETY: turns and guards are those of the lock.
                    let enough = unsafe {
                        let guards = TurnGuards::new(
                            balance,
                            <RwLock<usize> as ConditionalSyncRwLock>::read_with_turn,
                            <RwLock<usize> as ConditionalSyncRwLock>::release_read_without_turn,
                        );
                        sync_when(
                            ConditionalSyncLock::turns(balance),
                            guards,
                            |guard: &mut RwLockReadGuard<'_, usize>| **guard >= amount,
                        )
                    };
                    if let Some(guard) = patiently(random, enough, || ()) {
                        assert!(*guard >= amount, "somebody wrote in between");
                    }
                    continue;
                }
                // SAFETY: as above.
                let enough = unsafe {
                    let guards = TurnGuards::new(
                        balance,
                        <RwLock<usize> as ConditionalSyncLock>::acquire_with_turn,
                        <RwLock<usize> as ConditionalSyncLock>::release_without_turn,
                    );
                    sync_when(
                        ConditionalSyncLock::turns(balance),
                        guards,
                        |guard: &mut RwLockWriteGuard<'_, usize>| **guard >= amount,
                    )
                };
                if let Some(mut guard) = patiently(random, enough, || ()) {
                    *guard -= amount;
                    expected.fetch_sub(amount as isize, Ordering::Relaxed);
                }
            }
        },
        |account| {
            let balance = *account.balance.try_read().expect("nobody writes");
            let expected = account.expected.load(Ordering::Relaxed);
            assert_eq!(isize::try_from(balance), Ok(expected));
        },
    );
}
