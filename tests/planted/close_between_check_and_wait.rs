//! Whether the queue is closed is looked at before the wait for an item, and not during it.

use std::sync::Arc;

use async_monitor::check::Run;
use async_monitor::{Guarded, Lock, synchronized};

use crate::support::task;

#[derive(Guarded, Default)]
struct Queue {
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<u32>,
    #[guarded_by(state)]
    closed: Guarded<bool>,
}

impl Queue {
    #[synchronized(state)]
    async fn is_closed(&self) -> bool {
        *state.closed
    }

    #[synchronized(state, when = *state.items > 0)]
    async fn take(&self) {
        *state.items -= 1;
    }

    #[synchronized(state, when = *state.items > 0 || *state.closed)]
    async fn take_mended(&self) {
        *state.items = state.items.saturating_sub(1);
    }

    #[synchronized(state)]
    async fn close(&self) {
        *state.closed = true;
    }
}

pub fn run(run: &mut Run, is_mended: bool) {
    let queue = Arc::new(Queue::default());
    task(run, "worker", &queue, move |queue| async move {
        if is_mended {
            queue.take_mended().await;
        } else if !queue.is_closed().await {
            queue.take().await;
        }
    });
    task(run, "closer", &queue, |queue| async move { queue.close().await });
}
