//! Leases of one connection while another is dead, and one whose clock is set back.

use std::time::Duration;

use async_monitor_distributed::Guard;
use async_monitor_distributed::postgres::Options;

use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, Space, eventually, space, space_alone, store};

/// By a proxy for the statements, and none for the notifications.
async fn by(proxy: &Proxy, space: &Space, lease: Duration) -> crate::Store {
    let url = crate::support::url(proxy.port, &space.name);
    let options = Options::new(&url).unwrap().lease(lease);
    let options = options.listen_at(&space.url).unwrap();
    options.connect().await.unwrap()
}

/// The store counts a lease from the first request that it has received. A waiter that has no
/// answer to it does not know when that was, also where it is told of a grant.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_told_does_not_open_a_session() {
    let Some(space) = space() else { return };
    let other = space.store(SHORT).await;
    let (holds, waits) = (other.lock("k"), other.lock("k"));
    let proxy = Proxy::start(space.port());
    let cut_off = by(&proxy, &space, SHORT).await;
    let guard = holds.acquire().await.unwrap();
    // Its request arrives, and the answer does not.
    proxy.set(Mode::Slow(Duration::from_millis(300)));
    let lock = cut_off.lock("k");
    let mut granted = Box::pin(lock.acquire());
    assert!(
        tokio::time::timeout(Duration::from_millis(150), &mut granted)
            .await
            .is_err()
    );
    proxy.set(Mode::Stall);
    let queued = async || space.places().await == 2;
    eventually(SHORT, "it is queued", queued).await;
    let release = async {
        tokio::time::sleep(SHORT / 2).await;
        drop(guard);
        // Granted to the one that is cut off, and to this one when the lease of that has ended.
        waits.acquire().await.unwrap()
    };
    let mut release = std::pin::pin!(release);
    tokio::select! {
        _next = &mut release => {}
        guard = &mut granted => {
            // An error if it has given up.
            let lost = guard.as_ref().map(|guard| guard.lost());
            let _next = release.await;
            // The server would wait for what is stalled before it ends.
            proxy.set(Mode::Cut);
            if let Ok(lost) = lost {
                let told = tokio::time::timeout(Duration::ZERO, lost).await;
                assert!(told.is_ok(), "both hold it");
            }
        }
    }
}

/// What it has left behind is given to the next, and is not found when its lease would have ended.
#[tokio::test]
async fn a_session_that_is_closed_leaves_nothing_behind() {
    let Some(space) = space() else { return };
    let closes = space.store(Duration::from_secs(15)).await;
    let other = closes.lock("other");
    Guard::release(other.acquire().await.unwrap())
        .await
        .unwrap();
    // What it has released is there again, as after a crash that has lost the release.
    space.ask_late("k").await;
    let lock = space.store(LONG).await.lock("k");
    let next = tokio::time::timeout(Duration::from_secs(12), lock.acquire()).await;
    drop(next.expect("it is told").unwrap());
}

/// A renewal that is not answered is one attempt of two.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dead_without_a_word_costs_no_lease() {
    let Some(space) = space_alone() else { return };
    let lease = Duration::from_secs(6);
    drop(space.store(lease).await);
    let proxy = Proxy::start(space.port());
    let url = crate::support::url(proxy.port, &space.name);
    let mut lost = Vec::new();
    for number in 0..40 {
        let lock = store(&url, lease).await.lock(&number.to_string());
        lost.push(tokio::spawn(async move {
            let guard = lock.acquire().await.unwrap();
            tokio::time::timeout(2 * lease, guard.lost()).await
        }));
    }
    tokio::time::sleep(lease / 6).await;
    proxy.strand();
    for lost in lost {
        let lost = lost.await.unwrap();
        assert!(lost.is_err(), "{lost:?}");
    }
}

/// The lease has ended, and nobody else has asked for the lock. It stays lost.
#[tokio::test]
async fn an_expired_lease_is_not_renewed() {
    let Some(space) = space() else { return };
    let store = space.store(LONG).await;
    let lock = store.lock("k");
    let guard = lock.acquire().await.unwrap();
    let client = space.client().await;
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
