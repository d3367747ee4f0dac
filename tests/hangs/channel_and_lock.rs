//! A section sends to a channel that is full, and the receiver needs the section's lock.

use async_monitor::{Guarded, Lock, synchronized};
use futures::SinkExt;
use futures::StreamExt;
use futures::channel::mpsc;

use crate::support::{global, run_tasks};

#[derive(Guarded, Default)]
struct Pipeline {
    state: Lock,
    #[guarded_by(state)]
    sent: Guarded<u64>,
}

impl Pipeline {
    #[synchronized(state)]
    async fn produce(&self, mut to: mpsc::Sender<u64>) {
        for item in 0..4 {
            let _ = to.send(item).await;
            *state.sent += 1;
        }
    }

    async fn consume(&self, mut from: mpsc::Receiver<u64>) {
        while let Some(item) = from.next().await {
            self.note(item).await;
        }
    }

    #[synchronized(state)]
    async fn note(&self, item: u64) {
        println!("{item} of {}", *state.sent);
    }
}

pub fn run() {
    let pipeline: &Pipeline = global();
    let (to, from) = mpsc::channel(0);
    run_tasks([
        Box::pin(pipeline.produce(to)),
        Box::pin(pipeline.consume(from)),
    ]);
}
