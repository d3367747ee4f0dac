//! What etcd refuses.

use async_monitor_distributed::Fenced;
use async_monitor_distributed::etcd::FenceError;
use etcd_client::{Client, Compare, CompareOp, Txn, TxnOp};

use crate::support::etcd::Etcd;
use crate::{LONG, space};

struct Invoices;

async fn paid(invoices: &Fenced<Client, Invoices>, key: &str) -> String {
    let found = invoices.unfenced().clone().get(key, None).await.unwrap();
    let value = found.kvs().first();
    value.map_or_else(String::new, |kv| kv.value_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_write_with_the_newest_fence_is_done_and_with_an_older_one_refused() {
    let Some(space) = space() else { return };
    let invoices = Fenced::<_, Invoices>::new(space.client().await);
    let invoice = format!("invoices/{}", space.prefix);
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (lock, same) = (one.lock_for::<Invoices>("k"), other.lock_for("k"));
    let stopped = lock.acquire().await.unwrap();
    let fenced = invoices.with(&stopped.fence);
    fenced.put(&*invoice, "5", None).await.unwrap();
    assert_eq!(paid(&invoices, &invoice).await, "5");

    // As if it had been stopped for longer than its lease.
    space.expire().await;
    let refused = fenced.put(&*invoice, "6", None).await;
    let Err(FenceError::Stale(stale)) = refused else {
        panic!("its lease has ended");
    };
    assert_eq!(stale.newer, None);
    let number = stopped.fence.number();
    assert_eq!(
        stale.to_string(),
        format!(
            "fence {number} of lock \"k\" is stale: its lease has ended, and nothing was written"
        )
    );
    let next = same.acquire().await.unwrap();

    let refused = fenced.put(&*invoice, "6", None).await;
    let Err(FenceError::Stale(stale)) = refused else {
        panic!("it is somebody else's");
    };
    assert_eq!((&*stale.key, stale.fence), ("k", number));
    assert_eq!(stale.newer, Some(next.fence.number()));
    let text = stale.to_string();
    let ends = format!(
        "pid {} has fence {}, and nothing was written",
        std::process::id(),
        next.fence.number()
    );
    assert!(text.ends_with(&ends), "{text}");
    // Also where it only reads, or deletes.
    let refused = fenced.get(&*invoice, None).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    let refused = fenced.delete(&*invoice, None).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    let put = Txn::new().and_then([TxnOp::put(&*invoice, "6", None)]);
    let refused = fenced.txn(put).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    assert_eq!(paid(&invoices, &invoice).await, "5");
    let newer = invoices.with(&next.fence);
    newer.put(&*invoice, "10", None).await.unwrap();
    assert_eq!(paid(&invoices, &invoice).await, "10");
    let deleted = newer.delete(&*invoice, None).await;
    assert_eq!(deleted.unwrap().deleted(), 1);
}

#[tokio::test]
async fn a_transaction_has_conditions_of_its_own() {
    let Some(space) = space() else { return };
    let invoices = Fenced::<_, Invoices>::new(space.client().await);
    let invoice = format!("invoices/{}", space.prefix);
    let store = space.store(LONG).await;
    let lock = store.lock_for("k");
    let guard = lock.acquire().await.unwrap();
    let fenced = invoices.with(&guard.fence);
    let pay = |is: &str, becomes: &str| {
        let is = Compare::value(&*invoice, CompareOp::Equal, is);
        Txn::new()
            .when([is])
            .and_then([TxnOp::put(&*invoice, becomes, None)])
    };
    fenced.put(&*invoice, "1", None).await.unwrap();
    assert!(fenced.txn(pay("1", "2")).await.unwrap().succeeded());
    assert!(!fenced.txn(pay("1", "3")).await.unwrap().succeeded());
    let read = fenced.get(&*invoice, None).await.unwrap();
    assert_eq!(read.kvs()[0].value_str().unwrap(), "2");
}

/// Its locks are not those of the fence.
#[tokio::test(flavor = "multi_thread")]
async fn a_fence_is_stale_in_another_cluster() {
    let (Some(space), Some(another)) = (space(), Etcd::start(1)) else {
        return;
    };
    let client = Client::connect(another.endpoints(), None).await.unwrap();
    let invoices = Fenced::<_, Invoices>::new(client);
    let store = space.store(LONG).await;
    let lock = store.lock_for("k");
    let guard = lock.acquire().await.unwrap();
    let refused = invoices.with(&guard.fence).put("invoice", "1", None).await;
    assert!(matches!(refused, Err(FenceError::Stale(_))));
    assert_eq!(paid(&invoices, "invoice").await, "");
}
