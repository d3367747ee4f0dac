//! Futures polled by hand, each with a waker of its own that counts.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Wake, Waker};

use crate::flavour::Anywhere;
use crate::wakers::waker;

/// A waker that counts how often it was woken, by value or by reference.
#[derive(Default)]
pub(crate) struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counter {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

/// A task of its own: a counting waker, and how often it has been woken.
#[derive(Clone)]
pub(crate) struct Task {
    counter: Arc<Counter>,
    waker: Waker,
}

impl Task {
    pub(crate) fn new() -> Self {
        let counter = Arc::new(Counter::default());
        let waker = waker(Arc::clone(&counter));
        Task { counter, waker }
    }

    /// How often the task has been woken.
    pub(crate) fn wakes(&self) -> usize {
        self.counter.count()
    }

    /// How many clones of the waker there are, beside the task's own.
    pub(crate) fn clones(&self) -> usize {
        Arc::strong_count(&self.counter) - 2
    }

    /// Polls a future as this task.
    pub(crate) fn poll<F: Future + ?Sized>(&self, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.waker))
    }
}

/// One future in a box, and its task.
pub(crate) struct Waiter<F: ?Sized> {
    pub(crate) task: Task,
    pub(crate) future: Pin<Box<F>>,
}

/// A future with a task of its own. It is not polled yet.
pub(crate) fn waiter<F: Future>(future: F) -> Waiter<F> {
    waiter_of(&Task::new(), future)
}

/// A future of a given task. It is not polled yet.
pub(crate) fn waiter_of<F: Future>(task: &Task, future: F) -> Waiter<F> {
    Waiter {
        task: task.clone(),
        future: Box::pin(future),
    }
}

impl<F: Future + ?Sized> Waiter<F> {
    /// `Ready` or `Pending`, from one poll.
    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        self.task.poll(self.future.as_mut())
    }

    /// One poll that must be pending.
    #[track_caller]
    pub(crate) fn pending(&mut self) {
        assert!(self.poll().is_pending(), "expected Pending, was Ready");
    }

    /// One poll that must be ready.
    #[track_caller]
    pub(crate) fn ready(&mut self) -> F::Output {
        match self.poll() {
            Poll::Ready(output) => output,
            Poll::Pending => panic!("expected Ready, was Pending"),
        }
    }

    /// How often the waiter's task has been woken.
    pub(crate) fn wakes(&self) -> usize {
        self.task.wakes()
    }
}

/// A new future that must be pending at its first poll.
#[track_caller]
pub(crate) fn queued<F: Future>(future: F) -> Waiter<F> {
    let mut waiter = waiter(future);
    waiter.pending();
    waiter
}

/// A new future that must be ready at its first poll.
#[track_caller]
pub(crate) fn taken<F: Future>(future: F) -> F::Output {
    waiter(future).ready()
}

/// Whether a type implements a trait, as a constant: `impls!(Cell<u8>: Sync)`.
macro_rules! impls {
    ($type:ty: $trait:path) => {{
        struct Probe<T: ?Sized>(::std::marker::PhantomData<T>);

        /// Where the type does not implement the trait.
        #[allow(dead_code)]
        trait Otherwise {
            const IMPLS: bool = false;
        }
        impl<T: ?Sized> Otherwise for Probe<T> {}

        #[allow(dead_code)]
        impl<T: ?Sized + $trait> Probe<T> {
            const IMPLS: bool = true;
        }

        <Probe<$type>>::IMPLS
    }};
}

pub(crate) use impls;

/// Runs `here` and `there` at the same time, on two threads, in each round: with the
/// value of `begin`, and `check` afterwards. Under Miri, in some rounds only.
pub(crate) fn race<H, T: Send>(
    rounds: usize,
    mut begin: impl FnMut() -> (H, T),
    here: impl Fn(H),
    there: impl Fn(T) + Sync,
    mut check: impl FnMut(),
) {
    for _ in 0..times(rounds).max(3) {
        let (ours, theirs) = begin();
        let start = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                start.wait();
                there(theirs);
            });
            start.wait();
            here(ours);
        });
        check();
    }
}

/// The operations on a waker.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum On {
    Clone,
    Wake,
    Drop,
}

/// A waker that runs a hook at that operation on it or on a clone of it.
pub(crate) fn hooked(on: On, hook: impl Fn() + Anywhere + 'static) -> Waker {
    hooked_on_all(move |what| {
        if what == on {
            hook();
        }
    })
}

/// A waker that calls a hook for each operation on it and on its clones. A wake by
/// value is a wake and a drop.
pub(crate) fn hooked_on_all<H: Fn(On) + Anywhere + 'static>(hook: H) -> Waker {
    struct Hooked<H>(H);

    impl<H: Fn(On) + Anywhere + 'static> Hooked<H> {
        const VTABLE: &RawWakerVTable = &RawWakerVTable::new(
            |data| {
                Self::borrowed(&data).0(On::Clone);
                // SAFETY: `data` is of a waker made below; each of its clones
                // has a reference of its own.
                unsafe { Arc::increment_strong_count(data.cast::<Self>()) };
                RawWaker::new(data, Self::VTABLE)
            },
            |data| {
                let hooked = Self::owned(data);
                hooked.0(On::Wake);
                hooked.0(On::Drop);
            },
            |data| Self::borrowed(&data).0(On::Wake),
            |data| Self::owned(data).0(On::Drop),
        );

        fn borrowed(data: &*const ()) -> &Self {
            // SAFETY: only the table calls this, and `data` is of a waker made
            // below, which has a reference.
            unsafe { &*data.cast() }
        }

        fn owned(data: *const ()) -> Arc<Self> {
            // SAFETY: as above, and the waker is consumed.
            unsafe { Arc::from_raw(data.cast()) }
        }
    }

    let data = Arc::into_raw(Arc::new(Hooked(hook)));
    // SAFETY: the table counts references as an `Arc` does, and what they reach
    // is `Send` and `Sync`, or of the flavour of one thread, whose tests have none
    // but their own.
    unsafe { Waker::from_raw(RawWaker::new(data.cast(), Hooked::<H>::VTABLE)) }
}

/// So often. Under Miri, a fiftieth of that.
pub(crate) const fn times(often: usize) -> usize {
    if cfg!(miri) { often / 50 } else { often }
}

/// All of them. Under Miri, which takes some ten thousand times as long, each third.
pub(crate) fn cases<T, const N: usize>(all: [T; N]) -> impl Iterator<Item = T> {
    all.into_iter().step_by(if cfg!(miri) { 3 } else { 1 })
}

/// A value for the rest of the test, and of the process.
pub(crate) fn leaked<T>(value: T) -> &'static T {
    /// A leak checker finds from here that this is not leaked.
    static KEPT: Mutex<Vec<AtomicPtr<()>>> = Mutex::new(Vec::new());

    let value: *mut T = Box::leak(Box::new(value));
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    kept.push(AtomicPtr::new(value.cast()));
    // SAFETY: it was leaked a moment ago, and nobody frees it.
    unsafe { &*value }
}

/// Polls a future with a given waker.
pub(crate) fn poll_with<F: Future + ?Sized>(waker: &Waker, future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(waker))
}

/// A new future that must be pending at its first poll, with a given waker.
/// Later polls are those of a task of its own.
#[track_caller]
pub(crate) fn queued_with<F: Future>(waker: &Waker, future: F) -> Waiter<F> {
    let mut waiter = waiter(future);
    assert!(
        poll_with(waker, waiter.future.as_mut()).is_pending(),
        "expected Pending, was Ready"
    );
    waiter
}

/// The action of a waiter when it is woken, by its number.
type OnWake = Rc<dyn Fn(usize)>;

/// A future, unless it is ready, or dropped, or being polled.
type Member<T> = RefCell<Option<Pin<Box<dyn Future<Output = T>>>>>;

thread_local! {
    /// The action on this thread when a waiter of an [`InlineTasks`] is woken, by its
    /// number.
    static ON_WAKE: RefCell<Option<OnWake>> = const { RefCell::new(None) };
}

/// Waiters that poll each other when they are woken, as on an executor that runs
/// tasks inside of a wake.
pub(crate) struct InlineTasks<T> {
    futures: Vec<Member<T>>,
    wakers: Vec<Waker>,
    wakes: Vec<Cell<usize>>,
    /// What was ready, in this order.
    ready: RefCell<Vec<(usize, T)>>,
}

impl<T: 'static> InlineTasks<T> {
    /// Waiters that are queued, in this order.
    #[track_caller]
    pub(crate) fn queued<F: Future<Output = T> + 'static>(
        futures: impl IntoIterator<Item = F>,
    ) -> Rc<Self> {
        let boxed =
            |future| RefCell::new(Some(Box::pin(future) as Pin<Box<dyn Future<Output = T>>>));
        let futures: Vec<_> = futures.into_iter().map(boxed).collect();
        let woken = |number| {
            hooked(On::Wake, move || {
                let hook = ON_WAKE.with_borrow(Clone::clone);
                hook.expect("woken while nobody notifies")(number);
            })
        };
        let crowd = Rc::new(InlineTasks {
            wakers: (0..futures.len()).map(woken).collect(),
            wakes: futures.iter().map(|_| Cell::new(0)).collect(),
            futures,
            ready: RefCell::default(),
        });
        for number in 0..crowd.wakers.len() {
            assert!(!crowd.poll(number), "expected Pending, was Ready");
        }
        crowd
    }

    /// Notifies in some way. A waiter that is woken meanwhile is counted, and
    /// does what `on_wake` says.
    pub(crate) fn notified(
        self: &Rc<Self>,
        notify: impl FnOnce(),
        on_wake: impl Fn(&Self, usize) + 'static,
    ) {
        struct Reset;

        impl Drop for Reset {
            fn drop(&mut self) {
                ON_WAKE.set(None);
            }
        }

        let crowd = Rc::clone(self);
        let _reset = Reset;
        ON_WAKE.set(Some(Rc::new(move |number| {
            crowd.wakes[number].set(crowd.wakes[number].get() + 1);
            on_wake(&crowd, number);
        })));
        notify();
    }

    /// Whether a waiter is ready, from one poll.
    pub(crate) fn poll(&self, number: usize) -> bool {
        let future = self.futures[number].take();
        let mut future = future.expect("a waiter that waits");
        match poll_with(&self.wakers[number], future.as_mut()) {
            Poll::Ready(output) => self.ready.borrow_mut().push((number, output)),
            Poll::Pending => {
                self.futures[number].replace(Some(future));
                return false;
            }
        }
        true
    }

    pub(crate) fn cancel(&self, number: usize) {
        drop(self.futures[number].take());
    }

    pub(crate) fn len(&self) -> usize {
        self.futures.len()
    }

    pub(crate) fn is_waiting(&self, number: usize) -> bool {
        self.futures
            .get(number)
            .is_some_and(|future| future.borrow().is_some())
    }

    /// Polls all waiters, in order.
    pub(crate) fn poll_all(&self) {
        (0..self.len())
            .filter(|&number| self.is_waiting(number))
            .for_each(|number| {
                self.poll(number);
            });
    }

    pub(crate) fn wakes(&self, number: usize) -> usize {
        self.wakes[number].get()
    }

    /// The waiters that were ready since the last call, by number.
    pub(crate) fn taken(&self) -> Vec<(usize, T)> {
        let mut ready = self.ready.take();
        ready.sort_by_key(|&(number, _)| number);
        ready
    }

    /// The numbers of those that were ready since the last call, in ascending
    /// order.
    pub(crate) fn taken_numbers(&self) -> Vec<usize> {
        self.taken().into_iter().map(|(number, _)| number).collect()
    }
}
