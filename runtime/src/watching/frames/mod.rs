//! Sections, and the list of those that a thread is in (W1, W2).
//!
//! | file | what |
//! |---|---|
//! | `mod` | a section: its data and its layout |
//! | `list` | the section list of a thread: linking and unlinking |
//! | `futures` | futures and calls that run within a section |
//! | `head` | the state of a section, in one word |
//! | `enclosing` | the sections that enclose a request |
//! | `observed` | the times of a section, for its observers |
//! | `spans` | the same for `tracing` |
//!
//! # What a section costs
//!
//! A section that acquires its locks at once is never on the list for that: the attempt on a lock
//! of this crate runs no user code, so no request can come from inside it. It is on the list
//!
//! - if it has to wait, around each poll of the future that acquires;
//! - around each poll of an `.await` in its body;
//! - around the call that acquires a sync lock, and a body that cannot suspend: once for both;
//! - around the body of a plain fn;
//! - in builds with `debug_assertions`, also around such a body in a section of async locks, and
//!   around the parts of any other body that cannot suspend.
//!
//! The macros know which code cannot suspend: it has no `.await`, and no macro that may hide
//! one.
//!
//! A section has to be *described* before that (W6): its site, which is a static, and the ids of
//! its locks are stored. A section without an `.await` in its body, whose body is not that of a
//! plain fn and does not run on the list, is described when it has to wait, and is one word until
//! then; any other section is described at once. The drop tests that word for anything to undo.
//!
//! The cost is in the stores. Both atomic operations of a lock wait for the stores before them: so
//! there are few, and rarely needed fields are written late (W7). And a value that is stored in
//! pieces and then loaded as one word takes longer than a lock: so each word is stored and
//! loaded as a word, a guard is not moved, and no function that could unwind (except a subscriber,
//! with the feature `tracing`) is called while the guard exists.
//!
//! | state of a section | `LINKED` | `entering` | `holds` | `registered` |
//! |---|---|---|---|---|
//! | made | 0 | 0 | 0 | - |
//! | described | 0 | 0 | what it has so far | 0 |
//! | polls the acquiring future, or calls the acquiring function | 1 | the lock | what it has so far | as before |
//! | runs code that may suspend, without a poll that the macro sees | 0 | 0 | its locks, or 0 if it is not described | as before |
//! | polls an await of its body, or runs code that cannot suspend | 1 | 0 | its locks | as before |
//! | suspended with a lock, and registered | 0 | 0 | its locks | the same |

mod enclosing;
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

pub(super) use self::enclosing::{
    Asker, Enclosing, HeldByEnclosing, enclosing, hash_pair, is_held_by_enclosing, poll_hashes,
    waker_key,
};
use self::head::{
    DESCRIBED, HAS_COLD, Head, LINKED, LINKED_ENCLOSING, NESTED, OBSERVED, REGISTERED, RUNS,
    SUSPENDED, TIMED_OUT, bit,
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

/// The source of a section: its place, and its locks as they are written there.
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

/// The part of a lock's description that its type determines.
#[derive(Debug)]
pub struct LockType {
    /// If a derive knows it.
    name: Option<&'static str>,
    /// The type that a section enters.
    entered: fn() -> &'static str,
}

/// A lock of a section.
#[derive(Debug)]
pub struct SectionLock {
    /// If the lock is watched.
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
    /// A lock that a section enters as an `E`, of this name, if a derive knows it.
    pub(crate) const fn of<E: ?Sized>(name: Option<&'static str>) -> Self {
        LockType {
            name,
            entered: core::any::type_name::<E>,
        }
    }
}

impl SectionLock {
    /// The lock that a section enters as `entered`.
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
    /// Invariant in the lifetime: a nested section borrows the enclosing section for its own
    /// whole life, by whatever reference it is described.
    _enclosing: PhantomData<fn(FrameRef<'o>) -> FrameRef<'o>>,
    /// The list and the registry have pointers to it.
    _pinned: PhantomPinned,
}

/// The description of a section.
#[repr(C)]
struct Described<const N: usize> {
    frame: Frame,
    /// As many locks as the site has.
    locks: [SectionLock; N],
}

/// The part of a section that the list uses.
#[allow(missing_debug_implementations)]
pub(super) struct Frame {
    site: &'static Site,
    /// If it is `NESTED`: the section in whose body it is written, which is linked with it.
    enclosing: MaybeUninit<*const Head>,
    /// The next section on the list, further out. Set once it has been on the list.
    outer: Cell<MaybeUninit<*const Head>>,
    /// The waker of its poll. Set while it is on the list, unless it `RUNS`.
    waker: Cell<MaybeUninit<*const Waker>>,
    /// Set if it is `HAS_COLD`.
    cold: UnsafeCell<MaybeUninit<ColdFields>>,
}

/// The rarely needed fields of a section.
struct ColdFields {
    number: u64,
    /// How often it has been polled since this was written.
    polls: AtomicU64,
    /// The locks that it held when it was last registered; while that is none, it is not
    /// registered.
    registered: Cell<u32>,
    /// Present while it is observed.
    observed: Cell<Option<Box<Observed>>>,
}

/// The flags for which the drop of a section has something to do.
const ENDS: u64 = LINKED | OBSERVED | REGISTERED;

/// The offset of a section's frame, for any number of locks.
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

// SAFETY: W2: by the contract of `new`, its borrowers touch it from one thread at a time.
unsafe impl<const N: usize> Sync for Section<'_, N> {}
// SAFETY: as for `Sync`. It is on the list of a thread only while that thread polls or runs it
// (W1).
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
    /// It is described, once, before a call of any function that has `described` in its
    /// documentation. From then on it is not moved, and is dropped before its memory is reused.
    /// Its borrowers are polled, or run, by one thread at a time: the thread that polls or runs
    /// the code of the section.
    #[inline]
    pub const unsafe fn new() -> Self {
        const {
            assert!(offset_of!(Self, described) == FRAME_AT);
            assert!(N <= head::MAX_LOCKS, "a section has 126 locks at most");
        }
        Section {
            head: Head::new(),
            described: UnsafeCell::new(MaybeUninit::uninit()),
            _enclosing: PhantomData,
            _pinned: PhantomPinned,
        }
    }

    /// Whether the section is described before it acquires a lock, and acquires it on the list, by
    /// a future or call of its own: if the lock is acquired last, as a sync lock is; if there are
    /// enclosing sections, as the lock order is recorded; and if there is an observer.
    #[inline]
    pub fn __enters_listed(&self, acquires_last: bool) -> bool {
        // The checker needs a future, which can be suspended.
        acquires_last || list::is_inside() || events::has_observer() || crate::checking::is_task()
    }

    /// Whether a section is described before it requests a lock, as its body runs on the list,
    /// too: in builds that need not be fast.
    #[inline]
    pub const fn __is_described_early(&self) -> bool {
        cfg!(debug_assertions)
    }

    /// Describes the section: it is written at `site`, in the body of the section `enclosing`.
    ///
    /// # Safety
    ///
    /// The site has `N` locks; and as for `new`.
    #[inline]
    pub unsafe fn __describe(
        &self,
        site: &'static Site,
        enclosing: Option<NestedIn<'o>>,
        locks: [SectionLock; N],
    ) {
        let enclosing = enclosing.map(|NestedIn(enclosing)| enclosing);
        // Each store counts.
        let described = Described {
            frame: Frame {
                site,
                enclosing: enclosing.map_or(MaybeUninit::uninit(), |enclosing| {
                    MaybeUninit::new(enclosing.0.as_ptr().cast_const())
                }),
                outer: Cell::new(MaybeUninit::uninit()),
                waker: Cell::new(MaybeUninit::uninit()),
                cold: UnsafeCell::new(MaybeUninit::uninit()),
            },
            locks,
        };
        // SAFETY: W6: nobody has a pointer to it yet.
        unsafe { (*self.described.get()).write(described) };
        let nested = if enclosing.is_some() { NESTED } else { 0 };
        self.head.set(DESCRIBED | nested);
    }

    /// Whether it has been described.
    #[inline]
    pub fn __is_described(&self) -> bool {
        self.head.has(DESCRIBED)
    }

    #[inline]
    fn frame(&self) -> FrameRef<'_> {
        // The pointer is to the whole section.
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

    /// The section has acquired the lock `index` at once.
    #[inline]
    pub fn __entered(&self, index: usize) {
        self.head.hold(index);
        if cfg!(debug_assertions) && self.head.has(DESCRIBED) {
            self.frame().record_name(index);
        }
    }

    /// The section's `timeout` has elapsed.
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
    pub fn __enclosing(&mut self) -> NestedIn<'_> {
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
    /// The pointer is null, or that of another `FrameRef` whose section is still borrowed.
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

    /// The rarely needed fields.
    fn cold(&self) -> &'s ColdFields {
        static NEXT: AtomicU64 = AtomicU64::new(1);

        let cold: *mut ColdFields = self.cold.get().cast();
        // SAFETY: W7; the section is borrowed, and only its own thread runs this (W2), which
        // has no reference to the fields before they are written.
        unsafe {
            if !self.has(HAS_COLD) {
                cold.write(ColdFields {
                    number: NEXT.fetch_add(1, Ordering::Relaxed),
                    polls: AtomicU64::new(0),
                    registered: Cell::new(0),
                    observed: Cell::new(None),
                });
                self.set(HAS_COLD);
            }
            &*cold
        }
    }

    /// Counts a poll, if the section is `HAS_COLD`; otherwise nobody has read the count.
    fn count_poll(self) {
        if self.has(HAS_COLD) {
            let polls = &self.cold().polls;
            polls.store(polls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
    }

    /// A number that no other section has.
    fn number(&self) -> u64 {
        self.cold().number
    }

    /// The section in whose body it is written.
    #[inline]
    fn enclosing(&self) -> Option<FrameRef<'s>> {
        if !self.has(NESTED) {
            return None;
        }
        // SAFETY: W7; by its lifetime, the section borrows from the enclosing one.
        unsafe { FrameRef::from_ptr(self.enclosing.assume_init()) }
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

    /// A poll of the section was pending.
    #[cold]
    fn suspended(&self) {
        if self.has(OBSERVED) {
            self.set(SUSPENDED);
        }
        self.register_all();
    }

    fn register_all(&self) {
        if let Some(enclosing) = self.enclosing() {
            enclosing.register_all();
        }
        self.register();
    }

    /// Registers the locks that the section holds.
    fn register(&self) {
        // The checker knows the holders itself.
        if self.cold().registered.get() == self.holds() || crate::checking::is_task() {
            return;
        }
        let held = self.held().map(|lock| (lock.name, lock.id, lock.mode));
        // SAFETY: the count is pinned, as a section does not move once it has been borrowed,
        // and the entry is removed by our drop (W3).
        unsafe {
            let polls = NonNull::from(&self.cold().polls);
            registry::section_holds(self.number(), self.site.info, held, polls);
        }
        self.cold().registered.set(self.holds());
        self.set(REGISTERED);
    }
}

/// A lock of a section, with its description.
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
