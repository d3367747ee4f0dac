//! Monitors as in firmware: in a crate without std and without an allocator.
//!
//! Nothing parks a thread:
//!
//! ```compile_fail
//! use async_monitor::{Mutex, with_lock};
//!
//! fn add_one(count: &Mutex<u32>) {
//!     with_lock!(count, blocking, { *count += 1 });
//! }
//! ```
//!
//! ```compile_fail,E0599
//! async_monitor::Lock::new().acquire_blocking();
//! ```

#![no_std]
#![forbid(unsafe_code)]

use core::fmt;

use async_monitor::{
    BoundedSemaphore, Condition, Elapsed, Event, Guarded, Lock, Mutex, RwLock, Semaphore, local,
    monitor, synchronized, with_lock,
};

/// Whether the build of async-monitor has std: what else is built along with it decides.
pub fn monitors_have_std() -> bool {
    async_monitor::__with_std! {
        return true;
    }
    #[allow(unreachable_code)]
    false
}

/// Why money does not change hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is too little.
    TooLittle,
    /// It took too long. (Nothing here has a clock.)
    Late,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")
    }
}

impl core::error::Error for Refused {}

impl From<Elapsed> for Refused {
    fn from(_: Elapsed) -> Self {
        Refused::Late
    }
}

/// A derived monitor.
#[derive(Guarded)]
#[guarded(debug)]
pub struct Account {
    /// Read without the lock.
    pub id: u32,
    /// Guards the balance.
    pub ledger: Lock,
    /// What there is.
    #[guarded_by(ledger)]
    pub balance: Guarded<i64>,
    #[guarded_by(ledger)]
    deposits: Guarded<u32>,
}

impl Account {
    /// May be in a `static`.
    pub const fn new(id: u32, balance: i64) -> Self {
        Account {
            id,
            ledger: Lock::new(),
            balance: Guarded::new(balance),
            deposits: Guarded::new(0),
        }
    }
}

#[monitor]
impl Account {
    /// A section.
    #[synchronized(ledger)]
    pub async fn deposit(&self, amount: i64) -> i64 {
        *ledger.balance += amount;
        *ledger.deposits += 1;
        *ledger.balance
    }

    /// A section that runs another under the same lock.
    #[synchronized(ledger)]
    pub async fn deposit_twice(&self, amount: i64) -> i64 {
        ledger.deposit(amount).await;
        ledger.deposit(amount).await
    }

    /// A section that waits for a condition.
    #[synchronized(ledger, when = *ledger.balance >= amount)]
    pub async fn withdraw(&self, amount: i64) -> i64 {
        *ledger.balance -= amount;
        *ledger.balance
    }

    /// A section that is undone by an error.
    #[synchronized(ledger, atomic, no_await)]
    pub async fn withdraw_now(&self, amount: i64) -> Result<i64, Refused> {
        *ledger.balance -= amount;
        if *ledger.balance < 0 {
            return Err(Refused::TooLittle);
        }
        Ok(*ledger.balance)
    }

    /// A section that is undone by a panic.
    #[synchronized(ledger, atomic)]
    pub async fn set_and_panic(&self, balance: i64) {
        *ledger.balance = balance;
        panic!("in a section");
    }

    /// What there is, and how often something came.
    #[synchronized(ledger)]
    pub async fn state(&self) -> (i64, u32) {
        (*ledger.balance, *ledger.deposits)
    }
}

/// A section of two locks, in whatever order, which is undone as a whole.
pub async fn transfer(from: &Account, to: &Account, amount: i64) -> Result<(), Refused> {
    with_lock!(a = from.ledger, b = to.ledger, atomic, {
        *b.balance += amount;
        *a.balance -= amount;
        if *a.balance < 0 {
            Err(Refused::TooLittle)
        } else {
            Ok(())
        }
    })
}

/// A bounded queue with conditions by hand.
#[derive(Guarded)]
#[guarded(debug, snapshot)]
pub struct Ring {
    lock: Lock,
    #[guarded_by(lock)]
    items: Guarded<[u32; 4]>,
    #[guarded_by(lock)]
    first: Guarded<usize>,
    #[guarded_by(lock)]
    len: Guarded<usize>,
    not_full: Condition,
    not_empty: Condition,
}

impl Ring {
    /// Nothing is in it.
    pub const fn new() -> Self {
        Ring {
            lock: Lock::new(),
            items: Guarded::new([0; 4]),
            first: Guarded::new(0),
            len: Guarded::new(0),
            not_full: Condition::new(),
            not_empty: Condition::new(),
        }
    }

    /// The items.
    pub async fn items(&self) -> impl Iterator<Item = u32> {
        let ring = self.snapshot_lock().await;
        (0..ring.len).map(move |at| ring.items[(ring.first + at) % 4])
    }

    /// Waits while it is full.
    pub async fn push(&self, item: u32) {
        let mut guard = self.acquire_lock().await;
        while *guard.fields().len == 4 {
            guard = self.not_full.wait(guard).await;
        }
        let held = guard.fields();
        held.items[(*held.first + *held.len) % 4] = item;
        *held.len += 1;
        self.not_empty.notify_one(&guard);
    }

    /// Waits while it is empty.
    pub async fn pop(&self) -> u32 {
        let mut guard = self.acquire_lock().await;
        while *guard.fields().len == 0 {
            guard = self.not_empty.wait(guard).await;
        }
        let held = guard.fields();
        let item = held.items[*held.first];
        *held.first = (*held.first + 1) % 4;
        *held.len -= 1;
        self.not_full.notify_one(&guard);
        item
    }
}

impl Default for Ring {
    fn default() -> Self {
        Ring::new()
    }
}

/// Locks with a value of their own, in a struct without a derive.
#[derive(Debug)]
pub struct Sensor {
    config: RwLock<u32>,
    last: Mutex<Option<u32>>,
    /// There was a first measurement.
    pub ready: Event,
    /// How many may measure at a time.
    pub slots: Semaphore,
    /// The same, with an upper bound.
    pub bounded: BoundedSemaphore,
}

#[monitor(plain)]
impl Sensor {
    /// Nothing was measured.
    pub const fn new() -> Self {
        Sensor {
            config: RwLock::new(1),
            last: Mutex::new(None),
            ready: Event::new(),
            slots: Semaphore::new(2),
            bounded: BoundedSemaphore::new(2),
        }
    }

    /// Sets the factor.
    #[synchronized(write(self.config))]
    pub async fn configure(&self, factor: u32) {
        *config = factor;
    }

    /// Two locks, one of them to read.
    #[synchronized(read(self.config), self.last)]
    pub async fn measure(&self, raw: u32) -> u32 {
        *last = Some(raw * *config);
        self.ready.set();
        raw * *config
    }

    /// Waits for a measurement.
    #[synchronized(self.last, when = last.is_some())]
    pub async fn take(&self) -> Option<u32> {
        last.take()
    }
}

impl Default for Sensor {
    fn default() -> Self {
        Sensor::new()
    }
}

/// A monitor of one thread.
#[derive(Guarded, Default)]
#[guarded(debug, new)]
pub struct Counter {
    /// Guards the count.
    pub lock: local::Lock,
    #[guarded_by(lock)]
    count: Guarded<u32>,
}

#[monitor]
impl Counter {
    /// Counts one.
    #[synchronized(lock)]
    pub async fn add(&self) -> u32 {
        *lock.count += 1;
        *lock.count
    }

    /// Waits until so many are counted.
    #[synchronized(lock, when = *lock.count >= count)]
    pub async fn reached(&self, count: u32) -> u32 {
        *lock.count
    }
}
