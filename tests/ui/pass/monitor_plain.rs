//! `#[monitor(plain)]` on structs without a derive.
#![forbid(unsafe_code)]
#![deny(warnings)]

use async_monitor::{Mutex, RwLock, monitor, sync, synchronized};

#[derive(Default)]
struct State {
    numbers: Vec<u64>,
}

impl State {
    fn push(&mut self, number: u64) -> usize {
        self.numbers.push(number);
        self.numbers.len()
    }
}

#[derive(Default)]
struct Store<T> {
    state: Mutex<State>,
    short: sync::Mutex<State>,
    table: RwLock<Vec<T>>,
}

#[monitor(plain)]
impl<T: Clone> Store<T> {
    #[synchronized(state)]
    async fn add(&self, number: u64) -> usize {
        state.push(number);
        state.push(number)
    }

    #[synchronized(short)]
    fn add_short(&self, number: u64) -> usize {
        short.push(number)
    }

    #[synchronized(read(table))]
    async fn first(&self) -> Option<T> {
        table.first().cloned()
    }

    #[synchronized(write(table))]
    async fn insert(&self, item: T) {
        table.push(item);
    }

    async fn all(&self, item: T) -> (usize, usize, Option<T>) {
        self.insert(item).await;
        (self.add(1).await, self.add_short(2), self.first().await)
    }
}

// An alias has no derive, either.
type Numbers = Store<u64>;

#[monitor(plain, allow(order))]
impl Numbers {
    #[synchronized(short, when = !short.numbers.is_empty())]
    fn last(&self) -> Option<u64> {
        short.numbers.last().copied()
    }
}

fn main() {
    let store = Store::default();
    assert_eq!(futures::executor::block_on(store.all(7)), (2, 1, Some(7)));
    assert_eq!(store.last(), Some(2));
}
