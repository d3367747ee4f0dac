//! Sections, and the list of those that a thread is in (W1, W2).
//!
//! | file | what |
//! |---|---|
//! | `mod` | a section: what is known of it, and where it is kept |
//! | `list` | the list of a thread: how a section comes there and leaves it |
//! | `futures` | what polls, or runs, within a section |
//! | `head` | the state of a section, in one word |
//! | `around` | what is around a request |
//! | `observed` | the times of a section, where somebody is told of them |
//! | `spans` | the same for `tracing` |
//!
//! # What a section costs
//!
//! A section that acquires its locks at once is never on the list for that: no code of users
//! runs while a lock of this crate is tried, so that nobody could ask. It comes to the list
//!
//! - where it has to wait, around each poll of the future that acquires;
//! - around each poll of an `.await` in its body;
//! - around the call that acquires a short lock, and a body that cannot suspend: once for both;
//! - around the body of a plain fn;
//! - in builds with `debug_assertions`, also around such a body of async locks, and around the
//!   parts of any other that cannot suspend.
//!
//! What cannot suspend is known by the macros: what has no `.await`, and no macro that may hide
//! one.
//!
//! Only then is it *described* (W6): its place, which is a static, and the addresses of its locks.
//! A section without an `.await` in its body, unless that is a plain fn or comes to the list, is a
//! word until it has to wait; any other is described at once. What it has to take back when it is dropped is in that
//! word, which is tested there.
//!
//! What takes time is the stores. Both atomic operations of a lock wait for those before them: so
//! there are few, and what is rarely needed is written when it is (W7). And what is stored in
//! pieces and loaded as one right after takes longer than a lock: so each word is stored and
//! loaded as a word, a guard is not moved, and nothing that could unwind (but a subscriber, with
//! the feature `tracing`) is called while it exists.
//!
//! | state of a section | `LINKED` | `entering` | `holds` | `registered` |
//! |---|---|---|---|---|
//! | made | 0 | 0 | 0 | - |
//! | described | 0 | 0 | what it has so far | 0 |
//! | polls what acquires, or calls it | 1 | the lock | what it has so far | as before |
//! | runs what may suspend, without a poll that can be seen | 0 | 0 | its locks, or 0 if it is not described | as before |
//! | polls in its body, or runs what cannot suspend | 1 | 0 | its locks | as before |
//! | suspended with a lock, and the registry was told | 0 | 0 | its locks | the same |

mod around;
mod futures;
mod head;
mod list;
mod observed;
#[cfg_attr(not(feature = "tracing"), path = "spans_off.rs")]
mod spans;

use core::cell::{Cell, UnsafeCell};
use core::marker::{PhantomData, PhantomPinned};
use core::mem::{MaybeUninit, offset_of};
use core::ops::Deref;
use core::ptr::NonNull;
use core::slice;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::Waker;
use std::boxed::Box;

pub(super) use self::around::{
    Around, Asker, HeldAround, around, is_held_around, print, prints, waker_key,
};
use self::head::{
    DESCRIBED, Head, KNOWN, LINKED, LINKED_AROUND, NESTED, OBSERVED, REGISTERED, RUNS, SUSPENDED,
    TIMED_OUT, bit,
};
pub(super) use self::list::entering;
#[cfg(feature = "check")]
pub(crate) use self::list::{StackList, entered_section, exchange_list};
use self::observed::Observed;
pub(super) use self::observed::thread_waits;
pub(super) use self::spans::are_wanted as are_spans_wanted;
use super::{events, registry};
use crate::LockId;
use crate::watch::{Mode, Place, SectionInfo};

/// Where a section is written, and its locks as they are written there.
#[derive(Debug)]
pub struct Site {
    info: SectionInfo,
    locks: &'static [SiteLock],
}

/// A lock, as it is written in a section.
#[derive(Debug)]
pub struct SiteLock {
    written: &'static str,
    mode: Mode,
}

/// What is known of a lock by its type.
#[derive(Debug)]
pub struct LockType {
    /// Where a derive knows it.
    name: Option<&'static str>,
    /// The type of what is entered.
    entered: fn() -> &'static str,
}

/// A lock of a section.
#[derive(Debug)]
pub struct SectionLock {
    /// Of a lock that is watched.
    id: Option<LockId>,
    kind: &'static LockType,
}

impl Site {
    /// The section of the fn `name`, which waits for `condition`, or for nothing.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
        condition: &'static str,
        locks: &'static [SiteLock],
    ) -> Self {
        Site {
            info: SectionInfo::new(name, Place::new(file, line, column), condition),
            locks,
        }
    }

    pub(super) fn info(&self) -> SectionInfo {
        self.info
    }
}

impl SiteLock {
    /// A lock that is held to read, or not.
    pub const fn new(written: &'static str, is_read: bool) -> Self {
        let mode = if is_read {
            Mode::Shared
        } else {
            Mode::Exclusive
        };
        SiteLock { written, mode }
    }
}

impl LockType {
    /// A lock of this name, where a derive knows it, which is entered by an `E`.
    pub(crate) const fn of<E: ?Sized>(name: Option<&'static str>) -> Self {
        LockType {
            name,
            entered: core::any::type_name::<E>,
        }
    }
}

impl SectionLock {
    /// The lock of what is `entered`.
    #[inline]
    pub fn new<E: ?Sized>(
        kind: &'static LockType,
        entered: &E,
        id: impl FnOnce(&E) -> Option<LockId>,
    ) -> Self {
        SectionLock {
            id: id(entered),
            kind,
        }
    }
}

/// A section: made before its locks are acquired, dropped after they are released.
#[repr(C)]
pub struct Section<'o, const N: usize> {
    head: Head,
    /// Once it has been described (W6).
    described: UnsafeCell<MaybeUninit<Described<N>>>,
    /// Invariant: what is described as within another section borrows that for as long as it
    /// exists itself, by whatever reference it is described.
    _around: PhantomData<fn(FrameRef<'o>) -> FrameRef<'o>>,
    /// Others have pointers to it.
    _pinned: PhantomPinned,
}

/// What is known of a section that has been described.
#[repr(C)]
struct Described<const N: usize> {
    frame: Frame,
    /// As many as the site has.
    locks: [SectionLock; N],
}

/// What the list needs of a section.
#[allow(missing_debug_implementations)]
pub(super) struct Frame {
    site: &'static Site,
    /// The section in whose body it is written, which is linked with it. If it is `NESTED`.
    around: MaybeUninit<*const Head>,
    /// The next one on the list, further out. Since it has been on the list.
    outer: Cell<MaybeUninit<*const Head>>,
    /// By which waker it is polled. While it is on the list and not one that `RUNS`.
    waker: Cell<MaybeUninit<*const Waker>>,
    /// If it is `KNOWN`.
    known: UnsafeCell<MaybeUninit<Known>>,
}

/// What is known of a section once somebody has asked for it.
struct Known {
    number: u64,
    /// How often it has been polled since.
    polls: AtomicU64,
    /// The locks that it held when the registry was told last; it is not registered while
    /// that is none.
    registered: Cell<u32>,
    /// While it is observed.
    observed: Cell<Option<Box<Observed>>>,
}

/// What the drop of a section has something to do for.
const ENDS: u64 = LINKED | OBSERVED | REGISTERED;

/// Where the frame of a section is, for any number of locks.
const FRAME_AT: usize = offset_of!(Section<'static, 1>, described);

/// A section, for the macros in its body, which may be those of users (W8).
#[allow(missing_debug_implementations)]
pub struct Lent<'s, 'o, const N: usize>(&'s Section<'o, N>);

/// A section that one in its body is about to be described by, once.
#[allow(missing_debug_implementations)]
pub struct NestedIn<'s>(FrameRef<'s>);

/// A section, borrowed: all of it, with the locks behind the frame.
#[allow(missing_debug_implementations)]
pub(super) struct FrameRef<'s>(NonNull<Head>, PhantomData<&'s Frame>);

impl Clone for FrameRef<'_> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for FrameRef<'_> {}

// SAFETY: W2: by the promise made to `new`, what borrows it touches it from one thread at a time.
unsafe impl<const N: usize> Sync for Section<'_, N> {}
// SAFETY: as for `Sync`. It is on the list of a thread only while that polls or runs it (W1).
unsafe impl<const N: usize> Send for Section<'_, N> {}
// SAFETY: as for `Section`.
unsafe impl Send for FrameRef<'_> {}
// SAFETY: as for `Section`.
unsafe impl Sync for FrameRef<'_> {}

impl<'o, const N: usize> Section<'o, N> {
    /// A section that holds nothing yet.
    ///
    /// # Safety
    ///
    /// It is described, once, before anything is called that has `described` in its
    /// documentation. From then on it is not moved, and is dropped before its memory is used for
    /// something else. What borrows it is polled, or run, by one thread at a time: by that which
    /// polls or runs the code whose section it is.
    #[inline]
    pub const unsafe fn new() -> Self {
        const {
            assert!(offset_of!(Self, described) == FRAME_AT);
            assert!(N <= head::MOST_LOCKS, "a section has 126 locks at the most");
        }
        Section {
            head: Head::new(),
            described: UnsafeCell::new(MaybeUninit::uninit()),
            _around: PhantomData,
            _pinned: PhantomPinned,
        }
    }

    /// Whether the section has to be described before it acquires a lock, and does so by a
    /// future or call of its own: for a short lock, where sections are around, as the order
    /// of acquisitions is noted, and where somebody is told of what it does.
    #[inline]
    pub fn __is_told(&self, is_short: bool) -> bool {
        // A checker has to be told by a future, which may be suspended.
        is_short || list::is_inside() || events::is_anybody_told() || crate::checking::is_task()
    }

    /// Whether it is described before it asks for a lock, as it is on the list in its body, too:
    /// where it need not be fast.
    #[inline]
    pub const fn __is_told_early(&self) -> bool {
        cfg!(debug_assertions)
    }

    /// Where it is written: at `site`, in the body of the section `around`.
    ///
    /// # Safety
    ///
    /// The site has `N` locks; what `new` asks for.
    #[inline]
    pub unsafe fn __describe(
        &self,
        site: &'static Site,
        around: Option<NestedIn<'o>>,
        locks: [SectionLock; N],
    ) {
        let around = around.map(|NestedIn(around)| around);
        // Each store counts.
        let described = Described {
            frame: Frame {
                site,
                around: around.map_or(MaybeUninit::uninit(), |around| {
                    MaybeUninit::new(around.0.as_ptr().cast_const())
                }),
                outer: Cell::new(MaybeUninit::uninit()),
                waker: Cell::new(MaybeUninit::uninit()),
                known: UnsafeCell::new(MaybeUninit::uninit()),
            },
            locks,
        };
        // SAFETY: W6: nobody has a pointer to it yet.
        unsafe { (*self.described.get()).write(described) };
        let nested = if around.is_some() { NESTED } else { 0 };
        self.head.set(DESCRIBED | nested);
    }

    /// Whether it has been described.
    #[inline]
    pub fn __is_described(&self) -> bool {
        self.head.has(DESCRIBED)
    }

    #[inline]
    fn frame(&self) -> FrameRef<'_> {
        // To all of the section.
        FrameRef(NonNull::from(self).cast(), PhantomData)
    }

    /// The section, for the macros in its body. It is described.
    ///
    /// # Safety
    ///
    /// While it is lent, what [`__in_parts`](Self::__in_parts) has returned is the only other
    /// thing by which it is used.
    #[inline]
    pub unsafe fn __lend(&mut self) -> Lent<'_, 'o, N> {
        Lent(self)
    }

    /// It has acquired the lock `index` at once.
    #[inline]
    pub fn __entered(&self, index: usize) {
        self.head.hold(index);
    }

    /// It has waited for as long as its `timeout` allows.
    #[inline]
    pub fn __timed_out(&self) {
        if self.head.has(OBSERVED) {
            self.head.set(TIMED_OUT);
        }
    }
}

impl<'o, const N: usize> Lent<'_, 'o, N> {
    /// The section, for one in its body, by which it is borrowed mutably: the tokens of the body
    /// may have gone through a macro that runs it several times at once (W2).
    #[inline]
    pub fn __around(&mut self) -> NestedIn<'_> {
        NestedIn(self.0.frame())
    }

    /// The section, for an `.await` in its body.
    ///
    /// # Safety
    ///
    /// No macro gets it.
    #[inline]
    pub unsafe fn __shared(&self) -> &Section<'o, N> {
        self.0
    }

    /// The section, borrowed as this is.
    #[inline]
    pub(in super::super) fn get(&mut self) -> &Section<'o, N> {
        self.0
    }
}

impl<const N: usize> core::fmt::Debug for Section<'_, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Section").finish_non_exhaustive()
    }
}

impl Deref for FrameRef<'_> {
    type Target = Frame;

    #[inline]
    fn deref(&self) -> &Frame {
        // SAFETY: it is borrowed, and described (W6).
        unsafe { self.0.byte_add(FRAME_AT).cast().as_ref() }
    }
}

impl<'s> FrameRef<'s> {
    /// # Safety
    ///
    /// Null, or the pointer of another reference, whose section is still borrowed.
    #[inline]
    unsafe fn from_ptr(frame: *const Head) -> Option<Self> {
        NonNull::new(frame.cast_mut()).map(|frame| FrameRef(frame, PhantomData))
    }

    #[inline]
    fn head(&self) -> &'s Head {
        // SAFETY: it is borrowed.
        unsafe { self.0.as_ref() }
    }

    #[inline]
    fn has(&self, flags: u64) -> bool {
        self.head().has(flags)
    }

    #[inline]
    fn set(&self, flags: u64) {
        self.head().set(flags);
    }

    #[inline]
    fn clear(&self, flags: u64) {
        self.head().clear(flags);
    }

    #[inline]
    fn holds(&self) -> u32 {
        self.head().holds()
    }

    /// What is rarely needed.
    fn known(&self) -> &'s Known {
        static NEXT: AtomicU64 = AtomicU64::new(1);

        let known: *mut Known = self.known.get().cast();
        // SAFETY: W7; the section is borrowed, and only its own thread comes here (W2), which
        // refers to nothing of it before it is written.
        unsafe {
            if !self.has(KNOWN) {
                known.write(Known {
                    number: NEXT.fetch_add(1, Ordering::Relaxed),
                    polls: AtomicU64::new(0),
                    registered: Cell::new(0),
                    observed: Cell::new(None),
                });
                self.set(KNOWN);
            }
            &*known
        }
    }

    /// It is polled. Nobody knows how often it has been, unless it is `KNOWN`.
    fn count_poll(self) {
        if self.has(KNOWN) {
            let polls = &self.known().polls;
            polls.store(polls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// It has one that no other section has.
    fn number(&self) -> u64 {
        self.known().number
    }

    /// The section in whose body it is written.
    #[inline]
    fn around(&self) -> Option<FrameRef<'s>> {
        if !self.has(NESTED) {
            return None;
        }
        // SAFETY: W7; by the lifetime of the section, it borrows from that one.
        unsafe { FrameRef::from_ptr(self.around.assume_init()) }
    }

    fn locks(&self) -> impl Iterator<Item = Lock> + use<'s> {
        // SAFETY: behind the frame of a section there are as many locks as its site has, and
        // the pointer is that of the whole section.
        let locks: &'s [SectionLock] = unsafe {
            let locks = FRAME_AT + offset_of!(Described<1>, locks);
            let locks = self.0.as_ptr().byte_add(locks);
            slice::from_raw_parts(locks.cast(), self.site.locks.len())
        };
        self.site.locks.iter().zip(locks).map(|(site, lock)| Lock {
            name: lock.kind.name.unwrap_or(site.written),
            id: lock.id,
            mode: site.mode,
            entered: lock.kind.entered,
        })
    }

    fn held(&self) -> impl Iterator<Item = Lock> + use<'s> {
        let holds = self.holds();
        let held = move |index: usize| holds & bit(index) != 0;
        let locks = self.locks().enumerate();
        locks.filter_map(move |(index, lock)| held(index).then_some(lock))
    }

    fn lock(&self, index: usize) -> Option<Lock> {
        self.locks().nth(index)
    }

    /// It has been polled, and waits for something.
    #[cold]
    fn suspended(&self) {
        if self.has(OBSERVED) {
            self.set(SUSPENDED);
        }
        self.register_all();
    }

    fn register_all(&self) {
        if let Some(around) = self.around() {
            around.register_all();
        }
        self.register();
    }

    /// Tells the registry what the section holds.
    fn register(&self) {
        // A checker knows what is held.
        if self.known().registered.get() == self.holds() || crate::checking::is_task() {
            return;
        }
        let held = self.held().map(|lock| (lock.name, lock.id, lock.mode));
        // SAFETY: the count is pinned, as a section does not move once it has been borrowed,
        // and the entry is removed by our drop (W3).
        unsafe {
            let polls = NonNull::from(&self.known().polls);
            registry::section_holds(self.number(), self.site.info, held, polls);
        }
        self.known().registered.set(self.holds());
        self.set(REGISTERED);
    }
}

/// What is known of a lock of a section.
struct Lock {
    name: &'static str,
    id: Option<LockId>,
    mode: Mode,
    entered: fn() -> &'static str,
}

impl<const N: usize> Drop for Section<'_, N> {
    #[inline]
    fn drop(&mut self) {
        if self.head.has(ENDS) {
            self.frame().end();
        }
    }
}

impl FrameRef<'_> {
    #[cold]
    fn end(self) {
        // First of all: a subscriber, which is called below, may panic.
        if self.has(REGISTERED) {
            registry::section_ended(self.number());
        }
        if self.has(LINKED) {
            self.leave();
        }
        if self.has(OBSERVED) {
            self.note_end();
        }
    }
}
