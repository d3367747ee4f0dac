//! Who holds and who waits, as a store says it.

use std::fmt;
use std::time::Duration;

/// A holder or a waiter, as the store knows it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Of which lock.
    pub key: String,
    /// The number of the grant, of a holder.
    pub fence: Option<u64>,
    /// Where the process runs.
    pub host: String,
    /// Its id there.
    pub pid: u32,
    /// For how long it has held the lock, or waited. In etcd, since it has asked for it, by the
    /// clocks of its machine and of this one.
    pub since: Duration,
    /// In what time its lease ends, if it is not renewed.
    pub expires_in: Duration,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry {
            key,
            host,
            pid,
            since,
            ..
        } = self;
        match self.fence {
            Some(fence) => write!(
                f,
                "{key:?} held by {host} pid {pid} for {since:.1?}, fence {fence}, lease ends in {:.1?}",
                self.expires_in
            ),
            None => write!(f, "{key:?} waited for by {host} pid {pid} for {since:.1?}"),
        }
    }
}
