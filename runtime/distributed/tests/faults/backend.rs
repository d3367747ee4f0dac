//! What the harness and its processes need of a store.

use std::time::Duration;

use async_monitor_distributed::store::Store;
use async_monitor_distributed::{Fence, Lock, LockError};

use crate::random::Random;

/// What the fences are for.
pub(crate) struct Numbers;

/// A key, a fence, and a number.
pub(crate) type Written = (String, i64, i64);

/// The servers of a store, to which harm is done.
pub(crate) trait Servers: Sized {
    /// How many faults are theirs, beside 39 of processes and connections.
    const SHARE: usize;

    /// For how long one of them is harmed, at most.
    const LONGEST: Duration;

    /// `None` if it is not installed, which is said.
    fn start() -> Option<Self>;

    /// Where they listen.
    fn ports(&self) -> Vec<u16>;

    /// How to connect, where proxies at these ports stand in front of them.
    fn url(ports: &[u16]) -> String;

    /// Does harm to one of them, until it is healed.
    fn harm(&mut self, random: &mut Random) -> &'static str;

    fn heal(&mut self);

    /// What was written, in order.
    fn history(&self) -> Vec<Written>;

    /// How many writes were refused, of a fence or of all, if it can be known.
    fn refused(&self, fence: Option<(&str, i64)>) -> Option<usize>;

    /// Who holds and who waits, and what the servers do.
    fn report(&self) -> Vec<String>;
}

#[derive(Debug)]
pub(crate) enum Failed {
    Lock(LockError),
    Stale,
    Other,
}

impl From<LockError> for Failed {
    fn from(error: LockError) -> Self {
        Failed::Lock(error)
    }
}

/// What a process writes to.
pub(crate) trait Database: Sized + Send + Sync + 'static {
    type Locks: Send + Sync;
    type Store: Store;

    fn locks(url: &str) -> impl Future<Output = Option<Self::Locks>> + Send;

    fn lock(locks: &Self::Locks, key: &str) -> Lock<Self::Store, Numbers>;

    fn connect(url: &str) -> impl Future<Output = Option<Self>> + Send;

    fn is_closed(&self) -> bool;

    /// The last number of a key.
    fn read(
        &self,
        key: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> impl Future<Output = Result<i64, Failed>> + Send;

    /// Writes a number, in the name of a task.
    fn write(
        &self,
        key: &str,
        next: i64,
        task: &str,
        fence: &Fence<'_, Numbers>,
        is_fenced: bool,
    ) -> impl Future<Output = Result<(), Failed>> + Send;
}
