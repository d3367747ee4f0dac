//! The futures of locks are no iterators: the methods of other crates' traits for futures, also
//! those with the names of an iterator's, are found as for any future.

#![deny(warnings)]

use std::future::{Future, IntoFuture, ready};
use std::pin::pin;
use std::sync::Arc;

use async_monitor::{Mutex, RwLock};
use futures::FutureExt;
use futures::executor::block_on;

/// A trait of somebody's, for all futures.
trait Timed: Future + Sized {
    fn last(self) -> impl Future<Output = Self::Output> {
        self
    }

    fn count(self) -> impl Future<Output = Self::Output> {
        self
    }
}

impl<F: Future> Timed for F {}

async fn combined<T: Clone + 'static>(mutex: &Mutex<Vec<T>>, rw: &Arc<RwLock<Vec<T>>>) -> usize {
    let mut sum = mutex.lock().map(|guard| guard.len()).await;
    sum += mutex.lock().then(|guard| ready(guard.len())).await;
    sum += mutex
        .lock()
        .inspect(|guard| assert!(!guard.is_empty()))
        .await
        .len();
    sum += mutex.lock().fuse().await.len();
    sum += mutex.lock().into_future().await.len();
    sum += mutex.lock().last().await.len();
    sum += mutex.lock().count().await.len();
    sum += rw.read().boxed_local().await.len();
    sum += rw.read().now_or_never().map_or(0, |guard| guard.len());
    sum += rw
        .write()
        .left_future::<std::future::Ready<_>>()
        .await
        .len();
    let mut read = rw.read_owned();
    sum += read.poll_unpin_or_len();
    let mut pinned = pin!(mutex.lock());
    sum + pinned.as_mut().await.len()
}

/// A trait that has a method for a reference, too.
trait Polled {
    fn poll_unpin_or_len(&mut self) -> usize {
        1
    }
}

impl<F: Future> Polled for F {}

fn main() {
    let (mutex, rw) = (Mutex::new(vec![1]), Arc::new(RwLock::new(vec![1])));
    assert_eq!(block_on(combined(&mutex, &rw)), 12);
}
