//! Wakers that panic: when they are cloned, woken or dropped.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use crate::blocked::{Blocked, Task, blocked_at_an_event, for_all};
use crate::random::Random;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum On {
    Clone,
    Wake,
    Drop,
}

thread_local! {
    /// The operation that panics, the next time.
    static ARMED: Cell<Option<On>> = const { Cell::new(None) };
}

/// A waker that panics if it is armed, and the number of its clones.
struct Bomb(AtomicUsize);

fn panic_on(on: On) {
    if ARMED.get() == Some(on) {
        ARMED.set(None);
        resume_unwind(Box::new(on));
    }
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(
    |data| {
        panic_on(On::Clone);
        bomb(data).0.fetch_add(1, Ordering::SeqCst);
        RawWaker::new(data, &VTABLE)
    },
    |data| {
        bomb(data).0.fetch_sub(1, Ordering::SeqCst);
        panic_on(On::Wake);
    },
    |_| panic_on(On::Wake),
    |data| {
        bomb(data).0.fetch_sub(1, Ordering::SeqCst);
        panic_on(On::Drop);
    },
);

fn bomb(data: *const ()) -> &'static Bomb {
    // SAFETY: the data of a waker of this table is a bomb, which is leaked.
    unsafe { &*data.cast() }
}

impl Bomb {
    fn new() -> &'static Self {
        Box::leak(Box::new(Bomb(AtomicUsize::new(0))))
    }

    fn poll<T>(&'static self, poll: impl FnOnce(&mut Context<'_>) -> T) -> T {
        self.0.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the table keeps the rules, on any thread; the bomb is leaked.
        let waker = unsafe { Waker::new((&raw const *self).cast(), &VTABLE) };
        // Not dropped where it could panic.
        let waker = std::mem::ManuallyDrop::new(waker);
        let polled = catch_unwind(AssertUnwindSafe(|| poll(&mut Context::from_waker(&waker))));
        self.0.fetch_sub(1, Ordering::SeqCst);
        polled.unwrap_or_else(|payload| resume_unwind(payload))
    }

    fn clones(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn panics<T>(on: On, call: impl FnOnce() -> T) -> bool {
    ARMED.set(Some(on));
    let result = catch_unwind(AssertUnwindSafe(call));
    ARMED.set(None);
    match result {
        Ok(_) => false,
        Err(payload) if payload.downcast_ref() == Some(&on) => true,
        Err(payload) => resume_unwind(payload),
    }
}

/// Each way to panic, at each poll, after which the future is dropped: nothing
/// is left behind.
#[test]
fn a_panic_at_every_poll() {
    for on in [On::Clone, On::Wake, On::Drop] {
        for at in 0..4 {
            for unblocked in [false, true] {
                for_all(|blocked| {
                    let (bomb, other) = (Bomb::new(), Bomb::new());
                    let mut future = blocked.future;
                    let mut unblock = Some(blocked.unblock);
                    for poll in 0..=at {
                        if unblocked && poll == at {
                            unblock.take().into_iter().for_each(|unblock| unblock());
                        }
                        let bomb = if poll % 2 == 0 { bomb } else { other };
                        let ended = if poll == at {
                            panics(on, || bomb.poll(|cx| future.as_mut().poll(cx)))
                        } else {
                            bomb.poll(|cx| future.as_mut().poll(cx)).is_ready()
                        };
                        if ended {
                            break;
                        }
                    }
                    drop(future);
                    unblock.take().into_iter().for_each(|unblock| unblock());
                    assert!((blocked.is_free)(), "{on:?} at {at}");
                    assert_eq!((bomb.clones(), other.clones()), (0, 0), "wakers kept");
                });
            }
        }
    }
}

/// After a clone that panics, the future can be polled again, and is queued
/// as before. (The futures of a condition have lost their guard with it.)
#[test]
fn polled_again_after_a_clone_that_panics() {
    for_all(|blocked| {
        let bomb = Bomb::new();
        let task = Task::new();
        let mut future = blocked.future;
        let panicked = panics(On::Clone, || bomb.poll(|cx| future.as_mut().poll(cx)));
        assert!(panicked, "it was not cloned");
        if !blocked.keeps && (blocked.is_free)() {
            return;
        }
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        assert_eq!(task.wakes(), 1);
        assert!(task.poll(future.as_mut()).is_ready());
        assert_eq!(bomb.clones(), 0);
    });
}

/// What comes free after a clone that panics is had without another clone.
#[test]
fn free_after_a_clone_that_panics() {
    fn check(blocked: Blocked) {
        let bomb = Bomb::new();
        let mut future = blocked.future;
        assert!(panics(On::Clone, || bomb.poll(|cx| future.as_mut().poll(cx))));
        (blocked.unblock)();
        let panicked = panics(On::Clone, || {
            assert!(bomb.poll(|cx| future.as_mut().poll(cx)).is_ready());
        });
        assert!(!panicked, "it was cloned");
        assert_eq!(bomb.clones(), 0);
    }

    for_all(|blocked| {
        // A future that is not queued does not get a grant.
        if blocked.keeps && !blocked.clones {
            check(blocked);
        }
    });
    // But a flag stays.
    check(blocked_at_an_event());
}

/// The call that unblocks the future gets the panic of its waker; the future is
/// unblocked all the same.
#[test]
fn wake_that_panics() {
    for_all(|blocked| {
        let bomb = Bomb::new();
        let mut future = blocked.future;
        assert!(bomb.poll(|cx| future.as_mut().poll(cx)).is_pending());
        assert!(panics(On::Wake, blocked.unblock));
        assert_eq!(bomb.clones(), 0);
        assert!(Task::new().poll(future.as_mut()).is_ready());
        drop(future);
        assert!((blocked.is_free)());
    });
}

/// A future is dropped by a panic, or panics while it is dropped.
#[test]
fn drop_that_panics() {
    for_all(|blocked| {
        let bomb = Bomb::new();
        let mut future = blocked.future;
        assert!(bomb.poll(|cx| future.as_mut().poll(cx)).is_pending());
        assert!(panics(On::Drop, || drop(future)));
        assert_eq!(bomb.clones(), 0);
        (blocked.unblock)();
        assert!((blocked.is_free)());
    });
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            assert!(task.poll(future.as_mut()).is_pending());
            let _future = future;
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        (blocked.unblock)();
        assert!((blocked.is_free)());
        assert!(task.is_forgotten());
    });
}

/// The result of a future is dropped by a panic.
#[test]
fn output_that_is_dropped_by_a_panic() {
    for_all(|blocked| {
        let task = Task::new();
        let mut future = blocked.future;
        assert!(task.poll(future.as_mut()).is_pending());
        (blocked.unblock)();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let Poll::Ready(_output) = task.poll(future.as_mut()) else {
                return;
            };
            resume_unwind(Box::new(()));
        }));
        assert!(panicked.is_err());
        assert!((blocked.is_free)());
    });
}

/// A wake drops the last other handle of the lock that is being released.
#[test]
fn wake_that_drops_the_lock() {
    use std::sync::Mutex as StdMutex;
    use std::task::Wake;

    use async_monitor::{Lock, future::LockAcquireOwned};

    #[derive(Default)]
    struct DropsAll(StdMutex<Option<std::pin::Pin<Box<LockAcquireOwned>>>>);

    impl Wake for DropsAll {
        fn wake(self: Arc<Self>) {
            let future = self.0.lock().expect("nobody panics with it").take();
            drop(future);
        }
    }

    let lock = Arc::new(Lock::new());
    let weak = Arc::downgrade(&lock);
    let guard = lock.try_acquire_owned().expect("nobody has it");
    let drops_all = Arc::new(DropsAll::default());
    let waker = Waker::from(Arc::clone(&drops_all));
    let mut future = Box::pin(lock.acquire_owned());
    let polled = Future::poll(future.as_mut(), &mut Context::from_waker(&waker));
    assert!(polled.is_pending());
    *drops_all.0.lock().expect("nobody panics with it") = Some(future);
    drop(lock);
    drop(guard);
    assert_eq!(weak.strong_count(), 0);
}

/// A clone that panics leaves the future unchanged: it may be unblocked, and
/// then it needs no waker.
#[test]
fn a_clone_that_panicked_is_forgotten() {
    use async_monitor::{Event, Lock};
    use std::pin::pin;

    let bomb = Bomb::new();
    let armed = |poll: &mut dyn FnMut(&mut Context<'_>) -> bool| {
        ARMED.set(Some(On::Clone));
        let polled = catch_unwind(AssertUnwindSafe(|| bomb.poll(|cx| poll(cx))));
        ARMED.set(None);
        polled.ok()
    };

    let event = Event::new();
    let mut wait = pin!(event.wait());
    let mut poll = |cx: &mut Context<'_>| wait.as_mut().poll(cx).is_ready();
    assert_eq!(
        armed(&mut poll),
        None,
        "it has to wait, and the clone panics"
    );
    event.set();
    assert_eq!(armed(&mut poll), Some(true), "no clone is needed");

    let lock = Lock::new();
    let held = lock.try_acquire();
    let mut acquire = pin!(lock.acquire());
    let mut poll = |cx: &mut Context<'_>| acquire.as_mut().poll(cx).is_ready();
    assert_eq!(armed(&mut poll), None);
    drop(held);
    assert_eq!(armed(&mut poll), Some(true));
}

/// A waker that makes a box for each clone, so that no two have the same parts, until the
/// memory of one is used for another.
fn boxed_waker(task: &Arc<AtomicUsize>) -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| raw(Arc::clone(inside(data))),
        |data| {
            inside(data).fetch_add(1, Ordering::SeqCst);
            drop_box(data);
        },
        |data| {
            inside(data).fetch_add(1, Ordering::SeqCst);
        },
        drop_box,
    );
    fn raw(task: Arc<AtomicUsize>) -> RawWaker {
        RawWaker::new(Box::into_raw(Box::new(task)).cast_const().cast(), &VTABLE)
    }
    fn inside<'a>(data: *const ()) -> &'a Arc<AtomicUsize> {
        // SAFETY: the data is the box that `raw` has made, until `drop_box`.
        unsafe { &*data.cast() }
    }
    fn drop_box(data: *const ()) {
        // SAFETY: as above, and nobody uses the data afterwards.
        drop(unsafe { Box::from_raw(data.cast_mut().cast::<Arc<AtomicUsize>>()) });
    }
    // SAFETY: the table keeps the rules, on any thread.
    unsafe { Waker::from_raw(raw(Arc::clone(task))) }
}

/// A waker's clone need not have its parts.
#[test]
fn clones_with_other_parts() {
    use async_monitor::Semaphore;

    let task = Arc::new(AtomicUsize::new(0));
    Random::seeds(300, |random| {
        let semaphore = Semaphore::new(0);
        let mut futures: Vec<Option<_>> = (0..16)
            .map(|_| Some(Box::pin(semaphore.acquire())))
            .collect();
        for _ in 0..60 {
            let index = random.below(futures.len());
            match random.below(8) {
                0 => semaphore.add_permits(1 + random.below(4)),
                1 => futures[index] = None,
                2 => {
                    futures[index] = None;
                    let permits = 1 + random.below(9);
                    futures[index] = Some(Box::pin(semaphore.acquire_many(permits)));
                }
                _ => {
                    let waker = boxed_waker(&task);
                    let mut cx = Context::from_waker(&waker);
                    if let Some(future) = &mut futures[index] {
                        if future.as_mut().poll(&mut cx).is_ready() {
                            futures[index] = None;
                        }
                    }
                }
            }
        }
        drop(futures);
        assert_eq!(Arc::strong_count(&task), 1, "a waker is kept");
    });
}

/// A payload that panics when it is dropped.
struct PanicsInTurn;

impl Drop for PanicsInTurn {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

/// A waker that panics during another panic does not end the process, whatever it panics with.
#[test]
fn a_payload_that_panics_in_turn() {
    struct Panics;

    impl std::task::Wake for Panics {
        fn wake(self: Arc<Self>) {
            std::panic::panic_any(PanicsInTurn);
        }
    }

    let waker = Waker::from(Arc::new(Panics));
    let lock = async_monitor::Lock::new();
    let mut waiting = Box::pin(lock.acquire());
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = lock.try_acquire().expect("it is free");
        let mut cx = Context::from_waker(&waker);
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        panic!("while the lock is held");
    }));
    let payload = panicked.expect_err("it panics");
    assert_eq!(
        payload.downcast_ref::<&str>(),
        Some(&"while the lock is held")
    );
    drop(waiting);
    assert!(!lock.is_locked());
}
