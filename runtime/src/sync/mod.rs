//! Sync locks: locks for sections that never suspend.
//!
//! Most shared state is used in short sections without an `.await`, often from plain fns:
//! constructors, destructors, callbacks, `poll_next`. These locks are for such sections.
//!
//! | | `async_monitor::Lock`, `Mutex`, `RwLock` | `sync::Lock`, `Mutex`, `RwLock` |
//! |---|---|---|
//! | a section may `.await` | yes | no: it does not compile |
//! | to acquire | a future | a plain call, which parks the thread while another holds the lock |
//! | under contention by several threads | in order, by hand-off | in no order, and many times faster |
//! | a guard | may be sent to another thread | is not `Send`: no future that keeps one over an `.await` can be spawned |
//! | conditions (`when`) | in order | in order among themselves |
//!
//! Each wraps a *platform lock*: that of the standard library, or parking_lot's with the feature
//! `parking_lot`. It adds conditions: a section can wait until the guarded data satisfies a
//! condition, without holding the lock, and in an `async fn` without blocking a thread. Nobody has
//! to notify: each release that may have changed the data lets the waiters check it. Without
//! waiters, this costs one load.
//!
//! There is no poisoning: a guard that is dropped by a panic releases the lock.
//!
//! A section that runs for long, or blocks while it holds such a lock, blocks its executor thread
//! and the tasks on it. If a section has to wait for something, use the async lock.

#[cfg(feature = "std")]
mod hold;
#[cfg(feature = "std")]
mod lock;
#[cfg(feature = "std")]
mod misnamed;
#[cfg(feature = "std")]
mod mutex;
#[cfg(feature = "std")]
mod raw;
#[cfg(feature = "std")]
mod rwlock;
pub(crate) mod thread;
pub(crate) mod turns;
pub(crate) mod when;

#[cfg(feature = "std")]
pub use self::lock::{Lock, LockGuard};
#[cfg(feature = "std")]
pub use self::mutex::{Mutex, MutexGuard};
#[cfg(feature = "std")]
pub use self::rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
