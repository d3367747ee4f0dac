//! The hangs of tasks, over the locks of each library.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;

pub type Task = Pin<Box<dyn Future<Output = ()>>>;

pub fn plain(task: impl Future<Output = ()> + 'static) -> Task {
    Box::pin(task)
}

pub fn run_tasks<const N: usize>(tasks: [Task; N]) {
    let mut pool = LocalPool::new();
    for task in tasks {
        pool.spawner().spawn_local(task).unwrap();
    }
    pool.run();
}

pub fn global<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
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

macro_rules! hangs_over {
    ($($library:ident)*) => {$(pub mod $library {
        use std::future::poll_fn;
        use std::pin::pin;
        use std::task::{Context, Poll, Waker};
        use std::thread;
        use std::time::Duration;

        use futures::channel::{mpsc, oneshot};
        use futures::executor::LocalPool;
        use futures::stream::{self, StreamExt};
        use futures::task::LocalSpawnExt;
        use futures::SinkExt;

        use crate::libraries::$library::*;
        use crate::tasks::{a_moment, after, global, run_tasks};

        pub const ALL: &[(&str, fn())] = &[
            ("relock_in_another_file", relock),
            ("join_in_a_section", join),
            ("block_on_in_a_section", block_on),
            ("read_then_write", read_then_write),
            ("read_again_behind_a_writer", read_again),
            ("abba_over_two_methods", abba),
            ("cycle_of_three", cycle),
            ("futurelock_in_select", futurelock_in_select),
            ("futurelock_in_a_stream", futurelock_in_a_stream),
            ("future_kept_and_not_polled", future_kept),
            ("executor_that_is_not_run", executor_not_run),
            ("guard_forgotten", guard_forgotten),
            ("lock_across_a_slow_await", slow_await),
            ("lock_held_while_joining", joining),
            ("channel_and_lock", channel),
            ("permit_never_given_back", permit_lost),
            ("permits_more_than_there_are", too_many_permits),
            ("two_semaphores_by_hand", two_semaphores),
            ("two_semaphores_in_opposite_orders", two_semaphores),
            ("harmless_wait_that_is_cancelled", cancelled),
        ];

        fn relock() {
            let mutex = global(mutex());
            run_tasks([task(async {
                let _held = lock(mutex).await;
                drop(lock(mutex).await);
            })]);
        }

        fn join() {
            let mutex = global(mutex());
            run_tasks([task(async {
                let _held = lock(mutex).await;
                futures::join!(async { drop(lock(mutex).await) }, a_moment());
            })]);
        }

        fn block_on() {
            let mutex = global(mutex());
            run_tasks([task(async {
                let _held = lock(mutex).await;
                let mut inner = pin!(lock(mutex));
                while inner.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                    thread::sleep(Duration::from_millis(10));
                }
            })]);
        }

        fn read_then_write() {
            let rwlock = global(rwlock());
            run_tasks([task(async {
                let _held = read(rwlock).await;
                drop(write(rwlock).await);
            })]);
        }

        fn read_again() {
            let rwlock = global(rwlock());
            run_tasks([
                task(async {
                    let _held = read(rwlock).await;
                    a_moment().await;
                    drop(read(rwlock).await);
                }),
                task(async { drop(write(rwlock).await) }),
            ]);
        }

        async fn both(first: &Mutex, second: &Mutex) {
            let _first = lock(first).await;
            a_moment().await;
            drop(lock(second).await);
        }

        fn abba() {
            let [a, b] = [mutex(), mutex()].map(global);
            run_tasks([task(both(a, b)), task(both(b, a))]);
        }

        fn cycle() {
            let [a, b, c] = [mutex(), mutex(), mutex()].map(global);
            run_tasks([task(both(a, b)), task(both(b, c)), task(both(c, a))]);
        }

        async fn in_the_way(mutex: &Mutex) {
            let _held = lock(mutex).await;
            for _ in 0..3 {
                a_moment().await;
            }
        }

        fn futurelock_in_select() {
            let mutex = global(mutex());
            run_tasks([
                task(in_the_way(mutex)),
                task(async {
                    let mut first = pin!(lock(mutex));
                    let tick = pin!(async {
                        a_moment().await;
                        a_moment().await;
                    });
                    drop(futures::future::select(first.as_mut(), tick).await);
                    drop(lock(mutex).await);
                    first.await;
                }),
            ]);
        }

        async fn fetch(mutex: &Mutex, page: usize) -> usize {
            let _held = lock(mutex).await;
            a_moment().await;
            page
        }

        fn futurelock_in_a_stream() {
            let mutex = global(mutex());
            run_tasks([task(async {
                let pages = stream::iter(0..4).map(|page| fetch(mutex, page));
                let mut pages = Box::pin(pages.buffered(2));
                while pages.next().await.is_some() {
                    drop(lock(mutex).await);
                }
            })]);
        }

        fn future_kept() {
            let mutex = global(mutex());
            run_tasks([
                task(in_the_way(mutex)),
                task(async {
                    a_moment().await;
                    let mut later = Box::pin(lock(mutex));
                    poll_fn(|cx| Poll::Ready(later.as_mut().poll(cx).is_ready())).await;
                    std::future::pending::<()>().await;
                    drop(later);
                }),
                task(async {
                    a_moment().await;
                    drop(lock(mutex).await);
                }),
            ]);
        }

        fn executor_not_run() {
            let mutex = global(mutex());
            let mut pool = LocalPool::new();
            pool.spawner().spawn_local(task(in_the_way(mutex))).unwrap();
            pool.run_until(a_moment());
            run_tasks([task(async { drop(lock(mutex).await) })]);
        }

        fn guard_forgotten() {
            let mutex = global(mutex());
            run_tasks([
                task(async { std::mem::forget(lock(mutex).await) }),
                task(async { drop(lock(mutex).await) }),
            ]);
        }

        fn slow_await() {
            let mutex = global(mutex());
            let (_peer, reply) = oneshot::channel::<()>();
            run_tasks([
                task(async {
                    let _held = lock(mutex).await;
                    let _ = reply.await;
                }),
                task(async { drop(lock(mutex).await) }),
            ]);
        }

        fn cancelled() {
            let [left, right] = [mutex(), mutex()].map(global);
            run_tasks([
                task(async {
                    let _held = lock(left).await;
                    a_moment().await;
                    let tries = async {
                        let timeout = pin!(a_moment());
                        let right = pin!(lock(right));
                        drop(futures::future::select(right, timeout).await);
                    };
                    tries.await;
                    after(Duration::from_millis(350)).await;
                }),
                task(both(right, left)),
            ]);
        }

        fn joining() {
            let mutex = global(mutex());
            let (done, end) = oneshot::channel();
            run_tasks([
                task(async {
                    let _held = lock(mutex).await;
                    let _ = end.await;
                }),
                task(async {
                    drop(lock(mutex).await);
                    let _ = done.send(());
                }),
            ]);
        }

        fn channel() {
            let mutex = global(mutex());
            let (mut to, mut from) = mpsc::channel(0);
            run_tasks([
                task(async move {
                    let _held = lock(mutex).await;
                    for item in 0..4 {
                        let _ = to.send(item).await;
                    }
                }),
                task(async move {
                    while from.next().await.is_some() {
                        drop(lock(mutex).await);
                    }
                }),
            ]);
        }

        fn permit_lost() {
            let semaphore = global(semaphore(1));
            run_tasks([
                task(async { std::mem::forget(acquire(semaphore, 1).await) }),
                task(async { drop(acquire(semaphore, 1).await) }),
            ]);
        }

        fn too_many_permits() {
            let semaphore = global(semaphore(4));
            run_tasks([
                task(async { drop(acquire(semaphore, 5).await) }),
                task(async { drop(acquire(semaphore, 1).await) }),
            ]);
        }

        fn two_semaphores() {
            let [a, b] = [semaphore(1), semaphore(1)].map(global);
            let both = |first, second| task(async move {
                let _first = acquire(first, 1).await;
                a_moment().await;
                drop(acquire(second, 1).await);
            });
            run_tasks([both(a, b), both(b, a)]);
        }
    })*};
}

hangs_over!(tokio async_lock asyncband async_inspect);
