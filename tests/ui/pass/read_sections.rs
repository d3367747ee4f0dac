#![no_implicit_prelude]
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub, unused)]
#![deny(unused_qualifications, single_use_lifetimes, let_underscore_drop, unused_results)]
#![deny(unused_lifetimes, unnameable_types, private_interfaces, elided_lifetimes_in_paths)]
//! Read sections of locks that one task holds at a time: under lints that are not allowed
//! by default, with names of the user's that could be in the way, and with locks of other
//! types than those of async-monitor.

use ::async_monitor::{AsyncLock, Guarded, Lock, Mutex, MutexGuard, monitor, synchronized, with_lock};
use ::std::convert::{From, Infallible};
use ::std::marker::Sized;
use ::std::option::Option::{self, Some};
use ::std::result::Result::{self, Ok};
use ::std::string::String;

/// What derefs to a lock, and is one itself, which comes first.
#[derive(Debug)]
pub struct Fence {
    outer: Mutex<u8>,
    inner: ::async_monitor::RwLock<&'static str>,
}

impl ::std::ops::Deref for Fence {
    type Target = ::async_monitor::RwLock<&'static str>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl AsyncLock for Fence {
    type Guard<'a> = MutexGuard<'a, u8>;
    type Error = Infallible;

    async fn acquire(&self) -> Result<MutexGuard<'_, u8>, Infallible> {
        Ok(self.outer.lock().await)
    }

    fn try_acquire(&self) -> Option<MutexGuard<'_, u8>> {
        self.outer.try_lock()
    }
}

/// Methods of every type, by names that expansions might use.
pub trait Names {
    /// Not that of an expansion.
    fn acquire(&self) {}
    /// Not that of an expansion.
    fn release_unchanged(&self) {}
    /// Not that of an expansion.
    fn guard(&mut self) {}
    /// Not that of an expansion.
    fn id(&self) {}
}

impl<T: ?Sized> Names for T {}

/// An object.
#[derive(Debug, Guarded)]
pub struct Account<'d, T, const N: usize>
where
    T: ::std::clone::Clone,
{
    name: &'d str,
    ledger: Lock,
    /// What there is.
    #[guarded_by(ledger)]
    pub balance: Guarded<[T; N]>,
    #[lock]
    read: ::std::sync::Arc<Mutex<String>>,
    fence: Fence,
}

#[monitor]
impl<'d, T: ::std::clone::Clone, const N: usize> Account<'d, T, N> {
    /// An account.
    pub fn new(name: &'d str, balance: [T; N]) -> Self {
        Account {
            name,
            ledger: Lock::new(),
            balance: Guarded::new(balance),
            read: ::std::default::Default::default(),
            fence: Fence { outer: Mutex::new(1), inner: ::async_monitor::RwLock::new("inner") },
        }
    }

    /// Reads.
    #[synchronized(read(ledger))]
    pub async fn first(&self) -> Option<T> {
        ledger.balance.first().cloned()
    }

    /// Needs nothing but the exclusion.
    #[synchronized(read(ledger), when = N > 0)]
    pub async fn nothing(&self) {}

    /// Reads what has the name of the mode, and borrows from the object.
    #[synchronized(read(read), no_await)]
    pub async fn texts(&self) -> (usize, &'d str, &str) {
        (read.value.len(), self.name, self.name)
    }

    /// Suspends.
    #[synchronized(l = read(ledger))]
    async fn suspends<U: From<T>>(&self, _unused: u8, (a, b): (u8, u8)) -> Option<(U, u8)> {
        ::std::future::ready(()).await;
        let first = l.first().await?;
        Some((U::from(first), a + b))
    }

    /// Writes.
    #[synchronized(ledger)]
    pub async fn fill(&self, value: T) -> Option<T> {
        ledger.balance.fill(value);
        ledger.first().await
    }

    /// The nearest lock is the one that excludes.
    #[synchronized(read(fence))]
    pub async fn fence(&self) -> u8 {
        let value: &u8 = fence;
        *value
    }
}

/// A block, with other bases.
pub async fn block(account: &&Account<'_, u8, 2>) -> u8 {
    #[derive(Guarded)]
    struct Local {
        lock: Lock,
        #[guarded_by(lock)]
        value: Guarded<u8>,
    }
    let local = Local { lock: Lock::new(), value: Guarded::new(3) };
    let fence = &&account.fence;
    with_lock!(read(account.ledger), read(local.lock), f = read(fence), {
        ledger.balance[0] + *lock.value + *f
    })
}

fn main() {
    let account = Account::new("x", [1_u8, 2]);
    ::futures::executor::block_on(async {
        ::std::assert_eq!(account.first().await, Some(1));
        account.nothing().await;
        ::std::assert_eq!(account.texts().await, (0, "x", "x"));
        ::std::assert_eq!(account.suspends::<u32>(0, (1, 2)).await, Some((1, 3)));
        ::std::assert_eq!(account.fill(7).await, Some(7));
        ::std::assert_eq!(account.fence().await, 1);
        ::std::assert_eq!(block(&&account).await, 11);
    });
}
