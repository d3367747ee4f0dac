//! `#[synchronized]` and `with_lock!` over a field that is a lock.

use std::time::Duration;

use async_monitor::{synchronized, with_lock};
use futures::executor::block_on;

use crate::{for_each_mutex, for_each_rw_lock};

macro_rules! mutex_tests {
    () => {
        use std::pin::pin;
        use std::sync::Arc;
        use std::task::Poll;
        use std::thread;
        use std::time::Duration;

        use async_monitor::{Elapsed, monitor, synchronized, with_lock};
        use futures::executor::block_on;

        use crate::{poll, yields};

        #[derive(Default)]
        struct Jobs {
            state: Mutex<Vec<u32>>,
            shared: Arc<Mutex<u32>>,
        }

        #[monitor(plain)]
        impl Jobs {
            #[synchronized(state)]
            async fn push(&self, job: u32) -> usize {
                state.push(job);
                state.len()
            }

            #[synchronized(read(state))]
            async fn len(&self) -> usize {
                let view: &Vec<u32> = state;
                view.len()
            }

            #[synchronized(shared)]
            async fn add(&self) {
                let before = *shared;
                yields().await;
                *shared = before + 1;
            }

            #[synchronized(state, timeout = Duration::from_millis(5))]
            async fn push_soon(&self, job: u32) -> Result<(), Elapsed> {
                state.push(job);
                Ok(())
            }

            #[synchronized(state, blocking)]
            fn pop(&self) -> Option<u32> {
                state.pop()
            }

            #[synchronized(state, atomic)]
            async fn push_or_not(&self, job: u32) -> Result<(), ()> {
                state.push(job);
                if job == 0 { Err(()) } else { Ok(()) }
            }

            #[synchronized(state, no_await)]
            async fn clear(&self) {
                state.clear();
            }
        }

        #[test]
        fn a_section_binds_what_the_lock_guards() {
            let jobs = Jobs::default();
            block_on(async {
                assert_eq!(jobs.push(1).await, 1);
                assert_eq!(jobs.push(2).await, 2);
                assert_eq!(jobs.len().await, 2);
                assert_eq!(with_lock!(jobs.state, { state.pop() }), Some(2));
                assert_eq!(jobs.push_or_not(0).await, Err(()));
                assert_eq!(jobs.push_or_not(3).await, Ok(()));
                assert_eq!(with_lock!(read(jobs.state), { state.clone() }), [1, 3]);
                jobs.clear().await;
            });
            assert_eq!(jobs.pop(), None);
        }

        #[test]
        fn whoever_holds_the_lock_by_hand_keeps_sections_waiting() {
            let jobs = Jobs::default();
            let by_hand = jobs.state.try_lock();
            let mut section = pin!(jobs.push(1));
            assert!(poll(section.as_mut()).is_pending());
            drop(by_hand);
            assert_eq!(poll(section.as_mut()), Poll::Ready(1));
            assert_eq!(block_on(jobs.state.lock()).as_slice(), [1]);
        }

        #[test]
        fn a_section_that_is_dropped_leaves_the_lock_to_others() {
            let jobs = Jobs::default();
            let by_hand = jobs.state.try_lock();
            let mut second = pin!(jobs.push(2));
            {
                let mut first = pin!(jobs.push(1));
                assert!(poll(first.as_mut()).is_pending());
                assert!(poll(second.as_mut()).is_pending());
                drop(by_hand);
                // `first` may have been granted the lock, and is dropped.
            }
            assert_eq!(poll(second.as_mut()), Poll::Ready(1));
            {
                let mut inside = pin!(jobs.add());
                assert!(poll(inside.as_mut()).is_pending());
                assert!(jobs.shared.try_lock().is_locked());
            }
            assert!(!jobs.shared.try_lock().is_locked());
            assert_eq!(*block_on(jobs.shared.lock()), 0);
        }

        #[test]
        fn the_wait_can_be_bounded() {
            let jobs = Jobs::default();
            let by_hand = jobs.state.try_lock();
            assert!(block_on(jobs.push_soon(1)).is_err());
            drop(by_hand);
            assert!(block_on(jobs.push_soon(1)).is_ok());
        }

        #[test]
        fn no_section_runs_beside_another() {
            let jobs = Jobs::default();
            thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        block_on(async {
                            for _ in 0..200 {
                                jobs.add().await;
                            }
                        })
                    });
                }
            });
            assert_eq!(*block_on(jobs.shared.lock()), 800);
        }

        #[test]
        fn any_pointer_to_the_lock_will_do() {
            let boxed = Box::new(Mutex::new(1));
            let shared = Arc::new(Mutex::new(2));
            let plain = Mutex::new(3);
            let reference = &plain;
            block_on(async {
                let sum = with_lock!(boxed, shared, reference, { *boxed + *shared + *reference });
                assert_eq!(sum, 6);
            });
            #[synchronized(lock)]
            async fn of_a_parameter(lock: &Mutex<[u8]>) -> usize {
                lock.len()
            }
            assert_eq!(block_on(of_a_parameter(&Mutex::new([1, 2]))), 2);
        }

        /// `try_lock` is an `Option` or a `Result`.
        trait IsLocked {
            fn is_locked(&self) -> bool;
        }

        impl<T> IsLocked for Option<T> {
            fn is_locked(&self) -> bool {
                self.is_none()
            }
        }

        impl<T, E> IsLocked for Result<T, E> {
            fn is_locked(&self) -> bool {
                self.is_err()
            }
        }

        fn is_send<T: Send>(_: &T) {}

        #[test]
        fn sections_are_send() {
            let jobs = Jobs::default();
            is_send(&jobs.push(1));
            is_send(&jobs.len());
            is_send(&jobs.add());
            is_send(&jobs.push_soon(1));
        }
    };
}

macro_rules! rw_lock_tests {
    () => {
        use std::pin::pin;
        use std::sync::Arc;
        use std::task::Poll;
        use std::time::Duration;

        use async_monitor::{Elapsed, synchronized, with_lock};
        use futures::executor::block_on;

        use crate::poll;

        #[derive(Default)]
        struct Config {
            values: Arc<RwLock<Vec<u32>>>,
        }

        impl Config {
            #[synchronized(read(values))]
            async fn len(&self) -> usize {
                let view: &Vec<u32> = values;
                view.len()
            }

            #[synchronized(values)]
            async fn push(&self, value: u32) -> usize {
                values.push(value);
                values.len()
            }

            #[synchronized(write(values), timeout = Duration::from_millis(5))]
            async fn push_soon(&self, value: u32) -> Result<(), Elapsed> {
                values.push(value);
                Ok(())
            }

            #[synchronized(read(values), timeout = Duration::from_millis(5))]
            async fn len_soon(&self) -> Result<usize, Elapsed> {
                Ok(values.len())
            }

            #[synchronized(read(values), blocking)]
            fn first(&self) -> Option<u32> {
                values.first().copied()
            }
        }

        #[test]
        fn readers_share_and_writers_do_not() {
            let config = Config::default();
            assert_eq!(block_on(config.push(1)), 1);
            let reader = block_on(config.values.read());
            let mut reads = pin!(config.len());
            assert_eq!(poll(reads.as_mut()), Poll::Ready(1));
            assert_eq!(config.first(), Some(1));
            let mut writes = pin!(config.push(2));
            assert!(poll(writes.as_mut()).is_pending());
            drop(reader);
            assert_eq!(poll(writes.as_mut()), Poll::Ready(2));

            let writer = block_on(config.values.write());
            let mut reads = pin!(config.len());
            assert!(poll(reads.as_mut()).is_pending());
            assert!(block_on(config.len_soon()).is_err());
            assert!(block_on(config.push_soon(3)).is_err());
            drop(writer);
            assert_eq!(poll(reads.as_mut()), Poll::Ready(2));
        }

        #[test]
        fn a_writer_that_is_dropped_lets_readers_in() {
            let config = Config::default();
            let reader = block_on(config.values.read());
            {
                let mut writes = pin!(config.push(1));
                assert!(poll(writes.as_mut()).is_pending());
            }
            assert_eq!(block_on(config.len_soon()), Ok(0));
            drop(reader);
            assert_eq!(block_on(config.push(1)), 1);
            block_on(async {
                assert_eq!(with_lock!(read(config.values), { values.len() }), 1);
                assert_eq!(with_lock!(v = write(config.values), { v.pop() }), Some(1));
            });
        }

        fn is_send<T: Send>(_: &T) {}

        #[test]
        fn sections_are_send() {
            let config = Config::default();
            is_send(&config.len());
            is_send(&config.push(1));
        }
    };
}

for_each_mutex!(mutex_tests);
for_each_rw_lock!(rw_lock_tests);
use {mutex_tests, rw_lock_tests};

static OF_TOKIO: ::tokio::sync::Mutex<u32> = ::tokio::sync::Mutex::const_new(0);
static OF_ASYNC_LOCK: ::async_lock::Mutex<u32> = ::async_lock::Mutex::new(0);

#[synchronized(OF_TOKIO, OF_ASYNC_LOCK)]
async fn add_to_statics() -> u32 {
    *of_tokio += 1;
    *of_async_lock += 2;
    *of_tokio + *of_async_lock
}

#[test]
fn statics_are_locks() {
    assert_eq!(block_on(add_to_statics()), 3);
}

struct Limited {
    of_tokio: ::tokio::sync::Semaphore,
    of_async_lock: ::async_lock::Semaphore,
}

impl Limited {
    #[synchronized(of_async_lock)]
    async fn left(&self) -> usize {
        // What it binds is the permit.
        let _: &::async_lock::SemaphoreGuard<'_> = of_async_lock;
        self.of_tokio.available_permits()
    }

    #[synchronized(of_tokio?, timeout = Duration::from_millis(5))]
    async fn with_a_permit(&self) -> Result<usize, Box<dyn std::error::Error>> {
        let _: &::tokio::sync::SemaphorePermit<'_> = of_tokio;
        Ok(self.of_tokio.available_permits())
    }
}

#[test]
fn a_semaphore_is_acquired_with_one_permit() {
    let limited = Limited {
        of_tokio: ::tokio::sync::Semaphore::new(2),
        of_async_lock: ::async_lock::Semaphore::new(1),
    };
    block_on(async {
        assert_eq!(limited.left().await, 2);
        assert_eq!(limited.with_a_permit().await.unwrap(), 1);
        let left = with_lock!(limited.of_async_lock, {
            assert!(limited.of_async_lock.try_acquire().is_none());
            limited.left_now()
        });
        assert_eq!(left, 2);
        let both = limited.of_tokio.acquire_many(2).await.unwrap();
        let late = limited.with_a_permit().await.unwrap_err();
        assert!(late.is::<async_monitor::Elapsed>());
        drop(both);
        limited.of_tokio.close();
        let closed = limited.with_a_permit().await.unwrap_err();
        assert!(closed.is::<::tokio::sync::AcquireError>());
    });
}

impl Limited {
    fn left_now(&self) -> usize {
        self.of_tokio.available_permits()
    }
}
