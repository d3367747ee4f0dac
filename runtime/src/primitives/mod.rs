//! The primitives of both flavours, and the one list of them.
//!
//! This folder is compiled twice: at the root of the crate for tasks on any thread,
//! and in [`local`](crate::local) for the tasks of one thread. `super::flavour` has all
//! differences between the two.

use super::flavour;

mod condition;
mod event;
mod lock;
mod misnamed;
mod mutex;
mod rwlock;
mod semaphore;

pub use self::condition::Condition;
pub use self::event::Event;
#[cfg(feature = "alloc")]
pub use self::lock::OwnedLockGuard;
pub use self::lock::{Lock, LockGuard};
#[cfg(feature = "alloc")]
pub use self::mutex::OwnedMutexGuard;
pub use self::mutex::{MappedMutexGuard, Mutex, MutexGuard};
#[cfg(feature = "alloc")]
pub use self::rwlock::{
    OwnedRwLockReadGuard, OwnedRwLockUpgradableReadGuard, OwnedRwLockWriteGuard,
};
pub use self::rwlock::{RwLock, RwLockReadGuard, RwLockUpgradableReadGuard, RwLockWriteGuard};
pub use self::semaphore::{
    BoundedSemaphore, BoundedSemaphorePermit, OverRelease, Semaphore, SemaphorePermit,
};
#[cfg(feature = "alloc")]
pub use self::semaphore::{OwnedBoundedSemaphorePermit, OwnedSemaphorePermit};

/// The named futures of the primitives, for storing them in a struct without a `Box`.
pub mod future {
    super::flavour::threads_only! {
        pub use crate::barrier::BarrierWait;
    }
    pub use super::condition::{ConditionWait, ConditionWaitFor};
    pub use super::event::EventWait;
    pub use super::lock::LockAcquire;
    #[cfg(feature = "alloc")]
    pub use super::lock::LockAcquireOwned;
    pub use super::mutex::MutexLock;
    #[cfg(feature = "alloc")]
    pub use super::mutex::MutexLockOwned;
    pub use super::rwlock::{RwLockRead, RwLockUpgradableRead, RwLockUpgrade, RwLockWrite};
    #[cfg(feature = "alloc")]
    pub use super::rwlock::{
        RwLockReadOwned, RwLockUpgradableReadOwned, RwLockUpgradeOwned, RwLockWriteOwned,
    };
    pub use super::semaphore::{BoundedSemaphoreAcquire, SemaphoreAcquire};
    #[cfg(feature = "alloc")]
    pub use super::semaphore::{BoundedSemaphoreAcquireOwned, SemaphoreAcquireOwned};
}

/// The primitives without data are consistent after every panic: a panic of a waker is
/// resumed once their state is in order.
macro_rules! unwind_safe {
    ($($primitive:ty),*) => {$(
        impl core::panic::UnwindSafe for $primitive {}
        impl core::panic::RefUnwindSafe for $primitive {}
    )*};
}

unwind_safe!(Lock, Event, Condition, Semaphore, BoundedSemaphore);
