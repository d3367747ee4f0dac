//! Sections of sync locks, under lints that are not allowed by default.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, unused, unreachable_pub)]
#![deny(unused_results, unused_qualifications, let_underscore_drop)]

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use async_monitor::{sync, synchronized, with_lock};
use futures::Stream;

/// What several subscriptions share.
#[derive(Default)]
struct Shared {
    values: sync::Mutex<Vec<u32>>,
    limits: sync::RwLock<u32>,
    log: async_monitor::Mutex<Vec<u32>>,
}

struct Subscription {
    shared: Arc<Shared>,
    own: Arc<sync::Mutex<Vec<u32>>>,
    seen: Vec<u32>,
}

impl Drop for Subscription {
    #[synchronized(self.shared.values, own)]
    fn drop(&mut self) {
        values.append(&mut self.seen);
        values.append(own);
    }
}

impl Iterator for Subscription {
    type Item = u32;

    #[synchronized(own)]
    fn next(&mut self) -> Option<u32> {
        let value = own.pop()?;
        self.seen.push(value);
        Some(value)
    }
}

impl fmt::Display for Subscription {
    #[synchronized(read(self.shared.limits))]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{limits}")
    }
}

impl Stream for Subscription {
    type Item = u32;

    #[synchronized(self.shared.values)]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
        match values.pop() {
            Some(value) => Poll::Ready(Some(value)),
            None => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

trait Take {
    type Error;

    fn take<T: From<u32>>(&self, range: (u32, u32)) -> Result<T, Self::Error>;
}

impl Take for Shared {
    type Error = u32;

    #[synchronized(values, read(limits))]
    fn take<T: From<u32>>(&self, (least, most): (u32, u32)) -> Result<T, u32> {
        let value = values.pop().ok_or(*limits)?;
        if value < least || value > most {
            return Err(value);
        }
        Ok(T::from(value))
    }
}

async fn in_a_task(shared: Arc<Shared>) -> u32 {
    with_lock!(shared.values, shared.log, { log.append(values) });
    with_lock!(read(shared.limits), { *limits })
}

fn main() {
    fn is_send<T: Send>(_: T) {}
    let shared = Arc::new(Shared::default());
    is_send(in_a_task(Arc::clone(&shared)));
    let subscription = Subscription {
        shared: Arc::clone(&shared),
        own: Arc::default(),
        seen: vec![1],
    };
    drop(subscription);
    assert_eq!(shared.take::<u64>((0, 1)), Ok(1));
}
