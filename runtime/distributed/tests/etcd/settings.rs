//! Keys of any kind, and what is refused.

use std::task::{Context, Waker};
use std::time::Duration;

use async_monitor_distributed::etcd::{Etcd, Options};
use async_monitor_distributed::{Guard, LockError};
use etcd_client::ConnectOptions;

use crate::support::etcd::url;
use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, space, space_alone};

#[tokio::test]
async fn a_key_is_data() {
    let Some(space) = space() else { return };
    let store = space.store(LONG).await;
    let long = "k".repeat(2000);
    for key in ["", "a!b", "100%", "a/1", "\"\\\n\0", "Größe €", &long] {
        let lock = store.lock(key);
        let guard = lock.acquire().await.unwrap();
        assert_eq!(guard.fence.key(), key);
        for other in [format!("{key}!"), format!("{key}/1"), format!("{key} ")] {
            let other = store.lock(&other);
            drop(other.try_acquire().await.unwrap().expect("another key"));
        }
        let report = store.report().await.unwrap();
        let entry = report.iter().find(|entry| entry.key == key).unwrap();
        assert!(entry.to_string().starts_with(&format!("{key:?} held by ")));
    }
    // What no request can hold.
    let longer = "k".repeat(500_000);
    let refused = store.lock(&longer).acquire().await.map(drop);
    assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
}

#[tokio::test]
async fn a_lease_of_no_use_is_refused() {
    let Some(space) = space() else { return };
    for lease in [Duration::ZERO, Duration::from_millis(999), Duration::MAX] {
        let options = Options::new(space.server.endpoints()).lease(lease);
        let refused = options.connect().await.map(drop);
        assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_is_an_error_at_once() {
    let port = crate::support::free_port();
    let start = std::time::Instant::now();
    let refused = Etcd::connect([crate::support::etcd::url(port)]).await;
    assert!(matches!(refused, Err(LockError::Unreachable(_))));
    assert!(start.elapsed() < SHORT, "{:?}", start.elapsed());
    let refused = Etcd::connect(["no endpoint"]).await;
    assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
    let refused = Etcd::connect([""; 0]).await;
    assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
}

/// Whoever asks for a lock need not be run by tokio.
#[tokio::test(flavor = "multi_thread")]
async fn any_executor_will_do() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.server.ports[0]);
    let store = space.store_at(proxy.port, LONG).await;
    let elsewhere = std::thread::spawn(move || {
        futures::executor::block_on(async {
            let lock = store.lock("k");
            drop(lock.acquire().await.unwrap());
            // By a connection that it has to make.
            proxy.set(Mode::Cut);
            proxy.set(Mode::Pass);
            let guard = lock.acquire().await.unwrap();
            Guard::release(guard).await.unwrap();
        });
    });
    let ended = tokio::task::spawn_blocking(|| elsewhere.join());
    ended.await.unwrap().unwrap();
}

/// It was waiting for the member to look at its password, for all of them, when it was polled last.
#[tokio::test]
async fn an_acquisition_that_is_not_polled_any_more_keeps_nobody_from_authenticating() {
    let Some(space) = space_alone() else { return };
    let mut auth = space.client().await.auth_client();
    auth.user_add("root", "secret", None).await.unwrap();
    auth.role_add("root").await.unwrap();
    auth.user_grant_role("root", "root").await.unwrap();
    auth.auth_enable().await.unwrap();
    let proxy = Proxy::start(space.port());
    let client = ConnectOptions::new().with_user("root", "secret");
    let options = Options::new([url(proxy.port)]).lease(LONG).client(client);
    let store = options.connect().await.unwrap();
    for polls in [1, 2, 3, 10, 30] {
        proxy.set(Mode::Cut);
        let lock = store.lock("cut off");
        let failed = tokio::time::timeout(Duration::from_millis(300), lock.acquire()).await;
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
        let guard = guard.expect("it is connected").unwrap();
        Guard::release(guard).await.unwrap();
    }
}
