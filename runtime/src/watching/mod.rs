//! The holders and waiters of locks, in builds that watch.
//!
//! `off.rs` has the same names for all other builds, as zero-sized types and empty
//! functions. The public API is in [`watch`](crate::watch).
//!
//! # The data, and where it is
//!
//! | | lives in | written |
//! |---|---|---|
//! | [`Holder`]: the section or place that acquired a lock last | the gate of the lock (of a sync lock, that of its turns), a word | at each acquisition, by a plain store |
//! | [`HoldingThread`]: the thread that holds a sync lock exclusively | the turns of the lock, a word, with `debug_assertions` | at each acquisition and release |
//! | [`Section`]: its fn, its locks, which of them it holds | the future of the section, or the stack of its fn | while it enters |
//! | the section list of a thread: the sections that it is in | links in the sections | around each poll of a future that the section awaits: its contended locks, and each `.await` in its body; around a body that cannot suspend, or parts of one |
//! | `Waiting`: the index of a registry entry | the waiting future | at the first poll that has to wait |
//! | [all holds](all_holds): what is held | a static of fixed size | at each acquisition and release, with `debug_assertions` |
//! | [`Permits`]: the total of a semaphore, as long as it has not changed | the semaphore | when permits are added or taken by number |
//! | [`Elsewhere`]: the name of a lock outside of this process, and its last known holder | the registry, by the key of the lock | when a handle is made, when the store names the holder |
//! | [registry](registry): the waits and their sections, the locks held by suspended sections, the acquisitions of locks with waiters | a static, behind a mutex | when a wait begins or ends, or moves to another section; when a section is first suspended, and ends; by a release that conditional waiters wait for |
//! | [events](events): counts of what sections did, by class of lock | a static, behind a lock that is written for each new class | if enabled, by a section that has acquired, and ends |
//! | [orders](orders): which classes were acquired within which | a static, behind a mutex | when a nested section has acquired, in an order that its thread has not recorded lately |
//!
//! So the fast path has the store of the holder, and a section that is made and
//! dropped; all else happens only when somebody waits or is suspended. A section first tries its
//! locks: that runs no user code, and so needs no list.
//! [`frames`] has the states of a section.
//!
//! # The sections that enclose a request
//!
//! A request for a lock is *in* a section, and the section *encloses* the request, if the section
//! cannot go on before the request is done. Of the sections on the list of the thread, from the
//! innermost on, these are:
//!
//! - for a thread that waits (a blocking form, or a sync lock), all of them: the thread is in them;
//! - for a task that waits, the sections that are polled with the waker of the request,
//!   up to the first one that is polled with another waker. Between that one and the request, there
//!   is another executor, such as a `FuturesUnordered` or a `LocalSet`, and a section that awaits
//!   it may well go on. (The section of a plain fn ends with the poll.)
//!
//! # Invariants
//!
//! - **W1** A section is on the list of a thread at most once. The poll or call that links it
//!   borrows the section and the waker, and unlinks the section before that borrow ends, wherever
//!   it is on the list by then. Parts of a body that run on the list (`InParts`) borrow nothing
//!   instead, but do not suspend, and end before the section does. Hence every pointer in the list
//!   is to a live section, and the waker pointer of a section to a live waker.
//! - **W2** The cells of a section are touched only by the thread that polls or runs it, one at a
//!   time. The fields that the registry reads are atomic.
//! - **W3** The registry points to pinned memory (the poll count of a section, the node of a
//!   waiter, the `LastHashes` of its future), and the drop of that memory's owner removes the
//!   entry, under the mutex of the registry. A leaked owner keeps its memory, as it is pinned; but
//!   what it borrows, such as its lock, may be gone. So the registry never points to a lock: it
//!   copies the lock's holder. There is one exception: a thread that is parked for a sync lock leaks
//!   nothing, so its entry points to the `Holder` of that lock.
//! - **W4** Nothing but the registry is touched while its mutex is held: no lock, no waker, no
//!   user code.
//! - **W5** A cycle is reported only if none of its waits has made progress for the threshold: each
//!   is still registered and not granted, and each section in it is still suspended, and no poll of
//!   it since then went by without polling the request.
//! - **W6** A section is described once, at its final address, before anything else borrows it.
//!   Until then, its drop has nothing to do.
//! - **W7** Some fields of a described section are written later, and not read before: `enclosing`
//!   with the flag `NESTED`; `outer` and `waker` when the section is first `LINKED` (one that
//!   `RUNS` has no waker); `cold` with the flag `HAS_COLD`.
//! - **W8** A user's macro may take its arguments apart, and misuse the local of a section in them;
//!   so may a method of a user's value. So they get a [`Lent`]: through it, safe code can use the
//!   section only by a mutable borrow, which lasts as long as the result of that use. It gives out
//!   neither a shared reference nor a reference to the section, which must not be moved. Two
//!   `Lent`s can be swapped by safe code if both sections outlive both. Therefore code that keeps a
//!   section on the list for longer than one poll does not use them.

#[cfg_attr(not(debug_assertions), path = "all_holds_off.rs")]
mod all_holds;
mod ask;
mod awaited;
mod cycles;
mod elsewhere;
mod entries;
mod events;
mod foreign;
mod frames;
mod holders;
#[cfg_attr(not(debug_assertions), path = "holding_thread_unknown.rs")]
mod holding_thread;
mod holds;
mod lock_records;
mod orders;
mod registry;
mod waiting;
mod watcher;

use core::fmt;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub(crate) use self::all_holds::{downgraded, released};
pub(crate) use self::ask::{Acquisition, Ask, SyncAsk};
pub use self::awaited::{AwaitWithin, Awaited};
pub use self::elsewhere::{Elsewhere, unwatched};
pub(crate) use self::events::{metrics, set_metrics};
#[allow(unused_imports)] // without a feature that has adapters
pub(crate) use self::foreign::foreign;
pub use self::frames::{Lent, LockType, Section, SectionLock, Site, SiteLock};
#[cfg(feature = "check")]
pub(crate) use self::frames::{StackList, entered_section, exchange_list};
pub(crate) use self::holding_thread::HoldingThread;
pub(crate) use self::registry::report;
pub(crate) use self::waiting::{Watch, by_thread};
pub(crate) use self::watcher::{set_long_hold, set_threshold};
use crate::LockId;
use crate::watch::{Place, SectionInfo};

/// A place in user code.
#[derive(Clone, Copy)]
pub(crate) struct Caller(&'static Location<'static>);

impl Caller {
    /// The place of the caller, through all `track_caller` functions.
    #[track_caller]
    #[inline]
    pub(crate) fn here() -> Self {
        Caller(Location::caller())
    }

    /// The place.
    #[cfg(feature = "check")]
    pub(crate) fn location(self) -> &'static Location<'static> {
        self.0
    }
}

/// The last known holder of a lock: a section, or a place in the code.
pub(crate) struct Holder(AtomicPtr<()>);

/// The lowest bit of a pointer to a [`Site`]; another is to a `Location`.
const IS_SITE: usize = 1;
/// The second-lowest bit: there was a hand-off since, and the new holder is not known yet.
const IS_OUTDATED: usize = 1 << 1;

/// The address of a static, and one: a constant.
#[inline]
fn tagged(site: &'static Site) -> *const () {
    ptr::from_ref(site).cast::<()>().wrapping_byte_add(IS_SITE)
}

impl Holder {
    #[inline]
    pub(crate) const fn new() -> Self {
        Holder(AtomicPtr::new(ptr::null_mut()))
    }

    /// The lock has been acquired, by the section that this thread enters, or else at that place.
    #[inline]
    pub(crate) fn set(&self, caller: Caller, acquired: impl FnOnce() -> Acquisition) {
        match frames::entering() {
            Some(site) => self.set_section(site, acquired),
            None => self.set_place(caller, acquired),
        }
    }

    /// The lock has been acquired at that place, perhaps by a section. For sync locks: storing
    /// the section would cost more than everything else that the acquisition does.
    #[inline]
    pub(crate) fn set_place(&self, caller: Caller, acquired: impl FnOnce() -> Acquisition) {
        self.store(ptr::from_ref(caller.0).cast());
        all_holds::acquired(|| (acquired(), self.copy()));
    }

    /// The lock has been acquired by a section.
    #[inline]
    pub(crate) fn set_section(&self, site: &'static Site, acquired: impl FnOnce() -> Acquisition) {
        self.store(tagged(site));
        all_holds::acquired(|| (acquired(), self.copy()));
    }

    /// The holder, which has been recorded at another place, has acquired the lock at that place.
    #[inline]
    pub(crate) fn correct(&self, caller: Caller, lock: impl FnOnce() -> LockId) {
        match frames::entering() {
            Some(site) => self.store(tagged(site)),
            None => self.store(ptr::from_ref(caller.0).cast()),
        }
        all_holds::corrected(|| (lock(), self.copy()));
    }

    #[inline]
    fn store(&self, holder: *const ()) {
        self.0.store(holder.cast_mut(), Ordering::Relaxed);
    }

    /// There was a hand-off: the new holder is not known yet.
    #[inline]
    pub(crate) fn mark_outdated(&self) {
        let holder = self.0.load(Ordering::Relaxed);
        let outdated = holder.map_addr(|addr| addr | IS_OUTDATED);
        self.0.store(outdated, Ordering::Relaxed);
    }

    /// Writes the holder of a lock that `is_held`: a section, or `with_place` also a place.
    pub(crate) fn write_to(
        &self,
        debug: &mut fmt::DebugStruct<'_, '_>,
        is_held: bool,
        with_place: bool,
    ) {
        let holder = self.copy();
        if !is_held || holder.is_outdated() {
            return;
        }
        if let Some(section) = holder.section() {
            debug.field("holder", &format_args!("{section}"));
        } else if let Some(place) = holder.place().filter(|_| with_place) {
            debug.field("holder", &place);
        }
    }

    /// Records a change of the data by the holder, if somebody waits for it.
    #[inline]
    pub(crate) fn record_change_if(&self, lock: LockId, is_waited_for: impl FnOnce() -> bool) {
        if is_waited_for() {
            registry::lock_changed(lock, self.copy());
        }
    }

    /// The stored holder.
    #[inline]
    fn copy(&self) -> HolderCopy {
        HolderCopy(self.0.load(Ordering::Relaxed))
    }
}

/// A copy of a stored holder, or null.
#[derive(Clone, Copy)]
pub(crate) struct HolderCopy(*const ());

// SAFETY: it points to a static.
unsafe impl Send for HolderCopy {}

impl HolderCopy {
    #[cfg_attr(not(debug_assertions), allow(dead_code))]
    const NOBODY: HolderCopy = HolderCopy(ptr::null());

    fn untagged(self) -> *const () {
        self.0.map_addr(|addr| addr & !(IS_SITE | IS_OUTDATED))
    }

    /// No acquisition has been recorded since the last hand-off.
    fn is_outdated(self) -> bool {
        self.0.addr() & IS_OUTDATED != 0
    }

    /// Whether both are the same section, or the same place.
    fn is_same(self, other: HolderCopy) -> bool {
        self.untagged() == other.untagged()
    }

    /// The place.
    fn place(self) -> Option<Place> {
        if self.0.addr() & IS_SITE != 0 {
            return self.section().map(|section| section.place);
        }
        // SAFETY: null, or a static reference that was stored by `set`, tagged by its type.
        let place = unsafe { self.untagged().cast::<Location<'static>>().as_ref() };
        place.map(Place::from)
    }

    /// The section, if it was one.
    fn section(self) -> Option<SectionInfo> {
        self.site().map(Site::info)
    }

    fn site(self) -> Option<&'static Site> {
        if self.0.addr() & IS_SITE == 0 {
            return None;
        }
        // SAFETY: as in `place`.
        unsafe { self.untagged().cast::<Site>().as_ref() }
    }
}

const _: () = {
    assert!(align_of::<Site>() > IS_OUTDATED);
    assert!(align_of::<Location<'static>>() > IS_OUTDATED);
};

/// How many permits a semaphore has in all.
pub(crate) struct Permits(AtomicUsize);

/// The total of a semaphore whose permits have been added or taken by number.
const UNKNOWN_TOTAL: usize = usize::MAX;

impl Permits {
    #[inline]
    pub(crate) const fn new(permits: usize) -> Self {
        Permits(AtomicUsize::new(permits))
    }

    /// Permits are added or taken by number. The total is unknown from now on: whoever does this
    /// once may do it again.
    #[inline]
    pub(crate) fn changed(&self, semaphore: LockId) {
        if self.0.load(Ordering::Relaxed) != UNKNOWN_TOTAL {
            self.0.store(UNKNOWN_TOTAL, Ordering::Relaxed);
            self.record_change(semaphore);
        }
    }

    fn record_change(&self, semaphore: LockId) {
        registry::permits_changed(semaphore);
    }

    /// The number that the semaphore was made with, if that is still the total.
    pub(crate) fn total(&self) -> Option<usize> {
        let total = self.0.load(Ordering::Relaxed);
        (total != UNKNOWN_TOTAL).then_some(total)
    }
}
