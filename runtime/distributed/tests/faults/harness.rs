//! Starts the processes, does harm to them, and looks at what they have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::LEASE;
use crate::backend::{Servers, Written};
use crate::random::Random;
use crate::support::proxy::{Mode, Proxy};
use crate::support::signal;

const WORKERS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) acknowledged: usize,
    /// Writes that the store has refused, if it says so.
    refused: Option<usize>,
    written: usize,
    said: BTreeMap<String, u32>,
    faults: BTreeMap<&'static str, u32>,
    recovery: Duration,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acquisitions acknowledged, {} writes in the store, {} stale ones refused; \
             faults: {:?}; otherwise: {:?}; everybody in again after {:.1?}; violations: {}",
            self.acknowledged,
            self.written,
            self.refused
                .map_or("?".to_owned(), |refused| refused.to_string()),
            self.faults,
            self.said,
            self.recovery,
            self.violations.len()
        )
    }
}

/// What the processes have said.
#[derive(Default)]
pub(crate) struct Said {
    /// Keys, fences and numbers.
    pub(crate) acknowledged: Vec<Written>,
    /// Which processes have got in.
    pub(crate) got_in: BTreeSet<usize>,
    /// The key and the fence of the section that waits.
    pub(crate) waits: Option<(String, i64)>,
    others: BTreeMap<String, u32>,
}

/// How a process writes.
#[derive(Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) is_fenced: bool,
    /// Its first section waits for a line between its read and its write, without an `.await`.
    pub(crate) waits: bool,
}

struct Worker {
    process: Process,
    /// In front of each server.
    proxies: Vec<Proxy>,
}

impl Worker {
    fn set(&self, mode: Mode) {
        for proxy in &self.proxies {
            proxy.set(mode);
        }
    }

    fn heal(&self) {
        self.process.signal("CONT");
        self.set(Mode::Pass);
    }
}

/// A process that is ended when it is dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    pub(crate) fn signal(&self, name: &str) {
        signal(self.0.id(), name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process and what it says.
pub(crate) fn start(index: usize, url: &str, writing: Writing, said: &Arc<Mutex<Said>>) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "worker", "--nocapture"]);
    command.env("WORKER_URL", url).stdin(Stdio::piped());
    if !writing.is_fenced {
        command.env("WORKER_UNFENCED", "1");
    }
    if writing.waits {
        command.env("WORKER_WAITS", "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["ack", key, fence, number] => {
                    let (fence, number) = (fence.parse().unwrap(), number.parse().unwrap());
                    said.acknowledged.push((key.to_owned(), fence, number));
                    said.got_in.insert(index);
                }
                ["waits", key, fence] => {
                    said.waits = Some((key.to_owned(), fence.parse().unwrap()));
                }
                ["lost" | "stale" | "failed"] | ["gave", "up"] => {
                    *said.others.entry(line).or_default() += 1;
                }
                _ => {}
            }
        }
    });
    Process(child)
}

fn up_to(random: &mut Random, limit: Duration) -> Duration {
    Duration::from_millis(random.below(limit.as_millis() as usize) as u64)
}

/// `None` where there is no such store.
pub(crate) fn run<S: Servers>(time: Duration, is_fenced: bool) -> Option<Outcome> {
    let mut servers = S::start()?;
    let said = Arc::new(Mutex::new(Said::default()));
    let writing = Writing {
        is_fenced,
        waits: false,
    };
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|index| {
            let proxies: Vec<_> = servers.ports().into_iter().map(Proxy::start).collect();
            let process = start(index, &url_by::<S>(&proxies), writing, &said);
            Worker { process, proxies }
        })
        .collect();
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let seed = std::env::var("ASYNC_MONITOR_SEED").map_or(seed, |seed| seed.parse().unwrap());
    println!("ASYNC_MONITOR_SEED={seed}");
    let mut random = Random::new(seed);
    let mut outcome = Outcome::default();

    // When each process is well again.
    let mut healed: Vec<Option<Instant>> = vec![None; WORKERS];
    let end = Instant::now() + time;
    while Instant::now() < end {
        thread::sleep(up_to(&mut random, Duration::from_secs(1)));
        for (worker, until) in workers.iter().zip(&mut healed) {
            if until.is_some_and(|until| until <= Instant::now()) {
                worker.heal();
                *until = None;
            }
        }
        let index = random.below(WORKERS);
        if healed[index].is_some() {
            continue;
        }
        let worker = &mut workers[index];
        // Some of them for less than the lease, most for longer.
        let until = Instant::now() + up_to(&mut random, 3 * LEASE);
        let fault = match random.below(39 + S::SHARE) {
            0..14 => {
                worker.process.signal("STOP");
                "stopped"
            }
            14..22 => {
                let url = url_by::<S>(&worker.proxies);
                worker.process = start(index, &url, writing, &said);
                "killed"
            }
            22..27 => {
                worker.set(Mode::Cut);
                "cut off"
            }
            27..32 => {
                worker.set(Mode::Stall);
                "stalled"
            }
            32..39 => {
                let pause = up_to(&mut random, Duration::from_millis(300));
                worker.set(Mode::Slow(pause));
                "slowed down"
            }
            _ => {
                let fault = servers.harm(&mut random);
                thread::sleep(up_to(&mut random, S::LONGEST));
                servers.heal();
                fault
            }
        };
        *outcome.faults.entry(fault).or_default() += 1;
        healed[index] = Some(until);
    }

    for worker in &workers {
        worker.heal();
    }
    // A worker that was stopped may have its connections made anew first; then one lease for
    // those who died, one for their places in the queue, and the others' sections.
    let bound = 4 * LEASE + Duration::from_secs(8);
    said.lock().unwrap().got_in.clear();
    let start = Instant::now();
    while said.lock().unwrap().got_in.len() < WORKERS {
        if start.elapsed() > bound {
            let got_in = &said.lock().unwrap().got_in;
            let violation = format!("after {bound:?}, only {got_in:?} of {WORKERS} got in again");
            outcome.violations.push(violation);
            outcome.violations.extend(servers.report());
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    outcome.recovery = start.elapsed();
    drop(workers);
    // What they have said last.
    thread::sleep(Duration::from_millis(300));
    let said = said.lock().unwrap();
    outcome.said.clone_from(&said.others);
    outcome.refused = servers.refused(None);
    check(servers.history(), &said.acknowledged, &mut outcome);
    Some(outcome)
}

fn url_by<S: Servers>(proxies: &[Proxy]) -> String {
    let ports: Vec<_> = proxies.iter().map(|proxy| proxy.port).collect();
    S::url(&ports)
}

/// Of each key, the numbers are 1, 2, 3, .. with fences that do not decrease, and all that was
/// acknowledged is there.
pub(crate) fn check(history: Vec<Written>, acknowledged: &[Written], outcome: &mut Outcome) {
    outcome.written = history.len();
    outcome.acknowledged = acknowledged.len();
    let mut last: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for (key, fence, number) in history {
        let (last_fence, last_number) = last.get(&key).copied().unwrap_or_default();
        if number != last_number + 1 || fence < last_fence {
            outcome.violations.push(format!(
                "{key}: {number} with fence {fence} after {last_number} with {last_fence}"
            ));
        }
        last.insert(key.clone(), (fence, number));
        written.insert((key, fence, number));
    }
    for acknowledged in acknowledged {
        if !written.contains(acknowledged) {
            outcome
                .violations
                .push(format!("{acknowledged:?} is not there"));
        }
    }
}
