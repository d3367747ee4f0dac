//! What the random tests compare a primitive with: a line of people in front of
//! a gate, as one would draw it on a blackboard, and a way to take random steps
//! on both.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::mem;
use std::task::Poll;
use std::thread;

use crate::support::{Task, Waiter};

/// Who may be inside together.
pub(crate) trait Rules {
    /// What one may ask for.
    type Request: Copy + Debug;

    /// Whether there is room for `request`.
    fn admits(&self, request: Self::Request) -> bool;

    /// `request` enters.
    fn enter(&mut self, request: Self::Request);

    /// What entered as `request` leaves.
    fn leave(&mut self, request: Self::Request);

    /// Whether `request` stands before all others.
    fn goes_first(_request: Self::Request) -> bool {
        false
    }

    /// What a future holds, beside what it asks for, goes with it.
    fn dropped(&mut self, _request: Self::Request) {}
}

/// A gate with a line in front. Futures are known by number.
pub(crate) struct Model<R: Rules> {
    pub(crate) inside: R,
    line: VecDeque<(usize, R::Request)>,
    /// Let in from the line, and not yet polled.
    granted: Vec<(usize, R::Request)>,
}

impl<R: Rules> Model<R> {
    fn new(inside: R) -> Self {
        Model {
            inside,
            line: VecDeque::new(),
            granted: Vec::new(),
        }
    }

    /// How many stand in line.
    pub(crate) fn waiting(&self) -> usize {
        self.line.len()
    }

    /// Let in from the line, and not yet polled.
    pub(crate) fn granted(&self) -> impl Iterator<Item = R::Request> {
        self.granted.iter().map(|&(_, request)| request)
    }

    /// Enters if there is room and nobody is in line.
    pub(crate) fn try_enter(&mut self, request: R::Request) -> bool {
        let turn = self.line.is_empty() || R::goes_first(request);
        let enters = turn && self.inside.admits(request);
        if enters {
            self.inside.enter(request);
        }
        enters
    }

    /// Changes who is inside, and lets in from the line, in order.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut R)) {
        change(&mut self.inside);
        while let Some(&(who, request)) = self.line.front() {
            if !self.inside.admits(request) {
                break;
            }
            self.inside.enter(request);
            self.line.pop_front();
            self.granted.push((who, request));
        }
    }

    /// Whether a poll of `who` is ready.
    fn poll(&mut self, who: usize, request: R::Request) -> bool {
        if self.is_granted(who) {
            self.granted.retain(|&(other, _)| other != who);
            return true;
        }
        if self.is_in_line(who) {
            return false;
        }
        if self.try_enter(request) {
            return true;
        }
        if R::goes_first(request) {
            self.line.push_front((who, request));
        } else {
            self.line.push_back((who, request));
        }
        false
    }

    /// The future of `who` is dropped.
    fn cancel(&mut self, who: usize, request: R::Request) {
        let granted = self.is_granted(who);
        self.granted.retain(|&(other, _)| other != who);
        self.line.retain(|&(other, _)| other != who);
        self.change(|inside| {
            if granted {
                inside.leave(request);
            }
            inside.dropped(request);
        });
    }

    fn is_granted(&self, who: usize) -> bool {
        self.granted.iter().any(|&(other, _)| other == who)
    }

    fn is_in_line(&self, who: usize) -> bool {
        self.line.iter().any(|&(other, _)| other == who)
    }
}

/// A future of the primitive, as the model knows it.
struct Entry<'a, R: Rules, G> {
    who: usize,
    request: R::Request,
    waiter: Waiter<dyn Future<Output = G> + 'a>,
}

/// Futures of a primitive, and a model of it that takes the same steps.
pub(crate) struct Beside<'a, R: Rules, G> {
    pub(crate) model: Model<R>,
    entries: Vec<Entry<'a, R, G>>,
    created: usize,
}

impl<'a, R: Rules, G> Beside<'a, R, G> {
    /// The primitive is as new, and `inside` what that means.
    pub(crate) fn new(inside: R) -> Self {
        Beside {
            model: Model::new(inside),
            entries: Vec::new(),
            created: 0,
        }
    }

    /// How many futures there are, in line or not.
    pub(crate) fn futures(&self) -> usize {
        self.entries.len()
    }

    /// There is one more future, not yet polled.
    pub(crate) fn create(&mut self, request: R::Request, future: impl Future<Output = G> + 'a) {
        self.created += 1;
        self.entries.push(Entry {
            who: self.created,
            request,
            waiter: Waiter {
                task: Task::new(),
                future: Box::pin(future),
            },
        });
    }

    /// Polls some future, now and then in another task. Returns what it
    /// returns, and what it had asked for.
    pub(crate) fn poll(&mut self, random: &mut Random) -> Option<(R::Request, G)> {
        let index = random.index(&self.entries)?;
        let entry = &mut self.entries[index];
        let former = random
            .one_in(8)
            .then(|| mem::replace(&mut entry.waiter.task, Task::new()));
        let ready = self.model.poll(entry.who, entry.request);
        let polled = entry.waiter.poll();
        assert_eq!(
            polled.is_ready(),
            ready,
            "ready, for {:?} of future {}",
            entry.request,
            entry.who
        );
        if let Some(former) = former {
            assert_eq!(former.clones(), 0, "a waker was kept");
        }
        let Poll::Ready(output) = polled else {
            return None;
        };
        let Entry {
            request, waiter, ..
        } = self.entries.swap_remove(index);
        end(waiter);
        Some((request, output))
    }

    /// Drops some future.
    pub(crate) fn cancel(&mut self, random: &mut Random) {
        if let Some(entry) = random.take(&mut self.entries) {
            self.model.cancel(entry.who, entry.request);
            end(entry.waiter);
        }
    }

    /// Drops all futures, in some order.
    pub(crate) fn cancel_all(&mut self, random: &mut Random) {
        while !self.entries.is_empty() {
            self.cancel(random);
            self.check();
        }
    }

    /// Every future has been woken, and has a waker left with the primitive, as
    /// the model says.
    pub(crate) fn check(&self) {
        for Entry {
            who,
            request,
            waiter,
        } in &self.entries
        {
            let task = &waiter.task;
            let wakes = usize::from(self.model.is_granted(*who));
            let clones = usize::from(self.model.is_in_line(*who));
            assert_eq!(
                (task.wakes(), task.clones()),
                (wakes, clones),
                "wakes and registered wakers, for {request:?} of future {who}"
            );
        }
    }
}

/// Drops a future, which leaves no waker behind.
fn end<F: Future + ?Sized>(waiter: Waiter<F>) {
    let Waiter { task, future } = waiter;
    drop(future);
    assert_eq!(task.clones(), 0, "a waker was kept");
}

/// The number of waiters that a primitive shows.
pub(crate) fn waiters(primitive: &impl Debug) -> usize {
    let text = format!("{primitive:?}");
    let (_, rest) = text.split_once("waiters: ").expect("it tells the waiters");
    let digits = rest.find(|c: char| !c.is_ascii_digit());
    rest[..digits.unwrap_or(rest.len())]
        .parse()
        .expect("a number")
}

/// Numbers that look random (xorshift64) and are the same for the same seed.
/// Says where it was when a test panics.
pub(crate) struct Random {
    seed: u64,
    state: u64,
    step: usize,
}

impl Random {
    /// Runs a test with as many seeds.
    pub(crate) fn seeds(seeds: u64, mut test: impl FnMut(&mut Random)) {
        for seed in 1..=seeds {
            let state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let step = 0;
            test(&mut Random { seed, state, step });
        }
    }

    /// Counts the steps of a test: true for as many times.
    pub(crate) fn steps(&mut self, steps: usize) -> bool {
        self.step += 1;
        self.step <= steps
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        // The high bits are the better ones.
        usize::try_from(self.state >> 33).expect("31 bits") % bound
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A place in `items`, if there are any.
    pub(crate) fn index<T>(&mut self, items: &[T]) -> Option<usize> {
        (!items.is_empty()).then(|| self.below(items.len()))
    }

    /// One of `items`, taken out.
    pub(crate) fn take<T>(&mut self, items: &mut Vec<T>) -> Option<T> {
        let index = self.index(items)?;
        Some(items.swap_remove(index))
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("random test: seed {}, step {}", self.seed, self.step);
        }
    }
}
