//! What can go wrong.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::store::StoreError;

/// The error of a lock that could not be acquired, or was lost.
///
/// A fn with a section over such a lock returns a `Result` whose error is `From<LockError>`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LockError {
    /// The lock was acquired, but its lease could not be guaranteed until the end of the section.
    Lost(LeaseLost),
    /// The store has not answered for as long as a lease lasts.
    Unreachable(StoreError),
    /// The store has refused.
    Refused(StoreError),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockError::Lost(lost) => fmt::Display::fmt(lost, f),
            LockError::Unreachable(error) => {
                write!(f, "the lock's store cannot be reached: {error}")
            }
            LockError::Refused(error) => write!(f, "the lock's store has refused: {error}"),
        }
    }
}

impl async_monitor::CanBeLost for LockError {}

/// By whether another attempt is pointless.
#[cfg(any(feature = "postgres", feature = "etcd"))]
pub(crate) fn lock_error(error: StoreError) -> LockError {
    if error.is_permanent() {
        LockError::Refused(error)
    } else {
        LockError::Unreachable(error)
    }
}

impl Error for LockError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LockError::Lost(lost) => Some(lost),
            LockError::Unreachable(error) | LockError::Refused(error) => Some(error),
        }
    }
}

/// The lease of a lock could no longer be guaranteed: another process may hold the lock.
///
/// Everything that the section has done so far has taken effect, except changes that `atomic` rolls
/// back. Fenced writes may have been executed or refused: check before you repeat them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LeaseLost {
    /// The key of the lock.
    pub key: Arc<str>,
    /// The number of the grant that was lost.
    pub fence: u64,
    /// The process that has lost it: the host and process id by which the store knows this process.
    pub holder: Arc<str>,
    /// How long it had been held.
    pub held: Duration,
    /// The reason.
    pub reason: LossReason,
}

/// The reason for the loss of a lease.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum LossReason {
    /// It was not renewed in time, because the store could not be reached, or this process did not
    /// run.
    NotRenewed {
        /// How long ago the last answered renewal was sent.
        since: Duration,
        /// The error of the last attempt, if there was one.
        error: Option<StoreError>,
    },
    /// The store says that the lease has ended.
    Ended,
}

impl fmt::Display for LeaseLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has lost the lock \"{}\" (fence {}), which it had held for {:.1?}: ",
            self.holder, self.key, self.fence, self.held
        )?;
        match &self.reason {
            LossReason::NotRenewed { since, error } => {
                write!(f, "its lease was last renewed {since:.1?} ago")?;
                match error {
                    Some(error) => write!(f, ", and then: {error}"),
                    None => f.write_str(", and the process did not run in time to renew it"),
                }
            }
            LossReason::Ended => f.write_str("the store says that its lease has ended"),
        }
    }
}

impl Error for LeaseLost {}
