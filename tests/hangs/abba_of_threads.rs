//! Two threads hold one lock each, a sync lock and another, and ask for the other.

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use async_monitor::{Guarded, Lock, sync, synchronized};

#[derive(Guarded, Default)]
struct Journal {
    file: Lock,
    #[guarded_by(file)]
    lines: Guarded<u64>,
    #[lock(sync)]
    index: sync::Lock,
    #[guarded_by(index)]
    offsets: Guarded<Vec<u64>>,
}

impl Journal {
    #[synchronized(file, blocking)]
    fn write(&self, both: &Barrier) {
        *file.lines += 1;
        both.wait();
        self.note(1);
    }

    #[synchronized(index)]
    fn compact(&self, both: &Barrier) {
        index.offsets.clear();
        both.wait();
        // So that the report has one order.
        thread::sleep(Duration::from_millis(20));
        self.truncate();
    }

    #[synchronized(index)]
    fn note(&self, offset: u64) {
        index.offsets.push(offset);
    }

    #[synchronized(file, blocking)]
    fn truncate(&self) {
        *file.lines = 0;
    }
}

pub fn run() {
    let journal = Journal::default();
    let both = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| journal.write(&both));
        scope.spawn(|| journal.compact(&both));
    });
}
