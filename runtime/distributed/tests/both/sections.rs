//! The notation.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_monitor::{Elapsed, Guarded, Lock, synchronized, with_lock};
use async_monitor_distributed::{LeaseLost, LockError};

use crate::support::proxy::{Mode, Proxy};
use crate::{LONG, SHORT, Store, StoreLock, eventually, space};

#[derive(Debug)]
#[allow(dead_code)] // printed
enum Failed {
    Lock(LockError),
    Elapsed,
}

impl From<LockError> for Failed {
    fn from(error: LockError) -> Self {
        Failed::Lock(error)
    }
}

impl From<Elapsed> for Failed {
    fn from(_: Elapsed) -> Self {
        Failed::Elapsed
    }
}

#[derive(Guarded)]
struct Billing {
    invoice: StoreLock,
    order: StoreLock,
    local: Lock,
    #[guarded_by(local)]
    amount: Guarded<u32>,
}

impl Billing {
    fn new(store: &Store) -> Arc<Self> {
        Arc::new(Billing {
            invoice: store.lock("invoice"),
            order: store.lock("order"),
            local: Lock::new(),
            amount: Guarded::new(0),
        })
    }

    #[synchronized(self.invoice?, local, atomic)]
    async fn add(&self, takes: Duration) -> Result<u64, LockError> {
        *local.amount += 1;
        tokio::time::sleep(takes).await;
        *local.amount += 1;
        Ok(invoice.fence.number())
    }

    #[synchronized(self.invoice?, self.order?)]
    async fn both(&self) -> Result<(), LockError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    }

    #[synchronized(self.order?, self.invoice?)]
    async fn both_the_other_way(&self) -> Result<(), LockError> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(())
    }

    #[synchronized(self.invoice?, timeout = Duration::from_millis(300))]
    async fn impatient(&self) -> Result<u64, Failed> {
        Ok(invoice.fence.number())
    }
}

#[tokio::test]
async fn a_lost_lease_ends_the_section_at_an_await_and_puts_back_what_is_atomic() {
    let Some(space) = space() else { return };
    let proxy = Proxy::start(space.port());
    let cut_off = space.store_at(proxy.port, SHORT).await;
    let billing = Billing::new(&cut_off);
    let first = billing.add(Duration::ZERO).await.unwrap();
    let start = Instant::now();
    let cut = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        proxy.set(Mode::Stall);
    };
    let (added, ()) = tokio::join!(billing.add(LONG), cut);
    let Err(LockError::Lost(LeaseLost {
        key, fence, held, ..
    })) = added
    else {
        panic!("{added:?}");
    };
    assert_eq!(&*key, "invoice");
    assert!(fence > first);
    assert!(
        held <= start.elapsed() && start.elapsed() < SHORT,
        "{held:?}"
    );
    assert_eq!(*billing.acquire_local().await.fields().amount, 2);
}

#[tokio::test]
async fn renewals_keep_a_section_for_longer_than_a_lease() {
    let Some(space) = space() else { return };
    let store = space.store(Duration::from_secs(2)).await;
    let billing = Billing::new(&store);
    billing.add(Duration::from_millis(4500)).await.unwrap();
    assert_eq!(*billing.acquire_local().await.fields().amount, 2);
}

#[tokio::test]
async fn several_locks_in_any_order_do_not_deadlock() {
    let Some(space) = space() else { return };
    let stores = [space.store(LONG).await, space.store(LONG).await];
    let sections = (0..20).map(|number| {
        let billing = Billing::new(&stores[number % 2]);
        tokio::spawn(async move {
            match number % 4 {
                0 | 1 => billing.both().await,
                _ => billing.both_the_other_way().await,
            }
        })
    });
    let all = futures::future::join_all(sections);
    let ended = tokio::time::timeout(Duration::from_secs(30), all).await;
    for section in ended.expect("no deadlock") {
        section.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_section_that_is_not_entered_in_time_leaves_the_queue() {
    let Some(space) = space() else { return };
    let (one, other) = (space.store(LONG).await, space.store(LONG).await);
    let (billing, same) = (Billing::new(&one), Billing::new(&other));
    let guard = billing.invoice.acquire().await.unwrap();
    let entered = same.impatient().await;
    assert!(matches!(entered, Err(Failed::Elapsed)), "{entered:?}");
    drop(guard);
    same.impatient().await.unwrap();
    let nobody = async || space.places().await == 0;
    eventually(SHORT, "nobody holds or waits", nobody).await;
}

#[tokio::test]
async fn a_block_is_a_section_too() {
    async fn pay(billing: &Billing) -> Result<u64, LockError> {
        let fence = with_lock!(i = billing.invoice?, l = billing.local, {
            *l.amount += 1;
            tokio::time::sleep(Duration::from_millis(1)).await;
            i.fence.number()
        });
        Ok(fence)
    }

    let Some(space) = space() else { return };
    let store = space.store(LONG).await;
    let billing = Billing::new(&store);
    assert!(pay(&billing).await.unwrap() < pay(&billing).await.unwrap());
}
