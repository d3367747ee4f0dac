//! `#[monitor]`: held forms of methods.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_monitor::{Guarded, Lock, Mutex, RwLock, monitor, synchronized, with_lock};
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
        pub(super) stock: Lock,
        /// In the order of arrival.
        #[guarded_by(stock)]
        items: Guarded<Vec<T>>,
        #[guarded_by(stock)]
        count: Guarded<usize>,
        #[lock]
        waiting: Mutex<Vec<String>>,
        #[lock(rw)]
        pub(super) prices: RwLock<()>,
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
            if stock.items.is_empty() {
                other
            } else {
                self.name
            }
        }

        #[synchronized(stock)]
        pub async fn longer<'a>(&self, a: &'a str, b: &'a str) -> &'a str {
            *stock.count += 1;
            if a.len() < b.len() { b } else { a }
        }

        #[synchronized(stock)]
        #[allow(clippy::needless_arbitrary_self_type)]
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

        #[cfg(test)]
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

#[test]
fn both_forms_are_one_body() {
    let shop = Shop::<u8>::new("corner");
    block_on(async {
        assert_eq!(shop.counted().await, 1);
        let mut guard = shop.acquire_stock().await;
        assert_eq!(guard.fields().counted().await, 2);
        drop(guard);
        assert_eq!(shop.counted().await, 3);
        let other = Shop::<u8>::new("of the same type");
        assert_eq!(other.counted().await, 4);
    });
}

#[test]
fn what_is_borrowed_from_the_object_lives_as_long_as_the_section() {
    let shop = Shop::<u8>::new("corner");
    block_on(async {
        let mut guard = shop.acquire_stock().await;
        let mut stock = guard.fields();
        let title = stock.title(&String::from("short-lived")).await;
        let here = stock.this().await;
        // Neither borrows the view.
        assert_eq!(stock.always().await, 2);
        assert_eq!((title, here.name), ("corner", "corner"));

        let other = String::from("other");
        assert_eq!(stock.title_or(&other).await, "other");
        let longer = {
            let (a, b) = ("short", "longer");
            stock.longer(a, b).await
        };
        assert_eq!(longer, "longer");
    });
}

#[test]
fn signatures_of_all_kinds() {
    let shop = Shop::new("corner");
    block_on(async {
        assert_eq!(shop.add_all(vec![1, 2, 3]).await, 3);
        assert_eq!(shop.swap((0, 2), 1, ()).await, 0);
        assert_eq!(shop.find([3, 7]).await, Some(0));
        assert_eq!(shop.size::<u16>().await, 5);
        let mut guard = shop.acquire_stock().await;
        let mut stock = guard.fields();
        assert_eq!(stock.swap((0, 2), 3, ()).await, 0);
        assert_eq!(stock.find([3, 7]).await, Some(2));
        assert_eq!(stock.size::<u32>().await, 7);
        assert!(stock.is_even(10).await);
        assert_eq!(stock.take().await, Ok(3));
        assert_eq!(stock.always().await, 2);
    });
}

#[test]
fn errors_and_conditions_go_through() {
    let shop = Shop::new("corner");
    block_on(async {
        assert_eq!(shop.take().await, Err("nothing there"));
        let (item, _) = join(shop.wait_for_one(), shop.add(7)).await;
        assert_eq!(item, Some(7));
        shop.add(8).await;
        assert_eq!(shop.serve().await, None);
        assert_eq!(shop.queue("Ada").await, 1);
        assert_eq!(shop.serve().await, Some(("Ada".to_owned(), 8)));
    });
}

#[test]
fn methods_that_read_are_on_both_views() {
    let shop = Shop::<u8>::new("corner");
    block_on(async {
        assert_eq!(shop.twice(2).await, 12);
        assert_eq!(shop.raise(2).await, (6, 10));
        let guard = shop.read_prices().await;
        let (one, other) = (guard.fields(), shop.read_prices().await);
        assert_eq!(join(one.twice(1), other.fields().price(3)).await, (10, 15));
        drop((guard, other));
        let mut guard = shop.write_prices().await;
        let mut prices = guard.fields();
        assert_eq!(prices.raise(1).await, (10, 12));
        // By shared reference, too.
        let prices = &prices;
        assert_eq!(join(prices.price(1), prices.twice(1)).await, (6, 12));
    });
}

#[test]
fn plain_locks_and_helpers_stay_what_they_are() {
    let shop = Shop::new("corner");
    block_on(async {
        assert_eq!(shop.open(1_u8).await, 2);
        assert_eq!(shop.note("closed").await, 2);
        assert_eq!(shop::BODIES.load(Ordering::Relaxed), 1);
    });
    assert_eq!(Shop::<u8>::LIMIT, 10);
}

#[test]
fn futures_are_send() {
    let shop = Arc::new(Shop::new("corner"));
    let shop = &shop;
    let task = is_send(async move {
        shop.add(1).await;
        shop.raise(1).await;
        shop.is_even(4).await;
        let mut guard = shop.acquire_stock().await;
        let mut stock = guard.fields();
        stock.add_all([1, 2]).await;
        stock.title("").await.len()
    });
    assert_eq!(block_on(task), 6);
}

#[test]
fn futures_over_generic_data_are_send() {
    fn check<T: Clone + Send + Sync>(shop: &Shop<'_, T>, item: T) {
        drop(is_send(shop.add(item.clone())));
        drop(is_send(shop.add_all([item.clone()])));
        drop(is_send(shop.twice(1)));
        drop(is_send(async move {
            let mut guard = shop.acquire_stock().await;
            let mut stock = guard.fields();
            stock.add_all([item]).await;
            stock.take().await
        }));
        drop(is_send(async move {
            let mut guard = shop.write_prices().await;
            guard.fields().raise(1).await
        }));
    }
    check(&Shop::new("corner"), 1);
}

/// What goes through the macro of the struct on its way.
#[test]
fn bodies_may_contain_anything() {
    macro_rules! counter {
        ($name:ident, $ty:ty, $body:expr) => {
            #[derive(Default, Guarded)]
            struct $name {
                lock: Lock,
                #[guarded_by(lock)]
                value: Guarded<$ty>,
            }

            #[monitor]
            impl $name {
                #[synchronized(lock)]
                async fn add(&self, n: $ty) -> $ty {
                    *lock.value += n;
                    $body
                }

                #[synchronized(lock)]
                async fn add_twice(&self, n: $ty) -> $ty {
                    lock.add(n).await + lock.add(n).await
                }
            }
        };
    }

    #[derive(Default, Guarded)]
    struct Words {
        lock: Lock,
        #[guarded_by(lock)]
        value: Guarded<String>,
    }

    #[monitor]
    impl Words {
        #[synchronized(lock)]
        async fn add(&self, word: &str) -> usize {
            macro_rules! push {
                ($($word:expr),* $(,)?) => {{ $(lock.value.push_str($word);)* }};
            }
            /// A doc comment.
            const EMPTY: &str = "";
            push!(word, EMPTY, r#"{"}"#);
            let 'x' = 'x' else { unreachable!("{{") };
            'outer: {
                break 'outer lock.value.len();
            }
        }
    }

    counter!(Counter, u8, 1 + 1);
    block_on(async {
        assert_eq!(Counter::default().add_twice(1).await, 4);
        let words = Words::default();
        assert_eq!(words.add("ab").await, 5);
        assert_eq!(words.acquire_lock().await.fields().add("").await, 8);
    });
}

/// A body without `.await` costs no future of its own.
#[cfg_attr(debug_assertions, ignore = "what is watched is larger")]
#[test]
fn a_body_that_does_not_suspend_is_no_future() {
    struct Big([u8; 512]);

    #[derive(Guarded)]
    struct Buffer {
        lock: Lock,
        #[guarded_by(lock)]
        last: Guarded<u8>,
    }

    #[monitor]
    impl Buffer {
        #[synchronized(lock)]
        async fn put(&self, big: Big) {
            *lock.last = big.0[0];
            assert!(*lock.last == 1, "{}", lock.last);
        }
    }

    struct ByHand {
        lock: Mutex<u8>,
    }

    impl ByHand {
        async fn put(&self, big: Big) {
            let mut last = self.lock.lock().await;
            *last = big.0[0];
            assert!(*last == 1, "{last}");
        }
    }

    let buffer = Buffer {
        lock: Lock::new(),
        last: Guarded::new(0),
    };
    let by_hand = ByHand {
        lock: Mutex::new(0),
    };
    let size = size_of_val(&buffer.put(Big([1; 512])));
    let by_hand = size_of_val(&by_hand.put(Big([1; 512])));

    assert!(size <= by_hand + 64, "{size}, by hand {by_hand}");
    let mut guard = buffer.try_acquire_lock().expect("nobody has it");
    let mut lock = guard.fields();
    let twin = lock.put(Big([1; 512]));
    println!("{}", size_of_val(&twin));
    assert!(size_of_val(&twin) <= 2 * 512 + 64, "{}", size_of_val(&twin));
    block_on(twin);
    assert_eq!(*lock.last, 1);
}

/// Fields of the view and methods of the guard may have the names of methods.
mod names {
    use super::*;

    #[derive(Guarded)]
    pub struct Cell {
        r#type: Lock,
        #[guarded_by(r#type)]
        value: Guarded<u8>,
    }

    #[monitor]
    impl Cell {
        #[synchronized(r#type)]
        pub async fn value(&self) -> u8 {
            *r#type.value
        }

        #[synchronized(r#type)]
        pub async fn fields(&self) -> u8 {
            r#type.value().await
        }

        #[synchronized(t = r#type)]
        pub async fn release(&self, r#final: u8) -> u8 {
            t.fields().await + r#final
        }

        #[async_monitor::synchronized(r#type)]
        pub async fn lock_id(&self) -> u8 {
            r#type.r#match(1).await
        }

        #[synchronized(self.r#type)]
        pub async fn r#match(&self, __guard0: u8) -> u8 {
            *r#type.value += __guard0;
            r#type.release(1).await
        }

        // A parameter that the body cannot see is no reason to fail.
        #[synchronized(l = r#type)]
        #[allow(unused_variables)]
        pub async fn hidden(&self, l: u8) -> u8 {
            *l.value
        }
    }

    #[test]
    fn names_do_not_collide() {
        let cell = Cell {
            r#type: Lock::new(),
            value: Guarded::new(1),
        };
        block_on(async {
            assert_eq!(cell.lock_id().await, 3);
            assert_eq!(cell.hidden(9).await, 2);
            let mut guard = cell.acquire_type().await;
            assert_eq!(guard.fields().fields().await, 2);
            assert_eq!(guard.fields().release(1).await, 3);
        });
    }
}

/// Wherever the path of the struct leads, `#[monitor]` works.
mod places {
    use super::*;

    // In front of the struct.
    #[monitor]
    impl bank::Account {
        #[synchronized(ledger)]
        pub async fn outside(&self) -> u8 {
            ledger.inside().await + ledger.child().await
        }
    }

    mod bank {
        use super::*;

        macro_rules! declare {
            ($name:ident { $($lock:ident: $($field:ident)*;)* }) => {
                #[derive(Guarded)]
                pub struct $name {
                    $(pub $lock: Lock, $(#[guarded_by($lock)] $field: Guarded<u8>,)*)*
                }
            };
        }

        declare!(Account { ledger: balance; });

        #[monitor]
        impl Account {
            pub fn new() -> Self {
                Account {
                    ledger: Lock::new(),
                    balance: Guarded::new(1),
                }
            }

            #[synchronized(ledger)]
            pub async fn inside(&self) -> u8 {
                *ledger.balance
            }
        }

        pub mod child {
            use super::Account as Renamed;
            use super::*;

            #[monitor]
            impl super::Account {
                #[synchronized(ledger)]
                pub async fn child(&self) -> u8 {
                    *ledger.balance + 1
                }
            }

            #[monitor]
            impl Account {
                #[synchronized(ledger)]
                pub async fn grandchild(&self) -> u8 {
                    ledger.child().await
                }
            }

            pub fn _is_used(_: Renamed) {}
        }
    }

    pub use bank::Account;

    #[test]
    fn in_other_modules() {
        let account = Account::new();
        assert_eq!(block_on(account.outside()), 3);
        assert_eq!(block_on(account.grandchild()), 2);
    }

    #[test]
    fn in_a_fn() {
        #[derive(Default, Guarded)]
        struct Local<'a, T> {
            lock: Lock,
            #[guarded_by(lock)]
            value: Guarded<Vec<&'a T>>,
        }

        #[monitor]
        impl<'a, T> Local<'a, T> {
            #[synchronized(lock)]
            async fn push(&self, value: &'a T) -> usize {
                lock.value.push(value);
                lock.value.len()
            }

            #[synchronized(lock)]
            async fn push_two(&self, value: &'a T) -> usize {
                lock.push(value).await;
                lock.push(value).await
            }
        }

        #[monitor]
        impl Local<'_, &str> {
            #[synchronized(lock)]
            async fn first(&self) -> Option<&str> {
                lock.value.first().map(|first| **first)
            }
        }

        let local = Local::default();
        assert_eq!(block_on(local.push_two(&"x")), 2);
        assert_eq!(block_on(local.first()), Some("x"));
    }

    /// Called like a struct of the module outside.
    mod shadow {
        use super::{Guarded, Lock, block_on, monitor, synchronized};

        #[derive(Default, Guarded)]
        pub struct Account {
            ledger: Lock,
            #[guarded_by(ledger)]
            balance: Guarded<u8>,
        }

        #[cfg(test)]
        #[monitor]
        #[cfg_attr(test, allow(unused_variables))]
        impl Account {
            #[synchronized(ledger)]
            #[cfg_attr(test, allow(clippy::let_and_return))]
            async fn get(&self, unused: u8) -> u8 {
                let balance = *ledger.balance;
                balance
            }

            #[synchronized(ledger)]
            async fn get_twice(&self) -> u8 {
                ledger.get(0).await + ledger.get(1).await
            }
        }

        #[test]
        fn it_is_another_one() {
            assert_eq!(block_on(Account::default().get_twice()), 0);
        }
    }

    #[test]
    fn in_another_fn_under_the_same_name() {
        #[derive(Default, Guarded)]
        struct Local {
            #[lock(rw)]
            lock: RwLock<u8>,
        }

        #[monitor]
        impl Local {
            #[synchronized(read(lock))]
            async fn get(&self) -> u8 {
                *lock.value
            }

            #[synchronized(lock)]
            async fn set(&self, value: u8) -> u8 {
                let before = lock.get().await;
                *lock.value = value;
                before
            }
        }

        let local = Local::default();
        assert_eq!(block_on(local.set(3)), 0);
        assert_eq!(block_on(local.get()), 3);
    }
}

/// The runtime under another path, and nothing under its own.
mod renamed {
    pub mod deep {
        pub use ::async_monitor as notation;
    }

    mod async_monitor {}

    use deep::notation::{Guarded, RwLock, monitor, synchronized};

    #[derive(Guarded, Default)]
    #[guarded(crate = crate::renamed::deep::notation)]
    struct Account {
        #[lock(rw)]
        cfg: RwLock<u8>,
    }

    #[monitor(crate = deep::notation)]
    impl Account {
        #[synchronized(read(cfg))]
        async fn get(&self) -> u8 {
            *cfg.value
        }

        #[synchronized(write(cfg), no_await)]
        async fn add(&self, n: u8) -> u8 {
            *cfg.value += n;
            *cfg.value
        }

        #[synchronized(cfg)]
        async fn add_twice(&self, n: u8) -> u8 {
            cfg.add(n).await;
            cfg.add(n).await + cfg.get().await
        }
    }

    #[test]
    fn the_crate_can_be_reached_by_another_path() {
        assert_eq!(super::block_on(Account::default().add_twice(2)), 8);
    }
}

/// Derives of the prelude keep their meaning next to a struct of that name.
mod prelude {
    use super::*;

    #[derive(Debug, Default, Guarded)]
    pub struct Hash {
        lock: Lock,
        #[guarded_by(lock)]
        value: Guarded<u8>,
    }

    #[derive(Hash)]
    pub struct Other(pub u8);

    #[test]
    fn derives_are_not_hidden() {
        let _ = (Hash::default(), Other(1).0);
    }
}

/// The options of sections, next to the held form.
mod options {
    use std::time::Duration;

    use async_monitor::Elapsed;

    use super::*;

    #[derive(Default, Guarded)]
    struct Account {
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
    }

    #[derive(Debug, PartialEq)]
    enum Refused {
        Overdraft,
        Late,
    }

    impl From<Elapsed> for Refused {
        fn from(_: Elapsed) -> Self {
            Refused::Late
        }
    }

    #[monitor]
    impl Account {
        #[synchronized(ledger, timeout = patience)]
        async fn add(&self, n: i64, patience: Duration) -> Result<i64, Refused> {
            if *ledger.balance + n < 0 {
                return Err(Refused::Overdraft);
            }
            *ledger.balance += n;
            Ok(*ledger.balance)
        }

        /// It needs the parameter that the pattern makes, and has one form.
        #[synchronized(ledger, timeout = patience)]
        async fn pair(&self, (n, patience): (i64, Duration)) -> Result<i64, Refused> {
            ledger.add(n, patience).await
        }

        #[synchronized(ledger, atomic)]
        async fn add_all(&self, amounts: &[i64]) -> Result<i64, Refused> {
            let mut balance = 0;
            for amount in amounts {
                balance = ledger.add(*amount, Duration::ZERO).await?;
            }
            Ok(balance)
        }
    }

    #[monitor]
    impl Account {
        /// All or nothing, also within another section.
        #[synchronized(ledger, atomic)]
        async fn spend(&self, amount: i64) -> Result<i64, Refused> {
            *ledger.balance -= amount;
            if *ledger.balance < 0 {
                return Err(Refused::Overdraft);
            }
            Ok(*ledger.balance)
        }

        #[synchronized(ledger)]
        async fn spend_what_can_be_spent(&self, amounts: &[i64]) -> i64 {
            for amount in amounts {
                let _ = ledger.spend(*amount).await;
            }
            *ledger.balance
        }

        #[synchronized(ledger, atomic)]
        async fn spend_slowly(&self) -> Result<(), Refused> {
            *ledger.balance -= 1;
            std::future::pending::<()>().await;
            Ok(())
        }

        #[synchronized(ledger)]
        async fn impatient(&self) -> i64 {
            *ledger.balance += 1;
            let cancelled = futures::FutureExt::now_or_never(ledger.spend_slowly());
            assert!(cancelled.is_none());
            *ledger.balance
        }
    }

    #[test]
    fn a_part_of_a_section_is_all_or_nothing() {
        let account = Account::default();
        block_on(async {
            account.add(10, Duration::ZERO).await.unwrap();
            assert_eq!(account.spend(11).await, Err(Refused::Overdraft));
            let left = account.spend_what_can_be_spent(&[3, 8, 5, 4]).await;
            assert_eq!(left, 2);
            assert_eq!(account.impatient().await, 3);
            assert_eq!(account.spend(3).await, Ok(0));
        });
    }

    #[tokio::test]
    async fn a_timeout_is_about_the_acquisition() {
        let account = Account::default();
        let mut guard = account.acquire_ledger().await;
        // Under the lock, it enters at once.
        let mut ledger = guard.fields();
        assert_eq!(ledger.add(1, Duration::ZERO).await, Ok(1));
        assert_eq!(
            ledger.add(-2, Duration::ZERO).await,
            Err(Refused::Overdraft)
        );
        let late = account.add(1, Duration::from_millis(5)).await;
        assert_eq!(late, Err(Refused::Late));
        drop(guard);
        assert_eq!(account.pair((1, Duration::from_secs(9))).await, Ok(2));
    }

    #[test]
    fn what_a_section_calls_is_undone_with_it() {
        let account = Account::default();
        block_on(async {
            assert_eq!(account.add_all(&[1, 2]).await, Ok(3));
            assert_eq!(account.add_all(&[1, -9]).await, Err(Refused::Overdraft));
            assert_eq!(*account.acquire_ledger().await.fields().balance, 3);
        });
    }
}

/// What `matches!` takes is no row of expressions.
mod patterns {
    use super::*;

    #[derive(Guarded, Default)]
    struct Slot {
        ledger: Lock,
        #[guarded_by(ledger)]
        least: Guarded<u32>,
    }

    #[monitor]
    impl Slot {
        #[synchronized(ledger)]
        async fn is_enough(&self, amount: u32) -> bool {
            matches!(self.fetched(amount).await, Some(ref found) if *found >= *ledger.least)
        }

        #[synchronized(ledger)]
        async fn raise(&self, amount: u32) -> bool {
            *ledger.least += amount;
            ledger.is_enough(amount).await
        }

        async fn fetched(&self, amount: u32) -> Option<u32> {
            pause().await;
            Some(amount)
        }
    }

    #[test]
    fn an_await_in_matches_is_seen() {
        let slot = Slot::default();
        assert!(block_on(slot.raise(2)));
        assert!(!block_on(slot.raise(1)));
    }
}

/// A body whose result borrows has a view that ends with it.
mod borrowed_results {
    use super::*;

    #[derive(Guarded)]
    struct Account<'n> {
        name: &'n str,
        ledger: Lock,
        #[guarded_by(ledger)]
        balance: Guarded<i64>,
        #[guarded_by(ledger)]
        owner: Guarded<&'n str>,
        #[lock(rw)]
        cfg: RwLock<()>,
        #[guarded_by(cfg)]
        limit: Guarded<&'n str>,
    }

    #[monitor]
    impl<'n> Account<'n> {
        /// The reference that it puts into its view lives shorter than the section.
        #[synchronized(ledger)]
        async fn swapped(&self, other: &mut i64) -> &str {
            ledger.balance = other;
            pause().await;
            *ledger.balance += 1;
            self.name
        }

        #[synchronized(ledger)]
        async fn owner(&self) -> &'n str {
            pause().await;
            ledger.owner
        }

        #[synchronized(read(cfg))]
        async fn limit(&self) -> &'n str {
            cfg.limit
        }

        #[synchronized(read(cfg))]
        async fn longest<'a>(&'a self, text: &'a str) -> &'a str {
            if cfg.limit().await.len() > text.len() {
                self.name
            } else {
                text
            }
        }

        #[synchronized(ledger)]
        async fn all<'x>(&self, other: &'x mut i64) -> (&'n str, i64) {
            assert_eq!(ledger.swapped(other).await, self.name);
            *ledger.balance += 10;
            (ledger.owner().await, *ledger.balance)
        }
    }

    #[test]
    fn the_view_of_the_caller_is_as_it_was() {
        let name = String::from("a");
        let account = Account {
            name: &name,
            ledger: Lock::new(),
            balance: Guarded::new(0),
            owner: Guarded::new("o"),
            cfg: RwLock::new(()),
            limit: Guarded::new("four"),
        };
        block_on(is_send(async {
            let mut other = 5;
            assert_eq!(account.swapped(&mut other).await, "a");
            assert_eq!(account.all(&mut other).await, ("o", 10));
            assert_eq!(other, 7);
            assert_eq!(account.longest("six").await, "a");
            assert_eq!(account.limit().await, "four");
        }));
    }
}
