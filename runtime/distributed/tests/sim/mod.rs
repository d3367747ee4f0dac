//! A simulated world: processes with clocks of their own, a network, and a store.

#[path = "../../../tests/support/random.rs"]
mod random;
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use async_monitor_distributed::Locks;
use async_monitor_distributed::store::{
    Answer, Host, Renewal, Request, Signals, Store, StoreError,
};

use self::random::Random;
use self::server::Server;

pub const LEASE: Duration = Duration::from_secs(10);
const PROCESSES: usize = 3;
/// When the last fault begins, by the world's time.
const FAULTS_END: Duration = Duration::from_secs(150);

/// What can go wrong.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// Processes are paused, killed, and cut off; messages are lost and late.
    pub happen: bool,
    /// Between what the rates of clocks are.
    pub clock_rates: (f64, f64),
}

impl Faults {
    pub const ALL: Faults = Faults {
        happen: true,
        clock_rates: (0.995, 1.005),
    };
    pub const NONE: Faults = Faults {
        happen: false,
        ..Faults::ALL
    };
}

/// What has happened.
#[derive(Debug, Default)]
pub struct History {
    pub violations: Vec<String>,
    pub completed: u32,
    pub lost: u32,
    /// How long it took after the last fault until every process had got in once more.
    pub recovery: Duration,
    last_fence: BTreeMap<String, u64>,
    got_in: BTreeSet<usize>,
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Happens at some time; what it returns happens when the world is not locked.
type Event = Box<dyn FnOnce(&mut Inner) -> Vec<Then> + Send>;
type Then = Box<dyn FnOnce() + Send>;

pub struct World {
    inner: Mutex<Inner>,
    woken: Mutex<BTreeSet<TaskId>>,
}

type TaskId = (usize, usize);

struct Inner {
    now: Duration,
    random: Random,
    faults: Faults,
    events: BTreeMap<(Duration, u64), Event>,
    event_number: u64,
    server: Server,
    server_rate: f64,
    processes: Vec<Process>,
    spawned: Vec<(usize, Task)>,
    history: History,
}

struct Process {
    rate: f64,
    paused_until: Duration,
    cut_until: Duration,
    is_alive: bool,
    signals: Arc<Signals>,
}

fn up_to(random: &mut Random, limit: Duration) -> Duration {
    let limit = usize::try_from(limit.as_micros()).unwrap();
    Duration::from_micros(random.below(limit.max(1)) as u64)
}

fn rate(random: &mut Random, (low, high): (f64, f64)) -> f64 {
    low + (high - low) * (random.below(1_000_000) as f64 / 1e6)
}

impl Inner {
    fn at(&mut self, time: Duration, event: Event) {
        self.event_number += 1;
        self.events.insert((time, self.event_number), event);
    }

    fn server_now(&self) -> Duration {
        self.now.mul_f64(self.server_rate)
    }

    fn add_process(&mut self) -> usize {
        let rates = self.faults.clock_rates;
        let rate = rate(&mut self.random, rates);
        self.processes.push(Process {
            rate,
            paused_until: Duration::ZERO,
            cut_until: Duration::ZERO,
            is_alive: true,
            signals: Arc::new(Signals::new()),
        });
        self.processes.len() - 1
    }

    /// Whether a message of this process does not arrive now.
    fn is_lost(&mut self, process: usize) -> bool {
        let faults = self.faults.happen && self.now < FAULTS_END;
        self.processes[process].cut_until > self.now || (faults && self.random.one_in(20))
    }

    fn delay(&mut self) -> Duration {
        let slow = self.faults.happen && self.now < FAULTS_END && self.random.one_in(10);
        let limit = if slow { LEASE / 2 } else { LEASE / 100 };
        up_to(&mut self.random, limit)
    }

    /// Those whose turn it is are told.
    fn notify(&mut self, told: Vec<(usize, String, u64)>) {
        for (process, session, ticket) in told {
            if self.is_lost(process) {
                continue;
            }
            let time = self.now + self.delay();
            let signals = Arc::clone(&self.processes[process].signals);
            let then: Then = Box::new(move || _ = signals.wake(&session, ticket));
            self.at(time, Box::new(|_| vec![then]));
        }
    }

    fn fault(&mut self, killed: &Arc<Mutex<Vec<usize>>>) -> Vec<Then> {
        let index = self.random.below(self.processes.len());
        let until = self.now + up_to(&mut self.random, 2 * LEASE);
        let kind = self.random.below(5);
        let process = &mut self.processes[index];
        match kind {
            0 | 1 => process.paused_until = until,
            2 | 3 => process.cut_until = until,
            _ if process.is_alive => {
                process.is_alive = false;
                killed.lock().unwrap().push(index);
            }
            _ => {}
        }
        self.at(until, Box::new(|_| Vec::new()));
        Vec::new()
    }
}

struct TaskWaker(Arc<World>, TaskId);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.0.woken.lock().unwrap().insert(self.1);
    }
}

impl World {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub fn run(seed: u64, faults: Faults) -> History {
        let mut random = Random::new(seed);
        let server_rate = rate(&mut random, (0.995, 1.005));
        let world = Arc::new(World {
            inner: Mutex::new(Inner {
                now: Duration::ZERO,
                random,
                faults,
                events: BTreeMap::new(),
                event_number: 0,
                server: Server::new(LEASE),
                server_rate,
                processes: Vec::new(),
                spawned: Vec::new(),
                history: History::default(),
            }),
            woken: Mutex::default(),
        });
        let killed = Arc::new(Mutex::new(Vec::new()));
        if faults.happen {
            let mut inner = world.lock();
            for _ in 0..12 {
                let (time, killed) = (up_to(&mut inner.random, FAULTS_END), Arc::clone(&killed));
                inner.at(time, Box::new(move |inner| inner.fault(&killed)));
            }
        }
        for _ in 0..PROCESSES {
            world.start();
        }
        world.simulate(&killed)
    }

    /// A process starts.
    fn start(self: &Arc<Self>) {
        let mut inner = self.lock();
        let process = inner.add_process();
        let signals = Arc::clone(&inner.processes[process].signals);
        let host = SimHost {
            world: Arc::clone(self),
            process,
        };
        let locks = Locks::new(SimStore { host, signals }, &format!("process {process}"));
        let main = main(Arc::clone(self), process, locks);
        inner.spawned.push((process, Box::pin(main)));
    }

    fn simulate(self: &Arc<Self>, killed: &Mutex<Vec<usize>>) -> History {
        let mut tasks: BTreeMap<TaskId, Task> = BTreeMap::new();
        let mut number = 0;
        loop {
            for process in mem::take(&mut *killed.lock().unwrap()) {
                // Nothing of it is dropped: nobody tells the store.
                let of_process: Vec<_> = tasks.keys().copied().collect();
                for id in of_process.into_iter().filter(|id| id.0 == process) {
                    mem::forget(tasks.remove(&id));
                }
                self.start();
            }
            for (process, task) in mem::take(&mut self.lock().spawned) {
                number += 1;
                tasks.insert((process, number), task);
                self.woken.lock().unwrap().insert((process, number));
            }
            let mut inner = self.lock();
            let alive: BTreeSet<_> = (0..inner.processes.len())
                .filter(|process| inner.processes[*process].is_alive)
                .collect();
            let end = if inner.faults.happen {
                FAULTS_END + 2 * LEASE
            } else {
                FAULTS_END
            };
            if inner.now >= end && inner.history.got_in.is_superset(&alive) {
                inner.history.recovery = inner.now.saturating_sub(end);
                break;
            }
            if inner.now > end + 20 * LEASE {
                inner.history.recovery = Duration::MAX;
                break;
            }
            let mut woken = self.woken.lock().unwrap();
            woken.retain(|id| tasks.contains_key(id));
            let now = inner.now;
            let ready: Vec<_> = woken
                .iter()
                .filter(|id| inner.processes[id.0].paused_until <= now)
                .copied()
                .collect();
            if ready.is_empty() {
                drop(woken);
                let next = inner.events.pop_first();
                let ((time, _), event) = next.expect("something happens, or it is a deadlock");
                inner.now = inner.now.max(time);
                let thens = event(&mut inner);
                drop(inner);
                thens.into_iter().for_each(|then| then());
                continue;
            }
            let id = inner.random.of(&ready);
            woken.remove(&id);
            // To run takes time, too.
            let takes = up_to(&mut inner.random, Duration::from_millis(2));
            inner.now += takes;
            drop((woken, inner));
            let mut task = tasks
                .remove(&id)
                .expect("those that have ended are not woken");
            let waker = Waker::from(Arc::new(TaskWaker(Arc::clone(self), id)));
            let polled = task.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                tasks.insert(id, task);
            }
        }
        // Without destructors, which would go on.
        tasks.into_values().for_each(mem::forget);
        mem::take(&mut self.lock().history)
    }
}

/// What a process does: sections, some of which it gives up before they begin.
async fn main(world: Arc<World>, process: usize, locks: Locks<SimStore>) {
    let host = SimHost {
        world: Arc::clone(&world),
        process,
    };
    loop {
        let (key, gives_up, pause) = {
            let mut inner = world.lock();
            let key = inner.random.of(&["a", "b"]);
            let gives_up = inner.random.one_in(4);
            let patience = up_to(&mut inner.random, LEASE / 4);
            (
                key,
                gives_up.then_some(patience),
                up_to(&mut inner.random, LEASE / 10),
            )
        };
        let lock = locks.lock(key);
        let acquired = {
            let mut acquisition = pin!(lock.acquire());
            let mut patience = gives_up.map(|patience| host.sleep_until(host.now() + patience));
            poll_fn(|cx| {
                if let Poll::Ready(acquired) = acquisition.as_mut().poll(cx) {
                    return Poll::Ready(Some(acquired));
                }
                match &mut patience {
                    Some(patience) => patience.as_mut().poll(cx).map(|()| None),
                    None => Poll::Pending,
                }
            })
            .await
        };
        if let Some(Ok(guard)) = acquired {
            let fence = (guard.fence.number(), guard.fence.holder().to_owned());
            let mut lost = pin!(guard.lost());
            let mut body = pin!(body(&world, &host));
            let completed = poll_fn(|cx| {
                if lost.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                world.check(key, &fence.1);
                if body.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                Poll::Ready(lost.as_mut().poll(cx).is_pending())
            })
            .await;
            world.ended(process, key, fence.0, completed);
        }
        host.sleep_until(host.now() + pause).await;
    }
}

async fn body(world: &World, host: &SimHost) {
    let steps = world.lock().random.below(5);
    for _ in 0..steps {
        let pause = up_to(&mut world.lock().random, LEASE / 5);
        host.sleep_until(host.now() + pause).await;
    }
}

impl World {
    /// A body runs: the store must take it for the holder.
    fn check(&self, key: &str, holder: &str) {
        let mut inner = self.lock();
        let now = inner.server_now();
        let by_server = inner.server.holder(key, now);
        if by_server.as_deref() != Some(holder) {
            let time = inner.now;
            let violation = format!("{time:?}: {holder} runs, but {by_server:?} holds {key}");
            inner.history.violations.push(violation);
        }
    }

    fn ended(&self, process: usize, key: &str, fence: u64, completed: bool) {
        let mut inner = self.lock();
        let now = inner.now;
        let faults_end = FAULTS_END + 2 * LEASE;
        let history = &mut inner.history;
        if !completed {
            history.lost += 1;
            return;
        }
        history.completed += 1;
        let last = history.last_fence.entry(key.to_owned()).or_default();
        if fence <= *last {
            let violation = format!("fence {fence} of {key} after {last}");
            history.violations.push(violation);
        }
        history.last_fence.insert(key.to_owned(), fence);
        if now >= faults_end || !inner.faults.happen {
            inner.history.got_in.insert(process);
        }
    }
}

#[derive(Clone)]
pub struct SimHost {
    world: Arc<World>,
    process: usize,
}

impl Host for SimHost {
    fn now(&self) -> Duration {
        let inner = self.world.lock();
        inner.now.mul_f64(inner.processes[self.process].rate)
    }

    fn sleep_until(&self, time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let host = self.clone();
        let mut is_set = false;
        Box::pin(poll_fn(move |cx| {
            if host.now() >= time {
                return Poll::Ready(());
            }
            // Each stays in its task.
            if std::mem::replace(&mut is_set, true) {
                return Poll::Pending;
            }
            let waker = cx.waker().clone();
            let mut inner = host.world.lock();
            let at = time.div_f64(inner.processes[host.process].rate) + Duration::from_micros(1);
            inner.at(at, Box::new(|_| vec![Box::new(|| waker.wake()) as Then]));
            Poll::Pending
        }))
    }

    fn spawn(&self, task: Task) {
        self.world.lock().spawned.push((self.process, task));
    }
}

pub struct SimStore {
    host: SimHost,
    signals: Arc<Signals>,
}

/// Where an answer arrives.
type Slot<T> = Arc<Mutex<(Option<Result<T, StoreError>>, Option<Waker>)>>;

impl SimStore {
    /// Sends what `apply` does, and waits for its answer. Messages overtake each other.
    async fn call<T: Send + 'static>(
        &self,
        apply: impl FnOnce(&mut Server, Duration) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let slot: Slot<T> = Arc::default();
        let (process, answered) = (self.host.process, Arc::clone(&slot));
        {
            let mut inner = self.host.world.lock();
            let delay = inner.delay();
            if !inner.is_lost(process) {
                let time = inner.now + delay;
                inner.at(
                    time,
                    Box::new(move |inner| {
                        let now = inner.server_now();
                        let answer = apply(&mut inner.server, now);
                        let told = inner.server.told();
                        inner.notify(told);
                        let time = inner.now + inner.delay();
                        if !inner.is_lost(process) {
                            let is_error = inner.faults.happen && inner.random.one_in(40);
                            let answer = match is_error && inner.now < FAULTS_END {
                                true => Err(StoreError::transient("a fault")),
                                false => Ok(answer),
                            };
                            inner.at(time, Box::new(move |_| answer_to(&answered, answer)));
                        }
                        Vec::new()
                    }),
                );
            }
        }
        poll_fn(|cx| {
            let mut slot = slot.lock().unwrap();
            slot.1 = Some(cx.waker().clone());
            slot.0.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

fn answer_to<T>(slot: &Slot<T>, answer: Result<T, StoreError>) -> Vec<Then> {
    let mut slot = slot.lock().unwrap();
    slot.0 = Some(answer);
    let waker = slot.1.take();
    waker.map_or_else(Vec::new, |waker| vec![Box::new(|| waker.wake()) as Then])
}

impl Store for SimStore {
    type Host = SimHost;

    fn host(&self) -> &SimHost {
        &self.host
    }

    fn lease(&self) -> Duration {
        LEASE
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }

    fn id(&self, key: &str) -> u64 {
        key.bytes().map(u64::from).sum()
    }

    fn name(&self) -> &'static str {
        "simulated"
    }

    async fn request(&self, request: &Request<'_>) -> Result<Answer, StoreError> {
        let (session, key) = (request.session.to_owned(), request.key.to_owned());
        let (opens, ticket, queues) = (request.opens, request.ticket, request.queues);
        let process = self.host.process;
        self.call(move |server, now| {
            server.request(now, process, &session, opens, &key, ticket, queues)
        })
        .await
    }

    async fn renew(&self, session: &str, tickets: &[u64]) -> Result<Renewal, StoreError> {
        let (session, tickets) = (session.to_owned(), tickets.to_owned());
        self.call(move |server, now| server.renew(now, &session, &tickets))
            .await
    }

    async fn withdraw(&self, session: &str, key: &str, ticket: u64) -> Result<(), StoreError> {
        let (session, key) = (session.to_owned(), key.to_owned());
        self.call(move |server, now| server.withdraw(now, &session, &key, ticket))
            .await
    }

    async fn close(&self, session: &str) -> Result<(), StoreError> {
        let session = session.to_owned();
        self.call(move |server, _| server.close(&session)).await
    }
}
