//! Parts of a body do not run on several threads at a time, whatever the macro is that gets them.

use std::thread;

use async_monitor::{Guarded, Lock, synchronized};
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Account {
    ledger: Lock,
    #[guarded_by(ledger)]
    balance: Guarded<i64>,
}

/// Not that of the standard library.
macro_rules! vec {
    ($a:expr, $b:expr) => {
        thread::scope(|scope| {
            scope.spawn(|| block_on(async { $a }));
            scope.spawn(|| block_on(async { $b }));
        })
    };
}

async fn work() {}

impl Account {
    #[synchronized(ledger)]
    async fn on_several_threads(&self) {
        vec![work().await, work().await];
    }
}

/// Passes on to the macro of this crate.
macro_rules! with_lock {
    ($($arguments:tt)*) => {
        thread::scope(|scope| {
            scope.spawn(|| async_monitor::with_lock!($($arguments)*));
            scope.spawn(|| async_monitor::with_lock!($($arguments)*));
        })
    };
}

impl Account {
    #[synchronized(ledger)]
    async fn around_several_threads(&self, other: &Lock) {
        with_lock!(other, blocking, {});
    }
}

fn main() {}
