//! One function per operation where nobody is in the way, compiled as in a user's
//! crate: for `.ci/store-forwarding`, which looks at their instructions.
//!
//! `free_path [NAME [TIMES]]` calls one of them, or each, and prints how many
//! nanoseconds a call takes. `limit` is the least that could do the work.

use std::fmt::Debug;
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use async_monitor::{
    BoundedSemaphore, Event, Guarded, Lock, Mutex, MutexGuard, RwLock, RwLockUpgradableReadGuard,
    RwLockWriteGuard, Semaphore, local,
};

/// An object with a lock, made by the macros.
#[derive(Default, Guarded)]
struct Object {
    lock: Lock,
    #[guarded_by(lock)]
    value: Guarded<usize>,
}

/// A future of the user around ours, which is polled through a pointer.
struct Through<F>(F);

impl<F: Future> Future for Through<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the only field is pinned with the struct.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

#[inline(always)]
fn ready<F: Future>(future: F) -> F::Output {
    let mut cx = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut cx) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("somebody is in the way"),
    }
}

/// Makes three functions of an operation: one that polls its future on the stack, one
/// that awaits it in a future of the user, and one that polls it through a pointer, as
/// code that is not inlined.
macro_rules! operations {
    ($($polled:ident, $awaited:ident, $pinned:ident: $lock:ident: $ty:ty = $value:expr => $future:expr;)*) => {
        $(
            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $polled($lock: &$ty) {
                black_box(&ready($future));
            }

            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $awaited($lock: &$ty) {
                ready(async {
                    let guard = Through($future).await;
                    black_box(&guard);
                    Through(std::future::ready(())).await;
                });
            }

            #[unsafe(no_mangle)]
            #[inline(never)]
            fn $pinned($lock: &$ty) {
                let mut future = pin!($future);
                let future: Pin<&mut dyn Future<Output = _>> = future.as_mut();
                black_box(&ready(black_box(future)));
            }
        )*

        fn main() {
            let mut arguments = std::env::args().skip(1);
            let wanted = arguments.next();
            let times: u64 = arguments.next().map_or(1, |times| times.parse().expect("a number"));
            $({
                let lock = $value;
                let lock: &$ty = &lock;
                let functions: [(&str, fn(&$ty)); 3] = [
                    (stringify!($polled), $polled),
                    (stringify!($awaited), $awaited),
                    (stringify!($pinned), $pinned),
                ];
                for (name, function) in functions {
                    if wanted.as_ref().is_none_or(|wanted| wanted == name) {
                        measure(name, times, || function(black_box(lock)));
                    }
                }
            })*
        }
    };
}

/// Prints how many nanoseconds a call takes, at best.
fn measure(name: &str, times: u64, mut call: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..10 {
        let start = Instant::now();
        (0..times).for_each(|_| call());
        best = best.min(start.elapsed().as_nanos() as f64 / times as f64);
    }
    println!("{name} {best:.2}");
}

/// Polls a future once.
async fn is_pending(mut future: Pin<&mut impl Future>) -> bool {
    std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

/// An event that has happened.
fn set() -> Event {
    let event = Event::new();
    event.set();
    event
}

/// One compare-exchange and one addition, or swap: the limit.
struct Limit(AtomicUsize);

struct LimitGuard<'a>(&'a Limit);

impl Limit {
    fn take(&self) -> LimitGuard<'_> {
        let count = self.0.load(Ordering::Relaxed);
        let taken = self
            .0
            .compare_exchange(count, count + 1, Ordering::Acquire, Ordering::Relaxed);
        assert!(taken.is_ok());
        LimitGuard(self)
    }
}

impl Drop for LimitGuard<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Release);
    }
}

operations! {
    limit_polled, limit_awaited, limit_pinned:
        l: Limit = Limit(AtomicUsize::new(9)) => std::future::poll_fn(|_| Poll::Ready(l.take()));
    lock_polled, lock_awaited, lock_pinned: l: Lock = Lock::new() => l.acquire();
    lock_owned_polled, lock_owned_awaited, lock_owned_pinned:
        l: Arc<Lock> = Arc::default() => l.acquire_owned();
    mutex_polled, mutex_awaited, mutex_pinned: l: Mutex<usize> = Mutex::new(0) => l.lock();
    mutex_wide_polled, mutex_wide_awaited, mutex_wide_pinned:
        l: Mutex<dyn Debug> = Mutex::new(0) => l.lock();
    mutex_owned_polled, mutex_owned_awaited, mutex_owned_pinned:
        l: Arc<Mutex<usize>> = Arc::default() => l.lock_owned();
    read_polled, read_awaited, read_pinned: l: RwLock<usize> = RwLock::new(0) => l.read();
    read_wide_polled, read_wide_awaited, read_wide_pinned:
        l: RwLock<dyn Debug> = RwLock::new(0) => l.read();
    read_owned_polled, read_owned_awaited, read_owned_pinned:
        l: Arc<RwLock<usize>> = Arc::default() => l.read_owned();
    upgradable_polled, upgradable_awaited, upgradable_pinned:
        l: RwLock<usize> = RwLock::new(0) => l.upgradable_read();
    write_polled, write_awaited, write_pinned: l: RwLock<usize> = RwLock::new(0) => l.write();
    write_wide_polled, write_wide_awaited, write_wide_pinned:
        l: RwLock<dyn Debug> = RwLock::new(0) => l.write();
    write_owned_polled, write_owned_awaited, write_owned_pinned:
        l: Arc<RwLock<usize>> = Arc::default() => l.write_owned();
    semaphore_polled, semaphore_awaited, semaphore_pinned:
        s: Semaphore = Semaphore::new(2) => s.acquire();
    semaphore_many_polled, semaphore_many_awaited, semaphore_many_pinned:
        s: Semaphore = Semaphore::new(2) => s.acquire_many(black_box(2));
    semaphore_owned_polled, semaphore_owned_awaited, semaphore_owned_pinned:
        s: Arc<Semaphore> = Arc::new(Semaphore::new(2)) => s.acquire_owned();
    bounded_polled, bounded_awaited, bounded_pinned:
        s: BoundedSemaphore = BoundedSemaphore::new(2) => s.acquire();
    bounded_owned_polled, bounded_owned_awaited, bounded_owned_pinned:
        s: Arc<BoundedSemaphore> = Arc::new(BoundedSemaphore::new(2)) => s.acquire_owned();
    local_mutex_polled, local_mutex_awaited, local_mutex_pinned:
        l: local::Mutex<usize> = local::Mutex::new(0) => l.lock();
    local_mutex_wide_polled, local_mutex_wide_awaited, local_mutex_wide_pinned:
        l: local::Mutex<dyn Debug> = local::Mutex::new(0) => l.lock();
    local_read_polled, local_read_awaited, local_read_pinned:
        l: local::RwLock<usize> = local::RwLock::new(0) => l.read();
    local_semaphore_polled, local_semaphore_awaited, local_semaphore_pinned:
        s: local::Semaphore = local::Semaphore::new(2) => s.acquire();
    mapped_polled, mapped_awaited, mapped_pinned: l: Mutex<(u8, usize)> = Mutex::default() =>
        async { MutexGuard::map(l.lock().await, |pair| &mut pair.1) };
    upgrade_polled, upgrade_awaited, upgrade_pinned: l: RwLock<usize> = RwLock::new(0) =>
        async { RwLockUpgradableReadGuard::upgrade(l.upgradable_read().await).await };
    downgrade_polled, downgrade_awaited, downgrade_pinned: l: RwLock<usize> = RwLock::new(0) =>
        async { RwLockWriteGuard::downgrade(l.write().await) };
    hand_off_polled, hand_off_awaited, hand_off_pinned: l: Lock = Lock::new() => async {
        let guard = l.acquire().await;
        let mut next = pin!(l.acquire());
        assert!(is_pending(next.as_mut()).await);
        drop(guard);
        next.await
    };
    read_hand_off_polled, read_hand_off_awaited, read_hand_off_pinned:
        l: RwLock<usize> = RwLock::new(0) => async {
            let guard = l.write().await;
            let mut next = pin!(l.read());
            assert!(is_pending(next.as_mut()).await);
            drop(guard);
            next.await
        };
    cancelled_polled, cancelled_awaited, cancelled_pinned: l: Lock = Lock::new() => async {
        let guard = l.acquire().await;
        assert!(is_pending(pin!(l.acquire())).await);
        guard
    };
    event_polled, event_awaited, event_pinned: e: Event = set() => e.wait();
    guarded_polled, guarded_awaited, guarded_pinned: o: Object = Object::default() => o.acquire_lock();
}
