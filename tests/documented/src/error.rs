//! A struct with the name of a derive macro that is in scope.

use async_monitor::{Guarded, Lock, synchronized};
use thiserror::Error;

/// Something else.
#[derive(Debug, Error)]
#[error("other")]
pub struct Other;

/// Counts errors.
#[derive(Guarded, Debug, Default)]
pub struct Error {
    lock: Lock,
    #[guarded_by(lock)]
    count: Guarded<u32>,
}

impl Error {
    /// One more.
    #[synchronized(lock)]
    pub async fn bump(&self) -> u32 {
        *lock.count += 1;
        *lock.count
    }
}
