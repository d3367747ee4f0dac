//! Behind a PgBouncer.

use std::time::Duration;

use async_monitor_distributed::postgres::{Options, Postgres};
use async_monitor_distributed::{Fenced, Guard};

use crate::support::{PgBouncer, url};
use crate::{LONG, SHORT, space};

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_refused_with_a_reason() {
    let Some(space) = space() else { return };
    let Some(pooler) = PgBouncer::start(&space.server, "transaction") else {
        return;
    };
    let pooled = url(pooler.port, &space.name);
    let error = Postgres::connect(&pooled).await.unwrap_err().to_string();
    assert!(error.contains("pool_mode=transaction"), "{error}");
    assert!(error.contains("Options::listen_at"), "{error}");
}

#[tokio::test]
async fn a_pooler_in_transaction_mode_is_fine_if_the_listener_goes_around_it() {
    let Some(space) = space() else { return };
    let Some(pooler) = PgBouncer::start(&space.server, "transaction") else {
        return;
    };
    let pooled = url(pooler.port, &space.name);
    let connect = || async {
        let options = Options::new(&pooled).unwrap().lease(LONG);
        options
            .listen_at(&space.url)
            .unwrap()
            .connect()
            .await
            .unwrap()
    };
    let (one, other) = (connect().await, connect().await);
    let (lock, same) = (one.lock("k"), other.lock("k"));
    for _ in 0..10 {
        let guard = lock.acquire().await.unwrap();
        let waiting = async { tokio::time::timeout(SHORT, same.acquire()).await };
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(guard);
        };
        let (next, ()) = tokio::join!(waiting, release);
        drop(next.expect("told").unwrap());
    }
}

#[tokio::test]
async fn leases_are_renewed_and_fences_checked_through_a_pooler_in_transaction_mode() {
    let Some(space) = space() else { return };
    let Some(pooler) = PgBouncer::start(&space.server, "transaction") else {
        return;
    };
    let pooled = url(pooler.port, &space.name);
    let lease = Duration::from_secs(1);
    let options = Options::new(&pooled).unwrap().lease(lease);
    let store = options.listen_at(&space.url).unwrap();
    let lock = store.connect().await.unwrap().lock("k");
    let guard = lock.acquire().await.unwrap();
    tokio::time::sleep(2 * lease).await;
    let connected = tokio_postgres::connect(&pooled, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    let table = "create table written (number int)";
    client.batch_execute(table).await.unwrap();
    let mut written = Fenced::new(client);
    let write = "insert into written values (1)";
    let count = written.with(&guard.fence).execute(write, &[]).await;
    assert_eq!(count.unwrap(), 1);
    let transaction = written.with_mut(&guard.fence).transaction().await.unwrap();
    transaction.batch_execute(write).await.unwrap();
    transaction.commit().await.unwrap();
    Guard::release(guard).await.unwrap();
}

#[tokio::test]
async fn a_pooler_in_session_mode_is_fine() {
    let Some(space) = space() else { return };
    let Some(pooler) = PgBouncer::start(&space.server, "session") else {
        return;
    };
    let store = Postgres::connect(&url(pooler.port, &space.name)).await;
    drop(store.unwrap().lock("k").acquire().await.unwrap());
}
