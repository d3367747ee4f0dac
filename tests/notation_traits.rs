//! `#[synchronized]` on all kinds of methods.

use std::pin::Pin;
use std::sync::Arc;

use async_monitor::{Guarded, Lock, Mutex, RwLock, synchronized};
use async_trait::async_trait;
use futures::executor::block_on;

#[derive(Guarded, Default)]
struct Counter<T> {
    lock: Lock,
    #[guarded_by(lock)]
    count: Guarded<usize>,
    #[guarded_by(lock)]
    items: Guarded<Vec<T>>,
    name: String,
    #[lock(rw)]
    cfg: RwLock<u8>,
}

impl<T: Clone> Counter<T> {
    #[synchronized(lock)]
    async fn patterns(&self, (a, mut b): (usize, usize), [first, ..]: [T; 2]) -> usize {
        b += a;
        lock.items.push(first);
        *lock.count += b;
        *lock.count
    }

    #[synchronized(lock)]
    async fn impl_trait(&self, items: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        lock.items.extend(items);
        lock.items.clone().into_iter()
    }

    #[synchronized(lock)]
    async fn elided(&self, _suffix: &str) -> &str {
        *lock.count += 1;
        &self.name
    }

    #[synchronized(lock)]
    async fn named<'a>(&'a self, other: &'a str) -> &'a str {
        if *lock.count == 0 { other } else { &self.name }
    }

    #[synchronized(lock)]
    async fn generic<const N: usize, F: AsyncFn(&T) -> bool>(&self, test: F) -> [bool; N] {
        let mut results = [false; N];
        for (result, item) in results.iter_mut().zip(lock.items.iter()) {
            *result = test(item).await;
        }
        results
    }

    #[synchronized(lock)]
    async fn owned(self) -> usize {
        lock.items.len()
    }

    #[synchronized(lock)]
    async fn boxed(self: Box<Self>) -> usize {
        lock.items.len()
    }

    #[synchronized(lock)]
    async fn arc(self: Arc<Self>) -> usize {
        lock.items.len()
    }

    #[synchronized(lock)]
    async fn arc_ref(self: &Arc<Self>) -> usize {
        lock.items.len()
    }

    #[synchronized(lock)]
    async fn pinned(self: Pin<&Self>) -> usize {
        lock.items.len()
    }

    /// The attribute of this fn, and the one in its body, stay.
    #[must_use]
    #[synchronized(lock)]
    async fn attributes(&self) -> usize {
        #![allow(non_snake_case)]
        let Upper = *lock.count;
        Upper + lock.items.len() - lock.items.len()
    }

    #[synchronized(lock)]
    async fn question(&self, text: &str) -> Result<usize, std::num::ParseIntError> {
        let n: usize = text.parse()?;
        *lock.count += n;
        Ok(n)
    }

    #[synchronized(lock)]
    async fn early(&self, n: usize) -> usize {
        if n > 3 {
            return 0;
        }
        loop {
            *lock.count += 1;
            if *lock.count > 9 {
                break *lock.count;
            }
        }
    }

    #[synchronized(lock)]
    async fn never(&self) -> usize {
        panic!("with {}", lock.count);
    }

    /// A temporary of the last expression borrows the view.
    #[synchronized(lock)]
    async fn tail(&self) -> usize {
        struct Borrowed<'a>(std::cell::RefCell<&'a mut usize>);
        impl Drop for Borrowed<'_> {
            fn drop(&mut self) {
                **self.0.get_mut() += 1;
            }
        }
        Borrowed(std::cell::RefCell::new(&mut *lock.count))
            .0
            .borrow()
            .wrapping_add(1)
    }

    #[synchronized(lock)]
    async fn only_the_exclusion(&self) {}
}

fn counter(items: &[u8]) -> Counter<u8> {
    Counter {
        items: Guarded::new(items.to_vec()),
        name: "counter".to_owned(),
        ..Counter::default()
    }
}

#[test]
fn signatures_stay_what_they_are() {
    let counter = counter(&[7]);
    block_on(async {
        assert_eq!(counter.patterns((1, 2), [8, 9]).await, 3);
        assert_eq!(
            counter.impl_trait([1, 2]).await.collect::<Vec<_>>(),
            [7, 8, 1, 2]
        );
        assert_eq!(counter.elided("x").await, "counter");
        assert_eq!(counter.named("other").await, "counter");
        assert_eq!(
            counter.generic(async |item| *item > 2).await,
            [true, true, false]
        );
        assert_eq!(counter.attributes().await, 4);
        assert_eq!(counter.question("2").await, Ok(2));
        assert!(counter.question("two").await.is_err());
        assert_eq!(counter.early(4).await, 0);
        assert_eq!(counter.early(1).await, 10);
        assert_eq!(counter.tail().await, 11);
        assert_eq!(counter.attributes().await, 11);
        counter.only_the_exclusion().await;
        assert_eq!(Pin::new(&counter).pinned().await, 4);
        let counter = Arc::new(counter);
        assert_eq!(counter.arc_ref().await, 4);
        assert_eq!(counter.arc().await, 4);
    });
    block_on(async {
        assert_eq!(super_counter().owned().await, 1);
        assert_eq!(Box::new(super_counter()).boxed().await, 1);
    });
}

fn super_counter() -> Counter<u8> {
    counter(&[1])
}

#[test]
fn a_panic_in_a_section_releases_the_lock() {
    let counter = counter(&[]);
    let future = std::panic::AssertUnwindSafe(counter.never());
    assert!(std::panic::catch_unwind(|| block_on(future)).is_err());
    assert!(counter.try_acquire_lock().is_some());
}

trait Push {
    type Item;

    async fn push(&self, item: Self::Item) -> usize;

    fn state(&self) -> &Mutex<Vec<Self::Item>>;

    /// Default methods know no fields.
    #[synchronized(s = self.state())]
    async fn push_default(&self, item: Self::Item) -> usize {
        s.push(item);
        s.len()
    }
}

struct Stack(Mutex<Vec<u8>>);

impl Push for Stack {
    type Item = u8;

    #[synchronized(stack = self.0)]
    async fn push(&self, item: u8) -> usize {
        stack.push(item);
        stack.len()
    }

    fn state(&self) -> &Mutex<Vec<u8>> {
        &self.0
    }
}

#[test]
fn methods_of_traits_can_be_sections() {
    let stack = Stack(Mutex::default());
    block_on(async {
        assert_eq!(stack.push(1).await, 1);
        assert_eq!(stack.push_default(1).await, 2);
    });
}

#[async_trait]
trait Boxed: Sync {
    async fn add(&self, n: usize) -> usize;
    async fn clear(&self);
    async fn pairs(&self, pair: (usize, usize)) -> Result<usize, String>;
    async fn arc(self: Arc<Self>, text: &str) -> usize;

    #[synchronized(f = self.fallback())]
    async fn default_method(&self) -> u8 {
        *f += 1;
        *f
    }

    fn fallback(&self) -> &Mutex<u8>;
}

struct Object {
    counter: Counter<u8>,
    fallback: Mutex<u8>,
}

#[async_trait]
impl Boxed for Object {
    #[synchronized(self.counter.lock)]
    async fn add(&self, mut n: usize) -> usize {
        n += 1;
        *lock.count += n;
        let _: &Self = self;
        *lock.count
    }

    #[synchronized(self.counter.lock, fallback)]
    async fn clear(&self) {
        *lock.count = 0;
        *fallback = 0;
    }

    #[synchronized(write(self.counter.cfg))]
    async fn pairs(&self, (a, mut b): (usize, usize)) -> Result<usize, String> {
        b += a;
        *cfg.value = u8::try_from(b).map_err(|error| error.to_string())?;
        Ok(b)
    }

    #[synchronized(read(self.counter.cfg))]
    async fn arc(self: Arc<Self>, text: &str) -> usize {
        text.len() + usize::from(*cfg.value)
    }

    fn fallback(&self) -> &Mutex<u8> {
        &self.fallback
    }
}

/// By hand, what `#[async_trait]` leaves.
struct ByHand(Mutex<u8>);

impl ByHand {
    #[synchronized(state = self.0)]
    fn bump(&self) -> Pin<Box<dyn Future<Output = u8> + Send + '_>> {
        Box::pin(async move {
            *state += 1;
            *state
        })
    }
}

#[test]
fn sections_work_below_async_trait() {
    let object = Arc::new(Object {
        counter: counter(&[]),
        fallback: Mutex::new(5),
    });
    let boxed: &dyn Boxed = &*object;
    block_on(async {
        assert_eq!(boxed.add(1).await, 2);
        assert_eq!(boxed.default_method().await, 6);
        boxed.clear().await;
        assert_eq!(boxed.add(1).await, 2);
        assert_eq!(boxed.pairs((1, 2)).await, Ok(3));
        assert!(boxed.pairs((1, 500)).await.is_err());
        assert_eq!(Arc::clone(&object).arc("ab").await, 5);
        assert_eq!(ByHand(Mutex::new(1)).bump().await, 2);
    });
}
