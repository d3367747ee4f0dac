//! Three are expected at a barrier, and who finds nothing to do does not come.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Barrier, Guarded, Lock, synchronized};

use crate::support::task;

#[derive(Guarded)]
struct Round {
    work: Lock,
    #[guarded_by(work)]
    left: Guarded<u32>,
    end: Barrier,
}

impl Round {
    #[synchronized(work)]
    async fn take(&self) -> bool {
        let has_work = *work.left > 0;
        *work.left = work.left.saturating_sub(1);
        has_work
    }

    #[synchronized(work)]
    async fn add(&self) {
        *work.left += 1;
    }

    async fn work(&self, is_mended: bool) {
        let has_work = self.take().await;
        if has_work || is_mended {
            let _ = self.end.wait().await;
        }
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let round = Arc::new(Round {
        work: Lock::new(),
        left: Guarded::new(1),
        end: Barrier::new(2),
    });
    run.name("end", &round.end);
    for name in ["ada", "bob"] {
        task(run, name, &round, move |round| async move {
            round.work(is_mended).await;
        });
    }
    task(run, "boss", &round, |round| async move { round.add().await });
}
