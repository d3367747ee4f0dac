//! The policies: one holder at a time, readers or a writer, a number of permits.

use super::policy::{ManyGrants, OneGrant, Policy};
use super::{FIRST_BIT, QUEUED};
use crate::queue::{Request, TreeLinks};
use crate::request::Mode;

/// The lock is held or granted (L1).
pub(crate) const LOCKED: usize = FIRST_BIT;

/// One holder at a time.
pub(crate) struct Exclusive;

impl Policy for Exclusive {
    type Request = ();
    type Grants = OneGrant;
    const ONE_AT_A_TIME: bool = true;

    #[inline]
    fn admit(word: usize, (): ()) -> Option<usize> {
        (word & LOCKED == 0).then_some(word | LOCKED)
    }

    #[inline]
    fn release(word: usize, (): ()) -> usize {
        word & !LOCKED
    }
}

pub(crate) const WRITER: usize = FIRST_BIT;
pub(crate) const UPGRADABLE: usize = FIRST_BIT << 1;
pub(crate) const READER: usize = FIRST_BIT << 2;

/// The most readers at a time (R4): one fewer than can be counted.
const MAX_READERS: usize = usize::MAX / READER - 1;

/// A request for a reader-writer lock.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Read,
    Upgradable,
    Write,
    Upgrade,
}

impl Request for Access {
    type Links = TreeLinks<Access>;
}

/// Many readers or one writer.
pub(crate) struct Shared;

impl Policy for Shared {
    type Request = Access;
    type Grants = ManyGrants<Access>;

    #[inline]
    fn admit(word: usize, access: Access) -> Option<usize> {
        match access {
            // At the maximum, a reader waits for another to release.
            Access::Read if word & WRITER == 0 && word / READER < MAX_READERS => {
                Some(word + READER)
            }
            Access::Upgradable
                if word & (WRITER | UPGRADABLE) == 0 && word / READER <= MAX_READERS =>
            {
                Some(word | UPGRADABLE)
            }
            Access::Write if word == 0 => Some(WRITER),
            Access::Upgrade if word == UPGRADABLE => Some(WRITER),
            Access::Read | Access::Upgradable | Access::Write | Access::Upgrade => None,
        }
    }

    #[inline]
    fn release(word: usize, access: Access) -> usize {
        match access {
            Access::Read => word - READER,
            Access::Upgradable => word & !UPGRADABLE,
            Access::Write => word & !WRITER,
            Access::Upgrade => (word & !WRITER) | UPGRADABLE,
        }
    }

    #[inline]
    fn mode(access: Access) -> Mode {
        match access {
            Access::Read => Mode::Shared,
            Access::Upgradable => Mode::Upgradable,
            Access::Write => Mode::Exclusive,
            Access::Upgrade => Mode::Upgrade,
        }
    }

    #[inline]
    fn held(word: usize, _permits: Option<usize>) -> Option<Mode> {
        Some(if word & WRITER != 0 {
            Mode::Exclusive
        } else if word & UPGRADABLE != 0 {
            Mode::Upgradable
        } else {
            Mode::Shared
        })
    }

    #[inline]
    fn may_mutate(access: Access) -> bool {
        matches!(access, Access::Write | Access::Upgrade)
    }

    #[inline]
    fn covers(granted: Access, access: Access) -> bool {
        match granted {
            Access::Read | Access::Upgrade => matches!(access, Access::Read),
            Access::Upgradable => matches!(access, Access::Read | Access::Upgradable),
            Access::Write => true,
        }
    }

    #[inline]
    fn has_priority(access: Access) -> bool {
        matches!(access, Access::Upgrade)
    }
}

/// One permit, in the word.
pub(crate) const PERMIT: usize = FIRST_BIT;

/// The most that the word can count: twice `Semaphore::MAX_PERMITS`, as permits that
/// are held may be released after others were added in their place.
pub(crate) const CAPACITY: usize = usize::MAX / PERMIT;

impl Request for usize {
    type Links = TreeLinks<usize>;
}

/// A number of permits, and requests for one or more of them.
pub(crate) struct Counting;

impl Policy for Counting {
    type Request = usize;
    type Grants = ManyGrants<usize>;
    // A semaphore guards no data that a condition could read.
    const FLAGS: usize = QUEUED;

    // The permits are converted to the units of the word, not the word to permits: its
    // value comes last, and between it and the compare-exchange there is one addition.
    #[inline]
    fn admit(word: usize, permits: usize) -> Option<usize> {
        if permits > CAPACITY {
            return None;
        }
        word.checked_sub(permits * PERMIT)
    }

    #[inline]
    fn release(word: usize, permits: usize) -> usize {
        let added = permits.min(CAPACITY) * PERMIT;
        word.checked_add(added).unwrap_or(CAPACITY * PERMIT)
    }

    #[inline]
    fn mode(permits: usize) -> Mode {
        Mode::Permits(permits)
    }

    #[inline]
    fn held(word: usize, permits: Option<usize>) -> Option<Mode> {
        let held = permits?.checked_sub(word / PERMIT)?;
        (held > 0).then_some(Mode::Permits(held))
    }

    #[inline]
    fn may_mutate(_permits: usize) -> bool {
        false
    }

    #[inline]
    fn covers(granted: usize, permits: usize) -> bool {
        granted >= permits
    }

    #[inline]
    fn has_priority(permits: usize) -> bool {
        // Nothing to wait for.
        permits == 0
    }
}
