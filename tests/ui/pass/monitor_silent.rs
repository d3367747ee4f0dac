//! What `#[monitor]` cannot know to deadlock, and does not refuse.

use async_monitor::{Guarded, Lock, Mutex, RwLock, Semaphore, monitor, synchronized, with_lock};

#[derive(Guarded)]
pub struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    #[lock]
    owner: Mutex<String>,
    #[lock(rw)]
    cfg: RwLock<()>,
    #[guarded_by(cfg)]
    limit: Guarded<i64>,
    permits: Semaphore,
    log: Mutex<Vec<i64>>,
    gate: Lock,
}

macro_rules! somewhere {
    ($($tokens:tt)*) => {};
}

#[monitor]
impl Account {
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.balance
    }

    /// Another object, or one that only looks like this one.
    #[synchronized(ledger)]
    pub async fn others(&self, other: &Account) {
        ledger.deposit(1).await;
        other.deposit(1).await;
        drop(other.acquire_ledger().await);
        with_lock!(other.ledger, {
            ledger.deposit(1).await;
        });
    }

    /// Elsewhere, or never.
    #[synchronized(ledger)]
    pub async fn elsewhere(&self) {
        let _not_awaited = self.deposit(1);
        let _block = async { self.deposit(1).await };
        let _closure = || self.acquire_ledger_blocking();
        let _async_closure = async || self.deposit(1).await;
        somewhere!(self.deposit(1).await);
        let _joined = futures::future::join(self.deposit(1), self.deposit(2));
        #[cfg(any())]
        self.deposit(1).await;
        ledger.deposit(1).await;
    }

    #[synchronized(ledger)]
    pub async fn tries(&self) {
        drop(self.try_acquire_ledger());
        drop(self.ledger.try_acquire());
        ledger.deposit(1).await;
    }

    /// The lock is free again.
    pub async fn one_after_the_other(&self) {
        with_lock!(self.ledger, {
            ledger.deposit(1).await;
        });
        self.deposit(1).await;
        drop(self.acquire_ledger().await);
    }

    /// In an item, `self` is another one.
    #[synchronized(ledger)]
    pub async fn items(&self) {
        struct Other;
        impl Other {
            async fn deposit(&self) {}
            async fn run(&self) {
                self.deposit().await;
            }
        }
        Other.run().await;
        ledger.deposit(1).await;
    }

    /// A semaphore has room for more, and no derive knows it.
    #[synchronized(permits)]
    pub async fn two_permits(&self) {
        let _ = &permits;
        let _second = self.permits.acquire().await;
    }

    /// Methods of the user's own that have such names.
    #[synchronized(owner)]
    pub async fn own_names(&self) {
        owner.value.clear();
        self.read_owner().await;
        self.write_owner().await;
        self.acquire_everything().await;
    }

    async fn acquire_everything(&self) {}

    /// Several locks of one section have an order of their own.
    #[synchronized(ledger, owner)]
    pub async fn one_way(&self) {
        *ledger.balance += owner.value.len() as i64;
    }

    #[synchronized(owner, ledger)]
    pub async fn the_other_way(&self) {
        *ledger.balance += owner.value.len() as i64;
    }

    /// In one order everywhere.
    #[synchronized(ledger)]
    pub async fn in_order(&self) {
        let cfg = self.read_cfg().await;
        *ledger.balance += *cfg.fields().limit;
    }

    /// In both orders, but never at the same time.
    #[synchronized(gate)]
    pub async fn guarded_one_way(&self) {
        let _ = &gate;
        with_lock!(self.owner, {
            self.log.lock().await.push(owner.value.len() as i64);
        });
    }

    #[synchronized(gate)]
    pub async fn guarded_the_other_way(&self) {
        let _ = &gate;
        with_lock!(self.log, {
            log.clear();
            drop(self.acquire_owner().await);
        });
    }
}

/// Defined in another impl: for a lock that is not `rw`, nothing is generated
/// under these names.
impl Account {
    async fn read_owner(&self) {}
    async fn write_owner(&self) {}
}

mod allowed {
    use super::*;

    #[derive(Guarded)]
    pub struct Pair {
        a: Lock,
        #[guarded_by(a)]
        left: Guarded<u8>,
        b: Lock,
        #[guarded_by(b)]
        right: Guarded<u8>,
    }

    #[monitor(allow(nested, order))]
    impl Pair {
        #[synchronized(a)]
        pub async fn left(&self) -> u8 {
            if *a.left == 0 { Box::pin(self.left()).await } else { 0 }
        }

        #[synchronized(a)]
        pub async fn one_way(&self) -> u8 {
            *a.left + *self.acquire_b().await.fields().right
        }

        #[synchronized(b)]
        pub async fn other_way(&self) -> u8 {
            *b.right + *self.acquire_a().await.fields().left
        }
    }
}

fn main() {}
