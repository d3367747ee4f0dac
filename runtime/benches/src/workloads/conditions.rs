//! Sections of a lock at which others wait for a condition that stays false.

use std::future::Future;
use std::hint::black_box;
use std::mem;
use std::task::{Context, Waker};

use async_monitor::{Guarded, Lock, sync, synchronized};

use super::*;
use crate::tasks::ready;

#[derive(Guarded, Default)]
struct Queue {
    state: Lock,
    #[guarded_by(state)]
    pushed: Guarded<u64>,
    #[guarded_by(state)]
    closed: Guarded<bool>,
}

impl Queue {
    #[synchronized(state)]
    async fn push(&self) -> u64 {
        *state.pushed += 1;
        *state.pushed
    }

    #[synchronized(read(state))]
    async fn pushed(&self) -> u64 {
        *state.pushed
    }

    /// Waits for ever.
    #[synchronized(state, when = *state.closed)]
    async fn closed(&self) {}
}

/// The same, with a lock for sections that never suspend.
#[derive(Guarded, Default)]
struct ShortQueue {
    state: sync::Lock,
    #[guarded_by(state)]
    pushed: Guarded<u64>,
    #[guarded_by(state)]
    closed: Guarded<bool>,
}

impl ShortQueue {
    #[synchronized(state)]
    fn push(&self) -> u64 {
        *state.pushed += 1;
        *state.pushed
    }

    /// Waits for ever.
    #[synchronized(state, when = *state.closed)]
    async fn closed(&self) {}
}

fn short(waiters: usize) -> Workload {
    let row = |name, waiters| {
        let queue: &ShortQueue = leak(ShortQueue::default());
        let mut cx = Context::from_waker(Waker::noop());
        for _ in 0..waiters {
            let mut waiter = Box::pin(queue.closed());
            assert!(waiter.as_mut().poll(&mut cx).is_pending());
            // It waits for as long as the queue is there.
            mem::forget(waiter);
        }
        Row::repeat(name, move || {
            black_box(black_box(queue).push());
        })
    };
    Workload {
        name: format!("Section, sync::Lock, beside {waiters} false condition"),
        clock: Clock::Thread,
        limit: "the same with no condition",
        target: None,
        rows: vec![row(OURS, waiters), row(LIMIT, 0)],
    }
}

fn row<F: Future + 'static>(
    name: &'static str,
    waiters: usize,
    section: fn(&'static Queue) -> F,
) -> Row {
    let queue: &Queue = leak(Queue::default());
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..waiters {
        let mut waiter = Box::pin(queue.closed());
        assert!(waiter.as_mut().poll(&mut cx).is_pending());
        // It waits for as long as the queue is there.
        mem::forget(waiter);
    }
    Row::repeat(name, move || {
        black_box(ready(section(black_box(queue)), &mut cx));
    })
}

fn workload<F: Future + 'static>(
    name: &str,
    waiters: usize,
    section: fn(&'static Queue) -> F,
) -> Workload {
    Workload {
        name: format!("Section, {name}"),
        clock: Clock::Thread,
        limit: "the same with no condition",
        target: None,
        rows: vec![row(OURS, waiters, section), row(LIMIT, 0, section)],
    }
}

pub(super) fn workloads() -> Vec<Workload> {
    vec![
        workload("beside 1 false condition", 1, Queue::push),
        workload("beside 10 false conditions", 10, Queue::push),
        workload("to read, beside 1 false condition", 1, Queue::pushed),
        short(1),
    ]
}
