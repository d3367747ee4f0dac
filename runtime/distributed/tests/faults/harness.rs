//! Starts the processes, does harm to them, and looks at what they have written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::proxy::{Mode, Proxy};
use crate::support::{Postgres, signal, url};
use crate::{LEASE, SCHEMA};

const WORKERS: usize = 4;

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    pub(crate) acknowledged: usize,
    written: usize,
    said: BTreeMap<String, u32>,
    faults: BTreeMap<&'static str, u32>,
    recovery: Duration,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} acquisitions acknowledged, {} writes in the database; faults: {:?}; otherwise: \
             {:?}; everybody in again after {:.1?}; violations: {}",
            self.acknowledged,
            self.written,
            self.faults,
            self.said,
            self.recovery,
            self.violations.len()
        )
    }
}

/// What the processes have said.
#[derive(Default)]
struct Said {
    acknowledged: Vec<(String, i64, i64)>,
    /// Which processes have got in.
    got_in: BTreeSet<usize>,
    others: BTreeMap<String, u32>,
}

struct Worker {
    child: Child,
    proxy: Proxy,
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and what it says.
fn start(index: usize, url: &str, is_fenced: bool, said: &Arc<Mutex<Said>>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "worker", "--nocapture"]);
    command.env("WORKER_URL", url).stdin(Stdio::null());
    if !is_fenced {
        command.env("WORKER_UNFENCED", "1");
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
                ["lost" | "stale" | "failed"] | ["gave", "up"] => {
                    *said.others.entry(line).or_default() += 1;
                }
                _ => {}
            }
        }
    });
    child
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn millis(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit))
    }
}

/// `None` where there is no Postgres.
pub(crate) fn run(time: Duration, is_fenced: bool) -> Option<Outcome> {
    let postgres = Postgres::start()?;
    let direct = postgres.database("faults");
    prepare(&direct);
    let said = Arc::new(Mutex::new(Said::default()));
    let mut workers: Vec<_> = (0..WORKERS)
        .map(|index| {
            let proxy = Proxy::start(postgres.port);
            let child = start(index, &url(proxy.port, "faults"), is_fenced, &said);
            Worker { child, proxy }
        })
        .collect();
    let seed = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let seed = std::env::var("ASYNC_MONITOR_SEED").map_or(seed, |seed| seed.parse().unwrap());
    println!("ASYNC_MONITOR_SEED={seed}");
    let mut random = Random(seed | 1);
    let mut outcome = Outcome::default();

    // When each process is well again.
    let mut healed: Vec<Option<Instant>> = vec![None; WORKERS];
    let end = Instant::now() + time;
    while Instant::now() < end {
        thread::sleep(random.millis(1000));
        for (worker, until) in workers.iter().zip(&mut healed) {
            if until.is_some_and(|until| until <= Instant::now()) {
                signal(worker.child.id(), "CONT");
                worker.proxy.set(Mode::Pass);
                *until = None;
            }
        }
        let index = random.below(WORKERS as u64) as usize;
        if healed[index].is_some() {
            continue;
        }
        let worker = &mut workers[index];
        // Half of them for less than the lease, half for longer.
        let until = Instant::now() + random.millis(2 * LEASE.as_millis() as u64);
        let fault = match random.below(40) {
            0..14 => {
                signal(worker.child.id(), "STOP");
                "stopped"
            }
            14..22 => {
                worker.child.kill().unwrap();
                worker.child.wait().unwrap();
                let port = worker.proxy.port;
                worker.child = start(index, &url(port, "faults"), is_fenced, &said);
                "killed"
            }
            22..27 => {
                worker.proxy.set(Mode::Cut);
                "cut off"
            }
            27..32 => {
                worker.proxy.set(Mode::Stall);
                "stalled"
            }
            32..39 => {
                worker.proxy.set(Mode::Slow(random.millis(300)));
                "slowed down"
            }
            _ => {
                postgres.kill();
                thread::sleep(random.millis(1000));
                postgres.restart();
                "server restarted"
            }
        };
        *outcome.faults.entry(fault).or_default() += 1;
        healed[index] = Some(until);
    }

    for worker in &workers {
        signal(worker.child.id(), "CONT");
        worker.proxy.set(Mode::Pass);
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
            outcome.violations.extend(report(&direct));
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    outcome.recovery = start.elapsed();
    for worker in &mut workers {
        worker.child.kill().unwrap();
        worker.child.wait().unwrap();
    }
    // What they have said last.
    thread::sleep(Duration::from_millis(300));
    let said = said.lock().unwrap();
    outcome.said.clone_from(&said.others);
    check(&direct, &said.acknowledged, &mut outcome);
    Some(outcome)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn prepare(url: &str) {
    block_on(async {
        // Makes the schema.
        drop(
            async_monitor_distributed::postgres::Postgres::connect(url)
                .await
                .unwrap(),
        );
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client.batch_execute(SCHEMA).await.unwrap();
    });
}

/// Who holds and who waits, and what the server does.
fn report(url: &str) -> Vec<String> {
    block_on(async {
        let store = async_monitor_distributed::postgres::Postgres::connect(url);
        let entries = store.await.unwrap().report().await.unwrap();
        let mut lines: Vec<_> = entries.iter().map(ToString::to_string).collect();
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let all = "select pid::text || ' ' || coalesce(state, '') || ' ' || \
                   coalesce(wait_event, '') || ' ' || left(query, 80) \
                   from pg_stat_activity where datname = current_database()";
        let rows = client.query(all, &[]).await.unwrap();
        lines.extend(rows.iter().map(|row| row.get::<_, String>(0)));
        lines
    })
}

/// Of each key, the numbers are 1, 2, 3, .. with fences that do not decrease, and all that was
/// acknowledged is there.
fn check(url: &str, acknowledged: &[(String, i64, i64)], outcome: &mut Outcome) {
    let rows = block_on(async {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let all = "select key, fence, number from history order by id";
        client.query(all, &[]).await.unwrap()
    });
    outcome.written = rows.len();
    outcome.acknowledged = acknowledged.len();
    let mut last: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut written = BTreeSet::new();
    for row in rows {
        let (key, fence, number): (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
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
