//! The identity of a lock.

use core::hash::Hash;

/// The identity of a lock, and its place in the order in which several locks are acquired.
///
/// Two handles to the same lock have the same id. Two locks that exist at the same time have
/// different ids. Sections of several locks acquire them in the order of their ids, so no two such
/// sections can wait for each other, and panic if two ids are equal.
///
/// ```
/// use async_monitor::{AsyncLock, Lock};
/// use std::sync::Arc;
///
/// let (a, b) = (Arc::new(Lock::new()), Lock::new());
/// assert_eq!(a.id(), Arc::clone(&a).id());
/// assert_ne!(a.id(), b.id());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(Source);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Source {
    Address(usize),
    Key(u64),
}

impl LockId {
    /// The id of a lock that lives in this process: its address.
    ///
    /// A zero-sized type has no address of its own: use [`from_key`](Self::from_key) for it.
    ///
    /// ```
    /// use async_monitor::{AsyncLock, Lock, LockId};
    ///
    /// let lock = Lock::new();
    /// assert_eq!(LockId::of(&lock), lock.id());
    /// ```
    #[inline]
    pub fn of<L: ?Sized>(lock: &L) -> Self {
        LockId(Source::Address((&raw const *lock).addr()))
    }

    /// The id of a lock outside of this process, such as a row in a database: a key that all
    /// handles to the same lock share.
    ///
    /// ```
    /// use async_monitor::LockId;
    ///
    /// /// The id of the lock of a row.
    /// fn row(number: u32) -> LockId {
    ///     LockId::from_key(number.into())
    /// }
    ///
    /// assert_eq!(row(7), row(7));
    /// assert_ne!(row(7), row(8));
    /// ```
    #[inline]
    pub const fn from_key(key: u64) -> Self {
        LockId(Source::Key(key))
    }

    /// The id of the lock at that address.
    #[allow(dead_code)] // in builds that do not watch
    pub(crate) fn at(address: usize) -> Self {
        LockId(Source::Address(address))
    }

    /// The address of a lock that lives in this process.
    #[allow(dead_code)] // in builds that do not watch
    #[inline]
    pub(crate) fn address(self) -> Option<usize> {
        match self.0 {
            Source::Address(address) => Some(address),
            Source::Key(_) => None,
        }
    }
}

/// As text: an address as `0x..`, a key as `key ..`.
#[cfg(feature = "serde")]
impl serde::Serialize for LockId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Source::Address(address) => serializer.collect_str(&format_args!("{address:#x}")),
            Source::Key(key) => serializer.collect_str(&format_args!("key {key}")),
        }
    }
}
