//! Who waits, in what order, and what is left behind by who does not.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use async_monitor_distributed::Guard;

use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, eventually, space};

#[tokio::test]
async fn fences_grow_with_each_acquisition_by_anybody() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let mut last = 0;
    for _ in 0..3 {
        for lock in [&lock, &same] {
            let guard = lock.acquire().await.unwrap();
            assert!(guard.fence.number() > last);
            last = guard.fence.number();
            Guard::release(guard).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_at_a_time_is_in() {
    let Some(space) = space() else { return };
    let stores = [space.store(LONG).await, space.store(LONG).await];
    let inside = Arc::new(AtomicU32::new(0));
    let tasks = (0..12).map(|number| {
        let (lock, inside) = (stores[number % 2].lock("k"), Arc::clone(&inside));
        tokio::spawn(async move {
            for _ in 0..10 {
                let _guard = lock.acquire().await.unwrap();
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, Ordering::SeqCst);
            }
        })
    });
    let all = futures::future::join_all(tasks);
    for task in tokio::time::timeout(LONG, all).await.unwrap() {
        task.unwrap();
    }
    eventually(SHORT, "nobody holds or waits", async || {
        space.places().await == 0
    })
    .await;
}

#[tokio::test]
async fn try_acquire_neither_waits_nor_joins_the_queue() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    assert!(same.try_acquire().await.unwrap().is_none());
    assert_eq!(space.places().await, 1);
    Guard::release(guard).await.unwrap();
    assert!(same.try_acquire().await.unwrap().is_some());
}

#[tokio::test]
async fn waiters_of_several_processes_are_served_in_order_and_without_polling() {
    let Some(space) = space() else { return };
    let stores = [space.store(LONG).await, space.store(LONG).await];
    let first = stores[0].lock("k");
    let guard = first.acquire().await.unwrap();
    let (entered, mut entries) = tokio::sync::mpsc::unbounded_channel();
    for number in 0..6 {
        let (lock, entered) = (stores[number % 2].lock("k"), entered.clone());
        tokio::spawn(async move {
            let _guard = lock.acquire().await.unwrap();
            entered.send(number).unwrap();
        });
        eventually(SHORT, "it is queued", async || {
            space.places().await == number + 2
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

/// One in the middle gives up: who was behind it is then behind another.
#[tokio::test]
async fn the_queue_closes_where_a_waiter_leaves_it() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let leaves = {
        let lock = same.clone();
        tokio::spawn(async move { lock.acquire().await.map(drop) })
    };
    eventually(SHORT, "it is queued", async || space.places().await == 2).await;
    let waits = tokio::spawn(async move { same.acquire().await.map(drop) });
    eventually(SHORT, "both are queued", async || space.places().await == 3).await;
    leaves.abort();
    eventually(SHORT, "one has left", async || space.places().await == 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waits.is_finished(), "it is held");
    Guard::release(guard).await.unwrap();
    let entered = tokio::time::timeout(SHORT, waits).await;
    entered.expect("it is told").unwrap().unwrap();
}

/// It waits for a new connection when it is dropped, so nothing was sent yet.
#[tokio::test]
async fn a_dropped_release_leaves_nothing_behind() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let store = space.store_at(proxy.port, LONG).await;
    let (lock, same) = (store.lock("k"), space.store(LONG).await.lock("k"));
    for polls in [0, 1, 1, 1, 2, 3] {
        let guard = lock.acquire().await.unwrap();
        for mode in [Mode::Cut, Mode::Pass] {
            proxy.set(mode);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut release = Box::pin(Guard::release(guard));
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            let _polled = release.as_mut().poll(&mut cx);
            tokio::task::yield_now().await;
        }
        drop(release);
        // Before the next renewal, which would find it.
        let next = tokio::time::timeout(LONG / 6, same.acquire()).await;
        Guard::release(next.expect("it is free").unwrap())
            .await
            .unwrap();
    }
}

/// It was making a new connection, for all of them, when it was polled last.
#[tokio::test]
async fn an_acquisition_that_is_not_polled_any_more_keeps_nobody_from_connecting() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let store = space.store_at(proxy.port, LONG).await;
    for polls in 1..6 {
        proxy.set(Mode::Cut);
        let cut_off = Duration::from_millis(100);
        let lock = store.lock("cut off");
        let failed = tokio::time::timeout(cut_off, lock.acquire()).await;
        assert!(failed.is_err(), "{failed:?}");
        proxy.set(Mode::Pass);
        let left = store.lock("left");
        let mut left = Box::pin(left.acquire());
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            let _polled = left.as_mut().poll(&mut cx);
            tokio::task::yield_now().await;
        }
        let lock = store.lock("k");
        let guard = tokio::time::timeout(LONG / 6, lock.acquire()).await;
        Guard::release(guard.expect("it is connected").unwrap())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_dropped_acquisition_leaves_nothing_behind() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    // While it is asked for and granted: whatever the moment.
    for delay in 0..40 {
        let acquisition = lock.acquire();
        let dropped = tokio::time::timeout(Duration::from_micros(delay * 100), acquisition).await;
        drop(dropped);
        let next = tokio::time::timeout(SHORT, same.acquire()).await;
        drop(next.expect("the lock is free").unwrap());
    }
    // While it is queued.
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::time::timeout(Duration::from_millis(200), same.acquire()).await;
    assert!(waiting.is_err());
    // At each of its polls.
    for polls in 1..20 {
        let mut acquisition = Box::pin(same.acquire());
        for _ in 0..polls {
            let mut cx = Context::from_waker(Waker::noop());
            assert!(acquisition.as_mut().poll(&mut cx).is_pending());
            tokio::time::sleep(Duration::from_micros(300)).await;
        }
    }
    eventually(SHORT, "nobody waits", async || space.places().await == 1).await;
    Guard::release(guard).await.unwrap();
    assert_eq!(space.places().await, 0);
}

/// The connection is slow, so that everything is dropped while it is on its way.
#[tokio::test]
async fn what_is_dropped_on_its_way_leaves_nothing_behind() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let (slow, other) = (
        space.store_at(proxy.port, LONG).await,
        space.store(LONG).await,
    );
    let (used, lock, same) = (slow.lock("used"), slow.lock("k"), other.lock("k"));
    let _keeps_the_session = used.acquire().await.unwrap();
    proxy.set(Mode::Slow(Duration::from_millis(20)));
    for delay in 0..8 {
        let dropped = tokio::time::timeout(Duration::from_millis(delay * 10), lock.acquire()).await;
        assert!(dropped.is_err() || delay > 3);
    }
    let next = tokio::time::timeout(SHORT, same.acquire()).await;
    drop(next.expect("the lock is free").unwrap());
    eventually(SHORT, "nobody holds or waits", async || {
        space.places().await == 1
    })
    .await;
}

/// What is withdrawn while the store is away is found by the next renewal.
#[tokio::test]
async fn what_is_dropped_while_the_store_is_away_is_withdrawn_by_the_next_renewal() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let lease = Duration::from_secs(9);
    let cut_off = space.store_at(proxy.port, lease).await;
    let (used, lock) = (cut_off.lock("used"), cut_off.lock("k"));
    let _keeps_the_session = used.acquire().await.unwrap();
    let guard = lock.acquire().await.unwrap();
    let mut waiting = Box::pin(lock.acquire());
    eventually(SHORT, "it is queued", async || {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        space.places().await == 3
    })
    .await;
    proxy.set(Mode::Cut);
    drop((guard, waiting));
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(space.places().await, 3);
    proxy.set(Mode::Pass);
    eventually(lease, "both are gone", async || space.places().await == 1).await;
}

#[tokio::test]
async fn one_that_fails_beside_others_in_try_join_leaves_nothing_behind() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
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
    let Some(space) = space() else { return };
    let store = space.store(LONG).await;
    let lock = store.lock("k");
    drop(lock.acquire());
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(space.places().await, 0);
}

/// What arrives after its withdrawal, by a connection that was given up.
#[tokio::test]
async fn what_arrives_after_its_withdrawal_is_found_by_a_renewal() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(SHORT).await, space.store(SHORT).await);
    let (used, lock) = (one.lock("used"), other.lock("k"));
    let _keeps_the_session = used.acquire().await.unwrap();
    space.ask_late("k").await;
    let guard = tokio::time::timeout(SHORT, lock.acquire()).await;
    drop(
        guard
            .expect("the lock is free before the lease ends")
            .unwrap(),
    );
}

#[tokio::test]
async fn a_session_that_is_not_used_is_closed() {
    let Some(space) = space() else { return };
    let store = space.store(SHORT).await;
    let lock = store.lock("k");
    let guard = lock.acquire().await.unwrap();
    let session = space.session().await;
    let fence = guard.fence.number();
    drop(guard);
    eventually(SHORT, "the session is gone", async || {
        !space.has_session(&session).await
    })
    .await;
    assert!(lock.acquire().await.unwrap().fence.number() > fence);
}

#[tokio::test]
async fn the_report_names_holders_and_waiters() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let mut waiting = pin!(same.acquire());
    let mut cx = Context::from_waker(Waker::noop());
    eventually(SHORT, "both are in the report", async || {
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        one.report().await.unwrap().len() == 2
    })
    .await;
    let report = one.report().await.unwrap();
    assert_eq!(report[0].fence, Some(guard.fence.number()));
    assert_eq!(report[0].pid, std::process::id());
    assert!(report[0].expires_in > LONG / 2);
    assert!(report[0].since < SHORT);
    assert_eq!(report[1].fence, None);
    let text = report[0].to_string();
    assert!(text.starts_with("\"k\" held by "), "{text}");
}
