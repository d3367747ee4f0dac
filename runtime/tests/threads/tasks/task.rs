//! A task with several requests at once.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};

use super::bin::Bin;
use super::bodies;
use super::executor::{Ear, Handle, Next, Wakers, fresh};
use super::held::Held;
use super::requests::{Asking, What, acquire_blocking, ask, try_acquire, upgrade};
use super::world::{Mode, Place, Purse, World};
use crate::random::Random;

/// How a task polls its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// All of them, whenever it is woken.
    Join,
    /// One after the other until one of them is ready; then it may drop the others.
    Select,
    /// Those whose own wakers have been woken.
    Unordered,
    /// Some are polled once, and then kept, while it goes on asking at the same primitive.
    Keep,
}

struct Request<'w> {
    place: Place,
    what: What,
    asking: Asking<'w>,
    ear: Arc<Ear>,
    /// To be polled without having been woken.
    due: bool,
    /// To be given up soon.
    impatient: bool,
    polls: usize,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request {
            place, what, polls, ..
        } = self;
        let woken = if self.ear.is_woken() { ", woken" } else { "" };
        write!(f, "{what:?} at {place:?} ({polls} polls{woken})")
    }
}

pub(crate) struct Task<'w> {
    world: &'w World,
    bin: Arc<Bin<'w>>,
    handle: Arc<Handle>,
    random: Random,
    purse: Arc<Purse>,
    /// How many more rounds there are.
    rounds: usize,
    /// The next turn begins one.
    begins: bool,
    shape: Shape,
    wakers: Wakers,
    /// Where it keeps what it does not poll.
    place: Place,
    /// How many more requests there are in this round.
    budget: usize,
    /// It does nothing before it is woken.
    patient: bool,
    /// A waker of it has been woken, and it has not polled since.
    woken: bool,
    /// It has put off what it should poll.
    deferred: bool,
    requests: Vec<Request<'w>>,
    /// Those that it does not poll.
    kept: Vec<Request<'w>>,
    held: Vec<Held<'w>>,
}

impl fmt::Debug for Task<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("shape", &self.shape)
            .field("wakers", &self.wakers)
            .field("requests", &self.requests)
            .field("kept", &self.kept)
            .field("held", &self.held)
            .field("purse", &self.purse)
            .field("patient", &self.patient)
            .field("handle", &self.handle)
            .finish_non_exhaustive()
    }
}

impl<'w> Task<'w> {
    pub(crate) fn new(
        world: &'w World,
        bin: &Arc<Bin<'w>>,
        handle: &Arc<Handle>,
        random: Random,
    ) -> Self {
        Task {
            world,
            bin: Arc::clone(bin),
            handle: Arc::clone(handle),
            random,
            purse: Arc::default(),
            rounds: world.rules.rounds,
            begins: false,
            shape: Shape::Join,
            wakers: Wakers::Same,
            place: Place::Lock,
            budget: 0,
            patient: true,
            woken: false,
            deferred: false,
            requests: Vec::new(),
            kept: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Takes a turn: after the task has been woken, or because it said so.
    pub(crate) fn run(&mut self) -> Next {
        self.woken |= self.handle.take_wake_up();
        if mem::take(&mut self.begins) {
            self.begin_round();
        }
        self.attend();
        self.settle();
        if !self.patient {
            self.improvise();
        }
        self.poll();
        if self.world.rules.prompt {
            while !self.held.is_empty() {
                self.attend();
            }
        }
        self.next()
    }

    fn begin_round(&mut self) {
        let random = &mut self.random;
        let shapes = [Shape::Join, Shape::Select, Shape::Unordered, Shape::Keep];
        self.shape = random.of(if self.world.rules.shares {
            &shapes[..3]
        } else {
            &shapes
        });
        self.wakers = match self.shape {
            Shape::Keep => Wakers::Same,
            Shape::Unordered => random.of(&[Wakers::OfRequest, Wakers::OfOnePoll]),
            _ => random.of(&Wakers::ALL),
        };
        self.place = self.world.rules.place(random);
        self.budget = 1 + random.below(6);
        self.patient = false;
        if self.shape == Shape::Keep {
            let kept = if random.one_in(8) {
                random.below(14)
            } else {
                1 + random.below(3)
            };
            for _ in 0..kept {
                let what = What::of(self.place, 0, &mut self.random);
                let request = self.request(self.place, what);
                if let Some(request) = self.poll_one(request, Waker::noop()) {
                    self.kept.push(request);
                }
            }
        } else {
            for _ in 0..self.random.below(self.budget + 1) {
                self.ask();
            }
        }
    }

    /// What to do next.
    fn next(&mut self) -> Next {
        let unsettled = [Place::Mutex, Place::RwLock].map(|place| self.is_unsettled(place));
        let impatient = self.requests.iter().any(|request| request.impatient);
        if !self.held.is_empty() && !self.stays()
            || impatient
            || !self.patient
            || self.deferred
            || unsettled.contains(&true)
        {
            return Next::Again;
        }
        if !self.requests.is_empty() {
            let due = self.requests.iter().any(|request| request.due);
            return if due || self.woken && self.shape != Shape::Unordered {
                Next::Again
            } else {
                Next::Sleep
            };
        }
        if self.budget > 0 {
            self.patient = false;
            return Next::Again;
        }
        // What was kept is polled at last, or never.
        if let Some(mut request) = self.random.take(&mut self.kept) {
            if self.random.one_in(2) {
                request.due = true;
                self.requests.push(request);
            } else {
                self.discard(request);
            }
            return Next::Again;
        }
        if self.rounds == 0 {
            return Next::End;
        }
        self.rounds -= 1;
        self.begins = true;
        Next::Again
    }

    /// It owes something, and has not asked to pay it in.
    fn is_unsettled(&self, place: Place) -> bool {
        let settles = |request: &Request<'_>| {
            request.place == place && matches!(request.what, What::Deposit(_))
        };
        self.purse.owed(place) > 0 && !self.requests.iter().any(settles)
    }

    /// It holds shares, and waits for another: by the rules, nobody waits for it.
    fn stays(&self) -> bool {
        let is_share = |held: &Held<'_>| matches!(held.mode(), Mode::Read | Mode::Permits(0 | 1));
        self.world.rules.shares
            && self.held.iter().all(is_share)
            && self.requests.iter().any(|request| !request.impatient)
    }

    /// Looks at what it holds, changes it, and releases some of it.
    fn attend(&mut self) {
        if self.stays() {
            return self.held.iter_mut().for_each(Held::look);
        }
        for mut held in mem::take(&mut self.held) {
            held.look();
            let upgradable = held.mode() == Mode::Upgradable && self.world.rules.upgrades;
            let random = &mut self.random;
            if upgradable && random.one_in(2) {
                self.upgrade(held);
                continue;
            }
            let splits = matches!(held.mode(), Mode::Permits(_));
            if random.one_in(3) && !(splits && self.world.rules.shares) {
                held = held.change(&mut self.held, random);
            }
            if self.world.rules.prompt || random.one_in(2) {
                if random.one_in(3) && self.bin.takes_guards() {
                    self.bin.drop_held(held);
                } else {
                    held.release(random);
                }
            } else {
                self.held.push(held);
            }
        }
    }

    fn upgrade(&mut self, held: Held<'w>) {
        let request = Request {
            place: Place::RwLock,
            what: What::Upgrade,
            asking: upgrade(self.world, held),
            ear: Ear::new(&self.handle),
            due: true,
            impatient: false,
            polls: 0,
        };
        if self.world.rules.prompt {
            // It holds something, so it may not stay.
            let of_poll = fresh(&request.ear, None);
            drop(self.poll_one(request, &of_poll));
        } else {
            self.requests.push(request);
        }
    }

    /// Pays in what it owes.
    fn settle(&mut self) {
        for place in [Place::Mutex, Place::RwLock] {
            if !self.is_unsettled(place) {
                continue;
            }
            if self.may_park() && self.random.one_in(4) {
                let (world, purse) = (self.world, &self.purse);
                let paid = world.park(&("Deposit", place), || {
                    bodies::deposit_blocking(world, place, purse)
                });
                if paid.is_some() {
                    continue;
                }
            }
            let request = self.request(place, What::Deposit(0));
            self.requests.push(request);
        }
    }

    /// Does something that nobody told it to.
    fn improvise(&mut self) {
        if self.budget > 0 && self.random.one_in(2) {
            self.ask();
        }
        if self.random.one_in(6) {
            if let Some(request) = self.random.take(&mut self.requests) {
                self.discard(request);
            }
        }
        if self.random.one_in(4) && !self.world.rules.shares {
            let place = self.world.rules.place(&mut self.random);
            let what = What::plain_of(place, &mut self.random);
            let held = try_acquire(self.world, place, what, self.random.one_in(3));
            self.held.extend(held);
        }
        if self.world.rules.prompt {
            while !self.held.is_empty() {
                self.attend();
            }
        }
        if self.random.one_in(self.world.rules.parks) {
            self.park();
        }
        self.patient = self.budget == 0 || self.random.one_in(4);
    }

    /// Whether nothing that it holds keeps others from going on while it is parked.
    fn may_park(&self) -> bool {
        let holds = |request: &Request<'_>| request.what == What::Upgrade;
        self.held.is_empty()
            && !self.requests.iter().any(holds)
            && self.purse.sections.load(Ordering::Relaxed) == 0
    }

    /// Waits as a thread does.
    fn park(&mut self) {
        let random = &mut self.random;
        let place = if random.one_in(2) {
            self.place
        } else {
            self.world.rules.place(random)
        };
        let (what, owned) = (What::plain_of(place, random), random.one_in(3));
        if !self.may_park() {
            return;
        }
        let held = self.world.park(&(what, place), || {
            acquire_blocking(self.world, place, what, owned)
        });
        self.held.extend(held);
        if self.world.rules.prompt {
            while !self.held.is_empty() {
                self.attend();
            }
        }
    }

    /// Asks for one thing more.
    fn ask(&mut self) {
        self.budget -= 1;
        let random = &mut self.random;
        let place = if self.shape == Shape::Keep {
            self.place
        } else {
            self.world.rules.place(random)
        };
        if self.world.rules.shares {
            return self.ask_for_share(place);
        }
        let holds = if self.world.rules.prompt { 0 } else { 3 };
        let what = What::of(place, holds, random);
        let request = self.request(place, what);
        self.requests.push(request);
    }

    /// Asks for a share, or for more than that for a while.
    fn ask_for_share(&mut self, place: Place) {
        let shares = |request: &&Request<'_>| !request.impatient;
        let mine = self.held.len() + self.requests.iter().filter(shares).count();
        // There are permits for two tasks with two of them each.
        let too_many = place != Place::RwLock && mine >= 2;
        let impatient = too_many || self.random.one_in(2);
        let what = if impatient {
            What::more_than_share_of(place, &mut self.random)
        } else {
            What::share_of(place)
        };
        let mut request = self.request(place, what);
        request.impatient = impatient;
        self.requests.push(request);
    }

    fn request(&mut self, place: Place, what: What) -> Request<'w> {
        let owned = self.random.one_in(3);
        Request {
            place,
            what,
            asking: ask(self.world, &self.purse, place, what, owned),
            ear: Ear::new(&self.handle),
            due: true,
            impatient: false,
            polls: 0,
        }
    }

    fn discard(&mut self, request: Request<'w>) {
        let holds = request.what == What::Upgrade;
        if self.random.one_in(3) && (!holds || self.bin.takes_guards()) {
            self.bin.drop_future(request.asking);
        }
    }

    /// Polls whatever it should, in any order.
    fn poll(&mut self) {
        self.deferred = self.random.one_in(8);
        if self.deferred || self.requests.is_empty() {
            return;
        }
        let woken = mem::take(&mut self.woken) && self.shape != Shape::Unordered;
        let ear = Ear::new(&self.handle);
        let of_poll = fresh(&ear, None);
        let mut waiting = mem::take(&mut self.requests);
        let mut selected = false;
        while let Some(mut request) = self.random.take(&mut waiting) {
            let by_itself = !self.patient && self.random.one_in(8);
            // Not `||`: the wake-up is taken in any case.
            let due = request.ear.take_wake_up() | request.due | woken | by_itself;
            if request.impatient && request.polls > 0 && self.random.one_in(3) {
                self.discard(request);
            } else if selected || !due {
                request.due = due;
                self.requests.push(request);
            } else if self.random.one_in(12) {
                // It may have been granted.
                self.discard(request);
            } else {
                request.due = false;
                match self.poll_one(request, &of_poll) {
                    Some(request) => self.requests.push(request),
                    None => selected = self.shape == Shape::Select,
                }
            }
        }
        if selected && self.random.one_in(2) {
            for request in mem::take(&mut self.requests) {
                self.discard(request);
            }
        }
    }

    /// Polls a request, and returns it unless it is ready.
    fn poll_one(&mut self, mut request: Request<'w>, of_poll: &Waker) -> Option<Request<'w>> {
        let waker = self.wakers.waker(&request.ear, of_poll, &mut self.random);
        request.polls += 1;
        match request
            .asking
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
        {
            Poll::Pending => Some(request),
            Poll::Ready(held) => {
                self.held.extend(held);
                None
            }
        }
    }
}
