//! Many tasks that are let through at once.

use std::future::Future;

use super::*;
use crate::limits::WakerList;
use crate::tasks::Task;

/// An operation is one waiter: it registers, is woken together with all others,
/// and returns.
fn row<F>(
    name: &'static str,
    count: usize,
    wait: impl Fn() -> F + 'static,
    wake_all: impl Fn() + 'static,
) -> Row
where
    F: Future + 'static,
{
    let mut tasks: Vec<Task<F>> = (0..count).map(Task::new).collect();
    Row::new(name, move |operations| {
        let mut left = operations as usize;
        while left > 0 {
            let waiting = left.min(count);
            left -= waiting;
            for task in &mut tasks[..waiting] {
                task.start(wait());
                assert!(task.poll().is_pending());
            }
            wake_all();
            for task in &mut tasks[..waiting] {
                assert!(task.poll().is_ready());
                task.stop();
            }
        }
    })
}

pub(super) fn workload(count: usize) -> Workload {
    macro_rules! rows {
        ($($name:expr, $event:expr, |$e:ident| $wait:expr, $wake_all:expr;)*) => {
            vec![$({
                let $e = leak($event);
                row($name, count, move || $wait, move || { $wake_all; })
            }),*]
        };
    }
    Workload {
        name: format!("Event, broadcast to {count}, per waiter"),
        clock: Clock::Thread,
        limit: "`Mutex<Vec<Waker>>`",
        target: Some(1.3),
        rows: rows! {
            OURS, async_monitor::Event::new(), |e| e.wait(), (e.set(), e.clear());
            TOKIO, tokio::sync::Notify::new(), |e| e.notified(), e.notify_waiters();
            ASYNC_LOCK, event_listener::Event::new(), |e| e.listen(), e.notify(usize::MAX);
            INTRUSIVE, futures_intrusive::sync::ManualResetEvent::new(false), |e| e.wait(),
                (e.set(), e.reset());
            MAITAKE, maitake_sync::WaitQueue::new(), |e| e.wait(), e.wake_all();
            ASYNCBAND, asyncband::event::ManualResetEvent::new(), |e| e.wait(),
                (e.set(), e.reset());
            LIMIT, WakerList::default(), |e| e.wait(), e.wake_all();
        },
    }
}
