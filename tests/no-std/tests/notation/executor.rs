//! Executors for the tests. Their wakers check that no queue is locked, as far as that is
//! visible.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::critical;

/// Of a task.
struct Task {
    is_woken: AtomicBool,
    thread: Thread,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        assert_eq!(critical::depth(), 0, "woken within a critical section");
        self.is_woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

fn task() -> (Arc<Task>, Waker) {
    let task = Arc::new(Task {
        is_woken: AtomicBool::new(true),
        thread: thread::current(),
    });
    (Arc::clone(&task), Waker::from(task))
}

/// Runs a future on this thread, which parks meanwhile.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let (task, waker) = task();
    let mut cx = Context::from_waker(&waker);
    loop {
        if task.is_woken.swap(false, Ordering::Acquire) {
            if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
                return output;
            }
        } else {
            thread::park();
        }
    }
}

pub(crate) type Boxed<'f> = Pin<Box<dyn Future<Output = ()> + 'f>>;

/// Runs tasks on this thread, those that were woken in turn, until all have ended.
///
/// # Panics
///
/// If none of them is woken any more.
pub(crate) fn run(futures: Vec<Boxed<'_>>) {
    let mut tasks: Vec<_> = futures.into_iter().map(|future| (future, task())).collect();
    while !tasks.is_empty() {
        let mut is_idle = true;
        tasks.retain_mut(|(future, (task, waker))| {
            if !task.is_woken.swap(false, Ordering::Acquire) {
                return true;
            }
            is_idle = false;
            future
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        });
        assert!(!is_idle, "{} tasks wait for ever", tasks.len());
    }
}

/// Polls a future once.
pub(crate) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}
