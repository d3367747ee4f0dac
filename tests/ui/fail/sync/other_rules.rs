use std::sync::MutexGuard;

use async_monitor::{Guarded, SyncLock, sync, synchronized, with_lock};

/// A lock that no release of ours knows.
pub struct Foreign(std::sync::Mutex<u8>);

impl SyncLock for Foreign {
    type Guard<'a> = MutexGuard<'a, u8>;

    fn acquire(&self) -> Self::Guard<'_> {
        self.0.lock().unwrap()
    }

    fn try_acquire(&self) -> Option<Self::Guard<'_>> {
        self.0.try_lock().ok()
    }
}

pub struct NotClone(u8);

#[derive(Guarded)]
pub struct Account {
    ledger: sync::Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
    foreign: Foreign,
    state: sync::Mutex<NotClone>,
    std: std::sync::Mutex<u8>,
}

impl Account {
    #[synchronized(foreign, when = *foreign > 0)]
    fn wait(&self) -> u8 {
        *foreign
    }

    #[synchronized(read(foreign), when = *foreign > 0)]
    async fn wait_async(&self) -> u8 {
        *foreign
    }

    #[synchronized(state, atomic)]
    fn undone(&self) {
        state.0 += 1;
    }

    #[synchronized(read(state))]
    fn read(&self) {
        state.0 += 1;
    }

    #[synchronized(ledger)]
    fn mutable(&mut self) {
        *ledger.balance += 1;
    }

    #[synchronized(std)]
    fn std(&self) -> u8 {
        *std
    }

    #[synchronized(ledger)]
    fn leaves(&self) -> &i64 {
        ledger.balance
    }

    fn leaves_a_block(&self) -> &mut NotClone {
        with_lock!(self.state, blocking, { state })
    }
}

fn main() {}
