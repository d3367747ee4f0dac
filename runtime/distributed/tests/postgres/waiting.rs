//! Who waits, in what order, and what is left behind by who does not.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use async_monitor_distributed::Guard;

use crate::{LONG, SHORT, count, database, eventually};

#[tokio::test]
async fn fences_grow_with_each_acquisition_by_anybody() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    for round in 0..3 {
        let (lock, same) = (one.lock("k"), other.lock("k"));
        let guard = lock.acquire().await.unwrap();
        assert_eq!(guard.fence.number(), 2 * round + 1);
        Guard::release(guard).await.unwrap();
        let guard = same.acquire().await.unwrap();
        assert_eq!(guard.fence.number(), 2 * round + 2);
    }
    let other_key = one.lock("other");
    assert_eq!(other_key.acquire().await.unwrap().fence.number(), 1);
}

#[tokio::test]
async fn try_acquire_neither_waits_nor_joins_the_queue() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    assert!(same.try_acquire().await.unwrap().is_none());
    let client = database.client().await;
    assert_eq!(count(&client, "async_monitor.queue").await, 0);
    Guard::release(guard).await.unwrap();
    assert!(same.try_acquire().await.unwrap().is_some());
}

#[tokio::test]
async fn waiters_of_several_processes_are_served_in_order_and_without_polling() {
    let Some(database) = database() else { return };
    let stores = [database.store(LONG).await, database.store(LONG).await];
    let first = stores[0].lock("k");
    let guard = first.acquire().await.unwrap();
    let client = database.client().await;
    let (entered, mut entries) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..6 {
        let (lock, entered) = (stores[number % 2].lock("k"), entered.clone());
        tokio::spawn(async move {
            let _guard = lock.acquire().await.unwrap();
            entered.send(number).unwrap();
        });
        eventually(SHORT, "it is queued", async || {
            count(&client, "async_monitor.queue").await == number as i64 + 1
        })
        .await;
    }
    let start = Instant::now();
    drop(guard);
    for number in 0..6 {
        assert_eq!(entries.recv().await, Some(number));
    }
    // Far less than the time after which they would ask again.
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_dropped_acquisition_leaves_nothing_behind() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let client = database.client().await;
    // While it is granted: whatever the moment.
    for delay in 0..20 {
        let acquisition = lock.acquire();
        let dropped = tokio::time::timeout(Duration::from_micros(delay * 200), acquisition).await;
        drop(dropped);
        let next = tokio::time::timeout(SHORT, same.acquire()).await;
        drop(next.expect("the lock is free").unwrap());
    }
    // While it is queued.
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(200), same.acquire()).await;
    assert!(waiting.is_err());
    Guard::release(guard).await.unwrap();
    eventually(SHORT, "nobody holds or waits", async || {
        count(&client, "async_monitor.queue").await + count(&client, "async_monitor.holds").await
            == 0
    })
    .await;
}

#[tokio::test]
async fn one_that_fails_beside_others_in_try_join_leaves_nothing_behind() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    let (a, b) = (one.lock("a"), one.lock("b"));
    let failed = futures::future::try_join3(
        async { a.acquire().await.map(drop).map_err(drop) },
        async { b.acquire().await.map(drop).map_err(drop) },
        async { Err::<(), ()>(()) },
    );
    failed.await.unwrap_err();
    for key in ["a", "b"] {
        let lock = other.lock(key);
        let next = tokio::time::timeout(SHORT, lock.acquire()).await;
        drop(next.expect("the lock is free").unwrap());
    }
}

#[tokio::test]
async fn a_future_that_was_never_polled_asks_for_nothing() {
    let Some(database) = database() else { return };
    let store = database.store(LONG).await;
    let lock = store.lock("k");
    drop(lock.acquire());
    let client = database.client().await;
    assert_eq!(count(&client, "async_monitor.sessions").await, 0);
}

/// What arrives at the database after its withdrawal, by a connection that was given up.
#[tokio::test]
async fn what_arrives_after_its_withdrawal_is_found_by_a_renewal() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(SHORT).await, database.store(SHORT).await);
    let (used, lock) = (one.lock("used"), other.lock("k"));
    let _keeps_the_session = used.acquire().await.unwrap();
    let client = database.client().await;
    let late = "select async_monitor.request((select id from async_monitor.sessions), false, \
                '', '', 0, 'k', 1000, '1 s', true)";
    client.batch_execute(late).await.unwrap();
    let guard = tokio::time::timeout(SHORT, lock.acquire()).await;
    drop(
        guard
            .expect("the lock is free before the lease ends")
            .unwrap(),
    );
}

#[tokio::test]
async fn a_session_that_is_not_used_is_closed() {
    let Some(database) = database() else { return };
    let store = database.store(Duration::from_secs(1)).await;
    let lock = store.lock("k");
    drop(lock.acquire().await.unwrap());
    let client = database.client().await;
    eventually(SHORT, "the session is gone", async || {
        count(&client, "async_monitor.sessions").await == 0
    })
    .await;
    assert_eq!(lock.acquire().await.unwrap().fence.number(), 2);
}

#[tokio::test]
async fn the_report_names_holders_and_waiters() {
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let _guard = lock.acquire().await.unwrap();
    let mut waiting = pin!(same.acquire());
    let mut cx = Context::from_waker(Waker::noop());
    eventually(SHORT, "both are in the report", async || {
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        one.report().await.unwrap().len() == 2
    })
    .await;
    let report = one.report().await.unwrap();
    assert_eq!(report[0].fence, Some(1));
    assert_eq!(report[0].pid, std::process::id());
    assert_eq!(report[1].fence, None);
    let text = report[0].to_string();
    assert!(text.starts_with("\"k\" held by "), "{text}");
}
