//! What a database refuses.

use std::time::Duration;

use async_monitor_distributed::postgres::FenceError;
use async_monitor_distributed::{Fenced, Guard};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use crate::{LONG, SHORT, Space, eventually, space, space_alone};

struct Invoices;

async fn invoices(space: &Space) -> Fenced<Client, Invoices> {
    let client = space.client().await;
    let schema = "create table invoices (id int primary key, paid int not null); \
                  insert into invoices values (42, 0)";
    client.batch_execute(schema).await.unwrap();
    Fenced::new(client)
}

const PAY: &str = "update invoices set paid = paid + $1 where id = $2";

async fn paid(invoices: &Fenced<Client, Invoices>) -> i32 {
    let paid = "select paid from invoices where id = 42";
    let row = invoices.unfenced().query_one(paid, &[]).await.unwrap();
    row.get(0)
}

#[tokio::test]
async fn a_write_with_the_newest_fence_is_done_and_with_an_older_one_refused() {
    let Some(space) = space() else { return };
    let mut invoices = invoices(&space).await;
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock_for::<Invoices>("k"), other.lock_for("k"));
    let stopped = lock.acquire().await.unwrap();
    let params: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&5, Type::INT4), (&42, Type::INT4)];
    let changed = invoices.with(&stopped.fence).execute(PAY, &params).await;
    assert_eq!(changed.unwrap(), 1);
    assert_eq!(paid(&invoices).await, 5);

    // As if it had been stopped for longer than its lease.
    space.expire().await;
    let next = same.acquire().await.unwrap();

    let refused = invoices.with(&stopped.fence).execute(PAY, &params).await;
    let Err(FenceError::Stale(stale)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((&*stale.key, stale.fence, stale.newer), ("k", 1, Some(2)));
    assert_eq!(
        stale.to_string(),
        "fence 1 of lock \"k\" is stale: fence 2 was given out since, and nothing was written"
    );
    // Also where there is nothing to write, and where it only reads.
    let nothing: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&5, Type::INT4), (&0, Type::INT4)];
    let refused = invoices.with(&stopped.fence).execute(PAY, &nothing).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    let read = "select * from invoices where id = 0";
    let refused = invoices.with(&stopped.fence).query(read, &[]).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    let refused = invoices.with_mut(&stopped.fence).transaction().await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    drop(refused);
    assert_eq!(paid(&invoices).await, 5);
    let changed = invoices.with(&next.fence).execute(PAY, &params).await;
    assert_eq!(changed.unwrap(), 1);
    assert_eq!(paid(&invoices).await, 10);
}

#[tokio::test]
async fn rows_are_as_the_statement_returns_them() {
    let Some(space) = space() else { return };
    let invoices = invoices(&space).await;
    let store = space.store(LONG).await;
    let lock = store.lock_for("k");
    let guard = lock.acquire().await.unwrap();
    let invoices = invoices.with(&guard.fence);
    let rows = invoices.query("select * from invoices", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].get::<_, i32>("id"), 42);
    let none = "select * from invoices where id = 0";
    assert!(invoices.query(none, &[]).await.unwrap().is_empty());
    let returned = "update invoices set paid = $1 returning id, paid";
    let rows = invoices.query(returned, &[(&7, Type::INT4)]).await.unwrap();
    assert_eq!(rows[0].get::<_, i32>(1), 7);
    let ordered = "select n from generate_series(1, 1000) n order by n desc -- in this order";
    let rows = invoices.query(ordered, &[]).await.unwrap();
    let numbers: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert!(numbers.iter().copied().eq((1..=1000).rev()));
    let nothing = "delete from invoices where id = 0 -- which there is not";
    assert_eq!(invoices.execute(nothing, &[]).await.unwrap(), 0);
    let wrong = invoices.query("select * from nothing", &[]).await;
    assert!(matches!(wrong, Err(FenceError::Database(_))));
}

/// Nobody is granted the lock between a write and its commit.
#[tokio::test]
async fn a_grant_waits_for_the_transaction_of_the_holder_before() {
    let Some(space) = space() else { return };
    let mut invoices = invoices(&space).await;
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock_for::<Invoices>("k"), other.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let transaction = invoices.with_mut(&guard.fence).transaction().await.unwrap();
    let pay = "update invoices set paid = 1";
    transaction.batch_execute(pay).await.unwrap();
    // A transaction does not outlive the guard, but it may outlive the lease.
    space.expire().await;
    let waiting = tokio::time::timeout(Duration::from_millis(500), same.acquire()).await;
    assert!(waiting.is_err(), "not granted before the commit");
    transaction.commit().await.unwrap();
    let granted = tokio::time::timeout(SHORT, same.acquire()).await;
    drop(granted.expect("granted after the commit").unwrap());
    assert_eq!(paid(&invoices).await, 1);
}

/// A transaction whose process is stopped keeps nobody out for longer than a lease.
#[tokio::test]
async fn a_transaction_that_is_left_open_is_ended_by_the_server() {
    let Some(space) = space() else { return };
    let mut invoices = invoices(&space).await;
    let store = space.store(SHORT).await;
    let lock = store.lock_for::<Invoices>("k");
    let guard = lock.acquire().await.unwrap();
    let transaction = invoices.with_mut(&guard.fence).transaction().await.unwrap();
    let pay = "update invoices set paid = 1";
    transaction.batch_execute(pay).await.unwrap();
    space.expire().await;
    let same = store.lock("k");
    let granted = tokio::time::timeout(3 * SHORT, same.acquire()).await;
    drop(granted.expect("granted").unwrap());
    assert!(transaction.commit().await.is_err());
}

/// Its locks are not those of the fence.
#[tokio::test]
async fn a_fence_is_stale_in_another_database() {
    let (Some(space), Some(another)) = (space(), space()) else {
        return;
    };
    let invoices = invoices(&another).await;
    let (store, its_own) = (space.store(LONG).await, another.store(LONG).await);
    let (lock, same) = (store.lock_for("k"), its_own.lock("k"));
    let guard = lock.acquire().await.unwrap();
    let pay = "update invoices set paid = 1";
    for (newer, text) in [
        (None, "the database has no such grant"),
        // Also where it has given out the same number, or a greater one.
        (Some(1), "has given out the same number again"),
        (Some(2), "fence 2 was given out since"),
    ] {
        let refused = invoices.with(&guard.fence).execute(pay, &[]).await;
        let Err(FenceError::Stale(stale)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!((stale.fence, stale.newer), (1, newer));
        let said = stale.to_string();
        assert!(said.contains(text), "{said}");
        Guard::release(same.acquire().await.unwrap()).await.unwrap();
    }
    assert_eq!(paid(&invoices).await, 0);
}

/// The last fence of the key that the database knows of.
async fn known(client: &Client) -> i64 {
    let known = "select fence from async_monitor.locks where key = 'k'";
    client.query_one(known, &[]).await.unwrap().get(0)
}

/// What a release grants is not on the disk yet. After a crash that loses it, the waiter that was
/// granted the lock has it still, and need not wait for the one before to be found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_a_crash_has_lost_is_made_again_by_a_fenced_statement() {
    let Some(space) = space_alone() else { return };
    // Otherwise it is written within half a second.
    let slow = "alter system set wal_writer_delay = '10 s'";
    space.client().await.batch_execute(slow).await.unwrap();
    space.crash(Duration::ZERO).await;
    drop(invoices(&space).await);
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (first, next) = (one.lock("k"), other.lock_for::<Invoices>("k"));
    let (mut lost, mut attempts) = (0, 0);
    while lost < 4 {
        attempts += 1;
        assert!(attempts < 40, "no crash loses a grant");
        let before = loop {
            if let Ok(guard) = first.acquire().await {
                break guard;
            }
        };
        let (guard, released) = tokio::join!(next.acquire(), async {
            let queued = async || space.places().await == 2;
            eventually(SHORT, "it is queued", queued).await;
            Guard::release(before).await
        });
        released.unwrap();
        let guard = guard.unwrap();
        let number = guard.fence.number() as i64;
        space.crash(Duration::ZERO).await;
        let client = space.client().await;
        let is_lost = known(&client).await < number;
        let mut invoices = Fenced::new(client);
        // Alone, in a transaction, and two at once.
        match lost % 3 {
            0 => drop(
                invoices
                    .with(&guard.fence)
                    .query("select 1", &[])
                    .await
                    .unwrap(),
            ),
            1 => {
                let transaction = invoices.with_mut(&guard.fence).transaction().await;
                transaction.unwrap().commit().await.unwrap();
            }
            _ => {
                let same = Fenced::new(space.client().await);
                let pay = "update invoices set paid = 1";
                let (one, other) = (invoices.with(&guard.fence), same.with(&guard.fence));
                let (one, other) = tokio::join!(one.execute(pay, &[]), other.execute(pay, &[]));
                assert_eq!((one.unwrap(), other.unwrap()), (1, 1));
            }
        }
        assert_eq!(known(invoices.unfenced()).await, number);
        lost += i32::from(is_lost);
        drop(guard);
        // What the first has given up is there again, until a renewal finds it.
        let withdraw = "delete from async_monitor.places";
        invoices.unfenced().batch_execute(withdraw).await.unwrap();
    }
}

/// A crash has lost a grant, and the lease has ended meanwhile; or a failover has lost it.
#[tokio::test]
async fn a_grant_that_the_database_has_lost_is_not_said_to_be_followed_by_another() {
    let Some(space) = space() else { return };
    let invoices = invoices(&space).await;
    let store = space.store(LONG).await;
    let lock = store.lock_for::<Invoices>("k");
    Guard::release(lock.acquire().await.unwrap()).await.unwrap();
    let guard = lock.acquire().await.unwrap();
    let before = "update async_monitor.locks set fence = 1, holder = 'before/1'; \
                  delete from async_monitor.places";
    invoices.unfenced().batch_execute(before).await.unwrap();
    let pay = "update invoices set paid = 1";
    let refused = invoices.with(&guard.fence).execute(pay, &[]).await;
    let Err(FenceError::Stale(stale)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!((&*stale.key, stale.fence, stale.newer), ("k", 2, None));
    assert_eq!(
        stale.to_string(),
        "fence 2 of lock \"k\" is stale: the database has no such grant, and nothing was written. \
         It has lost the grant, in a failover to a replica that lagged behind, or in a crash before \
         the lease ended; or it is not the database of the locks. Leave the section, and acquire the \
         lock again"
    );
    assert_eq!(paid(&invoices).await, 0);
}
