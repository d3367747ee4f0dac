//! Sections on one thread.

use std::cell::Cell;
use std::pin::pin;

use async_monitor::{Barrier, Event, with_lock};
use no_std::{Account, Counter, Refused, Ring, Sensor, transfer};

use crate::critical;
use crate::executor::{Boxed, block_on, poll, run};

#[test]
fn sections_run_and_compose() {
    static ACCOUNT: Account = Account::new(7, 1);
    block_on(async {
        assert_eq!(ACCOUNT.id, 7);
        assert_eq!(ACCOUNT.deposit(2).await, 3);
        assert_eq!(ACCOUNT.deposit_twice(5).await, 13);
        assert_eq!(ACCOUNT.withdraw(4).await, 9);
        assert_eq!(ACCOUNT.state().await, (9, 3));
        let mut guard = ACCOUNT.acquire_ledger().await;
        *guard.fields().balance = 1;
        assert!(ACCOUNT.try_acquire_ledger().is_none());
        assert!(format!("{ACCOUNT:?}").contains("<locked>"), "{ACCOUNT:?}");
        drop(guard);
        assert!(format!("{ACCOUNT:?}").contains("balance: 1"), "{ACCOUNT:?}");
    });
}

#[test]
fn an_error_undoes_what_is_atomic() {
    let (from, to) = (Account::new(1, 5), Account::new(2, 0));
    block_on(async {
        assert_eq!(from.withdraw_now(6).await, Err(Refused::TooLittle));
        assert_eq!(from.withdraw_now(1).await, Ok(4));
        assert_eq!(transfer(&from, &to, 5).await, Err(Refused::TooLittle));
        assert_eq!(transfer(&from, &to, 3).await, Ok(()));
        assert_eq!((from.state().await.0, to.state().await.0), (1, 3));
    });
}

#[test]
fn conditions_wait_in_order_and_are_evaluated_by_their_waiters() {
    let account = Account::new(1, 0);
    let order = Cell::new(0);
    let withdraw = |amount: i64, place: i64| {
        let (account, order) = (&account, &order);
        Box::pin(async move {
            account.withdraw(amount).await;
            assert_eq!(order.replace(place), place - 1);
        })
    };
    run(vec![
        withdraw(2, 1),
        withdraw(2, 2),
        Box::pin(async {
            for _ in 0..4 {
                account.deposit(1).await;
            }
        }),
    ]);
    assert_eq!(order.get(), 2);
    assert_eq!(block_on(account.state()), (0, 4));
}

#[test]
fn a_waiter_that_is_dropped_is_out_of_the_queue() {
    let account = Account::new(1, 0);
    let mut second = pin!(account.deposit(2));
    {
        let guard = account.try_acquire_ledger().expect("nobody holds it");
        let mut first = pin!(account.deposit(1));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        drop(guard);
        // The first has the grant, and goes.
    }
    assert!(poll(second).is_ready());
    assert_eq!(block_on(account.state()), (2, 1));
}

#[test]
fn a_ring_passes_items_on_by_its_conditions() {
    static RING: Ring = Ring::new();
    run(vec![
        Box::pin(async {
            for item in 0..100 {
                RING.push(item).await;
            }
        }),
        Box::pin(async {
            for item in 0..100 {
                assert_eq!(RING.pop().await, item);
            }
        }),
    ]);
    block_on(async {
        RING.push(1).await;
        RING.push(2).await;
        assert!(RING.items().await.eq([1, 2]));
    });
}

#[test]
fn locks_with_values_and_other_primitives() {
    let sensor = Sensor::new();
    run(vec![
        Box::pin(async {
            sensor.ready.wait().await;
            assert_eq!(sensor.take().await, Some(12));
        }),
        Box::pin(async {
            let permit = sensor.slots.acquire_many(2).await;
            assert!(sensor.slots.try_acquire().is_none());
            sensor.configure(4).await;
            assert_eq!(sensor.measure(3).await, 12);
            drop(permit);
            let bounded = sensor.bounded.acquire().await;
            assert!(sensor.bounded.release(1).is_err());
            drop(bounded);
        }),
    ]);
    let barrier = Barrier::new(3);
    let wait = || Box::pin(async { assert!(barrier.wait().await.is_ok()) });
    run(vec![wait(), wait(), wait()]);
}

#[test]
fn many_waiters_are_woken_in_batches() {
    let event = Event::new();
    let through = Cell::new(0);
    let wait = async || {
        event.wait().await;
        through.set(through.get() + 1);
    };
    let mut tasks: Vec<Boxed<'_>> = Vec::new();
    for _ in 0..100 {
        tasks.push(Box::pin(wait()));
    }
    tasks.push(Box::pin(async { event.set() }));
    run(tasks);
    assert_eq!(through.get(), 100);
}

#[test]
fn monitors_of_one_thread() {
    let counter = Counter::new(0);
    let before = critical::entered();
    run(vec![
        Box::pin(async { assert_eq!(counter.reached(2).await, 2) }),
        Box::pin(async {
            counter.add().await;
            assert_eq!(with_lock!(counter.lock, { 1 }), 1);
            counter.add().await;
        }),
    ]);
    // Interrupts cannot come to them, and are not kept off.
    assert_eq!(critical::entered(), before);
}

#[test]
fn queues_are_locked_by_critical_sections() {
    let account = Account::new(1, 0);
    let before = critical::entered();
    let guard = account.try_acquire_ledger();
    assert!(poll(pin!(account.deposit(1))).is_pending());
    drop(guard);
    assert!(cfg!(not(feature = "critical-section")) || critical::entered() > before);
}

#[cfg(feature = "alloc")]
#[test]
fn owned_forms_with_an_allocator() {
    use std::sync::Arc;

    use async_monitor::{AsyncLock, Lock, Mutex};

    block_on(async {
        let account = Arc::new(Account::new(1, 1));
        let mut guard = account.acquire_ledger_owned().await;
        *guard.fields().balance += 1;
        drop(guard);
        assert_eq!(account.state().await.0, 2);
        let mutex = Arc::new(Mutex::new(1));
        assert_eq!(*mutex.lock_owned().await, 1);
        let lock = Box::new(Lock::new());
        let Ok(_guard) = AsyncLock::acquire(&lock).await;
    });
}
