//! `#[holding]`: methods of a view that acquire nothing.

use std::fmt::Debug;

use async_monitor::{Guarded, Lock, RwLock, holding, monitor, synchronized, with_lock};
use futures::executor::block_on;

#[derive(Guarded)]
struct Store<T: Debug>
where
    T: Clone,
{
    capacity: usize,
    name: String,
    state: Lock,
    #[guarded_by(state)]
    items: Guarded<Vec<T>>,
    #[guarded_by(state)]
    log: Guarded<Vec<String>>,
    #[lock(rw)]
    config: RwLock<()>,
    #[guarded_by(config)]
    limits: Guarded<Vec<usize>>,
}

#[monitor]
impl<T: Debug + Clone> Store<T> {
    fn new(capacity: usize) -> Self {
        Store {
            capacity,
            name: "store".to_owned(),
            state: Lock::new(),
            items: Guarded::new(Vec::new()),
            log: Guarded::new(Vec::new()),
            config: RwLock::new(()),
            limits: Guarded::new(vec![3, 1, 2]),
        }
    }

    #[synchronized(state)]
    async fn add(&self, item: T) -> usize {
        state.items.push(item);
        state.trim()
    }

    #[synchronized(state)]
    async fn fill_it(&self, number: usize, item: T) -> usize {
        state.fill(number, item).await;
        let (a, b) = (state.peek(), state.peek());
        assert_eq!(a.is_some(), b.is_some());
        state.items.len()
    }

    #[synchronized(state)]
    async fn log_of(&self, key: &str) -> Option<String> {
        state
            .first(key, 7)
            .map(|(_, name, seven)| format!("{name} {seven}"))
    }

    /// Down to the capacity, which is not guarded.
    #[holding(state)]
    fn trim(&self) -> usize {
        state.items.truncate(self.capacity);
        state.items.len()
    }

    #[holding(state)]
    fn first<U>(&self, key: &str, other: U) -> Option<(&T, &str, U)>
    where
        U: Copy,
    {
        state.log.push(key.to_owned());
        Some((state.items.first()?, &self.name, other))
    }

    #[holding(state)]
    async fn fill(&self, number: usize, item: T) {
        for _ in 0..number {
            std::future::ready(()).await;
            state.items.push(item.clone());
        }
        state.trim();
    }

    #[holding(read(state))]
    fn peek(&self) -> Option<&T> {
        state.items.last()
    }

    #[holding(config)]
    fn sort(&self) {
        config.limits.sort_unstable();
    }

    #[holding(read(config))]
    fn largest(&self) -> Option<usize> {
        config.limits.iter().max().copied()
    }

    #[holding(read(config))]
    fn smallest(&self) -> Option<&usize> {
        config.limits.iter().min()
    }

    #[synchronized(write(config))]
    async fn sorted(&self) -> Vec<usize> {
        config.sort();
        assert_eq!(config.largest(), Some(3));
        config.limits.clone()
    }

    #[synchronized(read(config))]
    async fn range(&self) -> Option<(usize, usize)> {
        Some((*config.smallest()?, config.largest()?))
    }
}

#[test]
fn a_section_calls_it_on_its_view() {
    let store = Store::new(2);
    assert_eq!(block_on(store.add(1)), 1);
    assert_eq!(block_on(store.add(2)), 2);
    assert_eq!(block_on(store.add(3)), 2);
}

#[test]
fn it_may_be_async_and_call_others() {
    let store = Store::new(4);
    assert_eq!(block_on(store.fill_it(7, "item")), 4);
}

#[test]
fn what_it_returns_borrows_from_the_view_or_the_object() {
    let store = Store::new(1);
    block_on(store.add(1));
    assert_eq!(block_on(store.log_of("key")), Some("store 7".to_owned()));
    let mut guard = block_on(store.acquire_state());
    let mut state = guard.fields();
    assert_eq!(state.peek(), Some(&1));
    let (item, ..) = state.first("other", ()).unwrap();
    assert_eq!(*item, 1);
    assert_eq!(*guard.fields().log, ["key", "other"]);
}

#[test]
fn a_block_calls_it_too() {
    let store = Store::new(1);
    block_on(async {
        with_lock!(store.state, {
            state.items.extend([1, 2, 3]);
            assert_eq!(state.trim(), 1);
        });
        with_lock!(read(store.state), { assert_eq!(state.peek(), Some(&1)) });
    });
}

#[test]
fn readers_and_writers_read() {
    let store: Store<u8> = Store::new(1);
    assert_eq!(block_on(store.range()), Some((1, 3)));
    assert_eq!(block_on(store.sorted()), [1, 2, 3]);
}
