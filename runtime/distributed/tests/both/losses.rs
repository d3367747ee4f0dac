//! Connections, servers and leases that are lost.

use std::time::{Duration, Instant};

use async_monitor_distributed::{Guard, LockError, LossReason};

use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, eventually, space, space_alone};

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_is_lost_before_anybody_else_is_granted_the_lock() {
    let Some(space) = space() else { return };
    for mode in [Mode::Stall, Mode::Cut] {
        let proxy = Proxy::start(space.port());
        let cut_off = space.store_at(proxy.port, SHORT).await;
        let other = space.store(SHORT).await;
        let (lock, same) = (cut_off.lock("k"), other.lock("k"));
        let guard = lock.acquire().await.unwrap();
        let fence = guard.fence.number();
        let lost = tokio::spawn(guard.lost());
        proxy.set(mode);
        let start = Instant::now();
        let next = same.acquire().await.unwrap();
        assert!(next.fence.number() > fence);
        // etcd looks for leases that have ended twice in a second.
        assert!(start.elapsed() < 2 * SHORT, "{:?}", start.elapsed());
        assert!(lost.is_finished(), "told in time");
        let LockError::Lost(lost) = lost.await.unwrap() else {
            panic!("lost");
        };
        assert_eq!((&*lost.key, lost.fence), ("k", fence));
        assert!(matches!(lost.reason, LossReason::NotRenewed { .. }));
        let text = lost.to_string();
        assert!(text.contains("has lost the lock \"k\""), "{text}");
        // The old guard releases nothing of the new one's, once it can.
        proxy.set(Mode::Pass);
        let released = Guard::release(guard).await;
        assert!(matches!(released, Err(LockError::Lost(_))), "{released:?}");
        assert!(lock.try_acquire().await.unwrap().is_none());
        Guard::release(next).await.unwrap();
        assert!(lock.acquire().await.unwrap().fence.number() > fence + 1);
    }
}

#[tokio::test]
async fn connections_that_die_lose_nothing() {
    let Some(space) = space() else { return };
    let proxies = [(); 2].map(|()| Proxy::start(space.port()));
    let cut = || {
        for mode in [Mode::Cut, Mode::Pass] {
            proxies.iter().for_each(|proxy| proxy.set(mode));
        }
    };
    let one = space.store_at(proxies[0].port, LONG).await;
    let other = space.store_at(proxies[1].port, LONG).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let fence = guard.fence.number();
    let waiting = tokio::spawn(async move {
        let guard = same.acquire().await.unwrap();
        guard.fence.number()
    });
    eventually(SHORT, "it is queued", async || space.places().await == 2).await;
    // While one holds and one waits, and while it is released.
    cut();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(space.places().await, 2);
    cut();
    // It has arrived, in a first or a second attempt.
    let _released = Guard::release(guard).await;
    // Before the next renewal, which would find what is left behind.
    let entered = tokio::time::timeout(LONG / 6, waiting).await;
    assert!(entered.expect("it is told").unwrap() > fence);
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error_after_a_lease() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let cut_off = space.store_at(proxy.port, Duration::from_secs(1)).await;
    let lock = cut_off.lock("k");
    for mode in [Mode::Cut, Mode::Stall] {
        proxy.set(mode);
        let start = Instant::now();
        let error = lock.acquire().await.unwrap_err();
        assert!(matches!(error, LockError::Unreachable(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(3));
        proxy.set(Mode::Pass);
        drop(lock.acquire().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_nothing() {
    let Some(space) = space_alone() else { return };
    let lease = Duration::from_secs(20);
    let (one, other) = (space.store(lease).await, space.store(lease).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let fence = guard.fence.number();
    let waiting = tokio::spawn(async move {
        let guard = same.acquire().await.unwrap();
        guard.fence.number()
    });
    eventually(SHORT, "it is queued", async || space.places().await == 2).await;
    space.crash(Duration::from_millis(300)).await;
    eventually(SHORT, "it answers, and the lock is held", async || {
        matches!(lock.try_acquire().await, Ok(None))
    })
    .await;
    Guard::release(guard).await.unwrap();
    let entered = tokio::time::timeout(lease, waiting).await;
    assert!(entered.expect("it is told").unwrap() > fence);
}

/// A release may be forgotten in a crash, with what was granted by it. What is granted is never
/// given out again.
#[tokio::test(flavor = "multi_thread")]
async fn fences_grow_over_crashes_of_the_server() {
    let Some(space) = space_alone() else { return };
    let lease = Duration::from_secs(20);
    let (one, other) = (space.store(lease).await, space.store(lease).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let mut last = 0;
    for _ in 0..3 {
        for _ in 0..5 {
            let first = lock.acquire().await.unwrap();
            let (next, released) = tokio::join!(same.acquire(), async {
                eventually(SHORT, "it is queued", async || space.places().await == 2).await;
                Guard::release(first).await
            });
            released.unwrap();
            let next = next.unwrap();
            assert!(
                next.fence.number() > last,
                "{} > {last}",
                next.fence.number()
            );
            last = next.fence.number();
            drop(next);
        }
        space.crash(Duration::ZERO).await;
        // It may have been given up meanwhile.
        let first = loop {
            if let Ok(guard) = lock.acquire().await {
                break guard;
            }
        };
        assert!(first.fence.number() > last);
    }
}

/// Whoever holds a lock by a lease that the store has ended is told by the next renewal.
#[tokio::test]
async fn a_lease_that_the_store_has_ended_is_lost_and_not_renewed() {
    let Some(space) = space() else { return };
    let store = space.store(SHORT).await;
    let lock = store.lock("k");
    let guard = lock.acquire().await.unwrap();
    space.expire().await;
    let lost = tokio::time::timeout(SHORT / 2, guard.lost()).await;
    let LockError::Lost(lost) = lost.expect("with the next renewal") else {
        panic!("lost");
    };
    assert!(matches!(lost.reason, LossReason::Ended), "{lost}");
    // Another lease is another session.
    drop(lock.acquire().await.unwrap());
}
