//! The primitives on real executors, for any length of time: crowds of tasks
//! take random steps with all of them and give up after random times.
//!
//! ```text
//! soak [SECONDS [EXECUTOR...]]     ten minutes each, on all of them
//! ```
//!
//! | what is checked | how |
//! |---|---|
//! | exclusion, FIFO order | by each holder: `world` |
//! | money, permits and items | counted at the end |
//! | quiescence | all tasks end within a minute; then no waiter is left |
//! | memory | the resident set does not grow from the second quarter to the last |

mod memory;
#[path = "../../../runtime/tests/support/random.rs"]
mod random;
mod world;

use std::env;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use smol::Timer;

use crate::memory::Memory;
use crate::random::Random;
use crate::world::World;

/// How many tasks are alive at a time.
const CROWD: usize = 500;

/// How many steps a task takes before it ends.
const STEPS: usize = 8;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What an executor has to do.
struct Job {
    world: Arc<World>,
    memory: Memory,
    alive: Arc<AtomicUsize>,
    begun: AtomicU64,
    deadline: Instant,
}

impl Job {
    fn new(duration: Duration) -> Self {
        Job {
            world: Arc::new(World::new()),
            memory: Memory::new(duration),
            alive: Arc::default(),
            begun: AtomicU64::new(0),
            deadline: Instant::now() + duration,
        }
    }

    /// One task.
    fn task(&self) -> Task {
        struct Alive(Arc<AtomicUsize>);

        impl Drop for Alive {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::SeqCst);
            }
        }

        self.alive.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(Arc::clone(&self.alive));
        let world = Arc::clone(&self.world);
        let seed = self.begun.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            let _alive = alive;
            let mut random = Random::new(seed);
            for _ in 0..STEPS {
                world.step(&mut random).await;
            }
        })
    }

    fn is_over(&self) -> bool {
        self.memory.sample();
        Instant::now() >= self.deadline
    }

    /// Spawns tasks for as long as there is time, and waits for the last of them.
    async fn drive(&self, spawn: impl Fn(Task)) {
        while !self.is_over() {
            while self.alive.load(Ordering::SeqCst) < CROWD {
                spawn(self.task());
            }
            Timer::after(Duration::from_millis(1)).await;
        }
        let patience = Instant::now() + Duration::from_secs(60);
        while self.alive.load(Ordering::SeqCst) > 0 {
            let left = self.alive.load(Ordering::SeqCst);
            assert!(
                Instant::now() < patience,
                "{left} tasks hang: {:?}",
                self.world
            );
            Timer::after(Duration::from_millis(10)).await;
        }
    }
}

fn tokio_multi_thread(job: &Job) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .expect("a runtime");
    runtime.block_on(job.drive(|task| drop(runtime.spawn(task))));
}

fn tokio_current_thread(job: &Job) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(job.drive(|task| drop(runtime.spawn(task))));
}

fn smol_threads(job: &Job) {
    let executor = smol::Executor::new();
    let (stop, stopped) = smol::channel::unbounded::<()>();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| smol::block_on(executor.run(stopped.recv())));
        }
        smol::block_on(job.drive(|task| executor.spawn(task).detach()));
        drop(stop);
    });
}

fn futures_thread_pool(job: &Job) {
    let pool = futures::executor::ThreadPool::builder()
        .pool_size(2)
        .create()
        .expect("threads");
    futures::executor::block_on(job.drive(|task| pool.spawn_ok(task)));
}

/// No executor: each thread runs one task after the other.
fn two_threads(job: &Job) {
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !job.is_over() {
                    for _ in 0..100 {
                        futures::executor::block_on(job.task());
                    }
                }
            });
        }
    });
}

/// An executor by name.
type Executor = (&'static str, fn(&Job));

const EXECUTORS: [Executor; 5] = [
    ("tokio-multi-thread", tokio_multi_thread),
    ("tokio-current-thread", tokio_current_thread),
    ("smol", smol_threads),
    ("futures-thread-pool", futures_thread_pool),
    ("two-threads", two_threads),
];

fn main() -> ExitCode {
    // A check that fails on some thread ends everything.
    std::panic::set_hook(Box::new(|info| {
        eprintln!("{info}");
        std::process::exit(101);
    }));
    let mut arguments = env::args().skip(1);
    let seconds = arguments.next().map_or(Ok(600), |seconds| seconds.parse());
    let Ok(seconds) = seconds else {
        eprintln!("soak [SECONDS [EXECUTOR...]]");
        return ExitCode::FAILURE;
    };
    let wanted: Vec<_> = arguments.collect();
    for (name, run) in EXECUTORS {
        if !wanted.is_empty() && !wanted.iter().any(|one| one == name) {
            continue;
        }
        let job = Job::new(Duration::from_secs(seconds));
        run(&job);
        job.world.check();
        let tasks = job.begun.load(Ordering::Relaxed);
        println!(
            "{name}: {tasks} tasks, {}; {}",
            job.world.summary(),
            job.memory.summary()
        );
        job.memory.check();
    }
    ExitCode::SUCCESS
}
