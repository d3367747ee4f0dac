//! The common code of the hangs.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Runs tasks on this thread, each until it waits, in that order.
pub fn run_tasks<const N: usize>(tasks: [Task; N]) {
    let mut pool = LocalPool::new();
    for task in tasks {
        pool.spawner().spawn_local(task).expect("the pool runs");
    }
    pool.run();
}

/// What lives as long as the program.
pub fn global<T: Default>() -> &'static T {
    Box::leak(Box::default())
}

/// Lets the other tasks run.
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

/// Ends after that time. Nobody is polled meanwhile.
pub async fn after(time: Duration) {
    let (done, end) = oneshot::channel();
    thread::spawn(move || {
        thread::sleep(time);
        let _ = done.send(());
    });
    let _ = end.await;
}
