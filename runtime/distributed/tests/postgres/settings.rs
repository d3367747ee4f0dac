//! Keys of any kind, and databases with settings of their own.

use std::time::Duration;

use async_monitor_distributed::LockError;
use async_monitor_distributed::postgres::Options;

use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, Space, space};

/// What is set for those who connect from now on.
async fn set(space: &Space, setting: &str) {
    let set = format!("alter database {} set {setting}", space.name);
    space.client().await.batch_execute(&set).await.unwrap();
}

#[tokio::test]
async fn a_key_is_data() {
    let Some(space) = space() else { return };
    let store = space.store(LONG).await;
    let long = "k".repeat(2000);
    let keys = [
        "",
        "'; drop schema async_monitor cascade; --",
        "\"\\\n$1",
        "Größe €",
        &long,
    ];
    for key in keys {
        let lock = store.lock(key);
        let guard = lock.acquire().await.unwrap();
        assert_eq!(guard.fence.key(), key);
        let other = store.lock(&format!("{key} "));
        drop(other.try_acquire().await.unwrap().expect("another key"));
        let report = store.report().await.unwrap();
        let entry = report.iter().find(|entry| entry.key == key).unwrap();
        assert!(entry.to_string().starts_with(&format!("{key:?} held by ")));
    }
    // What no row can hold.
    let longer: String = (0..2000).map(|number| format!("{number:x}")).collect();
    for key in ["a\0b", &longer] {
        let refused = store.lock(key).acquire().await.map(drop);
        assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_lease_of_no_use_is_refused() {
    let Some(space) = space() else { return };
    for lease in [Duration::ZERO, Duration::from_millis(99), Duration::MAX] {
        let options = Options::new(&space.url).unwrap().lease(lease);
        let refused = options.connect().await.map(drop);
        assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_schema_of_another_version_is_refused() {
    let Some(space) = space() else { return };
    drop(space.store(LONG).await);
    let other = "comment on schema async_monitor is 'async-monitor-distributed 1'";
    space.client().await.batch_execute(other).await.unwrap();
    for creates in [true, false] {
        let options = Options::new(&space.url).unwrap().creates_schema(creates);
        let refused = options.connect().await.map(drop);
        assert!(matches!(refused, Err(LockError::Refused(_))), "{refused:?}");
        let text = refused.unwrap_err().to_string();
        assert!(
            text.contains("`drop schema async_monitor cascade`"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_short_lock_timeout_or_statement_timeout_is_no_refusal() {
    for timeout in ["lock_timeout", "statement_timeout"] {
        let Some(space) = space() else { return };
        let store = space.store(LONG).await;
        set(&space, &format!("{timeout} = '500 ms'")).await;
        let limited = space.store(LONG).await;
        let mut client = space.client().await;
        let unlimited = "set statement_timeout = 0";
        client.batch_execute(unlimited).await.unwrap();
        let transaction = client.transaction().await.unwrap();
        let same = "select pg_advisory_xact_lock(1634561902, hashtext('k'))";
        transaction.batch_execute(same).await.unwrap();
        let lock = limited.lock("k");
        let waiting = tokio::time::timeout(SHORT, lock.acquire()).await;
        assert!(
            waiting.is_err(),
            "it waits, and is not refused: {waiting:?}"
        );
        transaction.commit().await.unwrap();
        drop(lock.acquire().await.unwrap());
        drop(store.lock("k").acquire().await.unwrap());
    }
}

#[tokio::test]
async fn another_isolation_level_is_refused_with_a_reason() {
    let Some(space) = space() else { return };
    drop(space.store(LONG).await);
    let setting = "default_transaction_isolation = 'repeatable read'";
    set(&space, setting).await;
    let store = space.store(LONG).await;
    let refused = store.lock("k").acquire().await.map(drop).unwrap_err();
    assert!(matches!(refused, LockError::Refused(_)), "{refused:?}");
    let refused = refused.to_string();
    assert!(
        refused.contains("default_transaction_isolation"),
        "{refused}"
    );
}

#[tokio::test]
async fn what_is_granted_or_renewed_survives_a_crash_without_synchronous_commit() {
    let Some(space) = space() else { return };
    drop(space.store(LONG).await);
    set(&space, "synchronous_commit = off").await;
    let mut client = space.client().await;
    for step in [
        "select async_monitor.request('s', true, '', '', 0, 'k', 1, '1 min', true)",
        "select async_monitor.renew('s', '1 min', '{}')",
    ] {
        let transaction = client.transaction().await.unwrap();
        let show = "select current_setting('synchronous_commit')";
        let before: String = transaction.query_one(show, &[]).await.unwrap().get(0);
        transaction.batch_execute(step).await.unwrap();
        let within: String = transaction.query_one(show, &[]).await.unwrap().get(0);
        assert_eq!((&*before, &*within), ("off", "local"), "{step}");
        transaction.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_release_does_not_wait_for_the_disk() {
    let Some(space) = space() else { return };
    drop(space.store(LONG).await);
    let mut client = space.client().await;
    let transaction = client.transaction().await.unwrap();
    let release = "select async_monitor.withdraw('s', 'k', 1)";
    transaction.batch_execute(release).await.unwrap();
    let show = "select current_setting('synchronous_commit')";
    let within: String = transaction.query_one(show, &[]).await.unwrap().get(0);
    assert_eq!(within, "off");
}

/// The first of two servers accepts connections, and does not answer: the next one is asked.
#[tokio::test]
async fn a_server_that_does_not_answer_does_not_keep_others_from_being_asked() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let ports = format!("{},{}", proxy.port, space.port());
    let name = &space.name;
    let both = format!("host=127.0.0.1,127.0.0.1 port={ports} user=test dbname={name}");
    let lease = Duration::from_secs(6);
    let connect = || async {
        let options = Options::new(&both).unwrap().lease(lease);
        options.connect().await
    };
    let before = connect().await.unwrap();
    let lock = before.lock("k");
    let guard = lock.acquire().await.unwrap();
    proxy.set(Mode::Stall);
    let connected = connect().await.unwrap();
    assert!(connected.lock("k").try_acquire().await.unwrap().is_none());
    // Who has been connected to it goes on, too.
    let lost = tokio::time::timeout(lease, guard.lost()).await;
    assert!(lost.is_err(), "{lost:?}");
}
