//! A lease whose clock is set back.

use crate::{LONG, space};

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
