//! `#[monitor]`: methods that run under a lock already held.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, with_lock};
use futures::executor::block_on;
use futures::future::join;

/// Lets other futures of the task run once.
async fn pause() {
    let mut is_first = true;
    std::future::poll_fn(|cx| {
        if std::mem::take(&mut is_first) {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        } else {
            std::task::Poll::Ready(())
        }
    })
    .await;
}

fn is_send<F: Future + Send>(future: F) -> F {
    future
}

mod shop {
    use super::*;

    /// A shop: what is in store, who is waiting, and the prices.
    #[derive(Guarded)]
    pub struct Shop<'d, T: Clone> {
        pub name: &'d str,
        stock: Lock,
        /// In the order of arrival.
        #[guarded_by(stock)]
        items: Guarded<Vec<T>>,
        #[guarded_by(stock)]
        count: Guarded<usize>,
        #[lock]
        waiting: Mutex<Vec<String>>,
        #[lock(rw)]
        prices: RwLock<()>,
        #[guarded_by(prices)]
        price: Guarded<u32>,
        /// No lock of the derive.
        log: Mutex<Vec<&'static str>>,
    }

    pub(super) static BODIES: AtomicUsize = AtomicUsize::new(0);

    #[monitor]
    impl<'d, T> Shop<'d, T>
    where
        T: Clone,
    {
        pub const LIMIT: usize = 10;

        pub fn new(name: &'d str) -> Self {
            Shop {
                name,
                stock: Lock::new(),
                items: Guarded::default(),
                count: Guarded::default(),
                waiting: Mutex::default(),
                prices: RwLock::new(()),
                price: Guarded::new(3),
                log: Mutex::default(),
            }
        }

        /// Puts an item on the shelf.
        #[synchronized(stock)]
        pub async fn add(&self, item: T) -> usize {
            stock.items.push(item);
            *stock.count += 1;
            *stock.count
        }

        /// Takes what the iterator gives, one after the other.
        #[synchronized(stock)]
        pub async fn add_all(&self, items: impl IntoIterator<Item = T>) -> usize {
            let mut last = 0;
            for item in items {
                last = stock.add(item).await;
                pause().await;
            }
            last
        }

        #[synchronized(stock)]
        pub async fn swap(&self, (a, b): (usize, usize), mut times: u8, _: ()) -> u8 {
            while times > 0 {
                stock.items.swap(a, b);
                times -= 1;
            }
            times
        }

        #[synchronized(stock)]
        pub async fn find<Q, const N: usize>(&self, wanted: [Q; N]) -> Option<usize>
        where
            T: PartialEq<Q>,
        {
            let is_wanted = |item: &T| wanted.iter().any(|wanted| item == wanted);
            stock.items.iter().position(is_wanted)
        }

        #[synchronized(stock)]
        pub async fn size<U>(&self) -> usize {
            size_of::<U>() + stock.items.len()
        }

        #[synchronized(stock)]
        pub async fn title(&self, _shelf: &str) -> &str {
            *stock.count += 1;
            self.name
        }

        #[synchronized(stock)]
        pub async fn title_or<'a>(&'a self, other: &'a str) -> &'a str {
            if stock.items.is_empty() { other } else { self.name }
        }

        #[synchronized(stock)]
        pub async fn longer<'a>(&self, a: &'a str, b: &'a str) -> &'a str {
            *stock.count += 1;
            if a.len() < b.len() { b } else { a }
        }

        #[synchronized(stock)]
        pub async fn this(self: &Self) -> &Self {
            *stock.count += 1;
            self
        }

        /// An item in a body is there once, however often it is reached.
        #[synchronized(stock)]
        pub async fn counted(&self) -> usize {
            static CALLS: AtomicUsize = AtomicUsize::new(0);
            struct Local(usize);
            *stock.count += 1;
            Local(CALLS.fetch_add(1, Ordering::Relaxed) + 1).0
        }

        #[synchronized(stock)]
        pub async fn is_even(&self, n: u32) -> bool {
            n == 0 || Box::pin(stock.is_odd(n - 1)).await
        }

        #[synchronized(stock)]
        pub async fn is_odd(&self, n: u32) -> bool {
            n != 0 && Box::pin(stock.is_even(n - 1)).await
        }

        #[synchronized(stock)]
        pub async fn take(&self) -> Result<T, &'static str> {
            let item = stock.items.pop().ok_or("nothing there")?;
            if *stock.count == 0 {
                return Err("the count is wrong");
            }
            *stock.count -= 1;
            Ok(item)
        }

        #[synchronized(stock, when = !stock.items.is_empty())]
        pub async fn wait_for_one(&self) -> Option<T> {
            stock.take().await.ok()
        }

        /// Not on the view, but under a lock that is.
        #[synchronized(stock, waiting)]
        pub async fn serve(&self) -> Option<(String, T)> {
            let customer = waiting.value.pop()?;
            Some((customer, stock.take().await.ok()?))
        }

        #[synchronized(waiting)]
        pub async fn queue(&self, customer: &str) -> usize {
            waiting.value.push(customer.to_owned());
            waiting.value.len()
        }

        #[synchronized(read(prices))]
        pub async fn price(&self, pieces: u32) -> u32 {
            *prices.price * pieces
        }

        #[synchronized(read(prices))]
        pub async fn twice(&self, pieces: u32) -> u32 {
            pause().await;
            prices.price(pieces).await * 2
        }

        #[synchronized(write(prices))]
        pub async fn raise(&self, by: u32) -> (u32, u32) {
            let before = prices.twice(1).await;
            *prices.price += by;
            (before, prices.price(2).await)
        }

        /// A plain lock keeps its plain binding.
        #[synchronized(log)]
        pub async fn note(&self, entry: &'static str) -> usize {
            log.push(entry);
            log.len()
        }

        async fn restock(&self, item: T) {
            self.add(item).await;
            self.note("restocked").await;
        }

        pub async fn open(&self, item: T) -> usize {
            self.restock(item.clone()).await;
            with_lock!(self.stock, {
                stock.add(item).await;
                BODIES.fetch_add(1, Ordering::Relaxed);
                stock.size::<()>().await
            })
        }

        #[cfg(any())]
        #[synchronized(stock)]
        pub async fn never(&self) -> NoSuchType {
            stock.nothing
        }

        #[cfg(all())]
        #[synchronized(stock)]
        pub async fn always(&self) -> usize {
            *stock.count
        }
    }
}

use shop::Shop;

#[test]
fn several_operations_are_one_section() {
    let shop = Shop::new("corner");
    let seen = block_on(async {
        let composed = async {
            with_lock!(shop.stock, {
                stock.add(1).await;
                pause().await;
                stock.add_all([2, 3]).await
            })
        };
        join(composed, shop.add(9)).await
    });
    // Nobody got in between.
    assert_eq!(seen, (3, 4));
}
