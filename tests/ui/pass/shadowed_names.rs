//! Names of the prelude, and of what expansions use, mean something else.

#![allow(dead_code, unused_macros)]

mod core {}
mod std {}
struct Option;
struct Some;
struct None;
struct Result;
struct Ok;
struct Err;
struct PhantomData;
struct Send;
struct Sync;
struct Future;
struct Box;
trait Drop {}
trait Fn {}
trait FnOnce {}
trait Clone {}
fn drop() {}

/// Methods of the names that expansions call, on everything.
trait Everything {
    fn owner(&self) {}
    fn release(self)
    where
        Self: Sized,
    {
    }
    fn fields(&self) {}
    fn acquire(&self) {}
    fn select(&self) {}
    fn settle(&self) {}
    fn view(&self) {}
    fn bind(&self) {}
    fn value(&self) {}
    fn map(&self) {}
    fn poll(&self) {}
    fn id(&self) {}
    fn lock_id(&self) {}
}
impl<T: ?Sized> Everything for T {}

macro_rules! stringify {
    () => {};
}

#[derive(async_monitor::Guarded)]
struct Account<T> {
    ledger: async_monitor::Lock,
    #[guarded_by(ledger)]
    balance: async_monitor::Guarded<T>,
    #[lock(rw)]
    cfg: async_monitor::RwLock<()>,
    #[guarded_by(cfg)]
    limit: async_monitor::Guarded<T>,
    #[lock]
    state: async_monitor::Mutex<T>,
}

impl<T> Account<T> {
    #[async_monitor::synchronized(ledger)]
    async fn one(&self) -> &mut usize {
        let _ = &ledger.balance;
        loop {}
    }

    #[async_monitor::synchronized(ledger, read(cfg), state)]
    async fn several(&self)
    where
        T: ::core::marker::Sync,
    {
        let _ = (&ledger.balance, &cfg.limit, &state.value);
    }
}

#[async_monitor::monitor]
impl<T> Account<T> {
    #[async_monitor::synchronized(ledger)]
    async fn view(&self, object: T) -> &mut usize {
        *ledger.balance = object;
        loop {}
    }

    #[async_monitor::synchronized(read(cfg))]
    async fn object<'a>(&'a self, __read: &'a T) -> &'a T
    where
        T: ::core::marker::Sync,
    {
        let _ = &cfg.limit;
        __read
    }
}

fn main() {}
