//! The sections that enclose a request.

use core::ptr;
use core::sync::atomic::Ordering;
use core::task::Waker;
use std::vec::Vec;

use super::super::all_holds;
use super::super::orders::{self, Acquired, Class};
use super::list::{List, list};
use super::{FrameRef, Lock, OBSERVED};
use crate::LockId;
use crate::watch::{Mode, SectionInfo};

/// The waker of a poll, by its parts.
pub(in super::super) type WakerKey = (usize, usize);

pub(in super::super) fn waker_key(waker: &Waker) -> WakerKey {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}

/// A lock that is held by a section that encloses a request.
#[derive(Clone)]
pub(in super::super) struct HeldByEnclosing {
    pub(in super::super) name: &'static str,
    pub(in super::super) lock: LockId,
    pub(in super::super) mode: Mode,
    pub(in super::super) section: SectionInfo,
    /// The number of the section.
    pub(in super::super) number: u64,
    /// The section is suspended while the request waits; otherwise its thread waits.
    pub(in super::super) is_suspended: bool,
}

/// The kind of waiter that makes a request.
#[derive(Clone, Copy)]
pub(in super::super) enum Asker {
    Thread,
    Task(WakerKey),
}

/// The relation of a section on the list to a request.
#[derive(PartialEq, Eq)]
enum Relation {
    /// The section cannot go on before the request is done.
    Encloses,
    /// The section ends with the poll: it cannot suspend, and encloses the poll of a task.
    Ends,
    /// The section may go on, and so may all sections further out.
    Unknown,
}

impl Asker {
    fn relation(self, frame: FrameRef<'_>) -> Relation {
        // SAFETY: it is on the list: by W1, the poll that linked it has not ended.
        let waker = unsafe { frame.waker().as_ref() };
        match (self, waker.map(waker_key)) {
            (Asker::Thread, _) => Relation::Encloses,
            (Asker::Task(_), None) => Relation::Ends,
            (Asker::Task(own), Some(other)) if own == other => Relation::Encloses,
            (Asker::Task(_), Some(_)) => Relation::Unknown,
        }
    }
}

/// The sections on a list, each with its relation to a request.
struct Walk {
    list: List,
    asker: Asker,
    is_beyond: bool,
}

impl Walk {
    fn new(list: List, asker: Asker) -> Self {
        Walk {
            list,
            asker,
            is_beyond: false,
        }
    }
}

impl Iterator for Walk {
    type Item = (FrameRef<'static>, Relation);

    fn next(&mut self) -> Option<(FrameRef<'static>, Relation)> {
        let frame = self.list.next()?;
        let relation = match self.asker.relation(frame) {
            Relation::Encloses if self.is_beyond => Relation::Unknown,
            relation => relation,
        };
        self.is_beyond |= relation == Relation::Unknown;
        Some((frame, relation))
    }
}

/// The locks held by the sections that enclose a request, and the section that the request enters,
/// if any.
pub(in super::super) struct Enclosing {
    /// From the innermost on.
    pub(in super::super) held: Vec<HeldByEnclosing>,
    /// The requested lock, held by a section that may be able to go on without the request: it
    /// polls the request with another waker, or by hand.
    pub(in super::super) beyond: Vec<HeldByEnclosing>,
    /// The name of the lock, and the section.
    pub(in super::super) entering: Option<(&'static str, SectionInfo)>,
    /// The request is part of the future of another lock, a user's own, that the innermost section
    /// enters.
    pub(in super::super) is_part: bool,
}

/// Whether a section that a request of this thread is in holds `lock`.
#[inline]
pub(in super::super) fn is_held_by_enclosing(asker: Asker, lock: LockId) -> bool {
    for (frame, relation) in Walk::new(list(), asker) {
        let holds_it = |held: Lock| held.id == Some(lock);
        if relation == Relation::Encloses && frame.held().any(holds_it) {
            return true;
        }
    }
    false
}

/// The sections that a request of this thread for `lock` is in.
pub(in super::super) fn enclosing(asker: Asker, lock: LockId) -> Enclosing {
    let mut enclosing = Enclosing {
        held: Vec::new(),
        beyond: Vec::new(),
        entering: None,
        is_part: false,
    };
    let mut is_innermost = true;
    for (frame, relation) in Walk::new(list(), asker) {
        let is_enclosing = relation == Relation::Encloses;
        if is_innermost && is_enclosing {
            let entered = frame.entered();
            enclosing.is_part = entered
                .as_ref()
                .is_some_and(|entered| entered.id != Some(lock));
            enclosing.entering = entered
                .filter(|entered| entered.id == Some(lock))
                .map(|entered| (entered.name, frame.site.info));
        }
        is_innermost &= relation == Relation::Ends;
        let held = frame.held().filter_map(|held| {
            Some(HeldByEnclosing {
                name: held.name,
                lock: held.id?,
                mode: held.mode,
                section: frame.site.info,
                number: frame.number(),
                is_suspended: matches!(asker, Asker::Task(_)),
            })
        });
        if is_enclosing {
            enclosing.held.extend(held);
        } else {
            let before = enclosing.beyond.len();
            enclosing
                .beyond
                .extend(held.filter(|held| held.lock == lock));
            if enclosing.beyond.len() > before {
                // Its poll count will show whether it goes on.
                frame.register();
            }
        }
    }
    enclosing
}

/// Shows whether a request is still in the same sections, and whether these have been
/// polled since without it. Sums of hashes, which differ if the sections or counts do.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct PollHashes {
    /// Which enclosing sections hold something, and which beyond hold the lock.
    pub(in super::super) sections: u64,
    /// The poll counts of the enclosing sections.
    pub(in super::super) enclosing: u64,
    /// The poll counts of the sections beyond.
    pub(in super::super) beyond: u64,
}

/// The hash of two numbers, such as the number of a section and its poll count.
pub(in super::super) fn hash_pair(section: u64, polls: u64) -> u64 {
    // The finalizer of SplitMix64, by Steele, Lea and Flood.
    let mut hash = section.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ polls.rotate_left(32);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The hashes of a request of this thread for `lock`.
pub(in super::super) fn poll_hashes(asker: Asker, lock: LockId) -> PollHashes {
    let mut hashes = PollHashes::default();
    for (frame, relation) in Walk::new(list(), asker) {
        let is_enclosing = relation == Relation::Encloses;
        let counts = |held: Lock| held.id.is_some_and(|id| is_enclosing || id == lock);
        if !frame.held().any(counts) {
            continue;
        }
        let holds = u64::from(frame.holds()) << 1 | u64::from(is_enclosing);
        let (number, polls) = (frame.number(), frame.cold().polls.load(Ordering::Relaxed));
        hashes.sections = hashes.sections.wrapping_add(hash_pair(number, holds));
        let sum = match (is_enclosing, asker) {
            (true, Asker::Task(_)) => &mut hashes.enclosing,
            // A section whose thread waits makes no progress.
            (true, Asker::Thread) => continue,
            (false, _) => &mut hashes.beyond,
        };
        *sum = sum.wrapping_add(hash_pair(number, polls));
    }
    hashes
}

impl Lock {
    pub(super) fn class(&self) -> Class {
        Class {
            entered: self.entered,
            name: self.name,
        }
    }
}

impl FrameRef<'_> {
    /// The section has acquired a lock by a future or a call of its own. It is on the list, or
    /// has just left it.
    #[inline(always)]
    pub(super) fn acquired(self, index: usize, asker: impl FnOnce() -> Asker) {
        if !self.outer().is_null() || self.has(OBSERVED) {
            self.note(index, asker());
        }
        self.head().has_entered(index);
        self.record_name(index);
    }

    /// Records the name of the lock that has just been acquired, in the list of all that is held.
    #[inline]
    pub(super) fn record_name(self, index: usize) {
        if cfg!(debug_assertions) {
            if let Some(lock) = self.lock(index) {
                if let Some(id) = lock.id {
                    all_holds::named(id, lock.name);
                }
            }
        }
    }

    /// [`acquired`](Self::acquired), if there are enclosing sections, or an observer.
    ///
    /// No user code runs here, so nothing unwinds. The ABI tells the caller so: it keeps the
    /// guard in registers, as no unwind path would have to drop it.
    #[allow(improper_ctypes_definitions)] // nobody else calls it
    #[cold]
    #[inline(never)]
    extern "C" fn note(self, index: usize, asker: Asker) {
        if !self.outer().is_null() {
            self.note_order(index, asker);
        }
        if self.has(OBSERVED) {
            self.note_acquired(index);
        }
    }

    fn note_order(self, index: usize, asker: Asker) {
        let Some(then) = self.lock(index) else {
            return;
        };
        let mut hash = then.class().hash(0, then.mode);
        let mut is_within = false;
        self.each_within(asker, |_, lock, is_own| {
            hash = lock.class().hash(hash ^ u64::from(is_own), lock.mode);
            is_within |= !is_own;
        });
        if is_within && orders::is_new(hash) {
            let mut held = Vec::new();
            self.each_within(asker, |frame, lock, is_own| {
                held.push(frame.noted(lock, is_own));
            });
            orders::acquired(&held, self.noted(then, false));
        }
    }

    /// Each lock that the section holds, and then those of the enclosing sections.
    #[inline]
    fn each_within(self, asker: Asker, mut each: impl FnMut(FrameRef<'_>, Lock, bool)) {
        self.held().for_each(|lock| each(self, lock, true));
        // The sections further out are still on the list, as this section was just now.
        for (frame, relation) in Walk::new(self.further_out(), asker) {
            if relation == Relation::Encloses {
                frame.held().for_each(|lock| each(frame, lock, false));
            }
        }
    }

    /// The record of a lock that the section has acquired.
    fn noted(self, lock: Lock, is_own: bool) -> Acquired {
        Acquired {
            class: lock.class(),
            mode: lock.mode,
            section: self.site.info,
            is_own,
        }
    }

    /// The lock that it is about to acquire.
    fn entered(self) -> Option<Lock> {
        self.lock(self.head().entering()?)
    }
}
