//! One future of every kind, blocked, and how to unblock it.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use async_monitor::__private::{
    ConditionalLock, ConditionalRwLock, ConditionalSyncLock, ConditionalSyncRwLock, TurnGuards,
    sync_when, when,
};
use async_monitor::{
    Barrier, BoundedSemaphore, Condition, Event, Lock, Mutex, MutexGuard,
    OwnedRwLockUpgradableReadGuard, RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, Semaphore,
    sync,
};
use futures::FutureExt;

/// A future of any kind. Its result is dropped.
pub(crate) type AnyFuture = Pin<Box<dyn Future<Output = Box<dyn Any>>>>;

/// A future that waits once it is polled, at a primitive that lives for ever.
pub(crate) struct Blocked {
    pub(crate) future: AnyFuture,
    /// Lets it go on.
    pub(crate) unblock: Box<dyn FnOnce()>,
    /// Nobody holds anything of the primitive, or is queued.
    pub(crate) is_free: Box<dyn Fn() -> bool>,
    /// Whether a future that is forgotten in the queue keeps its grant.
    pub(crate) keeps: bool,
    /// Whether a poll clones the waker also where it is ready: no clone is made while the
    /// lock is held.
    pub(crate) clones: bool,
}

fn blocked<T: 'static>(
    future: impl Future<Output = T> + 'static,
    unblock: impl FnOnce() + 'static,
    is_free: impl Fn() -> bool + 'static,
) -> Blocked {
    Blocked {
        future: Box::pin(future.map(|output| Box::new(output) as Box<dyn Any>)),
        unblock: Box::new(unblock),
        is_free: Box::new(is_free),
        keeps: true,
        clones: false,
    }
}

fn leak<T>(primitive: T) -> &'static T {
    Box::leak(Box::new(primitive))
}

/// A kind of future by name, and how to make one.
type Kind = (&'static str, fn() -> Blocked);

const ALL: &[Kind] = &[
    ("LockAcquire", || {
        let lock = leak(Lock::new());
        let guard = lock.try_acquire();
        let is_free = || lock.try_acquire().is_some();
        blocked(lock.acquire(), || drop(guard), is_free)
    }),
    ("LockAcquireOwned", || {
        let lock = Arc::new(Lock::new());
        let guard = lock.try_acquire_owned();
        let future = lock.acquire_owned();
        blocked(
            future,
            || drop(guard),
            move || lock.try_acquire_owned().is_some(),
        )
    }),
    ("MutexLock", || {
        let mutex = leak(Mutex::new(0));
        let guard = mutex.try_lock();
        let is_free = || mutex.try_lock().is_some();
        blocked(mutex.lock(), || drop(guard), is_free)
    }),
    ("MutexLockOwned", || {
        let mutex = Arc::new(Mutex::new(0));
        let guard = mutex.try_lock_owned();
        let future = mutex.lock_owned();
        blocked(
            future,
            || drop(guard),
            move || mutex.try_lock_owned().is_some(),
        )
    }),
    ("RwLockRead", || {
        let lock = leak(RwLock::new(0));
        let guard = lock.try_write();
        let is_free = || lock.try_write().is_some();
        blocked(lock.read(), || drop(guard), is_free)
    }),
    ("RwLockReadOwned", || {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.try_write_owned();
        let future = lock.read_owned();
        blocked(
            future,
            || drop(guard),
            move || lock.try_write_owned().is_some(),
        )
    }),
    ("RwLockWrite", || {
        let lock = leak(RwLock::new(0));
        let guard = lock.try_read();
        let is_free = || lock.try_write().is_some();
        blocked(lock.write(), || drop(guard), is_free)
    }),
    ("RwLockWriteOwned", || {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.try_read_owned();
        let future = lock.write_owned();
        blocked(
            future,
            || drop(guard),
            move || lock.try_write_owned().is_some(),
        )
    }),
    ("RwLockUpgradableRead", || {
        let lock = leak(RwLock::new(0));
        let guard = lock.try_upgradable_read();
        let is_free = || lock.try_write().is_some();
        blocked(lock.upgradable_read(), || drop(guard), is_free)
    }),
    ("RwLockUpgradableReadOwned", || {
        let lock = Arc::new(RwLock::new(0));
        let guard = lock.try_upgradable_read_owned();
        let future = lock.upgradable_read_owned();
        blocked(
            future,
            || drop(guard),
            move || lock.try_write_owned().is_some(),
        )
    }),
    ("RwLockUpgrade", || {
        let lock = leak(RwLock::new(0));
        let reader = lock.try_read();
        let guard = lock.try_upgradable_read().expect("there is no writer");
        let upgrade = RwLockUpgradableReadGuard::upgrade(guard);
        blocked(upgrade, || drop(reader), || lock.try_write().is_some())
    }),
    ("RwLockUpgradeOwned", || {
        let lock = Arc::new(RwLock::new(0));
        let reader = lock.try_read_owned();
        let guard = lock.try_upgradable_read_owned();
        let upgrade = OwnedRwLockUpgradableReadGuard::upgrade(guard.expect("there is no writer"));
        blocked(
            upgrade,
            || drop(reader),
            move || lock.try_write_owned().is_some(),
        )
    }),
    ("SemaphoreAcquire", || {
        let semaphore = leak(Semaphore::new(2));
        let permit = semaphore.try_acquire();
        let is_free = || semaphore.try_acquire_many(2).is_some();
        blocked(semaphore.acquire_many(2), || drop(permit), is_free)
    }),
    ("SemaphoreAcquireOwned", || {
        let semaphore = Arc::new(Semaphore::new(1));
        let permit = semaphore.try_acquire_owned();
        let future = semaphore.acquire_owned();
        blocked(
            future,
            || drop(permit),
            move || semaphore.try_acquire_owned().is_some(),
        )
    }),
    ("BoundedSemaphoreAcquire", || {
        let semaphore = leak(BoundedSemaphore::new(1));
        let permit = semaphore.try_acquire();
        let is_free = || semaphore.try_acquire().is_some();
        blocked(semaphore.acquire(), || drop(permit), is_free)
    }),
    ("BoundedSemaphoreAcquireOwned", || {
        let semaphore = Arc::new(BoundedSemaphore::new(2));
        let permit = semaphore.try_acquire_owned();
        let future = semaphore.acquire_many_owned(2);
        let is_free = move || semaphore.try_acquire_many_owned(2).is_some();
        blocked(future, || drop(permit), is_free)
    }),
    ("EventWait", blocked_at_an_event),
    ("BarrierWait", || {
        let barrier = leak(Barrier::new(2));
        // Passes with it, or alone waits in vain and goes away.
        let other = || {
            let _ = barrier.wait().now_or_never();
        };
        Blocked {
            keeps: false,
            ..blocked(barrier.wait(), other, || barrier.n_waiting() == 0)
        }
    }),
    ("ConditionWait", || {
        let lock = leak(Lock::new());
        let condition = leak(Condition::new());
        let guard = lock.try_acquire().expect("nobody has it");
        let notify = || {
            if let Some(guard) = lock.try_acquire() {
                condition.notify_one(&guard);
            }
        };
        let is_free =
            move || lock.try_acquire().is_some() && format!("{condition:?}").contains("waiters: 0");
        Blocked {
            keeps: false,
            ..blocked(condition.wait(guard), notify, is_free)
        }
    }),
    ("ConditionWaitFor", || {
        let mutex = leak(Mutex::new(0));
        let condition = leak(Condition::new());
        let guard = mutex.try_lock().expect("nobody has it");
        let notify = || {
            if let Some(mut guard) = mutex.try_lock() {
                *guard = 1;
                condition.notify_one(&guard);
            }
        };
        let is_free =
            move || mutex.try_lock().is_some() && format!("{condition:?}").contains("waiters: 0");
        let wait = condition.wait_for(guard, |value| *value == 1);
        Blocked {
            keeps: false,
            ..blocked(wait, notify, is_free)
        }
    }),
    ("When", || {
        let mutex = leak(Mutex::new(0));
        let set = || {
            if let Some(mut guard) = mutex.try_lock() {
                *guard = 1;
            }
        };
        // SAFETY: the guard is of the mutex, and holds nothing but it.
        let future = unsafe {
            let is_set = |guard: &mut MutexGuard<'static, i32>| **guard == 1;
            when(mutex.waiter(), || mutex.granted_guard(), is_set)
        };
        blocked(future, set, || mutex.try_lock().is_some())
    }),
    ("When, to read", || {
        let lock = leak(RwLock::new(0));
        let set = || {
            if let Some(mut guard) = lock.try_write() {
                *guard = 1;
            }
        };
        // SAFETY: the guard is of the lock, and holds nothing but it.
        let future = unsafe {
            let is_set = |guard: &mut RwLockReadGuard<'static, i32>| **guard == 1;
            when(lock.read_waiter(), || lock.granted_read_guard(), is_set)
        };
        blocked(future, set, || lock.try_write().is_some())
    }),
    ("When, at a sync lock", || {
        let mutex = leak(sync::Mutex::new(0));
        // SAFETY: turns and guards are those of the mutex.
        let enter = || unsafe {
            let guards = TurnGuards::new(
                mutex,
                <sync::Mutex<i32> as ConditionalSyncLock>::acquire_with_turn,
                <sync::Mutex<i32> as ConditionalSyncLock>::release_without_turn,
            );
            let is_set = |guard: &mut sync::MutexGuard<'static, i32>| **guard == 1;
            sync_when(ConditionalSyncLock::turns(mutex), guards, is_set)
        };
        let set = || *mutex.lock() = 1;
        let is_free = move || {
            let Some(mut guard) = mutex.try_lock() else {
                return false;
            };
            *guard = 1;
            drop(guard);
            enter().now_or_never().is_some()
        };
        Blocked {
            clones: true,
            ..blocked(enter(), set, is_free)
        }
    }),
    ("When, at a sync lock, to read", || {
        let lock = leak(sync::RwLock::new(0));
        // SAFETY: turns and guards are those of the lock.
        let enter = || unsafe {
            let guards = TurnGuards::new(
                lock,
                <sync::RwLock<i32> as ConditionalSyncRwLock>::read_with_turn,
                <sync::RwLock<i32> as ConditionalSyncRwLock>::release_read_without_turn,
            );
            let is_set = |guard: &mut sync::RwLockReadGuard<'static, i32>| **guard == 1;
            sync_when(ConditionalSyncLock::turns(lock), guards, is_set)
        };
        let set = || *lock.write() = 1;
        let is_free = move || {
            let Some(mut guard) = lock.try_write() else {
                return false;
            };
            *guard = 1;
            drop(guard);
            enter().now_or_never().is_some()
        };
        Blocked {
            clones: true,
            ..blocked(enter(), set, is_free)
        }
    }),
];

pub(crate) fn blocked_at_an_event() -> Blocked {
    let event = leak(Event::new());
    let is_free = move || format!("{event:?}").contains("waiters: 0");
    Blocked {
        keeps: false,
        ..blocked(event.wait(), || event.set(), is_free)
    }
}

/// Calls a function with a future of every kind, and names the kind if that
/// fails.
pub(crate) fn for_all(check: impl Fn(Blocked)) {
    for (name, new) in ALL {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(new())));
        assert!(result.is_ok(), "failed for {name}");
    }
}

/// A task that counts its wakes.
pub(crate) struct Task {
    count: Arc<Count>,
    waker: Waker,
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Task {
    pub(crate) fn new() -> Self {
        let count = Arc::new(Count::default());
        let waker = Waker::from(Arc::clone(&count));
        Task { count, waker }
    }

    pub(crate) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.count.0.load(Ordering::SeqCst)
    }

    /// Nobody keeps a waker of it.
    pub(crate) fn is_forgotten(&self) -> bool {
        Arc::strong_count(&self.count) == 2
    }
}
