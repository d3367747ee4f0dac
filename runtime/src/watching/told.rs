//! Who has acquired the locks that somebody waits for.

use core::hash::{Hash, Hasher};

use super::Seen;
use super::frames;
use crate::LockId;

/// Locks that somebody waited for, and who has acquired or changed them: the last of those that
/// share a place, which a lock has by its id.
pub(super) struct Told([Option<ToldOf>; TOLD]);

/// A lock, and who has acquired it.
#[derive(Clone, Copy)]
struct ToldOf {
    lock: LockId,
    /// As of the waits: those with a lower number began before.
    sequence: u64,
    holder: Seen,
}

const TOLD: usize = 64;

/// A hash of a few numbers.
struct Print(u64);

impl Hasher for Print {
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.0 = frames::print(self.0, number);
    }

    #[inline]
    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn write_isize(&mut self, number: isize) {
        self.write_u64(number as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

impl Told {
    pub(super) const fn new() -> Self {
        Told([const { None }; TOLD])
    }

    /// It was acquired, or changed, when the waits had come to that number.
    pub(super) fn tell(&mut self, lock: LockId, sequence: u64, holder: Seen) {
        self.0[Self::place_of(lock)] = Some(ToldOf {
            lock,
            sequence,
            holder,
        });
    }

    fn place_of(lock: LockId) -> usize {
        let mut print = Print(0);
        lock.hash(&mut print);
        print.finish() as usize % TOLD
    }

    /// Who has acquired a lock last, as far as that is known, and when.
    pub(super) fn of(&self, lock: LockId) -> Option<(u64, Seen)> {
        let told = self.0[Self::place_of(lock)].filter(|told| told.lock == lock)?;
        Some((told.sequence, told.holder))
    }
}
