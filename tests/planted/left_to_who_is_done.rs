//! Who finds the lock held leaves the work to its holder, which has looked for the last time.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Lock, Mutex};

#[derive(Default)]
struct Log {
    lines: Mutex<u32>,
    flush: Lock,
}

impl Log {
    async fn write(&self, is_mended: bool) {
        *self.lines.lock().await += 1;
        loop {
            // Otherwise, its holder flushes this line, too.
            let Some(flush) = self.flush.try_acquire() else {
                return;
            };
            *self.lines.lock().await = 0;
            drop(flush);
            if !is_mended || *self.lines.lock().await == 0 {
                return;
            }
        }
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let log = Arc::new(Log::default());
    run.name("lines", &log.lines);
    run.name("flush", &log.flush);
    for name in ["ada", "bob"] {
        let log = Arc::clone(&log);
        // A cancel leaves lines in any case.
        run.background(name, async move { log.write(is_mended).await });
    }
    run.finally(move || {
        let left = *log.lines.try_lock().expect("it is free");
        assert_eq!(left, 0, "a line is never flushed");
    });
}
