//! What locks know of their holders and waiters, where the build watches.
//!
//! `off.rs` has the same names for builds that do not, as types without size and functions
//! without code. What users see is in [`watch`](crate::watch).
//!
//! # What is known where
//!
//! | | lives in | written |
//! |---|---|---|
//! | [`Holder`]: the section or place that acquired a lock last | the gate of the lock (of a sync lock, that of its turns), a word | at each acquisition, by a plain store |
//! | [`Owner`]: the thread that holds a sync lock, and excludes others | the turns of the lock, a word, with `debug_assertions` | at each acquisition and release |
//! | [`Section`]: its fn, its locks, which of them it holds | the future of the section, or the stack of its fn | while it enters |
//! | the list of a thread: the sections that it is in | links in the sections | around each poll of what a section waits for: its locks, where they are not free, and each `.await` in its body; around a body that cannot suspend, or parts of one |
//! | [`Waiting`]: the number of an entry in the registry | the future that waits | at the first poll that has to wait |
//! | [`Permits`]: how many a semaphore has, as long as that is as many as at first | the semaphore | when they are added or taken by number |
//! | [`Elsewhere`]: what a lock outside of this process is called, and who was last known to hold it | the registry, by the key of the lock | when a handle is made, when the store says who holds it |
//! | [registry](registry): who waits and in which sections, what suspended sections hold, who acquires what others wait for | a static, behind a mutex | when a wait begins and ends, or comes into another section; when a section is first suspended, and ends; by a release that conditions wait for |
//! | [events](events): what sections did with the locks of a class, counted | a static, behind a lock that is written for each new class | where it is switched on, by a section that has acquired, and ends |
//! | [orders](orders): which classes were acquired within which | a static, behind a mutex | when a section has acquired within another, in an order that its thread has not noted lately |
//!
//! So what is on the way that is free is the store of the holder, and a section that is made and
//! dropped; everything else is where somebody waits or is suspended. A section first tries its
//! locks, which tells nobody and runs no code of users, and so needs no list.
//! [`frames`] has the states of a section.
//!
//! # Which sections are around
//!
//! A request for a lock is *in* a section if the section cannot go on before the request is
//! done. Of those on the list of the thread, from the innermost on:
//!
//! - where a thread waits (a blocking form, or a short lock), all: the thread is in them;
//! - where a task waits, those that are polled with the waker that the request is polled with,
//!   up to the first that is polled with another: behind that one, something polls by itself, as a
//!   `FuturesUnordered`, a `LocalSet` or an executor does, and a section that awaits it may
//!   well go on. (The section of a plain fn ends with the poll.)
//!
//! # Invariants
//!
//! - **W1** A section on the list of a thread is borrowed by what has put it there, and so is the
//!   waker of the poll; it is taken off before that ends, wherever it is on the list by then. What
//!   the code of a section runs between two polls instead borrows nothing, but does not suspend,
//!   and ends before the section does. It is on it once. Hence every pointer in the list leads to a section, and that of a section to
//!   its waker.
//! - **W2** The cells of a section are touched by whoever polls or runs it, one at a time.
//!   What the registry reads of it is atomic.
//! - **W3** What the registry points to (the count of a section, the node of a waiter, and what
//!   its future knows) is pinned, and the entry is removed, under the mutex of the registry, by
//!   the drop of what contains it. What is leaked keeps its memory, as it is pinned; but what it
//!   borrows, as its lock, may be gone. So nothing of a lock is pointed to: who acquired it is
//!   copied. But a thread that is parked for a short lock leaks nothing: the holder of that lock
//!   is pointed to.
//! - **W4** Nothing but the registry is touched while its mutex is held: no lock, no waker, no
//!   code of users.
//! - **W5** A circle is reported only if none of its waits has moved for the threshold: each
//!   is still registered and not granted, each section in it is still suspended, and has not
//!   been polled since without the request in it.
//! - **W6** A section is described once, where it stands from then on, before it is borrowed by
//!   anything else; what has been asked of its drop before that is nothing.
//! - **W7** Of what is described, some is written later, and not read before: the section around
//!   if there is one (`NESTED`), its neighbour on the list and its waker when it comes to the
//!   list (`LINKED`; a section that `RUNS` has no waker), and what somebody has to ask for
//!   (`KNOWN`).
//! - **W8** A macro of a user may take apart what it is given, and do something else with the local
//!   of a section in it; so may a method of a user's value. So what they are given is [`Lent`]: by
//!   that, safe code does nothing but through a mutable borrow, for as long as what comes of it
//!   lasts. Neither a shared reference comes from it nor one to the section, which must not be
//!   moved. Two that are lent may be exchanged, where both sections outlive both: what puts a
//!   section on the list for longer than a poll goes by neither.

mod ask;
mod awaited;
mod circles;
mod elsewhere;
mod entries;
mod events;
mod foreign;
mod frames;
mod holders;
mod holds;
mod orders;
#[cfg_attr(not(debug_assertions), path = "owner_unknown.rs")]
mod owner;
mod registry;
mod told;
mod waiting;
mod watcher;

use core::fmt;
use core::panic::Location;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

pub(crate) use self::ask::{Ask, Short};
pub use self::awaited::{AwaitWithin, Awaited};
pub use self::elsewhere::{Elsewhere, unwatched};
pub(crate) use self::events::{metrics, set_metrics};
#[allow(unused_imports)] // without a feature that has adapters
pub(crate) use self::foreign::foreign;
pub use self::frames::{Lent, LockType, Section, SectionLock, Site, SiteLock};
#[cfg(feature = "check")]
pub(crate) use self::frames::{StackList, entered_section, exchange_list};
pub(crate) use self::owner::Owner;
pub(crate) use self::registry::report;
pub(crate) use self::waiting::{Watch, by_thread};
pub(crate) use self::watcher::{set_long_hold, set_threshold};
use crate::LockId;
use crate::watch::{Place, SectionInfo};

/// A place in the code of a user.
#[derive(Clone, Copy)]
pub(crate) struct Caller(&'static Location<'static>);

impl Caller {
    /// That of the caller, through all that are `track_caller`.
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

/// Where a lock was acquired last: a section, or a place in the code.
pub(crate) struct Holder(AtomicPtr<()>);

/// The lowest bit of a pointer to a [`Site`]; another is to a `Location`.
const IS_SITE: usize = 1;
/// The next lowest: the lock was handed on since.
const IS_HANDED_ON: usize = 1 << 1;

impl Holder {
    #[inline]
    pub(crate) const fn new() -> Self {
        Holder(AtomicPtr::new(ptr::null_mut()))
    }

    /// The lock has been acquired: by the section that this thread enters, or else there.
    #[inline]
    pub(crate) fn set(&self, caller: Caller) {
        match frames::entering() {
            Some(site) => self.set_section(site),
            None => self.set_place(caller),
        }
    }

    /// The lock has been acquired there: also by a section, of which that is the place. For short
    /// locks, of which a section costs more than all else that it does.
    #[inline]
    pub(crate) fn set_place(&self, caller: Caller) {
        self.store(ptr::from_ref(caller.0).cast());
    }

    /// The lock has been acquired by a section.
    #[inline]
    pub(crate) fn set_section(&self, site: &'static Site) {
        // The address of a static, and one: a constant.
        self.store(ptr::from_ref(site).cast::<()>().wrapping_byte_add(IS_SITE));
    }

    #[inline]
    fn store(&self, holder: *const ()) {
        self.0.store(holder.cast_mut(), Ordering::Relaxed);
    }

    /// It is handed on: whoever is granted the lock has not said who it is.
    #[inline]
    pub(crate) fn hand_on(&self) {
        let holder = self.0.load(Ordering::Relaxed);
        let handed_on = holder.map_addr(|addr| addr | IS_HANDED_ON);
        self.0.store(handed_on, Ordering::Relaxed);
    }

    /// Shows the holder of a lock that `is_held`: a section, or in the alternate form also a
    /// place.
    pub(crate) fn show(&self, debug: &mut fmt::DebugStruct<'_, '_>, is_held: bool, places: bool) {
        let seen = self.seen();
        if !is_held || seen.was_handed_on() {
            return;
        }
        if let Some(section) = seen.section() {
            debug.field("holder", &format_args!("{section}"));
        } else if let Some(place) = seen.place().filter(|_| places) {
            debug.field("holder", &place);
        }
    }

    /// Tells of it, if somebody waits for what it does with the lock.
    #[inline]
    pub(crate) fn tell_if(&self, lock: LockId, is_waited_for: impl FnOnce() -> bool) {
        if is_waited_for() {
            registry::changed(lock, self.seen());
        }
    }

    /// The last one.
    #[inline]
    fn seen(&self) -> Seen {
        Seen(self.0.load(Ordering::Relaxed))
    }
}

/// What was stored of a holder, if anything.
#[derive(Clone, Copy)]
pub(crate) struct Seen(*const ());

// SAFETY: it leads to what is static.
unsafe impl Send for Seen {}

impl Seen {
    fn untagged(self) -> *const () {
        self.0.map_addr(|addr| addr & !(IS_SITE | IS_HANDED_ON))
    }

    /// Nobody has said that the lock was acquired since it was handed on.
    fn was_handed_on(self) -> bool {
        self.0.addr() & IS_HANDED_ON != 0
    }

    /// Whether both are the same section, or the same place.
    fn is(self, other: Seen) -> bool {
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
    assert!(align_of::<Site>() > IS_HANDED_ON);
    assert!(align_of::<Location<'static>>() > IS_HANDED_ON);
};

/// How many permits a semaphore has in all.
pub(crate) struct Permits(AtomicUsize);

/// It is not known any more.
const CHANGED: usize = usize::MAX;

impl Permits {
    #[inline]
    pub(crate) const fn new(permits: usize) -> Self {
        Permits(AtomicUsize::new(permits))
    }

    /// Permits are added or taken by number: whoever does so may do it again.
    #[inline]
    pub(crate) fn changed(&self, semaphore: LockId) {
        if self.0.load(Ordering::Relaxed) != CHANGED {
            self.0.store(CHANGED, Ordering::Relaxed);
            self.tell_changed(semaphore);
        }
    }

    fn tell_changed(&self, semaphore: LockId) {
        registry::permits_changed(semaphore);
    }

    /// As many as it was made with, if that is still so.
    pub(crate) fn total(&self) -> Option<usize> {
        let total = self.0.load(Ordering::Relaxed);
        (total != CHANGED).then_some(total)
    }
}
