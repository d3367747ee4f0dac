//! Connections, servers and leases that are lost.

use std::time::{Duration, Instant};

use async_monitor_distributed::{Guard, LockError, LossReason};

use crate::support::etcd::Etcd;
use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, eventually, keys, places, store};

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_is_lost_before_anybody_else_is_granted_the_lock() {
    let Some(keys) = keys() else { return };
    for mode in [Mode::Stall, Mode::Cut] {
        let proxy = Proxy::start(keys.server.ports[0]);
        let cut_off = keys.store_at(proxy.port, SHORT).await;
        let other = keys.store(SHORT).await;
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
    let Some(keys) = keys() else { return };
    let proxies = [(); 2].map(|()| Proxy::start(keys.server.ports[0]));
    let cut = || {
        for mode in [Mode::Cut, Mode::Pass] {
            proxies.iter().for_each(|proxy| proxy.set(mode));
        }
    };
    let one = keys.store_at(proxies[0].port, LONG).await;
    let other = keys.store_at(proxies[1].port, LONG).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let fence = guard.fence.number();
    let waiting = tokio::spawn(async move {
        let guard = same.acquire().await.unwrap();
        guard.fence.number()
    });
    eventually(SHORT, "it is queued", async || {
        keys.places().await.len() == 2
    })
    .await;
    // While one holds and one waits, and while it is released.
    cut();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(keys.places().await.len(), 2);
    cut();
    // It has arrived, in a first or a second attempt.
    let _released = Guard::release(guard).await;
    // Before the next renewal, which would find what is left behind.
    let entered = tokio::time::timeout(LONG / 6, waiting).await;
    assert!(entered.expect("it is told").unwrap() > fence);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_nothing() {
    let Some(server) = Etcd::start(1) else { return };
    let lease = Duration::from_secs(20);
    let endpoints = server.endpoints();
    let one = store(&endpoints, "t/", lease).await;
    let other = store(&endpoints, "t/", lease).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move { same.acquire().await.map(drop) });
    let mut client = etcd_client::Client::connect(&endpoints, None)
        .await
        .unwrap();
    eventually(SHORT, "it is queued", async || {
        places(&mut client, "t/").await.len() == 2
    })
    .await;
    server.kill(0);
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart(0);
    server.wait();
    eventually(SHORT, "it answers, and the lock is held", async || {
        matches!(lock.try_acquire().await, Ok(None))
    })
    .await;
    Guard::release(guard).await.unwrap();
    let entered = tokio::time::timeout(lease, waiting).await;
    entered.expect("it is told").unwrap().unwrap();
}

/// It is etcd that is stopped, for longer than the lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_lost_while_etcd_is_stopped_and_everybody_gets_in_again() {
    let Some(server) = Etcd::start(1) else { return };
    let endpoints = server.endpoints();
    let one = store(&endpoints, "t/", SHORT).await;
    let other = store(&endpoints, "t/", SHORT).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let start = Instant::now();
    server.signal(0, "STOP");
    let lost = tokio::time::timeout(SHORT, guard.lost()).await;
    let lost = lost.expect("before the lease ends");
    assert!(matches!(lost, LockError::Lost(_)), "{lost}");
    assert!(start.elapsed() > SHORT / 3);
    server.signal(0, "CONT");
    drop(guard);
    for lock in [lock, same] {
        let entered = tokio::time::timeout(4 * SHORT, async {
            // It may have been given up meanwhile.
            while let Err(error) = lock.acquire().await {
                assert!(matches!(error, LockError::Unreachable(_)), "{error}");
            }
        });
        entered.await.expect("it gets in");
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error_after_a_lease() {
    let Some(keys) = keys() else { return };
    let proxy = Proxy::start(keys.server.ports[0]);
    let cut_off = keys.store_at(proxy.port, Duration::from_secs(1)).await;
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

/// Whoever holds a lock by a lease that etcd has ended is told by the next renewal.
#[tokio::test]
async fn a_lease_that_was_revoked_is_lost_and_not_renewed() {
    let Some(keys) = keys() else { return };
    let store = keys.store(SHORT).await;
    let lock = store.lock("k");
    let guard = lock.acquire().await.unwrap();
    let mut client = keys.client().await;
    let place = client.get(guard.fence.holder(), None).await.unwrap();
    client.lease_revoke(place.kvs()[0].lease()).await.unwrap();
    let lost = tokio::time::timeout(SHORT / 2, guard.lost()).await;
    let LockError::Lost(lost) = lost.expect("with the next renewal") else {
        panic!("lost");
    };
    assert!(matches!(lost.reason, LossReason::Ended), "{lost}");
    // Another lease is another session.
    drop(lock.acquire().await.unwrap());
}

/// What is watched from on was compacted, or the stream is lost: nobody is forgotten.
#[tokio::test]
async fn a_waiter_is_told_though_everything_before_was_compacted() {
    let Some(keys) = keys() else { return };
    let proxy = Proxy::start(keys.server.ports[0]);
    let one = keys.store(LONG).await;
    let other = keys.store_at(proxy.port, LONG).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move { same.acquire().await.map(drop) });
    eventually(SHORT, "it is queued", async || {
        keys.places().await.len() == 2
    })
    .await;
    proxy.set(Mode::Stall);
    Guard::release(guard).await.unwrap();
    let mut client = keys.client().await;
    let now = client.get("now", None).await.unwrap();
    let now = now.header().unwrap().revision();
    client.compact(now, None).await.unwrap();
    proxy.set(Mode::Cut);
    proxy.set(Mode::Pass);
    let entered = tokio::time::timeout(LONG / 6, waiting).await;
    entered.expect("it is told").unwrap().unwrap();
}
