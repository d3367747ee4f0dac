//! Statistics, under a lock of their own: counting does not delay a sale.

use std::collections::VecDeque;
use std::time::Instant;

use async_monitor::{Guarded, holding, monitor, sync, synchronized};
use serde::Serialize;

/// For how many seconds sales are shown.
const SECONDS: usize = 60;

/// How often each thing has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub held: u64,
    pub sold: u64,
    pub declined: u64,
    pub timed_out: u64,
    pub expired: u64,
    pub given_back: u64,
    pub refunded: u64,
    pub waited: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    pub counts: Counts,
    /// How many seats were sold in each of the last seconds, the latest last.
    pub sales: Vec<u32>,
}

#[derive(Guarded)]
pub struct Statistics {
    since: Instant,
    lock: sync::Lock,
    #[guarded_by(lock)]
    counts: Guarded<Counts>,
    #[guarded_by(lock)]
    sales: Guarded<VecDeque<u32>>,
    /// The second of the last one of `sales`.
    #[guarded_by(lock)]
    second: Guarded<u64>,
}

#[monitor]
impl Statistics {
    pub fn new() -> Self {
        Statistics {
            since: Instant::now(),
            lock: sync::Lock::new(),
            counts: Guarded::default(),
            sales: Guarded::new(VecDeque::from(vec![0; SECONDS])),
            second: Guarded::default(),
        }
    }

    #[synchronized(lock)]
    pub fn count(&self, add: impl FnOnce(&mut Counts)) {
        add(lock.counts);
    }

    #[synchronized(lock)]
    pub fn sold(&self) {
        lock.go_on();
        lock.counts.sold += 1;
        if let Some(latest) = lock.sales.back_mut() {
            *latest += 1;
        }
    }

    #[synchronized(lock)]
    pub fn summary(&self) -> Summary {
        lock.go_on();
        Summary {
            counts: *lock.counts,
            sales: lock.sales.iter().copied().collect(),
        }
    }

    /// Begins the seconds that have begun since.
    #[holding(lock)]
    fn go_on(&self) {
        let now = self.since.elapsed().as_secs();
        let passed = now.saturating_sub(*lock.second).min(SECONDS as u64);
        for _ in 0..passed {
            lock.sales.pop_front();
            lock.sales.push_back(0);
        }
        *lock.second = now;
    }
}
