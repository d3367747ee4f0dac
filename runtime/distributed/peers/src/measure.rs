//! Time, and CPU time of processes.

use std::collections::HashMap;
use std::fs;
use std::ops::Sub;
use std::time::{Duration, Instant};

use crate::Failed;

/// What something has cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub time: Duration,
    pub server: Duration,
    pub here: Duration,
}

impl Cost {
    pub fn of_one(self, count: usize) -> Self {
        let count = count as u32;
        Cost {
            time: self.time / count,
            server: self.server / count,
            here: self.here / count,
        }
    }
}

/// What has been spent, by the processes of the server and by this one.
pub struct Spent {
    at: Instant,
    server: HashMap<u32, Duration>,
    here: Duration,
}

impl Spent {
    pub fn new(server: &[u32]) -> Result<Self, Failed> {
        // One may have ended meanwhile: that of a contender before.
        let server = server
            .iter()
            .filter_map(|pid| Some((*pid, cpu(*pid).ok()?)));
        Ok(Spent {
            server: server.collect(),
            here: cpu(std::process::id())?,
            at: Instant::now(),
        })
    }
}

impl Sub for Spent {
    type Output = Cost;

    fn sub(self, before: Spent) -> Cost {
        let since = |(pid, now): (&u32, &Duration)| {
            now.saturating_sub(before.server.get(pid).copied().unwrap_or_default())
        };
        Cost {
            time: self.at - before.at,
            server: self.server.iter().map(since).sum(),
            here: self.here.saturating_sub(before.here),
        }
    }
}

/// The CPU time of all threads of a process, in nanoseconds, not in ticks. (A thread that has ended
/// is not counted. These processes keep theirs.)
fn cpu(pid: u32) -> Result<Duration, Failed> {
    let mut sum = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // It may have ended meanwhile.
        let spent = fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        let nanoseconds = spent.split(' ').next().unwrap_or_default();
        sum += Duration::from_nanos(nanoseconds.parse().unwrap_or_default());
    }
    Ok(sum)
}

/// The processes for which something holds.
pub fn processes(is_one: impl Fn(u32) -> bool) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| is_one(*pid)).collect()
}

pub fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may contain anything.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

pub fn name(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim().to_owned())
}

pub fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}

pub fn median(all: impl Iterator<Item = Duration>) -> Duration {
    let mut all: Vec<_> = all.collect();
    all.sort();
    all.get(all.len() / 2).copied().unwrap_or_default()
}
