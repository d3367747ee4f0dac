//! What etcd alone can lose.

use std::time::Instant;

use async_monitor_distributed::{Guard, LockError};

use crate::support::etcd::Etcd;
use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, eventually, space, store};

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

/// What is watched from on was compacted, or the stream is lost: nobody is forgotten.
#[tokio::test]
async fn a_waiter_is_told_though_everything_before_was_compacted() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.server.ports[0]);
    let one = space.store(LONG).await;
    let other = space.store_at(proxy.port, LONG).await;
    let (lock, same) = (one.lock("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let waiting = tokio::spawn(async move { same.acquire().await.map(drop) });
    eventually(SHORT, "it is queued", async || space.places().await == 2).await;
    proxy.set(Mode::Stall);
    Guard::release(guard).await.unwrap();
    let mut client = space.client().await;
    let now = client.get("now", None).await.unwrap();
    let now = now.header().unwrap().revision();
    client.compact(now, None).await.unwrap();
    proxy.set(Mode::Cut);
    proxy.set(Mode::Pass);
    let entered = tokio::time::timeout(LONG / 6, waiting).await;
    entered.expect("it is told").unwrap().unwrap();
}
