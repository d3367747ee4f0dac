//! A permit is given back by who works and by who gives up on it.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, Semaphore, synchronized};

use crate::support::task;

#[derive(Guarded)]
struct Job {
    permits: Semaphore,
    state: Lock,
    #[guarded_by(state)]
    is_over: Guarded<bool>,
}

impl Job {
    #[synchronized(state)]
    async fn is_over(&self) -> bool {
        *state.is_over
    }

    /// Returns whether it was over already.
    #[synchronized(state)]
    async fn end(&self) -> bool {
        std::mem::replace(&mut *state.is_over, true)
    }

    async fn finish(&self) {
        if !self.is_over().await {
            self.permits.add_permits(1);
            self.end().await;
        }
    }

    async fn finish_mended(&self) {
        if !self.end().await {
            self.permits.add_permits(1);
        }
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    // The only permit is out.
    let job = Arc::new(Job {
        permits: Semaphore::new(0),
        state: Lock::new(),
        is_over: Guarded::new(false),
    });
    run.name("permits", &job.permits);
    for name in ["worker", "boss"] {
        task(run, name, &job, move |job| async move {
            if is_mended {
                job.finish_mended().await;
            } else {
                job.finish().await;
            }
        });
    }
    run.always(move || {
        let permits = job.permits.available_permits();
        assert!(permits <= 1, "there is one permit, and {permits} are available");
    });
}
