//! A future is polled once and kept for later, in a struct; it is first in the queue.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use async_monitor::{Guarded, Lock, synchronized};

use crate::support::{a_moment, global, run_tasks};

#[derive(Guarded, Default)]
struct Log {
    file: Lock,
    #[guarded_by(file)]
    lines: Guarded<Vec<&'static str>>,
}

impl Log {
    #[synchronized(file)]
    async fn write(&self, line: &'static str) {
        file.lines.push(line);
        a_moment().await;
        a_moment().await;
    }
}

/// Writes when there is time.
struct Later<'l>(Vec<Pin<Box<dyn Future<Output = ()> + 'l>>>);

async fn write_later(log: &Log) {
    a_moment().await;
    let mut later = Later(Vec::new());
    let mut write = Box::pin(log.write("idle"));
    poll_fn(|cx| Poll::Ready(write.as_mut().poll(cx).is_ready())).await;
    later.0.push(write);
    std::future::pending::<()>().await;
    drop(later);
}

pub fn run() {
    let log: &Log = global();
    run_tasks([
        Box::pin(log.write("first")),
        Box::pin(write_later(log)),
        Box::pin(async {
            a_moment().await;
            log.write("last").await;
        }),
    ]);
}
