//! The bounded buffer, the classic example of a monitor (Hoare, 1974): each method states its
//! condition, and no method has to notify.
//!
//! ```text
//! cargo run --example bounded_buffer
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, synchronized};
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
}

impl<T> Buffer<T> {
    fn new(capacity: usize) -> Self {
        Buffer {
            capacity,
            state: Lock::new(),
            items: VecDeque::with_capacity(capacity).into(),
            closed: false.into(),
        }
    }

    /// Adds an item; waits where the buffer is full, without holding the lock.
    #[synchronized(state, when = state.items.len() < self.capacity)]
    async fn put(&self, item: T) {
        state.items.push_back(item);
    }

    /// Takes the oldest item; waits where the buffer is empty. `None`: it is
    /// closed, and nothing is left.
    #[synchronized(state, when = !state.items.is_empty() || *state.closed)]
    async fn take(&self) -> Option<T> {
        state.items.pop_front()
    }

    /// Says that nothing will be added.
    #[synchronized(state)]
    async fn close(&self) {
        *state.closed = true;
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
            (0..PRODUCERS * ITEMS).sum::<u64>(),
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

/// `cargo test --features check --example bounded_buffer`
#[cfg(all(test, feature = "check"))]
#[path = "../tests/checked/bounded_buffer.rs"]
mod checked;
