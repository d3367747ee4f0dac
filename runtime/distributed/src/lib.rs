//! The sections of [`async_monitor`] across machines: locks that several processes share through a
//! common store, each named by a key.
//!
//! While a section runs, no other section of the same key is entered, **unless the process is
//! stopped for longer than its lease**. No lease can prevent that. So each section has a *fence*, a
//! number that only grows, and a resource that checks the fence refuses writes that come too late.
//!
//! ```no_run
//! # #[cfg(feature = "postgres")] mod billing {
//! use async_monitor::synchronized;
//! use async_monitor_distributed::postgres::{FenceError, PostgresLock};
//! use async_monitor_distributed::{Fenced, LockError};
//! use tokio_postgres::Client;
//! use tokio_postgres::types::Type;
//!
//! /// The kind of resource that the locks and fences protect.
//! pub struct Invoices;
//!
//! pub struct Billing {
//!     pub invoice: PostgresLock<Invoices>, // store.lock_for("billing/42")
//!     pub database: Fenced<Client, Invoices>,
//! }
//!
//! #[derive(Debug)]
//! pub enum Error {
//!     Lock(LockError),
//!     Fence(FenceError),
//! }
//! # impl From<LockError> for Error { fn from(error: LockError) -> Self { Error::Lock(error) } }
//! # impl From<FenceError> for Error { fn from(error: FenceError) -> Self { Error::Fence(error) } }
//!
//! impl Billing {
//!     /// One process at a time. If the lease is lost, the body is dropped at its `.await`.
//!     #[synchronized(self.invoice?)]
//!     pub async fn pay(&self, amount: i32) -> Result<(), Error> {
//!         let pay = "update invoices set paid = paid + $1 where id = 42";
//!         // Without a fence, or with the fence of another kind of lock, it does not compile.
//!         let database = self.database.with(&invoice.fence);
//!         database.execute(pay, &[(&amount, Type::INT4)]).await?;
//!         Ok(())
//!     }
//! }
//! # }
//! ```
//!
//! # The states of a section
//!
//! | state | in the store | leads to |
//! |---|---|---|
//! | idle | nothing | queued, held |
//! | queued: the acquisition waits | a place in the queue of the key | held; idle, if it is dropped |
//! | held: the body runs | the key belongs to this section, with a new fence | releasing, lost |
//! | releasing: the guard is dropped | the key still belongs to it, until the store has processed the release | idle |
//! | lost: the body is dropped where it waits | the lease ends a moment later, or has ended | idle |
//!
//! A process has one lease, that of its *session*, for all locks that it holds and waits for. A
//! background task renews it, three times per lease.
//!
//! # Invariants
//!
//! - **D1** The store grants a key only if no session with a live lease, by the store's clock,
//!   holds it. A later grant has a greater fence.
//! - **D2** A lease that has ended is never renewed, whatever the clocks do.
//! - **D3** A body is polled only for nine tenths of the lease after its process *sent* the last
//!   renewal that was answered, by its own monotonic clock. The store counts the lease from when it
//!   received the renewal. So as long as a body is polled, its process is the holder for the store,
//!   if the rates of both clocks differ by less than one percent, and a poll takes less than a
//!   twentieth of the lease.
//! - **D4** A section returns the value of its body only if D3 held until the body had ended.
//!   Otherwise it returns [`LockError::Lost`], and an `atomic` section is rolled back.
//! - **D5** A dropped acquisition or guard leaves nothing in the store for long: its entry is
//!   removed by a message that is sent at once; if that is lost, with the next renewal of the
//!   session; and if there is no renewal any more, when the lease ends.
//! - **D6** A fenced statement is executed only if no later fence of the key has been granted, and
//!   none is granted before the statement is committed.
//!
//! # Guarantees
//!
//! | | by |
//! |---|---|
//! | Fenced writes have the same result as if all sections of a key had run one after the other | D1, D6: needs no clock |
//! | Sections of a key do not overlap | D1 to D3: needs clocks whose rates differ by less than one percent, and bodies that await at least once in a twentieth of the lease |
//! | A section that returns its value has held the lock to its end | D4 |
//! | A waiter acquires the lock within a lease after the holder, and all waiters before it in the queue, have died; if a leader of etcd has failed meanwhile, within a lease after the election of the next | D1, D5 |
//! | The queue is FIFO, over all processes | the store; a waiter that loses its session joins the queue again |
//! | Several locks of one section: no deadlock with any other section | the order of their [`id`](async_monitor::AsyncLock::id)s, the same in every process |
//!
//! # What is not guaranteed, and why
//!
//! - **Exclusion while a process is stopped.** After a body has checked the clock, its process may
//!   be stopped for any time: by a signal, a debugger, the migration of a virtual machine, a
//!   machine that sleeps (its monotonic clock may stand still as well). The body then goes on as if
//!   nothing had happened, up to its next `.await`. Its writes with a fence are refused; actions
//!   without one, such as sending a mail, take effect.
//! - **A body that does not await** cannot be interrupted. Its section fails at its end (D4).
//! - **A store whose clock is set forward** ends leases too early. Exclusion is lost for the time
//!   by which the clock was moved, the fence is not. If the clock is set back, the leases of dead
//!   processes end later by as much. This applies to Postgres only: etcd counts leases by a
//!   monotonic clock.
//! - **A store that loses data**, in a failover to a replica that lags behind, may grant a key that
//!   is held. See the module `postgres` for the fence in that case. A cluster of etcd loses nothing
//!   in a failover.
//! - **A leader of etcd before 3.4.31 and 3.5.13** that was stopped and goes on may end leases that
//!   are alive: see the module `etcd`. The fence still works.
//! - **Memory.** A lease does not prove exclusive access to the memory of this process, so such a
//!   lock cannot guard `#[guarded_by]` fields. Add a lock of this process to the section:
//!   `#[synchronized(self.invoice?, ledger)]`.
//!
//! # Sections
//!
//! Write a `?` after each lock that can be lost. Otherwise, sections are the same: several locks,
//! `timeout`, `atomic` (for data behind locks of this process). A `with_lock!` block that awaits
//! cannot be left by `?`, `return` or `break`: its value is a `Result`, and the `?` is written
//! after the block. `when` works only with locks of this process.
//!
//! # Watching
//!
//! In builds that [watch](async_monitor::watch), reports name these locks with their key and store,
//! and with their last known holder. A section that asks for a key held by an enclosing section
//! panics:
//!
//! ```text
//! `pay` (src/invoice.rs:30:5) has waited for 1.3 s for `self.billing` "billing/42" on postgres
//!     `self.billing` "billing/42" on postgres was last known to be held by web-3 pid 4711
//! ```
//!
//! This is the state as of the last answer of the store, which is asked at least once per lease.
//! For the current holders and waiters of all processes, use the command `async-monitor-locks`,
//! with a connection string of Postgres or the endpoints of etcd, or `Postgres::report` and
//! `Etcd::report`.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod store;

mod error;
#[cfg(feature = "etcd")]
pub mod etcd;
mod fence;
mod lock;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "postgres", feature = "etcd"))]
mod process;
#[cfg(any(feature = "postgres", feature = "etcd"))]
mod report;
mod session;

pub use crate::error::{LeaseLost, LockError, LossReason};
pub use crate::fence::{Anything, Fence, Fenced, FencedMut, FencedRef};
pub use crate::lock::{Guard, Held, Lock, Locks};
