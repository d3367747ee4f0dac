//! A connection is put aside for one who waits, whose time is up before it is picked up.

use std::sync::Arc;
use std::time::Duration;

use async_monitor::check::Run;
use async_monitor::{Elapsed, Guarded, Lock, synchronized};

use crate::support::{block_on, task};

#[derive(Guarded, Default)]
struct Pool {
    state: Lock,
    #[guarded_by(state)]
    free: Guarded<u32>,
    #[guarded_by(state)]
    waits: Guarded<bool>,
    /// A connection for the one who waits.
    #[guarded_by(state)]
    put_aside: Guarded<u32>,
}

impl Pool {
    #[synchronized(state)]
    async fn ask(&self) {
        *state.waits = true;
    }

    #[synchronized(state)]
    async fn give_back(&self) {
        if std::mem::take(&mut *state.waits) {
            *state.put_aside += 1;
        } else {
            *state.free += 1;
        }
    }

    #[synchronized(state, timeout = Duration::from_secs(1), when = *state.put_aside > 0)]
    async fn pick_up(&self) -> Result<(), Elapsed> {
        *state.put_aside -= 1;
        Ok(())
    }

    /// What was put aside meanwhile is free for others.
    #[synchronized(state)]
    async fn give_up(&self) {
        *state.waits = false;
        *state.free += std::mem::take(&mut *state.put_aside);
    }

    async fn take(&self, is_mended: bool) -> bool {
        self.ask().await;
        let result = self.pick_up().await;
        if result.is_err() && is_mended {
            self.give_up().await;
        }
        result.is_ok()
    }

    #[synchronized(state)]
    async fn put_aside(&self) -> u32 {
        *state.put_aside
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let pool = Arc::new(Pool::default());
    // What `take` does where it is cancelled is another story.
    let user = Arc::clone(&pool);
    run.background("user", async move {
        if user.take(is_mended).await {
            user.give_back().await;
        }
    });
    task(run, "other", &pool, |pool| async move { pool.give_back().await });
    run.finally(move || assert_eq!(block_on(pool.put_aside()), 0, "a connection is lost"));
}
