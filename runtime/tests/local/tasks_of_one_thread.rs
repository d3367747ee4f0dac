//! Further tests of the local flavour.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use async_monitor::local::{
    BoundedSemaphore, Condition, Event, Lock, Mutex, RwLock, RwLockWriteGuard, Semaphore,
};
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;

#[test]
fn many_tasks_on_one_thread_exclude_each_other() {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    let mutex = Rc::new(Mutex::new((0_u32, false)));
    for _ in 0..100 {
        let mutex = Rc::clone(&mutex);
        let task = async move {
            for _ in 0..10 {
                let mut guard = mutex.lock_owned().await;
                assert!(!guard.1, "two at a time");
                guard.1 = true;
                yield_now().await;
                guard.1 = false;
                guard.0 += 1;
            }
        };
        spawner.spawn_local(task).unwrap();
    }
    pool.run();
    assert_eq!(mutex.try_lock().unwrap().0, 1000);
}

/// Pending once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[test]
fn first_come_first_served() {
    let lock = Lock::new();
    let order = RefCell::new(Vec::new());
    let held = lock.try_acquire();
    let visit = async |n: u32| {
        let _guard = lock.acquire().await;
        order.borrow_mut().push(n);
    };
    let (mut a, mut b) = (pin!(visit(1)), pin!(visit(2)));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(b.as_mut().poll(&mut cx).is_pending());
    assert!(a.as_mut().poll(&mut cx).is_pending());
    drop(held);
    assert!(lock.try_acquire().is_none(), "it has been handed over");
    block_on(async { futures::join!(a, b) });
    assert_eq!(*order.borrow(), [2, 1]);
}

#[test]
fn conditions_events_and_permits() {
    block_on(async {
        let queue = Mutex::new(Vec::new());
        let not_empty = Condition::new();
        let consumer = async {
            let guard = queue.lock().await;
            not_empty
                .wait_for(guard, |queue| !queue.is_empty())
                .await
                .pop()
        };
        let producer = async {
            let mut guard = queue.lock().await;
            guard.push(7);
            not_empty.notify_one(&guard);
        };
        assert_eq!(futures::join!(consumer, producer).0, Some(7));

        let event = Event::new();
        futures::join!(event.wait(), async { event.set() });

        let semaphore = Semaphore::new(0);
        drop(futures::join!(semaphore.acquire(), async {
            semaphore.add_permits(1)
        }));

        let bounded = BoundedSemaphore::new(1);
        assert!(bounded.release(1).is_err());

        let lock = RwLock::new(1);
        let guard = RwLockWriteGuard::downgrade(lock.write().await);
        assert_eq!(*guard + *lock.read().await, 2);
    });
}

/// A waker that uses the lock again while it is woken.
#[test]
fn wakers_may_use_the_lock() {
    struct Waking;
    thread_local! {
        static LOCK: Lock = const { Lock::new() };
        static WOKEN: Cell<u32> = const { Cell::new(0) };
    }
    impl Wake for Waking {
        fn wake(self: Arc<Self>) {
            LOCK.with(|lock| assert!(lock.try_acquire().is_none()));
            WOKEN.set(WOKEN.get() + 1);
        }
    }
    LOCK.with(|lock| {
        let held = lock.try_acquire();
        let waker = Waker::from(Arc::new(Waking));
        let mut waits = pin!(lock.acquire());
        let poll = waits.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_pending());
        drop(held);
        assert_eq!(WOKEN.get(), 1);
        let poll = waits.as_mut().poll(&mut Context::from_waker(&waker));
        assert!(poll.is_ready());
    });
}

#[test]
fn whole_again_after_every_panic() {
    fn unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    unwind_safe::<Lock>();
    unwind_safe::<Event>();
    unwind_safe::<Condition>();
    unwind_safe::<Semaphore>();
    unwind_safe::<BoundedSemaphore>();
}
