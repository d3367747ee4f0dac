//! Executors that go away, and threads that end, with queued waiters.

use std::cell::RefCell;
use std::future::pending;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use async_monitor::{Barrier, Condition, Event, Mutex, RwLock, Semaphore};
use futures::FutureExt;
use futures::executor::{LocalPool, ThreadPool};
use futures::stream::{FuturesUnordered, StreamExt};
use futures::task::{LocalSpawnExt, SpawnExt};

/// The primitives that tasks may wait for.
struct All {
    mutex: Mutex<i32>,
    rwlock: RwLock<i32>,
    semaphore: Semaphore,
    event: Event,
    condition: Condition,
    barrier: Barrier,
}

impl All {
    fn new() -> Arc<Self> {
        Arc::new(All {
            mutex: Mutex::new(0),
            rwlock: RwLock::new(0),
            semaphore: Semaphore::new(1),
            event: Event::new(),
            condition: Condition::new(),
            barrier: Barrier::new(100),
        })
    }

    /// A task that waits for ever, or holds something for ever.
    async fn stay(self: Arc<Self>, number: usize) {
        match number % 8 {
            0 => {
                let _guard = self.mutex.lock().await;
                pending().await
            }
            1 => {
                let _guard = self.rwlock.read().await;
                pending().await
            }
            2 => {
                let _guard = self.rwlock.write().await;
                pending().await
            }
            3 => {
                let _permit = self.semaphore.acquire().await;
                pending().await
            }
            4 => self.event.wait().await,
            5 => drop(self.barrier.wait().await),
            6 => {
                let guard = self.rwlock.read().await;
                drop(self.condition.wait(guard).await);
            }
            _ => {
                let _guard = self.rwlock.upgradable_read().await;
                pending().await
            }
        }
    }

    #[track_caller]
    fn assert_as_new(&self) {
        assert!(self.mutex.try_lock().is_some());
        assert!(self.rwlock.try_write().is_some());
        assert!(self.semaphore.try_acquire().is_some());
        assert_eq!(self.barrier.n_waiting(), 0);
        let waiters = format!("{:?}{:?}", self.event, self.condition);
        assert_eq!(waiters.matches("waiters: 0").count(), 2, "{waiters}");
    }
}

#[test]
fn local_pool_is_dropped() {
    let all = All::new();
    let mut pool = LocalPool::new();
    for number in 0..80 {
        let task = Arc::clone(&all).stay(number);
        pool.spawner().spawn_local(task).expect("it runs");
    }
    pool.run_until_stalled();
    assert!(all.mutex.is_locked());
    drop(pool);
    all.assert_as_new();
}

/// Its threads end while they still serve queued waiters.
#[test]
fn thread_pool_is_dropped() {
    // Miri takes some ten thousand times as long.
    let (rounds, tasks) = if cfg!(miri) { (1, 16) } else { (20, 80) };
    for _ in 0..rounds {
        let all = All::new();
        let pool = ThreadPool::builder()
            .pool_size(2)
            .create()
            .expect("threads");
        let (sender, receiver) = mpsc::channel::<()>();
        for number in 0..tasks {
            let task = Arc::clone(&all).stay(number);
            let sender = sender.clone();
            let task = async move {
                let _sender = sender;
                // The pool drops a task only if it ends.
                futures::select! {
                    () = task.fuse() => {}
                    () = yields(number).fuse() => {}
                }
            };
            pool.spawn(task).expect("it runs");
        }
        drop((pool, sender));
        assert!(receiver.recv().is_err(), "all tasks are gone");
        all.assert_as_new();
    }
}

/// Ends after a number of polls.
async fn yields(times: usize) {
    for _ in 0..times {
        let mut yielded = false;
        // By value: `select!` looks at the future by a shared reference, which ends a `&mut` in it.
        std::future::poll_fn(move |cx| {
            if std::mem::replace(&mut yielded, true) {
                return std::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
        .await;
    }
}

#[test]
fn futures_unordered_is_dropped() {
    let all = All::new();
    let mut tasks: FuturesUnordered<_> = (0..80).map(|n| Arc::clone(&all).stay(n)).collect();
    assert!(tasks.next().now_or_never().is_none());
    assert!(all.mutex.is_locked());
    drop(tasks);
    all.assert_as_new();
}

/// A thread waits by parking while its thread-locals are destroyed, when there is
/// nowhere left to keep its parker.
#[test]
fn blocking_form_in_the_destructor_of_a_thread_local() {
    struct Locks(Arc<Mutex<i32>>);

    impl Drop for Locks {
        fn drop(&mut self) {
            *self.0.lock_blocking() += 1;
        }
    }

    thread_local! {
        static LOCKS: RefCell<Option<Locks>> = const { RefCell::new(None) };
    }

    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock_blocking();
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn({
        let mutex = Arc::clone(&mutex);
        move || {
            // Both ways to wait, before and after the parker is made.
            LOCKS.set(Some(Locks(Arc::clone(&mutex))));
            sender.send(()).expect("somebody listens");
            drop(mutex.lock_blocking());
        }
    });
    receiver.recv().expect("it has begun");
    drop(guard);
    thread.join().expect("it ends");
    assert_eq!(*mutex.try_lock().expect("nobody has it"), 1);
}

/// A future that waits by parking, inside another one that does: each gets only its own
/// wake-ups.
#[test]
fn blocking_form_within_a_poll() {
    let outer = Arc::new(Mutex::new(0));
    let inner = Arc::new(Mutex::new(0));
    let (outer_guard, inner_guard) = (outer.lock_owned_blocking(), inner.lock_owned_blocking());
    let thread = thread::spawn({
        let (outer, inner) = (Arc::clone(&outer), Arc::clone(&inner));
        move || {
            async_monitor::__private::block_on(async {
                let mut wait = std::pin::pin!(outer.lock());
                let entered = std::future::poll_fn(|cx| {
                    if wait.as_mut().poll(cx).is_pending() {
                        *inner.lock_blocking() += 1;
                        return std::task::Poll::Pending;
                    }
                    std::task::Poll::Ready(())
                });
                entered.await;
            });
        }
    });
    drop(outer_guard);
    drop(inner_guard);
    thread.join().expect("it ends");
}
