//! Two threads hold one lock each, a sync lock and another, and ask for the other.

use std::sync::Arc;

use async_monitor::check::Run;
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
    fn write(&self) {
        *file.lines += 1;
        self.note(1);
    }

    #[synchronized(index)]
    fn compact(&self) {
        index.offsets.clear();
        self.truncate();
    }

    /// In the order of `write`.
    #[synchronized(file, blocking)]
    fn compact_mended(&self) {
        self.forget();
        *file.lines = 0;
    }

    #[synchronized(index)]
    fn note(&self, offset: u64) {
        index.offsets.push(offset);
    }

    #[synchronized(index)]
    fn forget(&self) {
        index.offsets.clear();
    }

    #[synchronized(file, blocking)]
    fn truncate(&self) {
        *file.lines = 0;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let journal = Arc::new(Journal::default());
    let other = Arc::clone(&journal);
    run.thread("writer", move || journal.write());
    run.thread("cleaner", move || {
        if is_mended {
            other.compact_mended();
        } else {
            other.compact();
        }
    });
}
