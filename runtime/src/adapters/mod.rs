//! Locks of other crates in the macros of this one.
//!
//! `#[synchronized]`, `with_lock!`, `#[monitor]` and `#[derive(Guarded)]` acquire the locks of
//! tokio, async-lock and futures like those of this crate. A service can adopt the macros first,
//! and keep its locks.
//!
//! ```toml
//! async-monitor = { version = "0.1", features = ["tokio"] }
//! ```
//!
//! ```
//! # #[cfg(all(feature = "macros", feature = "tokio"))] {
//! use async_monitor::{synchronized, with_lock};
//! use tokio::sync::{Mutex, RwLock};
//!
//! #[derive(Default)]
//! struct Rooms {
//!     names: RwLock<Vec<String>>,
//!     visits: Mutex<u64>,
//! }
//!
//! impl Rooms {
//!     #[synchronized(names)]
//!     async fn open(&self, name: &str) {
//!         names.push(name.to_owned());           // a `&mut Vec<String>`
//!     }
//!
//!     #[synchronized(read(names), visits)]       // in one order, wherever it is written
//!     async fn visit(&self, name: &str) -> bool {
//!         *visits += 1;
//!         names.iter().any(|known| known == name)
//!     }
//! }
//!
//! async fn visits(rooms: &Rooms) -> u64 {
//!     with_lock!(rooms.visits, { *visits })
//! }
//! # futures::executor::block_on(async {
//! #     let rooms = Rooms::default();
//! #     rooms.open("a").await;
//! #     assert!(rooms.visit("a").await);
//! #     assert_eq!(visits(&rooms).await, 1);
//! # });
//! # }
//! ```
//!
//! # What works
//!
//! | lock | feature | implements | in a section | guards fields of a derive |
//! |---|---|---|---|---|
//! | `tokio::sync::Mutex<T>` | `tokio` | [`AsyncLock`](crate::AsyncLock) | `&mut T` | as `Mutex<()>` |
//! | `tokio::sync::RwLock<T>` | `tokio` | [`AsyncRwLock`](crate::AsyncRwLock) | `&mut T`, `&T` | as `RwLock<()>` |
//! | `tokio::sync::Semaphore` | `tokio` | `AsyncLock`, can fail: `permits?` | the permit | no |
//! | `async_lock::Mutex<T>` | `async-lock` | `AsyncLock` | `&mut T` | as `Mutex<()>` |
//! | `async_lock::RwLock<T>` | `async-lock` | `AsyncRwLock` | `&mut T`, `&T` | as `RwLock<()>` |
//! | `async_lock::Semaphore` | `async-lock` | `AsyncLock` | the permit | no |
//! | `futures::lock::Mutex<T>` | `futures` | `AsyncLock` | `&mut T` | as `Mutex<()>` |
//!
//! Each also works behind `&`, `Box`, `Rc` and `Arc`. A mutex or reader-writer lock with a `T` can
//! be marked in a derive, `#[lock] state: Mutex<State>`; its view then has the field `value`.
//! Acquiring a semaphore takes one permit. A semaphore never guards fields, because anybody can add
//! permits to it. That of tokio can be closed, hence the `?`.
//!
//! | | over these locks |
//! |---|---|
//! | several locks in a section, of whatever crate | yes, in the order of their ids |
//! | `read(..)`, `write(..)` | yes |
//! | `timeout = ..` | yes |
//! | `atomic`, `no_await` | yes |
//! | `blocking` in a plain fn | yes: it parks the thread until the lock's own future is ready |
//! | `#[monitor]`, `#[monitor(plain)]`, `#[holding(..)]` | yes |
//! | `acquire_x_owned()` of a derive | yes |
//! | [watching](crate::watch): sections, names, places, self-deadlocks, cycles | yes, where a section or a trait of this crate acquires the lock. Direct calls of `lock()` are not seen, nor grants that are not picked up |
//! | `when = ..` | no, a compile error: such a lock does not signal changes of its data |
//! | [`Condition::wait`](crate::Condition::wait) with a guard of such a lock | no, a compile error: a `Condition` re-acquires the lock through its wait queue |
//! | the guarantees of this crate: FIFO, no allocation, grants to tasks | no: the guarantees are those of the other crate |
//!
//! If you need one of these, change the type of the lock to [`Mutex`](crate::Mutex),
//! [`RwLock`](crate::RwLock) or [`Lock`](crate::Lock). The sections stay as they are.
//!
//! # What it costs
//!
//! Nothing: a section uses the lock's own future and guard. In builds that [watch](crate::watch),
//! each wait is recorded.

#[cfg(feature = "async-lock")]
mod async_lock;
#[cfg(feature = "futures")]
mod futures_lock;
#[cfg(feature = "tokio")]
mod tokio_sync;

/// Implements [`AsyncLock`](crate::AsyncLock) for a lock of another crate.
///
/// The id of such a lock is its address, as a section has it. No other lock has it at that
/// time: what a lock guards comes last in it, and what it is made of is its own.
#[cfg(any(feature = "async-lock", feature = "futures", feature = "tokio"))]
macro_rules! foreign_lock {
    (
        $lock:ty[$($generics:tt)*] is a $resource:ident, $mode:expr;
        $guard:ty, $error:ty, |$this:ident| $acquire:expr, $try_acquire:expr
    ) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::AsyncLock for $lock {
            type Guard<'a> = $guard where Self: 'a;
            type Error = $error;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn acquire(
                &self,
            ) -> impl ::core::future::Future<Output = Result<Self::Guard<'_>, Self::Error>> {
                let $this = self;
                $crate::adapters::watched!(self, $resource, $mode, $acquire)
            }

            #[inline]
            fn try_acquire(&self) -> Option<Self::Guard<'_>> {
                let $this = self;
                $try_acquire
            }

            #[inline]
            fn __watched_id(&self) -> Option<$crate::LockId> {
                Some($crate::LockId::of(self))
            }
        }
    };
}

/// Implements [`AsyncRwLock`](crate::AsyncRwLock) for a lock of another crate.
#[cfg(any(feature = "async-lock", feature = "tokio"))]
macro_rules! foreign_rw_lock {
    ($lock:ty[$($generics:tt)*]: $guard:ty, |$this:ident| $read:expr, $try_read:expr) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> $crate::AsyncRwLock for $lock {
            type ReadGuard<'a> = $guard where Self: 'a;

            #[cfg_attr(any(debug_assertions, feature = "watch"), track_caller)]
            #[inline]
            fn read(
                &self,
            ) -> impl ::core::future::Future<Output = Result<Self::ReadGuard<'_>, Self::Error>> {
                let $this = self;
                $crate::adapters::watched!(self, Lock, $crate::watch::Mode::Shared, $read)
            }

            #[inline]
            fn try_read(&self) -> Option<Self::ReadGuard<'_>> {
                let $this = self;
                $try_read
            }
        }
    };
}

/// The future, watched where the build watches.
#[cfg(any(feature = "async-lock", feature = "futures", feature = "tokio"))]
macro_rules! watched {
    ($lock:ident, $resource:ident, $mode:expr, $future:expr) => {
        $crate::watching::foreign($future, || $crate::watching::Ask {
            resource: $crate::watch::Resource::$resource,
            lock: $crate::LockId::of($lock),
            mode: $mode,
            type_name: ::core::any::type_name::<Self>,
            holder: None,
            held: None,
            permits: None,
            relocks: None,
        })
    };
}

#[cfg(any(feature = "async-lock", feature = "futures", feature = "tokio"))]
use foreign_lock;
#[cfg(any(feature = "async-lock", feature = "tokio"))]
use foreign_rw_lock;
#[cfg(any(feature = "async-lock", feature = "futures", feature = "tokio"))]
use watched;
