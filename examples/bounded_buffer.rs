//! The bounded buffer, which monitors were invented for (Hoare, 1974), with its
//! two conditions waited for and notified by hand.
//!
//! ```text
//! cargo run --example bounded_buffer
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use async_monitor::{Condition, Guarded, Lock, synchronized};
use futures::future::join_all;

const CAPACITY: usize = 4;
const PRODUCERS: u64 = 3;
const CONSUMERS: u64 = 5;
const ITEMS: u64 = 1_000;

#[derive(Guarded)]
struct Buffer<T> {
    capacity: usize,
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<VecDeque<T>>,
    #[guarded_by(state)]
    closed: Guarded<bool>,
    /// Notified when an item has come, or when none will come.
    not_empty: Condition,
    /// Notified when a place has become free.
    not_full: Condition,
}

impl<T> Buffer<T> {
    fn new(capacity: usize) -> Self {
        Buffer {
            capacity,
            state: Lock::new(),
            items: VecDeque::with_capacity(capacity).into(),
            closed: false.into(),
            not_empty: Condition::new(),
            not_full: Condition::new(),
        }
    }

    /// Adds an item; waits where the buffer is full.
    async fn put(&self, item: T) {
        let guard = self.acquire_state().await;
        // Waiting releases the lock and takes it again. Meanwhile there is no
        // guard: it goes in by value and comes back when the lock is held.
        let mut guard = self
            .not_full
            .wait_for(guard, |state| state.items.len() < self.capacity)
            .await;
        guard.fields().items.push_back(item);
        // The guard proves that the lock is held; without it, this does not compile.
        self.not_empty.notify_one(&guard);
    }

    /// Takes the oldest item; waits where the buffer is empty. `None`: it is
    /// closed, and nothing is left.
    async fn take(&self) -> Option<T> {
        let guard = self.acquire_state().await;
        let mut guard = self
            .not_empty
            .wait_for(guard, |state| !state.items.is_empty() || *state.closed)
            .await;
        let item = guard.fields().items.pop_front()?;
        self.not_full.notify_one(&guard);
        Some(item)
    }

    /// Says that nothing will be added. This waits for no condition, so the
    /// whole body may be one critical section.
    #[synchronized(state)]
    async fn close(&self) {
        *state.closed = true;
        self.not_empty.notify_all(state);
    }
}

fn main() {
    let buffer = Arc::new(Buffer::new(CAPACITY));
    smol::block_on(async {
        let consumers: Vec<_> = (0..CONSUMERS)
            .map(|_| smol::spawn(consume(Arc::clone(&buffer))))
            .collect();
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|n| smol::spawn(produce(Arc::clone(&buffer), n)))
            .collect();

        join_all(producers).await;
        buffer.close().await;
        let consumed = join_all(consumers).await;

        for (n, (items, _)) in consumed.iter().enumerate() {
            println!("consumer {n} took {items} items");
        }
        let items: u64 = consumed.iter().map(|(items, _)| items).sum();
        let sum: u64 = consumed.iter().map(|(_, sum)| sum).sum();
        println!("{items} items of {}, their sum is {sum}", PRODUCERS * ITEMS);
        assert_eq!(
            sum,
            (0..PRODUCERS * ITEMS).sum(),
            "an item was lost or doubled"
        );
    });
}

/// Puts in numbers that no other producer has.
async fn produce(buffer: Arc<Buffer<u64>>, producer: u64) {
    for n in 0..ITEMS {
        buffer.put(producer * ITEMS + n).await;
    }
}

/// Takes numbers until there are no more; returns how many and their sum.
async fn consume(buffer: Arc<Buffer<u64>>) -> (u64, u64) {
    let (mut items, mut sum) = (0, 0);
    while let Some(n) = buffer.take().await {
        items += 1;
        sum += n;
    }
    (items, sum)
}
