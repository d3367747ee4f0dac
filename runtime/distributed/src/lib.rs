//! The sections of [`async_monitor`] across machines: a lock that several processes share, by
//! a key in a store that they all reach.
//!
//! In one sentence: while a section runs, no other section of the same key is let in, **unless
//! its process is stopped for longer than its lease**; no lease can prevent that, so each
//! section has a *fence*, a number that only grows, by which the resource that is written to
//! refuses what comes too late.
//!
//! ```no_run
//! # #[cfg(feature = "postgres")] mod billing {
//! use async_monitor::synchronized;
//! use async_monitor_distributed::postgres::{FenceError, PostgresLock};
//! use async_monitor_distributed::{Fenced, LockError};
//! use tokio_postgres::Client;
//! use tokio_postgres::types::Type;
//!
//! /// What the locks and the fences are for.
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
//!         // Without a fence, or with that of another kind of lock, it does not compile.
//!         let database = self.database.with(&invoice.fence);
//!         database.execute(pay, &[(&amount, Type::INT4)]).await?;
//!         Ok(())
//!     }
//! }
//! # }
//! ```
//!
//! # What a section goes through
//!
//! | state | in the store | leads to |
//! |---|---|---|
//! | idle | nothing | queued, held |
//! | queued: the acquisition waits | a place in the queue of the key | held; idle, where it is dropped |
//! | held: the body runs | the key is ours, with a fence of its own | releasing, lost |
//! | releasing: the guard is dropped | the key is ours, until the store has heard of it | idle |
//! | lost: the body is dropped where it waits | the lease ends a moment later, or has ended | idle |
//!
//! A process has one lease, of its *session*, for all that it holds and waits for. It is
//! renewed beside the bodies, three times in a lease.
//!
//! # Invariants
//!
//! - **D1** The store grants a key only if nobody holds it whose lease has not ended, by the
//!   store's clock. A later grant has a greater fence.
//! - **D2** A lease that has ended is never renewed, whatever clocks do.
//! - **D3** A body is polled only before the time at which its process last *sent* a renewal
//!   that was answered, plus the lease, less a tenth, by its own monotonic clock. The store
//!   counts from when it received the renewal. So for as long as a body is polled, the store
//!   takes its process for the holder, if the rates of both clocks differ by less than one
//!   percent, and a poll takes less than a twentieth of the lease.
//! - **D4** A section returns the value of its body only if D3 held until the body had ended.
//!   Otherwise it returns [`LockError::Lost`], and what is `atomic` is put back.
//! - **D5** What a dropped acquisition or guard leaves in the store is gone when the store has
//!   been told, at once; or if that was lost, with the next renewal of the session; or if there
//!   is none any more, with its lease.
//! - **D6** A fenced statement is done only if no later fence of the key was given out, and
//!   none is before the statement is committed.
//!
//! # What is promised
//!
//! | | by |
//! |---|---|
//! | Writes with a fence are as if all sections of a key had run one after the other | D1, D6: needs no clock |
//! | Sections of a key do not overlap | D1 to D3: needs clocks whose rates differ by less than one percent, and bodies that await at least once in a twentieth of the lease |
//! | A section that returns its value had the lock to its end | D4 |
//! | Whoever asks gets in within a lease after the holder has died, and those before it in the queue; where a leader of etcd has failed meanwhile, within a lease after the next is elected | D1, D5 |
//! | The queue is FIFO, over all processes | the store; whoever loses its session joins it again |
//! | Several locks of one section: no deadlock with any other section | the order of their [`id`](async_monitor::AsyncLock::id)s, the same in every process |
//!
//! # What is not, and why
//!
//! - **Exclusion while a process is stopped.** Between the moment at which a body looks at the
//!   clock and what it does next, its process may be stopped, for any time: by a signal, a
//!   debugger, a virtual machine that moves, a machine that sleeps (its monotonic clock may
//!   stand still as well). It then goes on as if nothing had happened, up to its next
//!   `.await`. What it writes meanwhile with its fence is refused; what it does without one,
//!   such as to send a mail, is done.
//! - **A body that does not await** is not ended. Its section fails at its end (D4).
//! - **A store whose clock is set forward** ends leases too early, and exclusion is lost for as
//!   long as that was. The fence is not. One that is set back ends the leases of those who have
//!   died later by as much. This is about Postgres: etcd counts leases by a monotonic clock.
//! - **A store that forgets**, by a failover to a replica that lags behind, may give a key
//!   away that is held. See the module `postgres` for what is left of the fence. A cluster of
//!   etcd forgets nothing in a failover.
//! - **A leader of etcd before 3.4.31 and 3.5.13** that was stopped and goes on may end leases
//!   that are alive: see the module `etcd`. The fence is as ever.
//! - **Memory.** A lease is no proof that nobody else is in this process's memory, so such a
//!   lock cannot stand in front of `#[guarded_by]` fields. Name a local lock beside it:
//!   `#[synchronized(self.invoice?, ledger)]`.
//!
//! # Notation
//!
//! All of a section is as ever: several locks, `timeout`, `atomic` (for what local locks
//! guard), with a `?` behind each lock that can be lost. A `with_lock!` block that awaits is
//! not left by `?`, `return` or `break`: its value is a `Result`, and the `?` stands behind it.
//! `when` is for locks in this process.
//!
//! # Watching
//!
//! Where async-monitor [watches](async_monitor::watch), its reports name these locks with key and
//! store, and who was last known to hold them; and a section that asks for a key which a section
//! around it holds panics:
//!
//! ```text
//! `pay` (src/invoice.rs:30:5) has waited for 1.3 s for `self.billing` "billing/42" on postgres
//!     `self.billing` "billing/42" on postgres was last known to be held by web-3 pid 4711
//! ```
//!
//! That is as of the last answer of the store, which is asked at least once in a lease. Who
//! holds and who waits at the moment, in all processes, is said by the command
//! `async-monitor-locks`, of a connection string of Postgres or the endpoints of etcd, and by
//! `Postgres::report` and `Etcd::report`.

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
