//! A few threads that take tasks from one queue, so that a task migrates; and the wakers
//! of a task, of all kinds.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex as StdMutex};
use std::task::{RawWaker, RawWakerVTable, Wake, Waker};

use crate::random::Random;
use crate::wakers::waker;

/// The tasks that are to be polled.
#[derive(Default)]
pub(crate) struct RunQueue {
    ready: StdMutex<Ready>,
    changed: Condvar,
}

#[derive(Default)]
struct Ready {
    tasks: VecDeque<usize>,
    ended: usize,
}

impl RunQueue {
    pub(crate) fn push(&self, task: usize) {
        self.ready.lock().expect("no panic").tasks.push_back(task);
        self.changed.notify_one();
    }

    /// The next one to poll, mostly the oldest; `None` once `all` have ended.
    pub(crate) fn next(&self, all: usize, random: &mut Random) -> Option<usize> {
        let mut ready = self.ready.lock().expect("no panic");
        loop {
            if ready.ended == all {
                return None;
            }
            if !ready.tasks.is_empty() {
                let index = if random.one_in(4) {
                    random.below(ready.tasks.len())
                } else {
                    0
                };
                return ready.tasks.remove(index);
            }
            ready = self.changed.wait(ready).expect("no panic");
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ready.lock().expect("no panic").tasks.is_empty()
    }

    fn ended(&self) {
        self.ready.lock().expect("no panic").ended += 1;
        self.changed.notify_all();
    }
}

const IDLE: u8 = 0;
const READY: u8 = 1;
const RUNNING: u8 = 2;
const RUNNING_AND_READY: u8 = 3;

/// The target of a task's wakers.
pub(crate) struct Handle {
    number: usize,
    queue: Arc<RunQueue>,
    phase: AtomicU8,
    /// A waker of the task has been woken.
    woken: AtomicBool,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.phase.load(Ordering::SeqCst) {
            IDLE => "asleep",
            READY => "ready",
            RUNNING => "running",
            _ => "running, and to run again",
        };
        let woken = self.woken.load(Ordering::SeqCst);
        f.write_str(if woken { "woken, " } else { "" })?;
        f.write_str(phase)
    }
}

/// What to do with a task that has been polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Sleep,
    Again,
    End,
}

impl Handle {
    pub(crate) fn new(number: usize, queue: &Arc<RunQueue>) -> Arc<Self> {
        queue.push(number);
        Arc::new(Handle {
            number,
            queue: Arc::clone(queue),
            phase: AtomicU8::new(READY),
            woken: AtomicBool::new(false),
        })
    }

    pub(crate) fn begin(&self) {
        let before = self.phase.swap(RUNNING, Ordering::SeqCst);
        assert_eq!(before, READY, "one poll at a time");
    }

    pub(crate) fn end(&self, next: Next) {
        match next {
            Next::End => return self.queue.ended(),
            Next::Again => self.phase.store(RUNNING_AND_READY, Ordering::SeqCst),
            Next::Sleep => {}
        }
        let (current, order) = (RUNNING, Ordering::SeqCst);
        if self
            .phase
            .compare_exchange(current, IDLE, order, order)
            .is_err()
        {
            self.phase.store(READY, order);
            self.queue.push(self.number);
        }
    }

    pub(crate) fn take_wake_up(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }

    fn wake_up(&self) {
        self.woken.store(true, Ordering::SeqCst);
        let step = |phase| match phase {
            IDLE => Some(READY),
            RUNNING => Some(RUNNING_AND_READY),
            _ => None,
        };
        let (order, phase) = (Ordering::SeqCst, &self.phase);
        if phase.fetch_update(order, order, step) == Ok(IDLE) {
            self.queue.push(self.number);
        }
    }
}

/// A waker that is always the same.
impl Wake for Handle {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

/// The target of a request's wakers.
pub(crate) struct Ear {
    pub(crate) task: Arc<Handle>,
    woken: AtomicBool,
    /// The number of the poll whose waker is valid.
    poll: AtomicUsize,
}

impl Ear {
    pub(crate) fn new(task: &Arc<Handle>) -> Arc<Self> {
        Arc::new(Ear {
            task: Arc::clone(task),
            woken: AtomicBool::new(false),
            poll: AtomicUsize::new(0),
        })
    }

    pub(crate) fn is_woken(&self) -> bool {
        self.woken.load(Ordering::SeqCst)
    }

    pub(crate) fn take_wake_up(&self) -> bool {
        self.woken.swap(false, Ordering::SeqCst)
    }
}

/// A waker that knows its request, as those of `FuturesUnordered` do.
impl Wake for Ear {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.task.wake_up();
    }
}

/// A waker that is made for one poll of a task, or of a request: then it is not heard
/// after the next poll.
struct Fresh {
    ear: Arc<Ear>,
    only: Option<usize>,
}

impl Wake for Fresh {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let heard = self.ear.poll.load(Ordering::SeqCst);
        if self.only.is_none_or(|only| only == heard) {
            self.ear.wake_by_ref();
        }
    }
}

/// The kind of wakers with which a task polls its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wakers {
    /// The task's.
    Same,
    /// One for each poll of the task.
    OfPoll,
    /// One for each poll of a request; the others are not heard any more.
    OfOnePoll,
    /// One for each request.
    OfRequest,
    /// One whose clones have other parts.
    Boxed,
    /// One of them, another each time.
    Any,
}

impl Wakers {
    pub(crate) const ALL: [Wakers; 6] = [
        Wakers::Same,
        Wakers::OfPoll,
        Wakers::OfOnePoll,
        Wakers::OfRequest,
        Wakers::Boxed,
        Wakers::Any,
    ];

    /// A waker for a poll of a request. `of_poll` is one for this poll of the task.
    pub(crate) fn waker(self, ear: &Arc<Ear>, of_poll: &Waker, random: &mut Random) -> Waker {
        // Whatever has been left at the request before is not heard from here on, if it was
        // for one poll.
        let poll = ear.poll.fetch_add(1, Ordering::SeqCst) + 1;
        match self {
            Wakers::Same => waker(Arc::clone(&ear.task)),
            Wakers::OfPoll => of_poll.clone(),
            Wakers::OfOnePoll => fresh(ear, Some(poll)),
            Wakers::OfRequest => waker(Arc::clone(ear)),
            Wakers::Boxed => boxed(&ear.task),
            Wakers::Any => {
                let kind = random.of(&Wakers::ALL[..5]);
                kind.waker(ear, of_poll, random)
            }
        }
    }
}

/// A new waker.
pub(crate) fn fresh(ear: &Arc<Ear>, only: Option<usize>) -> Waker {
    let ear = Arc::clone(ear);
    waker(Arc::new(Fresh { ear, only }))
}

/// A waker whose clones have other data pointers: each of them is a box.
fn boxed(task: &Arc<Handle>) -> Waker {
    static VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| raw(Arc::clone(inside(data))),
        |data| {
            inside(data).wake_up();
            drop_box(data);
        },
        |data| inside(data).wake_up(),
        drop_box,
    );
    fn raw(task: Arc<Handle>) -> RawWaker {
        RawWaker::new(Box::into_raw(Box::new(task)).cast_const().cast(), &VTABLE)
    }
    fn inside<'a>(data: *const ()) -> &'a Arc<Handle> {
        // SAFETY: the data is the box that `raw` has made, until `drop_box`.
        unsafe { &*data.cast() }
    }
    fn drop_box(data: *const ()) {
        // SAFETY: as above, and nobody uses the data afterwards.
        drop(unsafe { Box::from_raw(data.cast_mut().cast::<Arc<Handle>>()) });
    }
    // SAFETY: the table keeps the rules, on any thread.
    unsafe { Waker::from_raw(raw(Arc::clone(task))) }
}
