//! Blocking forms on the threads of an executor: a lock may be granted to a task that no
//! thread is free to poll.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};

use async_monitor::{
    Guarded, Lock, OwnedRwLockUpgradableReadGuard, RwLock, Semaphore, sync, synchronized,
};
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

#[derive(Guarded, Default)]
struct Shared {
    state: Lock,
    #[guarded_by(state)]
    count: Guarded<usize>,
    short: sync::Lock,
    #[guarded_by(short)]
    tickets: Guarded<usize>,
}

impl Shared {
    #[synchronized(state, no_await)]
    async fn add(&self) {
        *state.count += 1;
    }

    #[synchronized(state, blocking, when = *state.count > 0)]
    fn take_blocking(&self) {
        *state.count -= 1;
    }

    #[synchronized(short, when = *short.tickets > 0)]
    async fn take(&self) {
        *short.tickets -= 1;
    }

    #[synchronized(short, when = *short.tickets > 0)]
    fn take_on_a_thread(&self) {
        *short.tickets -= 1;
    }

    #[synchronized(short)]
    fn put(&self) {
        *short.tickets += 1;
    }

    fn add_blocking(&self) {
        *self.acquire_state_blocking().fields().count += 1;
    }
}

fn runtime(threads: usize) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .build()
        .expect("a runtime")
}

/// Waits for as many steps, and panics where there is none for ten seconds.
fn wait_for(steps: &AtomicUsize, wanted: usize) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let now = steps.load(Ordering::Relaxed);
        if now == wanted {
            return;
        }
        if now != last {
            (last, since) = (now, Instant::now());
        }
        assert!(
            since.elapsed() < Duration::from_secs(10),
            "it hangs at {now} of {wanted}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn tasks_that_wait_and_tasks_that_block_take_turns() {
    const TASKS: usize = 16;
    const STEPS: usize = 500;
    let runtime = runtime(2);
    let (shared, steps) = (Arc::new(Shared::default()), Arc::new(AtomicUsize::new(0)));
    for task in 0..TASKS {
        let (shared, steps) = (Arc::clone(&shared), Arc::clone(&steps));
        runtime.spawn(async move {
            for step in 0..STEPS {
                if (task + step) % 2 == 0 {
                    shared.add().await;
                } else {
                    shared.add_blocking();
                }
                steps.fetch_add(1, Ordering::Relaxed);
                if step % 16 == 0 {
                    yield_now().await;
                }
            }
        });
    }
    wait_for(&steps, TASKS * STEPS);
    assert_eq!(
        *shared
            .try_acquire_state()
            .expect("it is free")
            .fields()
            .count,
        TASKS * STEPS
    );
}

/// One thread, which parks while the next in the queue is a task that it should poll.
#[test]
fn a_destructor_takes_the_lock_on_the_only_thread() {
    struct Ticket(Arc<Shared>);

    impl Drop for Ticket {
        fn drop(&mut self) {
            self.0.add_blocking();
        }
    }

    let runtime = runtime(1);
    let (shared, steps) = (Arc::new(Shared::default()), Arc::new(AtomicUsize::new(0)));
    for _ in 0..8 {
        let (shared, steps) = (Arc::clone(&shared), Arc::clone(&steps));
        runtime.spawn(async move {
            for _ in 0..10 {
                let ticket = Ticket(Arc::clone(&shared));
                let guard = shared.acquire_state().await;
                yield_now().await;
                drop(guard);
                drop(ticket);
                steps.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    wait_for(&steps, 80);
}

#[test]
fn a_writer_takes_over_the_grants_of_readers() {
    let runtime = runtime(1);
    let (lock, steps) = (Arc::new(RwLock::new(0)), Arc::new(AtomicUsize::new(0)));
    let holder = lock.try_write_owned().expect("it is free");
    for _ in 0..5 {
        let (lock, steps) = (Arc::clone(&lock), Arc::clone(&steps));
        runtime.spawn(async move {
            drop(lock.read_owned().await);
            steps.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (writer, done) = (Arc::clone(&lock), Arc::clone(&steps));
    runtime.spawn(async move {
        // The readers are granted, and this is the thread that should poll them.
        std::thread::sleep(Duration::from_millis(50));
        drop(holder);
        *writer.write_blocking() += 1;
        done.fetch_add(1, Ordering::Relaxed);
    });
    wait_for(&steps, 6);
    assert_eq!(*lock.try_read().expect("it is free"), 1);
}

/// A thread that waits for a condition takes over the lock that a task of its own was
/// granted.
#[test]
fn a_thread_with_a_condition_takes_over_the_lock() {
    let runtime = runtime(1);
    let (shared, steps) = (Arc::new(Shared::default()), Arc::new(AtomicUsize::new(0)));
    shared.add_blocking();
    let (is_held, held) = channel();
    let (may_release, release) = channel::<()>();
    let holder = std::thread::spawn({
        let shared = Arc::clone(&shared);
        move || {
            let guard = shared.acquire_state_blocking();
            is_held.send(()).expect("the test waits");
            release.recv().expect("the task sends");
            drop(guard);
        }
    });
    held.recv().expect("the thread sends");
    {
        let (shared, steps) = (Arc::clone(&shared), Arc::clone(&steps));
        runtime.spawn(async move {
            shared.add().await;
            steps.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (other, done) = (Arc::clone(&shared), Arc::clone(&steps));
    runtime.spawn(async move {
        // The other task is queued, and this is the thread that should poll it.
        std::thread::sleep(Duration::from_millis(50));
        may_release.send(()).expect("the thread waits");
        other.take_blocking();
        done.fetch_add(1, Ordering::Relaxed);
    });
    wait_for(&steps, 2);
    holder.join().expect("it ends");
}

/// The same at a sync lock: what a task was given, and cannot use, is the turn.
#[test]
fn a_thread_with_a_condition_takes_over_the_turn() {
    let runtime = runtime(1);
    let (shared, steps) = (Arc::new(Shared::default()), Arc::new(AtomicUsize::new(0)));
    {
        let (shared, steps) = (Arc::clone(&shared), Arc::clone(&steps));
        runtime.spawn(async move {
            shared.take().await;
            steps.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (other, done) = (Arc::clone(&shared), Arc::clone(&steps));
    runtime.spawn(async move {
        std::thread::sleep(Duration::from_millis(50));
        // The turn is the other task's, which is not polled meanwhile.
        other.put();
        other.put();
        other.take_on_a_thread();
        done.fetch_add(1, Ordering::Relaxed);
    });
    wait_for(&steps, 2);
}

/// The grant of a reader stands in the way of an upgrade, and that in the way of a thread
/// that parks: the upgrade comes first.
fn makes_way_for_an_upgrade(park: impl FnOnce(&RwLock<i32>) -> i32 + Send + 'static) {
    let runtime = runtime(1);
    let (lock, steps) = (Arc::new(RwLock::new(0)), Arc::new(AtomicUsize::new(0)));
    let holder = lock.try_write_owned().expect("it is free");
    {
        let (lock, steps) = (Arc::clone(&lock), Arc::clone(&steps));
        runtime.spawn(async move {
            drop(lock.read_owned().await);
            steps.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (is_upgrading, upgrading) = channel();
    let upgrader = std::thread::spawn({
        let lock = Arc::clone(&lock);
        move || {
            let guard = futures::executor::block_on(lock.upgradable_read_owned());
            is_upgrading.send(()).expect("the task waits");
            *futures::executor::block_on(OwnedRwLockUpgradableReadGuard::upgrade(guard)) += 1;
        }
    });
    let (other, done) = (Arc::clone(&lock), Arc::clone(&steps));
    runtime.spawn(async move {
        // The reader is granted, and this is the thread that should poll it.
        std::thread::sleep(Duration::from_millis(50));
        drop(holder);
        upgrading.recv().expect("the thread sends");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(park(&other), 1);
        done.fetch_add(1, Ordering::Relaxed);
    });
    wait_for(&steps, 2);
    upgrader.join().expect("it ends");
}

/// It could use the grant itself, and must not.
#[test]
fn a_parked_reader_makes_way_for_an_upgrade() {
    makes_way_for_an_upgrade(|lock| *lock.read_blocking());
}

/// The grant is of use to the upgrade alone.
#[test]
fn a_parked_writer_makes_way_for_an_upgrade() {
    makes_way_for_an_upgrade(|lock| *lock.write_blocking());
}

#[test]
fn permits_of_tasks_are_taken_over() {
    let runtime = runtime(1);
    let (semaphore, steps) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    for _ in 0..3 {
        let (semaphore, steps) = (Arc::clone(&semaphore), Arc::clone(&steps));
        runtime.spawn(async move {
            semaphore.acquire().await.forget();
            steps.fetch_add(1, Ordering::Relaxed);
        });
    }
    let (other, done) = (Arc::clone(&semaphore), Arc::clone(&steps));
    runtime.spawn(async move {
        std::thread::sleep(Duration::from_millis(50));
        other.add_permits(3);
        drop(other.acquire_many_blocking(2));
        done.fetch_add(1, Ordering::Relaxed);
    });
    wait_for(&steps, 4);
    assert_eq!(semaphore.available_permits(), 0);
}

/// A thread takes over the grants of many owners. Each of them is granted again without a
/// wake-up: its task has had one, and used it to poll a sibling.
#[test]
fn a_sibling_of_an_owner_is_woken_whoever_stands_before_it() {
    const OTHERS: usize = 20;
    let (semaphore, task) = (Arc::new(Semaphore::new(0)), Arc::new(Wakes::default()));
    let (waker, others) = (task.clone().into(), Waker::noop());
    let mut before: Vec<_> = (0..OTHERS).map(|_| Box::pin(semaphore.acquire())).collect();
    for other in &mut before {
        assert!(is_pending(other.as_mut(), others));
    }
    let mut owner = Box::pin(semaphore.acquire());
    assert!(is_pending(owner.as_mut(), &waker));
    let mut sibling = Box::pin(semaphore.acquire());
    assert!(is_pending(sibling.as_mut(), &waker));
    semaphore.add_permits(OTHERS + 1);

    let (taken, is_taken) = channel();
    let (may_release, release) = channel::<()>();
    let thread = std::thread::spawn({
        let semaphore = Arc::clone(&semaphore);
        move || {
            let permits = semaphore.acquire_many_blocking(OTHERS + 1);
            taken.send(()).expect("the test waits");
            release.recv().expect("the test sends");
            drop(permits);
        }
    });
    is_taken.recv().expect("all grants are taken over");
    assert!(is_pending(sibling.as_mut(), &waker));
    let wakes = task.0.load(Ordering::SeqCst);
    may_release.send(()).expect("the thread waits");
    thread.join().expect("it ends");
    assert!(task.0.load(Ordering::SeqCst) > wakes, "nobody is told");
    assert!(is_pending(sibling.as_mut(), &waker), "the grant is noted");
    assert!(!is_pending(sibling.as_mut(), &waker), "the grant is taken");
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn is_pending<F: Future>(future: Pin<&mut F>, waker: &Waker) -> bool {
    future.poll(&mut Context::from_waker(waker)).is_pending()
}
