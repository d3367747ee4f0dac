//! Names that are nearly those of locks, and are something else.
#![deny(warnings)]
#![allow(dead_code, non_upper_case_globals)]

use async_monitor::{Guarded, Lock, Mutex, holding, monitor, sync, synchronized, with_lock};

struct Jobs {
    jobs: sync::Mutex<Vec<u32>>,
    steps: Mutex<u32>,
}

struct Job {
    at: u32,
}

fn step(number: u32) -> u32 {
    number
}

macro_rules! bind {
    ($name:ident) => {
        let $name = Job { at: 2 };
    };
}

impl Jobs {
    #[synchronized(jobs)]
    fn parameter(&self, job: &Job) -> u32 {
        job.at
    }

    #[synchronized(jobs)]
    fn local(&self) -> u32 {
        let job = Job { at: 1 };
        job.at
    }

    #[synchronized(jobs)]
    fn looped(&self, all: &[Job]) -> u32 {
        let mut sum = 0;
        for job in all {
            sum += job.at;
        }
        sum
    }

    #[synchronized(jobs)]
    fn closures(&self, all: &[Job]) -> u32 {
        all.iter().fold(0, |sum, job| sum + job.at)
    }

    #[synchronized(jobs)]
    fn arm(&self, one: Option<Job>) -> u32 {
        match one {
            Some(job) => job.at,
            None => 0,
        }
    }

    #[synchronized(jobs)]
    fn by_a_macro(&self) -> u32 {
        bind!(job);
        job.at
    }

    #[synchronized(jobs)]
    fn by_an_item(&self) -> u32 {
        const job: Job = Job { at: 1 };
        job.at
    }

    #[synchronized(jobs)]
    fn by_an_inner_fn(&self) -> u32 {
        fn inner(job: &Job) -> u32 {
            job.at
        }
        inner(&Job { at: 1 })
    }

    #[synchronized(steps)]
    async fn a_fn(&self) -> u32 {
        [1].into_iter().map(step).sum::<u32>() + step(1)
    }

    #[synchronized(jobs)]
    #[allow(non_upper_case_globals)]
    fn generic<const job: usize>(&self, all: &[u32]) -> u32 {
        all[job]
    }

    #[synchronized(jobs)]
    fn in_a_text(&self) -> String {
        let job = [1];
        format!("{jobs:?}{}", job[0])
    }

    /// In a block, it may be a local of the fn around it.
    async fn block(&self) -> u32 {
        let job = Job { at: 3 };
        with_lock!(self.jobs, { job.at })
    }
}

#[derive(Guarded)]
struct Cache {
    state: Lock,
    #[guarded_by(state)]
    entries: Guarded<Vec<u64>>,
}

/// The lifetime of a view has the name of its lock, and can be written.
#[monitor]
impl Cache {
    #[holding(state)]
    fn collect(&self, found: &mut Vec<&'state u64>) {
        found.push(&state.entries[0]);
    }

    #[holding(state)]
    fn either(&self, other: &'state u64) -> &u64 {
        state.entries.first().unwrap_or(other)
    }

    #[holding(state)]
    fn even(&self) -> impl Iterator<Item = &u64> {
        state.entries.iter().filter(|entry| *entry % 2 == 0)
    }

    #[holding(state)]
    fn named_otherwise<'state>(&self, other: &'state u64) -> &'state u64 {
        state.entries.clear();
        other
    }

    #[holding(state)]
    fn first_of(&self, choose: impl for<'state> Fn(&'state [u64]) -> &'state u64) -> &u64 {
        choose(&state.entries)
    }

    #[synchronized(state)]
    async fn all(&self) -> u64 {
        let mut found = Vec::new();
        state.collect(&mut found);
        let sum: u64 = found.into_iter().sum();
        sum + state.even().sum::<u64>() + *state.either(&1) + *state.named_otherwise(&2)
    }
}

fn main() {}
