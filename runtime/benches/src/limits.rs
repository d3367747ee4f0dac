//! What the hardware allows: the least that could do the work, written by hand,
//! without the guarantees.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

/// A lock that nobody can wait for: one compare-exchange, one swap.
#[derive(Default)]
pub(crate) struct CasSwap(AtomicBool);

pub(crate) struct CasSwapGuard<'a>(&'a CasSwap);

impl CasSwap {
    #[inline]
    pub(crate) fn try_lock(&self) -> Option<CasSwapGuard<'_>> {
        self.0
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
            .then_some(CasSwapGuard(self))
    }
}

impl Drop for CasSwapGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.swap(false, Ordering::Release);
    }
}

/// A count that is taken from by a compare-exchange and added to by another
/// atomic operation: readers, or permits.
pub(crate) struct Count(AtomicUsize);

pub(crate) struct CountGuard<'a>(&'a Count);

impl Count {
    pub(crate) fn new(count: usize) -> Self {
        Count(AtomicUsize::new(count))
    }

    #[inline]
    pub(crate) fn try_take(&self) -> Option<CountGuard<'_>> {
        let count = self.0.load(Ordering::Relaxed);
        let left = count.checked_sub(1)?;
        self.0
            .compare_exchange(count, left, Ordering::Acquire, Ordering::Relaxed)
            .is_ok()
            .then_some(CountGuard(self))
    }
}

impl Drop for CountGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::Release);
    }
}

/// A lock for tasks of one thread, first come, first served. Whoever waits
/// cannot leave.
///
/// With `LOCKED`, whoever joins, leaves or takes what was handed over locks and
/// unlocks a word meanwhile: what threads that share it would have to do.
#[derive(Default)]
pub(crate) struct LocalFifo<const LOCKED: bool> {
    word: AtomicUsize,
    next: Cell<u64>,
    serving: Cell<u64>,
    waiters: RefCell<VecDeque<Waker>>,
}

pub(crate) struct LocalFifoLock<'a, const LOCKED: bool> {
    lock: &'a LocalFifo<LOCKED>,
    ticket: Option<u64>,
}

pub(crate) struct LocalFifoGuard<'a, const LOCKED: bool>(&'a LocalFifo<LOCKED>);

impl<const LOCKED: bool> LocalFifo<LOCKED> {
    #[inline]
    pub(crate) fn lock(&self) -> LocalFifoLock<'_, LOCKED> {
        LocalFifoLock {
            lock: self,
            ticket: None,
        }
    }

    /// Does it with the word locked.
    #[inline(always)]
    fn locked<T>(&self, step: impl FnOnce() -> T) -> T {
        if !LOCKED {
            return step();
        }
        let word = self.word.load(Ordering::Relaxed);
        let _ =
            self.word
                .compare_exchange_weak(word, word | 1, Ordering::Acquire, Ordering::Relaxed);
        let done = step();
        self.word.store(word, Ordering::Release);
        done
    }
}

impl<'a, const LOCKED: bool> Future for LocalFifoLock<'a, LOCKED> {
    type Output = LocalFifoGuard<'a, LOCKED>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let lock = self.lock;
        let ticket = match self.ticket {
            Some(ticket) => ticket,
            None => {
                let ticket = lock.next.get();
                lock.next.set(ticket + 1);
                if ticket != lock.serving.get() {
                    self.ticket = Some(ticket);
                    let waker = cx.waker().clone();
                    lock.locked(|| lock.waiters.borrow_mut().push_back(waker));
                    return Poll::Pending;
                }
                ticket
            }
        };
        if lock.locked(|| ticket == lock.serving.get()) {
            Poll::Ready(LocalFifoGuard(lock))
        } else {
            Poll::Pending
        }
    }
}

impl<const LOCKED: bool> Drop for LocalFifoGuard<'_, LOCKED> {
    #[inline]
    fn drop(&mut self) {
        let next = self.0.locked(|| {
            self.0.serving.set(self.0.serving.get() + 1);
            self.0.waiters.borrow_mut().pop_front()
        });
        if let Some(waker) = next {
            waker.wake();
        }
    }
}

/// A broadcast: wakers in a vector. Whoever waits cannot leave.
#[derive(Default)]
pub(crate) struct WakerList {
    epoch: AtomicU64,
    wakers: Mutex<Vec<Waker>>,
}

pub(crate) struct WakerListWait<'a> {
    list: &'a WakerList,
    epoch: Option<u64>,
}

impl WakerList {
    #[inline]
    pub(crate) fn wait(&self) -> WakerListWait<'_> {
        WakerListWait {
            list: self,
            epoch: None,
        }
    }

    pub(crate) fn wake_all(&self) {
        let mut wakers = self.wakers.lock().expect("no waker panics");
        self.epoch.fetch_add(1, Ordering::Release);
        for waker in wakers.drain(..) {
            waker.wake();
        }
    }
}

impl Future for WakerListWait<'_> {
    type Output = ();

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let current = self.list.epoch.load(Ordering::Acquire);
        match self.epoch {
            Some(epoch) if epoch != current => Poll::Ready(()),
            Some(_) => Poll::Pending,
            None => {
                let mut wakers = self.list.wakers.lock().expect("no waker panics");
                wakers.push(cx.waker().clone());
                drop(wakers);
                self.epoch = Some(current);
                Poll::Pending
            }
        }
    }
}

/// What joining a queue and leaving it cost at least: a lock taken and released,
/// twice.
#[inline]
pub(crate) fn four_atomics(word: &AtomicBool) {
    for _ in 0..2 {
        let _ = word.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed);
        word.swap(false, Ordering::Release);
    }
}
