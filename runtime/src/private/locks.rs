//! What a derive asks of the types of its locks.

use crate::{ExclusiveLock, ExclusiveRwLock};

/// A lock that may stand in front of guarded fields.
#[inline]
pub fn exclusive<L: ExclusiveLock + ?Sized>(lock: &L) -> &L {
    lock
}

/// A lock that may stand in front of guarded fields that are read by several
/// tasks at a time.
#[inline]
pub fn exclusive_rw<L: ExclusiveRwLock + ?Sized>(lock: &L) -> &L {
    lock
}
