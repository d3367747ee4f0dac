//! Tasks on the least that can run them: an executor of one thread, or no
//! executor at all.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

/// Runs tasks on this thread, in the order in which they are woken.
pub(crate) struct Executor<F> {
    tasks: Vec<(Waker, Pin<Box<F>>)>,
    woken: &'static Woken,
}

/// The tasks that were woken, by number.
type Woken = RefCell<VecDeque<usize>>;

/// What a waker points to.
struct Number {
    task: usize,
    woken: &'static Woken,
}

/// A waker that does what it has to and nothing else. It is used by one thread
/// only, like everything here.
fn waker(number: &'static Number) -> Waker {
    fn wake(number: *const ()) {
        // SAFETY: `waker` has put it there, and it stays for ever.
        let number = unsafe { &*number.cast::<Number>() };
        number.woken.borrow_mut().push_back(number.task);
    }
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake, wake, |_| {});
    // SAFETY: the functions use the data as what it is.
    unsafe { Waker::new((&raw const *number).cast(), &VTABLE) }
}

impl<F: Future> Executor<F> {
    pub(crate) fn new(tasks: Vec<Pin<Box<F>>>) -> Self {
        let woken: &Woken = Box::leak(Box::new(RefCell::new((0..tasks.len()).collect())));
        let number = |task| &*Box::leak(Box::new(Number { task, woken }));
        let with_waker = |(task, future)| (waker(number(task)), future);
        Executor {
            tasks: tasks.into_iter().enumerate().map(with_waker).collect(),
            woken,
        }
    }

    pub(crate) fn run_while(&mut self, wanted: impl Fn() -> bool) {
        while wanted() {
            let woken = self.woken.borrow_mut().pop_front();
            let (waker, future) = &mut self.tasks[woken.expect("somebody is awake")];
            let _ = future.as_mut().poll(&mut Context::from_waker(waker));
        }
    }
}

/// Lets all others who are awake run first.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The place of a task that is polled by hand: its waker, and the future that it
/// runs at the moment.
pub(crate) struct Task<F> {
    waker: Waker,
    future: Pin<Box<Option<F>>>,
}

/// A waker that does nothing. Each number has one of its own.
fn silent_waker(number: usize) -> Waker {
    const VTABLE: RawWakerVTable =
        RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), |_| {}, |_| {}, |_| {});
    // SAFETY: the functions do not use the data.
    unsafe { Waker::new(ptr::without_provenance(number), &VTABLE) }
}

impl<F: Future> Task<F> {
    pub(crate) fn new(number: usize) -> Self {
        Task {
            waker: silent_waker(number),
            future: Box::pin(None),
        }
    }

    /// Puts a future in the place of the one before, which is dropped.
    #[inline]
    pub(crate) fn start(&mut self, future: F) {
        self.future.set(Some(future));
    }

    /// Drops the future.
    #[inline]
    pub(crate) fn stop(&mut self) {
        self.future.set(None);
    }

    #[inline]
    pub(crate) fn poll(&mut self) -> Poll<F::Output> {
        let mut cx = Context::from_waker(&self.waker);
        let future = self.future.as_mut().as_pin_mut();
        future.expect("a future was started").poll(&mut cx)
    }
}

/// Polls a future that is ready at once, on the stack, as `.await` does.
#[inline(always)]
pub(crate) fn ready<F: Future>(future: F, cx: &mut Context<'_>) -> F::Output {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(cx) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nobody is in the way"),
    }
}
