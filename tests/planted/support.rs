//! The common code of the programs.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use async_monitor::check::Run;
pub use futures::executor::block_on;

/// Adds a task that uses what all share.
pub fn task<T, F>(run: &mut Run, name: &str, shared: &Arc<T>, body: impl FnOnce(Arc<T>) -> F)
where
    F: Future<Output = ()> + 'static,
{
    run.spawn(name, body(Arc::clone(shared)));
}

/// Lets the other tasks run, as a request to somebody else does.
pub async fn a_moment() {
    let mut is_over = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut is_over, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
