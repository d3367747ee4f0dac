//! A section calls a fn that is not async, which blocks on a future that asks for its lock.

use async_monitor::{Guarded, Lock, synchronized};
use futures::task::noop_waker_ref;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use std::thread;
use std::time::Duration;

#[derive(Guarded, Default)]
struct Registry {
    names: Lock,
    #[guarded_by(names)]
    known: Guarded<Vec<String>>,
}

impl Registry {
    #[synchronized(names)]
    async fn register(&self, name: &str) {
        if self.is_free(name) {
            names.known.push(name.to_owned());
        }
    }

    fn is_free(&self, name: &str) -> bool {
        !block_on(self.contains(name))
    }

    #[synchronized(names)]
    async fn contains(&self, name: &str) -> bool {
        names.known.iter().any(|known| known == name)
    }
}

/// As users write it: polls until it is ready.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let polled = future
            .as_mut()
            .poll(&mut Context::from_waker(noop_waker_ref()));
        if let Poll::Ready(output) = polled {
            return output;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

pub fn run() {
    futures::executor::block_on(Registry::default().register("Ada"));
}
