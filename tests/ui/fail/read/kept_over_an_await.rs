use std::cell::Cell;

use async_monitor::{Guarded, Lock, Mutex, synchronized};

#[derive(Guarded)]
struct Counters {
    lock: Lock,
    #[guarded_by(lock)]
    hits: Guarded<Cell<u32>>,
    misses: Mutex<Cell<u32>>,
}

impl Counters {
    #[synchronized(read(lock))]
    async fn before_and_after(&self) -> (u32, u32) {
        let before = lock.hits.get();
        step().await;
        (before, lock.hits.get())
    }

    #[synchronized(read(misses))]
    async fn of_data(&self) -> u32 {
        step().await;
        misses.get()
    }

    #[synchronized(read(lock), read(misses))]
    async fn before(&self) -> u32 {
        let sum = lock.hits.get() + misses.get();
        step().await;
        sum
    }
}

async fn step() {}

fn send(_: impl Send) {}

fn main() {
    let counters = Counters {
        lock: Lock::new(),
        hits: Guarded::new(Cell::new(0)),
        misses: Mutex::new(Cell::new(0)),
    };
    send(counters.before());
    send(counters.before_and_after());
    send(counters.of_data());
}
