//! How large things are.

use super::*;

/// Lock, future and guard.
type Sizes = [usize; 3];

pub(crate) fn sizes() -> Vec<(&'static str, Vec<(&'static str, Sizes)>)> {
    macro_rules! of {
        ($what:literal: $($name:expr, $lock:expr, |$l:ident| $future:expr;)*) => {
            ($what, vec![$({
                let $l = &$lock;
                ($name, [size_of_val($l), size_of_val(&$future), size_of_output(&$future)])
            }),*])
        };
    }
    vec![
        of! { "Mutex<()>":
            OURS, async_monitor::Mutex::new(()), |m| m.lock();
            TOKIO, tokio::sync::Mutex::new(()), |m| m.lock();
            ASYNC_LOCK, async_lock::Mutex::new(()), |m| m.lock();
            FUTURES, futures::lock::Mutex::new(()), |m| m.lock();
            INTRUSIVE, futures_intrusive::sync::Mutex::new((), true), |m| m.lock();
            MAITAKE, maitake_sync::Mutex::new(()), |m| m.lock();
            ASYNCBAND, asyncband::mutex::Mutex::new(()), |m| m.lock();
        },
        of! { "Lock":
            OURS, async_monitor::Lock::new(), |m| m.acquire();
        },
        of! { "RwLock<()>, write":
            OURS, async_monitor::RwLock::new(()), |m| m.write();
            TOKIO, tokio::sync::RwLock::new(()), |m| m.write();
            ASYNC_LOCK, async_lock::RwLock::new(()), |m| m.write();
            MAITAKE, maitake_sync::RwLock::new(()), |m| m.write();
            ASYNCBAND, asyncband::rwlock::RwLock::new(()), |m| m.write();
        },
        of! { "Semaphore":
            OURS, async_monitor::Semaphore::new(1), |m| m.acquire();
            TOKIO, tokio::sync::Semaphore::new(1), |m| m.acquire();
            ASYNC_LOCK, async_lock::Semaphore::new(1), |m| m.acquire();
            INTRUSIVE, futures_intrusive::sync::Semaphore::new(true, 1), |m| m.acquire(1);
            MAITAKE, maitake_sync::Semaphore::new(1), |m| m.acquire(1);
            ASYNCBAND, asyncband::semaphore::Semaphore::new(1), |m| m.acquire(1);
        },
        of! { "Event":
            OURS, async_monitor::Event::new(), |e| e.wait();
            TOKIO, tokio::sync::Notify::new(), |e| e.notified();
            ASYNC_LOCK, event_listener::Event::<()>::new(), |e| e.listen();
            INTRUSIVE, futures_intrusive::sync::ManualResetEvent::new(false), |e| e.wait();
            MAITAKE, maitake_sync::WaitQueue::new(), |e| e.wait();
            ASYNCBAND, asyncband::event::ManualResetEvent::new(), |e| e.wait();
        },
    ]
}

fn size_of_output<F: Future>(_: &F) -> usize {
    size_of::<F::Output>()
}
