//! Samples of the memory of the process.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How many samples are taken in all.
const SAMPLES: u32 = 200;

/// What the resident set may grow by, in bytes: allocators and executors keep
/// some of what they had.
const SLACK: u64 = 4 << 20;

pub(crate) struct Memory {
    begin: Instant,
    every: Duration,
    samples: Mutex<Vec<u64>>,
}

impl Memory {
    pub(crate) fn new(duration: Duration) -> Self {
        Memory {
            begin: Instant::now(),
            every: duration / SAMPLES,
            samples: Mutex::default(),
        }
    }

    /// Takes a sample if it is time for one.
    pub(crate) fn sample(&self) {
        let mut samples = self.samples.lock().expect("nobody panics with it");
        if self.begin.elapsed() >= self.every * samples.len() as u32 {
            samples.extend(resident());
        }
    }

    /// The means of the second and the last quarter.
    fn quarters(&self) -> Option<[u64; 2]> {
        let samples = self.samples.lock().expect("nobody panics with it");
        let quarter = samples.len() / 4;
        let mean = |part: &[u64]| part.iter().sum::<u64>().checked_div(part.len() as u64);
        let second = mean(samples.get(quarter..2 * quarter)?)?;
        let last = mean(samples.get(3 * quarter..)?)?;
        Some([second, last])
    }

    pub(crate) fn summary(&self) -> String {
        match self.quarters() {
            Some([second, last]) => {
                let kib = |bytes| bytes / 1024;
                format!("resident {} KiB, then {} KiB", kib(second), kib(last))
            }
            None => "resident set unknown".to_owned(),
        }
    }

    pub(crate) fn check(&self) {
        if let Some([second, last]) = self.quarters() {
            assert!(
                last <= second + second / 10 + SLACK,
                "memory has grown from {second} to {last} bytes"
            );
        }
    }
}

/// The resident set, where the system tells it.
fn resident() -> Option<u64> {
    let pages = fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = pages.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
