//! Locks, fields, attributes and methods that are configured away, or only there
//! because of the configuration.

#![deny(warnings)]
#![allow(unexpected_cfgs)]

use async_monitor::{Guarded, Lock, synchronized};

#[derive(Guarded)]
struct Object {
    ledger: Lock,
    #[cfg_attr(all(), guarded_by(ledger))]
    balance: Guarded<u8>,
    #[cfg_attr(any(), guarded_by(missing))]
    #[cfg_attr(all(), guarded_by(ledger), doc = "Documented.")]
    history: Guarded<u8>,
    #[cfg(any())]
    #[lock]
    away: Lock,
    #[cfg(any())]
    #[guarded_by(away)]
    also_away: Guarded<u8>,
    #[cfg_attr(all(), lock)]
    other: Lock,
    #[cfg(all())]
    #[guarded_by(other)]
    name: Guarded<String>,
    #[cfg_attr(any(), lock(rw))]
    unmarked: u8,
}

impl Object {
    #[cfg(any())]
    #[synchronized(away)]
    async fn away(&self) -> u8 {
        *away.also_away
    }

    #[cfg_attr(all(), synchronized(ledger))]
    async fn sum(&self, #[cfg(any())] away: u8, #[allow(unused)] amount: u8) -> u8 {
        #[cfg(any())]
        {
            *ledger.away += 1;
        }
        *ledger.balance + *ledger.history
    }

    #[synchronized(ledger)]
    #[cfg(all())]
    #[must_use]
    #[inline]
    async fn after(&self) -> u8 {
        *ledger.balance + self.unmarked
    }

    #[cfg_attr(any(), synchronized(other))]
    async fn name(&self) -> usize {
        self.acquire_other().await.fields().name.len()
    }
}

fn main() {
    let object = Object {
        ledger: Lock::new(),
        balance: Guarded::new(1),
        history: Guarded::new(2),
        other: Lock::new(),
        name: Guarded::new(String::new()),
        unmarked: 1,
    };
    futures::executor::block_on(async {
        assert_eq!(object.sum(1).await, 3);
        assert_eq!(object.after().await, 2);
        assert_eq!(object.name().await, 0);
    });
}
