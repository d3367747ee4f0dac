//! The state word of a section, valid also before the section is described.
//!
//! It is a single word, as the next atomic operation waits for each store.

use core::cell::Cell;

/// From the lowest bit on: flags, the lock that is requested, and the locks that are held.
pub(super) struct Head(Cell<u64>);

/// It is on the list.
pub(super) const LINKED: u64 = 1;
/// It has put the enclosing section on the list as well.
pub(super) const LINKED_ENCLOSING: u64 = 1 << 1;
/// It has been observed: it may have a record.
pub(super) const OBSERVED: u64 = 1 << 2;
/// For its span, if it is observed: its last poll was pending.
pub(super) const SUSPENDED: u64 = 1 << 3;
/// Its `timeout` has elapsed.
pub(super) const TIMED_OUT: u64 = 1 << 4;
/// It has been dropped with an unfinished section in its body.
#[cfg(feature = "tracing")]
pub(super) const CANCELLED: u64 = 1 << 5;
/// The registry knows of it.
pub(super) const REGISTERED: u64 = 1 << 6;
/// It has been described.
pub(super) const DESCRIBED: u64 = 1 << 7;
/// It is written in the body of another section.
pub(super) const NESTED: u64 = 1 << 8;
/// Its rarely needed fields have been written.
pub(super) const HAS_COLD: u64 = 1 << 9;
/// It is on the list, and no waker polls it.
pub(super) const RUNS: u64 = 1 << 10;

/// The position of the index, plus one, of the lock that it is about to acquire.
const ENTERING: u32 = 11;
const ENTERING_MAX: u64 = 0x7f;
/// The most locks that a section may have.
pub(super) const MAX_LOCKS: usize = ENTERING_MAX as usize - 1;
const ENTERING_MASK: u64 = ENTERING_MAX << ENTERING;
/// The position of the bits of held locks. (The usual ones are in the lower half of the word, so
/// that they fit into the immediate operand of an instruction.)
const HOLDS: u32 = 18;

impl Head {
    #[inline]
    pub(super) const fn new() -> Self {
        Head(Cell::new(0))
    }

    /// Whether it has one of the flags.
    #[inline]
    pub(super) fn has(&self, flags: u64) -> bool {
        self.0.get() & flags != 0
    }

    #[inline]
    pub(super) fn set(&self, flags: u64) {
        self.0.set(self.0.get() | flags);
    }

    #[inline]
    pub(super) fn clear(&self, flags: u64) {
        self.0.set(self.0.get() & !flags);
    }

    /// The index of the lock that it is about to acquire.
    #[inline]
    pub(super) fn entering(&self) -> Option<usize> {
        let next = (self.0.get() & ENTERING_MASK) >> ENTERING;
        (next as usize).checked_sub(1)
    }

    /// It is about to acquire the lock `index`, of [`MAX_LOCKS`].
    #[inline]
    pub(super) fn enters(&self, index: usize) {
        let next = (index as u64).saturating_add(1).min(ENTERING_MAX);
        self.0.set(self.0.get() & !ENTERING_MASK | next << ENTERING);
    }

    /// It is not about to acquire a lock.
    #[inline]
    pub(super) fn enters_nothing(&self) {
        self.clear(ENTERING_MASK);
    }

    /// The locks that it holds, by a bit for each.
    #[inline]
    pub(super) fn holds(&self) -> u32 {
        (self.0.get() >> HOLDS) as u32
    }

    /// It holds the lock `index`.
    #[inline]
    pub(super) fn hold(&self, index: usize) {
        let held = u64::from(bit(index)) << HOLDS;
        // SAFETY: the pointer of the cell, which nobody else writes meanwhile. (Volatile, as the
        // compiler would store only the byte that changes, which is slow to load as a word.)
        unsafe { self.0.as_ptr().write_volatile(self.0.get() | held) };
    }

    /// It holds the lock `index`, which it was about to acquire.
    #[inline]
    pub(super) fn has_entered(&self, index: usize) {
        let held = u64::from(bit(index)) << HOLDS;
        self.0.set(self.0.get() & !ENTERING_MASK | held);
    }
}

/// The bit of a lock; zero if there is none for it, so that it counts as not held.
#[inline]
pub(super) fn bit(index: usize) -> u32 {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    1_u32.checked_shl(index).unwrap_or(0)
}
