//! A queue that is closed tells one of those who wait for an item.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Condition, Mutex};

use crate::support::task;

#[derive(Default)]
struct Queue {
    state: Mutex<(Vec<u32>, bool)>,
    changed: Condition,
}

impl Queue {
    async fn take(&self) -> Option<u32> {
        let state = self.state.lock().await;
        let is_over = |state: &(Vec<u32>, bool)| !state.0.is_empty() || state.1;
        let mut state = self.changed.wait_for(state, is_over).await;
        state.0.pop()
    }

    async fn close(&self, is_mended: bool) {
        let mut state = self.state.lock().await;
        state.1 = true;
        if is_mended {
            self.changed.notify_all(&state);
        } else {
            self.changed.notify_one(&state);
        }
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let queue = Arc::new(Queue::default());
    run.name("state", &queue.state);
    run.name("changed", &queue.changed);
    for name in ["ada", "bob"] {
        task(run, name, &queue, |queue| async move {
            queue.take().await;
        });
    }
    task(run, "closer", &queue, move |queue| async move {
        queue.close(is_mended).await;
    });
}
