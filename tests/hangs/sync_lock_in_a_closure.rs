//! A closure that runs in a section of a sync lock asks for the lock.

use async_monitor::{Guarded, sync, synchronized};

#[derive(Guarded, Default)]
struct Counters {
    #[lock(sync)]
    state: sync::Lock,
    #[guarded_by(state)]
    counts: Guarded<Vec<u64>>,
}

impl Counters {
    #[synchronized(state)]
    fn for_each(&self, mut visit: impl FnMut(u64)) {
        for count in state.counts.iter() {
            visit(*count);
        }
    }

    #[synchronized(state)]
    fn add(&self, count: u64) {
        state.counts.push(count);
    }
}

pub fn run() {
    let counters = Counters::default();
    counters.add(1);
    counters.for_each(|count| counters.add(count + 1));
}
