//! The expansions where nothing is in scope, not even the prelude, and where
//! modules have the names of the crates.

#![no_implicit_prelude]
#![deny(warnings)]

/// Not the crate.
mod async_monitor {
    pub mod __private {}
    pub struct Lock;
}
mod core {}
mod std {}

use ::async_monitor as am;

#[derive(am::Guarded)]
#[guarded(new, debug, snapshot(::core::clone::Clone))]
struct Account<T> {
    ledger: am::Lock,
    #[guarded_by(ledger)]
    balance: am::Guarded<T>,
    #[lock(rw)]
    cfg: am::RwLock<()>,
    #[guarded_by(cfg)]
    limit: am::Guarded<T>,
    #[lock]
    state: am::Mutex<T>,
}

struct Store {
    state: am::sync::Mutex<u8>,
    config: am::sync::RwLock<u8>,
}

impl Store {
    #[am::synchronized(state, read(config), atomic)]
    fn set(&self) -> ::core::option::Option<u8> {
        *state = u8::checked_add(*state, *config)?;
        ::core::option::Option::Some(*state)
    }

    #[am::synchronized(state, when = *state > 0)]
    async fn wait(&self) -> u8 {
        *state
    }
}

impl<T: ::core::marker::Copy + ::core::cmp::PartialOrd> Account<T> {
    #[am::synchronized(ledger, state)]
    async fn set(&self, value: T) -> T {
        *ledger.balance = value;
        *state.value
    }

    #[am::synchronized(read(cfg), when = *cfg.limit >= limit)]
    async fn reaches(&self, limit: T)
    where
        T: ::core::marker::Sync,
    {
        let _ = cfg;
    }

    #[am::synchronized(ledger, no_await)]
    async fn at_once(&self) -> T {
        *ledger.balance
    }

    async fn block(&self) -> T {
        am::with_lock!(self.ledger, b = self.cfg, {
            *b.limit = *ledger.balance;
            *ledger.balance
        })
    }

    #[am::synchronized(ledger, cfg, blocking)]
    fn parked(&self) -> T {
        *ledger.balance = *cfg.limit;
        *ledger.balance
    }

    fn by_hand(&mut self) -> T {
        *self.ledger_mut().balance = *self.state_mut().value;
        *self.acquire_ledger_blocking().fields().balance
    }
}

fn main() {
    let _ = async_monitor::Lock;
    let mut account = Account {
        ledger: am::Lock::new(),
        balance: am::Guarded::new(1),
        cfg: am::RwLock::new(()),
        limit: am::Guarded::new(9),
        state: am::Mutex::new(3),
    };
    ::futures::executor::block_on(async {
        ::std::assert_eq!(account.set(2).await, 3);
        account.reaches(4).await;
        ::std::assert_eq!(account.at_once().await, 2);
        ::std::assert_eq!(account.block().await, 2);
    });
    ::std::assert_eq!(account.by_hand(), 3);
}
