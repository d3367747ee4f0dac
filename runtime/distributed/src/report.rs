//! Who holds and who waits, as a store says it.

use std::fmt;
use std::time::Duration;

/// A holder or a waiter in the store.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The key of the lock.
    pub key: String,
    /// The number of the grant, for a holder.
    pub fence: Option<u64>,
    /// The host of the process.
    pub host: String,
    /// The id of the process on that host.
    pub pid: u32,
    /// How long it has held the lock, or waited. In etcd, this is the time since the request, by
    /// the clocks of its machine and of this one.
    pub since: Duration,
    /// The time until its lease ends, if the lease is not renewed.
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
