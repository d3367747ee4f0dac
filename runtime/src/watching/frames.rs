//! Sections, and the list of those that a thread is in (W1, W2).

use core::cell::Cell;
use core::future::{Future, IntoFuture};
use core::marker::{PhantomData, PhantomPinned};
use core::pin::Pin;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll, Waker};
use std::thread_local;
use std::vec::Vec;

use super::orders::{self, Acquired, Class};
use super::registry;
use crate::LockId;
use crate::watch::{Mode, Place, SectionInfo};

/// Where a section is written.
#[derive(Debug)]
pub struct Site(SectionInfo);

impl Site {
    /// The section of the fn `name`, which waits for `condition`, or for nothing.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
        condition: &'static str,
    ) -> Self {
        Site(SectionInfo::new(
            name,
            Place::new(file, line, column),
            condition,
        ))
    }
}

impl Site {
    pub(super) fn info(&self) -> SectionInfo {
        self.0
    }
}

/// The section that acquires a lock on this thread, if one does.
#[inline]
pub(super) fn entering() -> Option<&'static Site> {
    // SAFETY: W1.
    let innermost = unsafe { INNERMOST.get().as_ref() }?;
    innermost.entering.get().map(|_| innermost.site)
}

/// A lock of a section.
#[derive(Debug)]
pub struct SectionLock {
    name: &'static str,
    /// Of a lock of this crate.
    id: Option<LockId>,
    mode: Mode,
    is_short: bool,
    /// The type of what is entered.
    entered: fn() -> &'static str,
}

impl SectionLock {
    /// The lock of what is `entered`, held to read or not, and acquired by a call if it
    /// `is_short`.
    #[inline]
    pub fn new<E: ?Sized>(
        name: &'static str,
        entered: &E,
        id: impl FnOnce(&E) -> Option<LockId>,
        is_read: bool,
        is_short: bool,
    ) -> Self {
        let mode = if is_read {
            Mode::Shared
        } else {
            Mode::Exclusive
        };
        SectionLock {
            name,
            id: id(entered),
            mode,
            is_short,
            entered: core::any::type_name::<E>,
        }
    }
}

impl SectionLock {
    fn class(&self) -> Class {
        Class {
            entered: self.entered,
            name: self.name,
        }
    }
}

/// The waker of a poll, by its parts.
pub(super) type WakerKey = (usize, usize);

pub(super) fn waker_key(waker: &Waker) -> WakerKey {
    (waker.data().addr(), ptr::from_ref(waker.vtable()).addr())
}

thread_local! {
    /// The innermost section that the thread is in.
    static INNERMOST: Cell<*const Frame> = const { Cell::new(ptr::null()) };
}

/// What the list needs of a section.
struct Frame {
    site: &'static Site,
    /// The section in whose body it is written, or null: pushed with it.
    around: *const Frame,
    /// The next one on the list, further out. While it is on the list.
    outer: Cell<*const Frame>,
    /// Set before the section comes to the list.
    locks: Cell<*const [SectionLock]>,
    /// The locks that it holds, by a bit for each.
    holds: Cell<u32>,
    /// The lock that it is about to acquire.
    entering: Cell<Option<usize>>,
    /// By which waker it is polled; none if it just runs.
    waker: Cell<Option<WakerKey>>,
    /// Its number, once somebody asked for it; else zero.
    number: Cell<u64>,
    is_linked: Cell<bool>,
    /// It has put the section around on the list as well.
    linked_around: Cell<bool>,
    /// The locks that it held when the registry was told last; it is not registered while
    /// that is none.
    registered: Cell<u32>,
    /// How often it has been polled.
    polls: AtomicU64,
    /// Others have pointers to it.
    _pinned: PhantomPinned,
}

/// A section: made before its locks are acquired, dropped after they are released.
pub struct Section<'o, const N: usize> {
    frame: Frame,
    locks: [SectionLock; N],
    _around: PhantomData<&'o Frame>,
}

/// A section, borrowed.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct FrameRef<'s>(&'s Frame);

// SAFETY: W2: by the promise made to `new`, what borrows it touches it from one thread at a time.
unsafe impl<const N: usize> Sync for Section<'_, N> {}
// SAFETY: as for `Sync`. It is on the list of a thread only while it is borrowed (W1).
unsafe impl<const N: usize> Send for Section<'_, N> {}
// SAFETY: as for `Section`.
unsafe impl Send for FrameRef<'_> {}
// SAFETY: as for `Section`.
unsafe impl Sync for FrameRef<'_> {}

impl<'o, const N: usize> Section<'o, N> {
    /// A section that holds nothing yet, in the body of the section `around`.
    ///
    /// # Safety
    ///
    /// It is not moved once it has been borrowed, and is dropped before its memory is used for
    /// something else. What borrows it is polled, or run, by one thread at a time: by that which
    /// polls or runs the code whose section it is.
    #[inline]
    pub unsafe fn new(
        site: &'static Site,
        around: Option<FrameRef<'o>>,
        locks: [SectionLock; N],
    ) -> Self {
        Section {
            frame: Frame {
                site,
                around: around.map_or(ptr::null(), |around| ptr::from_ref(around.0)),
                outer: Cell::new(ptr::null()),
                locks: Cell::new(&[]),
                holds: Cell::new(0),
                entering: Cell::new(None),
                waker: Cell::new(None),
                number: Cell::new(0),
                is_linked: Cell::new(false),
                linked_around: Cell::new(false),
                registered: Cell::new(0),
                polls: AtomicU64::new(0),
                _pinned: PhantomPinned,
            },
            locks,
            _around: PhantomData,
        }
    }

    #[inline]
    fn frame(&self) -> FrameRef<'_> {
        self.frame.locks.set(&self.locks);
        FrameRef(&self.frame)
    }

    /// The section, for one in its body.
    #[inline]
    pub fn __around(&self) -> FrameRef<'_> {
        self.frame()
    }

    /// A future that acquires the lock `index`.
    #[inline]
    pub fn __entering<F>(&self, index: usize, future: F) -> Entering<'_, F> {
        let frame = self.frame();
        Entering {
            frame,
            index,
            future,
        }
    }

    /// The thread is about to wait for the lock `index`, or, if that is a short one, for
    /// nothing yet.
    ///
    /// # Safety
    ///
    /// What is returned is dropped before the section is, and before the caller suspends.
    #[inline]
    pub unsafe fn __wait(&self, index: usize) -> Asking<'_> {
        let FrameRef(frame) = self.frame();
        let is_short = frame.is_short(index);
        Asking::new(frame, (!is_short).then_some(index))
    }

    /// The thread is about to acquire the lock `index`, if it is a short one.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait).
    #[inline]
    pub unsafe fn __finish(&self, index: usize) -> Asking<'_> {
        let FrameRef(frame) = self.frame();
        let is_short = frame.is_short(index);
        Asking::new(frame, is_short.then_some(index))
    }

    /// The thread is in the section until this is dropped, and the section is not suspended
    /// meanwhile.
    ///
    /// # Safety
    ///
    /// As for [`__wait`](Self::__wait).
    #[inline]
    pub unsafe fn __inside(&self) -> Inside<'_> {
        Inside(self.frame().0.push(None))
    }
}

/// What is awaited in the body of a section.
pub trait Awaited: Sized {
    /// The same, within the section.
    #[doc(hidden)]
    #[inline]
    fn __within<'s, const N: usize>(self, section: &'s Section<'_, N>) -> Within<'s, Self> {
        let frame = section.frame();
        Within {
            frame,
            future: self,
        }
    }
}

impl<F> Awaited for F {}

/// What puts a future within a section: of a reference to one.
///
/// The future is an argument, not the receiver, so that its type need not be known before it
/// is awaited, as by hand.
#[diagnostic::on_unimplemented(
    message = "`{F}` is not a future",
    label = "`{F}` is not a future",
    note = "`{F}` must be a future or must implement `IntoFuture` to be awaited: otherwise, remove \
            the `.await`"
)]
pub trait AwaitWithin<F> {
    /// The future within the section.
    type Within;

    #[doc(hidden)]
    fn __await_within(self, future: F) -> Self::Within;
}

#[diagnostic::do_not_recommend]
impl<'s, F: IntoFuture, const N: usize> AwaitWithin<F> for &'s Section<'_, N> {
    type Within = WithinFuture<'s, F::IntoFuture>;

    #[inline]
    fn __await_within(self, future: F) -> Self::Within {
        WithinFuture {
            frame: self.frame(),
            future: future.into_future(),
        }
    }
}

impl Drop for Frame {
    #[inline]
    fn drop(&mut self) {
        if self.registered.get() != 0 {
            registry::section_ended(self.number.get());
        }
    }
}

impl<const N: usize> core::fmt::Debug for Section<'_, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Section")
            .field("site", self.frame.site)
            .field("locks", &self.locks)
            .finish_non_exhaustive()
    }
}

/// That of a lock; none for those that there is no bit for, which count as not held.
#[inline]
fn bit(index: usize) -> u32 {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    1_u32.checked_shl(index).unwrap_or(0)
}

/// Takes a section off the list when it is dropped, unless it was on the list before.
struct Pushed<'s>(&'s Frame, bool);

impl Frame {
    #[inline]
    fn push(&self, waker: Option<WakerKey>) -> Pushed<'_> {
        let is_new = !self.is_linked.get();
        if is_new {
            self.link(waker);
        }
        Pushed(self, is_new)
    }

    fn link(&self, waker: Option<WakerKey>) {
        // SAFETY: it is borrowed for as long as this exists.
        if let Some(around) = unsafe { self.around.as_ref() } {
            if !around.is_linked.get() {
                around.link(waker);
                around.count_poll();
                self.linked_around.set(true);
            }
        }
        self.waker.set(waker);
        self.outer.set(INNERMOST.replace(self));
        self.is_linked.set(true);
    }

    /// Wherever it is on the list: threads of users may switch stacks.
    fn unlink(&self) {
        let this: *const Frame = self;
        let mut next = INNERMOST.get();
        if ptr::eq(next, this) {
            INNERMOST.set(self.outer.get());
        } else {
            // SAFETY: W1.
            while let Some(frame) = unsafe { next.as_ref() } {
                next = frame.outer.get();
                if ptr::eq(next, this) {
                    frame.outer.set(self.outer.get());
                    break;
                }
            }
        }
        self.is_linked.set(false);
        if self.linked_around.replace(false) {
            // SAFETY: as in `link`.
            if let Some(around) = unsafe { self.around.as_ref() } {
                around.unlink();
            }
        }
    }

    #[inline]
    fn count_poll(&self) {
        self.polls
            .store(self.polls.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    #[inline]
    fn is_short(&self, index: usize) -> bool {
        self.locks().get(index).is_some_and(|lock| lock.is_short)
    }

    fn locks(&self) -> &[SectionLock] {
        // SAFETY: it points to the locks of the same section (`Section::frame`), which has not
        // moved since: it is borrowed (W1).
        unsafe { &*self.locks.get() }
    }

    /// The section has acquired a lock.
    #[inline]
    fn acquired(&self, index: usize, asker: Asker) {
        // It was on the list a moment ago, or is.
        if !self.outer.get().is_null() {
            self.acquired_within(index, asker);
        }
        self.holds.set(self.holds.get() | bit(index));
    }

    fn held(&self) -> impl Iterator<Item = &SectionLock> {
        let holds = self.holds.get();
        let held = move |index: usize| holds & bit(index) != 0;
        let locks = self.locks().iter().enumerate();
        locks.filter_map(move |(index, lock)| held(index).then_some(lock))
    }
}

impl Drop for Pushed<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.1 {
            self.0.unlink();
        }
    }
}

/// A thread is about to acquire a lock of a section.
#[allow(missing_debug_implementations)]
pub struct Asking<'s>(Option<(Pushed<'s>, usize)>);

impl<'s> Asking<'s> {
    #[inline]
    fn new(frame: &'s Frame, index: Option<usize>) -> Self {
        Asking(index.map(|index| {
            frame.entering.set(Some(index));
            (frame.push(None), index)
        }))
    }

    /// It has acquired it.
    #[inline]
    pub fn __acquired(self) {
        if let Some((pushed, index)) = &self.0 {
            pushed.0.acquired(*index, Asker::Thread);
        }
    }
}

impl Drop for Asking<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some((pushed, _)) = &self.0 {
            pushed.0.entering.set(None);
        }
    }
}

/// A thread is in a section, which is not suspended.
#[allow(missing_debug_implementations)]
pub struct Inside<'s>(#[allow(dead_code)] Pushed<'s>);

/// A future that acquires a lock of a section.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct Entering<'s, F> {
    frame: FrameRef<'s>,
    index: usize,
    future: F,
}

impl<F: Future> Future for Entering<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the struct.
        let (frame, index, future) = unsafe {
            let this = self.get_unchecked_mut();
            let future = Pin::new_unchecked(&mut this.future);
            (this.frame.0, this.index, future)
        };
        frame.entering.set(Some(index));
        let result = frame.poll(future, cx);
        frame.entering.set(None);
        // A short lock is acquired by a call that comes later.
        if result.is_ready() && !frame.is_short(index) {
            frame.acquired(index, Asker::Task(waker_key(cx.waker())));
        }
        result
    }
}

/// A future that is awaited in the body of a section.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct Within<'s, F> {
    frame: FrameRef<'s>,
    future: F,
}

impl<'s, F: IntoFuture> IntoFuture for Within<'s, F> {
    type Output = F::Output;
    type IntoFuture = WithinFuture<'s, F::IntoFuture>;

    #[inline]
    fn into_future(self) -> Self::IntoFuture {
        WithinFuture {
            frame: self.frame,
            future: self.future.into_future(),
        }
    }
}

/// What a [`Within`] becomes.
#[must_use = "futures do nothing unless they are awaited"]
#[allow(missing_debug_implementations)]
pub struct WithinFuture<'s, F> {
    frame: FrameRef<'s>,
    future: F,
}

impl<F: Future> Future for WithinFuture<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with the struct.
        let (frame, future) = unsafe {
            let this = self.get_unchecked_mut();
            (this.frame.0, Pin::new_unchecked(&mut this.future))
        };
        frame.poll(future, cx)
    }
}

impl Frame {
    #[inline]
    fn poll<F: Future>(&self, future: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.count_poll();
        let pushed = self.push(Some(waker_key(cx.waker())));
        let result = future.poll(cx);
        drop(pushed);
        if result.is_pending() {
            self.suspended();
        }
        result
    }

    fn suspended(&self) {
        // SAFETY: as in `link`.
        if let Some(around) = unsafe { self.around.as_ref() } {
            around.suspended();
        }
        self.register();
    }

    /// Tells the registry what the section holds.
    fn register(&self) {
        if self.registered.get() == self.holds.get() {
            return;
        }
        let held = self.held().map(|lock| (lock.name, lock.id, lock.mode));
        // SAFETY: the count is pinned, as a section does not move once it has been borrowed,
        // and the entry is removed by our drop (W3).
        unsafe {
            let polls = NonNull::from(&self.polls);
            registry::section_holds(self.number(), self.site.0, held, polls);
        }
        self.registered.set(self.holds.get());
    }

    fn number(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);

        if self.number.get() == 0 {
            self.number.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        self.number.get()
    }
}

/// A lock that is held by a section around a request.
#[derive(Clone)]
pub(super) struct HeldAround {
    pub(super) name: &'static str,
    pub(super) lock: LockId,
    pub(super) mode: Mode,
    pub(super) section: SectionInfo,
    /// That of the section.
    pub(super) number: u64,
    /// The section is suspended while the request waits; else its thread waits.
    pub(super) is_suspended: bool,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(super) enum Asker {
    Thread,
    Task(WakerKey),
}

/// What a section on the list is to a request.
#[derive(PartialEq, Eq)]
enum Relation {
    /// It cannot go on before the request is done.
    Around,
    /// It ends with the poll: a section that cannot suspend, around a task's poll.
    Ends,
    /// It may go on, and all that is further out.
    Unknown,
}

impl Asker {
    fn relation(self, frame: &Frame) -> Relation {
        match (self, frame.waker.get()) {
            (Asker::Thread, _) => Relation::Around,
            (Asker::Task(_), None) => Relation::Ends,
            (Asker::Task(own), Some(other)) if own == other => Relation::Around,
            (Asker::Task(_), Some(_)) => Relation::Unknown,
        }
    }
}

/// The sections on a list, from `next` on, each with what it is to a request.
struct Walk {
    next: *const Frame,
    asker: Asker,
    is_beyond: bool,
}

impl Walk {
    fn new(next: *const Frame, asker: Asker) -> Self {
        Walk {
            next,
            asker,
            is_beyond: false,
        }
    }

    /// # Safety
    ///
    /// The list is that of this thread, and the reference is not kept beyond the poll, or the
    /// call, that is under way (W1).
    unsafe fn next<'f>(&mut self) -> Option<(&'f Frame, Relation)> {
        // SAFETY: W1.
        let frame = unsafe { self.next.as_ref() }?;
        self.next = frame.outer.get();
        let relation = match self.asker.relation(frame) {
            Relation::Around if self.is_beyond => Relation::Unknown,
            relation => relation,
        };
        self.is_beyond |= relation == Relation::Unknown;
        Some((frame, relation))
    }
}

/// What is around a request, and which section it enters, if it is one that does.
pub(super) struct Around {
    /// From the innermost on.
    pub(super) held: Vec<HeldAround>,
    /// The lock that is asked for, held by a section that may go on without it, for all that is
    /// known: it polls the request by another waker, or by hand.
    pub(super) beyond: Vec<HeldAround>,
    /// The name of the lock, and the section.
    pub(super) entering: Option<(&'static str, SectionInfo)>,
    /// The innermost section enters another lock, one of a user's own, in whose future this
    /// request is.
    pub(super) is_part: bool,
}

/// Whether a section that a request of this thread is in holds `lock`.
#[inline]
pub(super) fn is_held_around(asker: Asker, lock: LockId) -> bool {
    let mut walk = Walk::new(INNERMOST.get(), asker);
    // SAFETY: the references are not kept.
    while let Some((frame, relation)) = unsafe { walk.next() } {
        let holds_it = |held: &SectionLock| held.id == Some(lock);
        if relation == Relation::Around && frame.held().any(holds_it) {
            return true;
        }
    }
    false
}

/// The sections that a request of this thread for `lock` is in.
pub(super) fn around(asker: Asker, lock: LockId) -> Around {
    let mut around = Around {
        held: Vec::new(),
        beyond: Vec::new(),
        entering: None,
        is_part: false,
    };
    let mut walk = Walk::new(INNERMOST.get(), asker);
    let mut is_innermost = true;
    // SAFETY: the references are not kept.
    while let Some((frame, relation)) = unsafe { walk.next() } {
        let is_around = relation == Relation::Around;
        if is_innermost && is_around {
            let entered = frame
                .entering
                .get()
                .and_then(|index| frame.locks().get(index));
            around.is_part = entered.is_some_and(|entered| entered.id != Some(lock));
            around.entering = entered
                .filter(|entered| entered.id == Some(lock))
                .map(|entered| (entered.name, frame.site.0));
        }
        is_innermost &= relation == Relation::Ends;
        let held = frame.held().filter_map(|held| {
            Some(HeldAround {
                name: held.name,
                lock: held.id?,
                mode: held.mode,
                section: frame.site.0,
                number: frame.number(),
                is_suspended: matches!(asker, Asker::Task(_)),
            })
        });
        if is_around {
            around.held.extend(held);
        } else {
            let before = around.beyond.len();
            around.beyond.extend(held.filter(|held| held.lock == lock));
            if around.beyond.len() > before {
                // Whether it goes on is seen by its polls.
                frame.register();
            }
        }
    }
    around
}

/// What tells whether a request is still where it was, and whether its sections have been
/// polled since without it. Sums of hashes, which differ if what they are of does.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Prints {
    /// Which sections around hold something, and which beyond hold the lock.
    pub(super) sections: u64,
    /// How often those around have been polled.
    pub(super) around: u64,
    /// How often those beyond have been polled.
    pub(super) beyond: u64,
}

/// The part of a sum that a section has, for a count of its polls.
pub(super) fn print(section: u64, polls: u64) -> u64 {
    // The finalizer of SplitMix64, by Steele, Lea and Flood.
    let mut hash = section.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ polls.rotate_left(32);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The prints of a request of this thread for `lock`.
pub(super) fn prints(asker: Asker, lock: LockId) -> Prints {
    let mut prints = Prints::default();
    let mut walk = Walk::new(INNERMOST.get(), asker);
    // SAFETY: the references are not kept.
    while let Some((frame, relation)) = unsafe { walk.next() } {
        let is_around = relation == Relation::Around;
        let counts = |held: &SectionLock| held.id.is_some_and(|id| is_around || id == lock);
        if !frame.held().any(counts) {
            continue;
        }
        let holds = u64::from(frame.holds.get()) << 1 | u64::from(is_around);
        let (number, polls) = (frame.number(), frame.polls.load(Ordering::Relaxed));
        prints.sections = prints.sections.wrapping_add(print(number, holds));
        let sum = match (is_around, asker) {
            (true, Asker::Task(_)) => &mut prints.around,
            // A section that a thread is in stands still.
            (true, Asker::Thread) => continue,
            (false, _) => &mut prints.beyond,
        };
        *sum = sum.wrapping_add(print(number, polls));
    }
    prints
}

impl Frame {
    /// [`acquired`](Self::acquired), where sections are around.
    #[inline(never)]
    fn acquired_within(&self, index: usize, asker: Asker) {
        let Some(then) = self.locks().get(index) else {
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

    /// Each lock that the section holds, and then those of the sections around.
    #[inline]
    fn each_within(&self, asker: Asker, mut each: impl FnMut(&Frame, &SectionLock, bool)) {
        self.held().for_each(|lock| each(self, lock, true));
        let mut walk = Walk::new(self.outer.get(), asker);
        // SAFETY: the references are not kept. What is further out was on the list when this
        // section was, a moment ago.
        while let Some((frame, relation)) = unsafe { walk.next() } {
            if relation == Relation::Around {
                frame.held().for_each(|lock| each(frame, lock, false));
            }
        }
    }

    /// What is noted of a lock that the section has acquired.
    fn noted(&self, lock: &SectionLock, is_own: bool) -> Acquired {
        Acquired {
            class: lock.class(),
            mode: lock.mode,
            section: self.site.0,
            is_own,
        }
    }
}
