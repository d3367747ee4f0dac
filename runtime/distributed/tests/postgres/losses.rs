//! Connections, servers and leases that are lost.

use std::time::{Duration, Instant};

use async_monitor_distributed::{Guard, LockError, LossReason};

use crate::support::proxy::{Mode, Proxy};
use crate::support::{self, url};
use crate::{LONG, SHORT, count, database, eventually, store};

/// Ends all connections but our own.
const TERMINATE: &str = "select pg_terminate_backend(pid) from pg_stat_activity \
                         where datname = current_database() and pid <> pg_backend_pid()";

#[tokio::test]
async fn a_lease_that_cannot_be_renewed_is_lost_before_anybody_else_is_granted_the_lock() {
    let Some(database) = database() else { return };
    for mode in [Mode::Stall, Mode::Cut] {
        let proxy = Proxy::start(database.server.port);
        let cut_off = store(&url(proxy.port, &database.name), SHORT).await;
        let other = database.store(SHORT).await;
        let (lock, same) = (cut_off.lock("k"), other.lock("k"));
        let guard = lock.acquire().await.unwrap();
        let fence = guard.fence.number();
        let lost = tokio::spawn(guard.lost());
        proxy.set(mode);
        let start = Instant::now();
        let next = same.acquire().await.unwrap();
        assert!(next.fence.number() > fence);
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
    let Some(database) = database() else { return };
    let (one, other) = (database.store(LONG).await, database.store(LONG).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let client = database.client().await;
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move {
        let guard = same.acquire().await.unwrap();
        guard.fence.number()
    });
    eventually(SHORT, "it is queued", async || {
        count(&client, "async_monitor.queue").await == 1
    })
    .await;
    // While one holds and one waits, and while it is released.
    client.batch_execute(TERMINATE).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(count(&client, "async_monitor.holds").await, 1);
    assert_eq!(count(&client, "async_monitor.queue").await, 1);
    client.batch_execute(TERMINATE).await.unwrap();
    // It has arrived, in a first or a second attempt.
    let _released = Guard::release(guard).await;
    // Before the next renewal, which would find what is left behind.
    let fence = tokio::time::timeout(LONG / 6, waiting).await;
    assert_eq!(fence.expect("it is told").unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_restarts_loses_nothing() {
    let Some(server) = support::Postgres::start() else {
        return;
    };
    let lease = Duration::from_secs(20);
    let url = server.database("restarted");
    let (one, other) = (store(&url, lease).await, store(&url, lease).await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move {
        let guard = same.acquire().await.unwrap();
        guard.fence.number()
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.kill();
    tokio::time::sleep(Duration::from_millis(300)).await;
    server.restart();
    assert!(lock.try_acquire().await.unwrap().is_none(), "it is held");
    Guard::release(guard).await.unwrap();
    let fence = tokio::time::timeout(lease, waiting).await;
    assert_eq!(fence.expect("it is told").unwrap(), 2);
}

#[tokio::test]
async fn a_store_that_cannot_be_reached_is_an_error_after_a_lease() {
    let Some(database) = database() else { return };
    let proxy = Proxy::start(database.server.port);
    let cut_off = store(&url(proxy.port, &database.name), Duration::from_secs(1)).await;
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

/// The lease has ended, and nobody else has asked for the lock. It stays lost.
#[tokio::test]
async fn an_expired_lease_is_not_renewed() {
    let Some(database) = database() else { return };
    let store = database.store(LONG).await;
    let lock = store.lock("k");
    let guard = lock.acquire().await.unwrap();
    let client = database.client().await;
    let expire = "update async_monitor.sessions set expires_at = clock_timestamp()";
    client.batch_execute(expire).await.unwrap();
    let renew = "select alive from async_monitor.renew(\
                 (select id from async_monitor.sessions), '1 h', '{}')";
    let alive: bool = client.query_one(renew, &[]).await.unwrap().get(0);
    assert!(!alive);
    // Nor where the clock is set back.
    let ended = "select async_monitor.ended((select id from async_monitor.sessions))";
    let ended: bool = client.query_one(ended, &[]).await.unwrap().get(0);
    assert!(ended);
    let set = "select expires_at = '-infinity' from async_monitor.sessions";
    let is_final: bool = client.query_one(set, &[]).await.unwrap().get(0);
    assert!(is_final);
    drop(guard);
}
